"""A plan against the images that were built to it. The JSON output is this, field by field; units are bytes."""

from __future__ import annotations

import msgspec

from memlint.model.layer import Package
from memlint.model.report import Totals

SCHEMA = "memlint.plan-check/1"


class Inventory(msgspec.Struct, frozen=True):
    """The packages of images, each once: an image (its reference) has one of the `sets`, of numbers in `packages`."""

    packages: tuple[Package, ...] = ()
    sets: tuple[tuple[int, ...], ...] = ()
    images: dict[str, int] = {}


class Built(msgspec.Struct, frozen=True):
    """What a plan's directory says about its build: image's reference → what it is built as, None where it is not.

    `variants` are what follows the tag, of those that have any; `inventory` are the packages that the images had. The
    others are how the plan was counted.
    """

    images: dict[str, str | None]
    basis: str
    storage: str
    replicas: dict[str, int]
    kinds: tuple[str, ...]
    nodes: int = 1
    variants: dict[str, str] = {}
    inventory: Inventory | None = None


class CheckedBase(msgspec.Struct, frozen=True):
    """A planned base, and whether all its images stand on one chain that reaches above the original base."""

    name: str
    images: tuple[str, ...]
    shared_layers: int
    met: bool


class MadeAgain(msgspec.Struct, frozen=True):
    """What a base has and an image has once more above it: a package, or files of none by directory."""

    base: str
    image: str
    what: str
    bytes: int


class OtherVersion(msgspec.Struct, frozen=True):
    """A package, by type and name, and the versions that an image had and has of it."""

    type: str
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class CheckedImage(msgspec.Struct, frozen=True):
    """An image, by its reference before, whose packages are not what they were. `new` are those that its base does not
    have either."""

    ref: str
    lost: tuple[Package, ...]
    changed: tuple[OtherVersion, ...]
    new: tuple[Package, ...]


class Check(msgspec.Struct, frozen=True):
    """What was predicted and what is. `saved` are page cache bytes, potential as in the plan.

    `packages` are the images whose packages are others than before; None where the plan does not say what they were.
    `again` is what keeps bytes duplicate that a base has.
    """

    schema: str
    basis: str
    storage: str
    images: int
    before: Totals
    predicted: Totals
    now: Totals
    predicted_saved_bytes: int
    saved_bytes: int
    bases: tuple[CheckedBase, ...]
    met: bool
    packages: tuple[CheckedImage, ...] | None = None
    again: tuple[MadeAgain, ...] = ()
