"""What the thresholds of checks may be: a check gives each of its keyword-only arguments one of these types by name."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec

Images: TypeAlias = Annotated[int, msgspec.Meta(ge=2)]
"""So many images at least: one alone has nothing in common with others."""
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Bytes: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
Pin: TypeAlias = Literal["tag", "digest"]
Bringer: TypeAlias = Literal["base", "image"]
Manager: TypeAlias = Literal[
    "apt", "apk", "dnf", "yum", "microdnf", "zypper", "pip", "uv", "npm", "yarn", "pnpm", "gem", "conda"
]
Managers: TypeAlias = tuple[Manager, ...]


class Kind(msgspec.Struct, frozen=True):
    """A type of thresholds, and in words what it takes."""

    type: Any
    words: str


def _one_of(names: tuple[str, ...]) -> str:
    *first, last = (f'"{name}"' for name in names)
    return f"{', '.join(first)} or {last}"


KINDS = {
    "bool": Kind(bool, "true or false"),
    "int": Kind(int, "a whole number"),
    "float": Kind(float, "a number"),
    "str": Kind(str, "a text"),
    "tuple[str, ...]": Kind(tuple[str, ...], "a list of texts"),
    "Images": Kind(Images, "a whole number from 2"),
    "Count": Kind(Count, "a whole number from 1"),
    "Bytes": Kind(Bytes, "a whole number from 0"),
    "Share": Kind(Share, "a number from 0 to 1"),
    "Pin": Kind(Pin, _one_of(get_args(Pin))),
    "Bringer": Kind(Bringer, _one_of(get_args(Bringer))),
    "Managers": Kind(Managers, f"a list of {_one_of(get_args(Manager))}"),
}
"""By the name that a check's signature has it under."""
