"""What a comparison found. The JSON output is this, field by field; units are bytes."""

from __future__ import annotations

import msgspec

from memlint.model.digest import ChainID, ContentID, DiffID
from memlint.model.finding import Finding
from memlint.model.layer import Package

SCHEMA = "memlint.compare/1"
UPX, TEXTREL = "UPX", "text relocations"


class LayerReport(msgspec.Struct, frozen=True):
    """A layer of an image. `mappable_bytes` are those of its files that the image shows, each inode once."""

    diff_id: DiffID
    chain_id: ChainID
    created_by: str
    mappable_bytes: int


class StartupReport(msgspec.Struct, frozen=True):
    """What the image's process was found to start: programs in order, and names that the image does not have."""

    programs: tuple[str, ...]
    missing: tuple[str, ...]
    mappable_bytes: int


class ImageReport(msgspec.Struct, frozen=True):
    """An image that took part. `libc` counts its programs by the family of the loader that they ask for."""

    ref: str
    name: str
    platform: str
    replicas: int
    mappable_bytes: int
    startup: StartupReport
    layers: tuple[LayerReport, ...]
    libc: dict[str, int] = {}


class Totals(msgspec.Struct, frozen=True):
    """One basis: page cache = distinct + duplicate; efficiency = distinct / page cache, and 1 where nothing maps."""

    page_cache_bytes: int
    distinct_bytes: int
    duplicate_bytes: int
    efficiency: float


class Bases(msgspec.Struct, frozen=True):
    """The same arithmetic over all visible mapped files, over those that starting maps for certain, and over the pages
    that a profile of running containers expects; None where none was given, or it has seen none of the images run."""

    mappable: Totals
    startup: Totals
    profile: Totals | None = None


class Placement(msgspec.Struct, frozen=True):
    """Where a file lies: `layer` is an index into the image's layers; `startup` whether starting the image maps it.

    `cause` says, in a duplicate, why this is an inode of its own; None for the one that all would share.
    """

    image: str
    path: str
    layer: int
    chain_id: ChainID
    startup: bool
    cause: str | None = None


class Duplicate(msgspec.Struct, frozen=True):
    """One content with several inodes: `copies` of them, all but one of which are `duplicate_bytes`.

    `profile_bytes` are the duplicate bytes that a profile expects; None where none was given, or it has not seen run
    what one of these images runs. `causes` counts the inodes beyond the first by what explains them; `cause` is the one
    that explains most.
    """

    content: ContentID
    size: int
    mappable_bytes: int
    copies: int
    duplicate_bytes: int
    kind: str
    soname: str | None
    package: Package | None
    cause: str
    causes: dict[str, int]
    placements: tuple[Placement, ...]
    profile_bytes: int | None = None

    @property
    def copy_bytes(self) -> int:
        """What each inode beyond the first costs: by profile where that is known, else at most."""
        return self.mappable_bytes if self.profile_bytes is None else round(self.profile_bytes / (self.copies - 1))


class CauseTotal(msgspec.Struct, frozen=True):
    """The duplicates of one cause together: inodes beyond each content's first, and the contents they hold."""

    cause: str
    duplicate_bytes: int
    copies: int
    files: int


class Version(msgspec.Struct, frozen=True):
    """One content behind a soname. `profile_bytes` are the distinct pages of it that a profile expects; None as in
    `Duplicate`."""

    content: ContentID
    mappable_bytes: int
    package: Package | None
    placements: tuple[Placement, ...]
    profile_bytes: int | None = None


class VersionSkew(msgspec.Struct, frozen=True):
    """One soname with several contents over the fleet. A neighbour of duplicates, not one of them."""

    soname: str
    versions: tuple[Version, ...]


class UnsharedFile(msgspec.Struct, frozen=True):
    """A file that no two processes share, even in containers of one image; `reason` is UPX or text relocations."""

    reason: str
    content: ContentID
    size: int
    package: Package | None
    placements: tuple[Placement, ...]


class Branch(msgspec.Struct, frozen=True):
    """The images that go on with one layer, and the instruction that made it."""

    images: tuple[str, ...]
    created_by: str


class Parting(msgspec.Struct, frozen=True):
    """Where chains part: below `layer` (an index into the images' layers) all branches are one chain."""

    layer: int
    branches: tuple[Branch, ...]


class ProfileReport(msgspec.Struct, frozen=True):
    """A profile that images were priced by, and how far it goes.

    `coverage` is the part of the contents that starting the images maps, by mappable bytes, that the profile knows.
    `unknown` are references of images whose programs it has not seen run: its totals lack all that they hold.
    """

    basis: str
    recordings: int
    coverage: float
    unknown: tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """A comparison of images on one node."""

    schema: str
    basis: str
    storage: str
    kinds: tuple[str, ...]
    images: tuple[ImageReport, ...]
    totals: Bases
    causes: tuple[CauseTotal, ...]
    duplicates: tuple[Duplicate, ...]
    version_skew: tuple[VersionSkew, ...]
    partings: tuple[Parting, ...]
    unshared: tuple[UnsharedFile, ...] = ()
    findings: tuple[Finding, ...] = ()
    profile: ProfileReport | None = None
