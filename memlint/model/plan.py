"""What a plan of shared bases holds. The JSON output is this, field by field; units are bytes, and potential."""

from __future__ import annotations

import msgspec

from memlint.model.finding import Location
from memlint.model.report import Totals

SCHEMA = "memlint.plan/1"


class PlannedPackage(msgspec.Struct, frozen=True):
    """A package of a base. A `root` is asked for; the others come with one. `size` is what it maps.

    `step` is that of the base which installs it; `changes` are those that were seen of it, by former plans, too.
    """

    name: str
    version: str
    type: str
    root: bool
    size: int
    step: int = 0
    changes: int = 0


class PlannedFiles(msgspec.Struct, frozen=True):
    """Files that no package owns, as they lie in one layer of `image` (its reference), and a digest of them all."""

    directory: str
    paths: tuple[str, ...]
    image: str
    layer: int
    size: int
    step: int = 0
    changes: int = 0
    contents: str = ""


class PlannedStep(msgspec.Struct, frozen=True):
    """A step in building a base, from the lowest: why it is one, and what of it is mapped."""

    why: str
    bytes: int


class PlannedBase(msgspec.Struct, frozen=True):
    """A base: on `parent`, another planned base, or on `source`, what FROM names below all of them.

    - `source_chain`: the chain ID of the source's build that this was planned on; None for scratch.
    - `user`: whom the source's config names, "" for root; None where that is not known.
    - `reference`: what a FROM calls the base where it was written; its tag stands for its definition.
    - `layers`: how many its Dockerfile adds; `commands`: what it runs beside installs, because all its images did.
    """

    name: str
    parent: str | None
    source: str
    platform: str
    packages: tuple[PlannedPackage, ...]
    files: tuple[PlannedFiles, ...]
    images: tuple[str, ...]
    page_cache_saved_bytes: int
    causes: dict[str, int]
    steps: tuple[PlannedStep, ...] = ()
    source_chain: str | None = None
    user: str | None = ""
    reference: str = ""
    layers: int = 0
    commands: tuple[str, ...] = ()


class Remaining(msgspec.Struct, frozen=True):
    """What of an image stays duplicate, and why."""

    why: str
    duplicate_bytes: int


class PlannedImage(msgspec.Struct, frozen=True):
    """An image, the base that it is to stand on, and what it then carries that it did not have.

    `updates` are what it has in another version, where it is to stand on another build of its original base. It is not
    `rebuilt` where its FROM means another build by now, so that building it would change it. `installs` are what its
    Dockerfile has to name: its instructions bring them today, and would not on the base.
    """

    ref: str
    name: str
    base: str | None
    extra_bytes: int
    remaining: tuple[Remaining, ...]
    updates: tuple[str, ...] = ()
    rebuilt: bool = True
    installs: tuple[PlannedPackage, ...] = ()


class Point(msgspec.Struct, frozen=True):
    """A point of the frontier. `extra_bytes` has each image that gets what it did not have; `unsized` is how many of
    the packages that images get do not say their size, so that their mapped files count."""

    name: str
    max_extra_bytes: int | None
    page_cache_bytes: int
    distinct_bytes: int
    duplicate_bytes: int
    extra_bytes: dict[str, int]
    pull_bytes: int
    bases: int
    unsized: int = 0


class Suggestion(msgspec.Struct, frozen=True):
    """A change that needs no new base."""

    kind: str
    images: tuple[str, ...]
    text: str
    saved_bytes: int
    location: Location | None = None


class LeftOut(msgspec.Struct, frozen=True):
    """What the plan leaves out."""

    what: str
    why: str


class Moved(msgspec.Struct, frozen=True):
    """What is not as a former plan had it. `kind`: base, image, new image, package; `before` and `after` are bases, of
    a package versions; None for none."""

    kind: str
    what: str
    before: str | None
    after: str | None


class Plan(msgspec.Struct, frozen=True):
    """A plan. Bytes of page cache are those of one node: of all where containers lie on several, the mean."""

    schema: str
    basis: str
    storage: str
    points: tuple[Point, ...]
    chosen: str
    reason: str
    ideal_bytes: int
    optimum_bytes: int | None
    before: Totals
    after: Totals
    bases: tuple[PlannedBase, ...]
    images: tuple[PlannedImage, ...]
    suggestions: tuple[Suggestion, ...]
    left_out: tuple[LeftOut, ...]
    nodes: int = 1
    moved: tuple[Moved, ...] = ()
    notes: tuple[str, ...] = ()
