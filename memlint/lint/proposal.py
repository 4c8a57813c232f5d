"""The text of a shared base, as a suggestion for those who have to write it."""

from __future__ import annotations

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from memlint.model.dockerfile import Span

_FILES_NAMED = 6
_INSTALL = {
    "apt": "apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*",
    "apk": "apk add --no-cache {}",
    "dnf": "dnf install -y {} && dnf clean all",
    "yum": "yum install -y {} && yum clean all",
    "microdnf": "microdnf install -y {} && microdnf clean all",
    "pip": "pip install --no-cache-dir {}",
    "uv": "uv pip install --system --no-cache {}",
    "zypper": "zypper --non-interactive install {} && zypper clean --all",
}


def shared_base(base: str, steps: Iterable[Span], lines: Sequence[str], users: Collection[str]) -> str:
    """A base of instructions as one of the Dockerfiles, which has these lines, has them."""
    body = [line.rstrip("\r") for span in steps for line in lines[span.line - 1 : span.end_line] if line.strip()]
    return _text(base, body, users)


def base_with(base: str, packages: Mapping[str, Iterable[str]], users: Collection[str]) -> str:
    """A base with packages, by their managers."""
    body = ["RUN " + _INSTALL[manager].format(" ".join(names)) for manager, names in packages.items()]
    return _text(base, body, users)


def _text(base: str, body: Iterable[str], users: Collection[str]) -> str:
    named = [*list(users)[:_FILES_NAMED], *([f"{len(users) - _FILES_NAMED} more"] if len(users) > _FILES_NAMED else [])]
    return "\n".join(
        (
            "# build it once, publish it, and name it by digest in the FROM of",
            f"# {', '.join(named)}",
            f"FROM {base}",
            *body,
        )
    )
