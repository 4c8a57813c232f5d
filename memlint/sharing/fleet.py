"""A fleet's images, merged: prices what its containers hold in page cache, and finds what they hold twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest

import msgspec

from memlint.model.digest import ChainID, ContentID, DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex, Package
from memlint.model.report import (
    SCHEMA,
    TEXTREL,
    UPX,
    Bases,
    Branch,
    CauseTotal,
    Duplicate,
    ImageReport,
    LayerReport,
    Parting,
    Placement,
    Report,
    StartupReport,
    Totals,
    UnsharedFile,
    Version,
    VersionSkew,
)
from memlint.sharing.causes import Causes, counted
from memlint.sharing.startup import Startup, startup_set
from memlint.sharing.storage import Key, StorageModel
from memlint.sharing.view import EMPTY, View, Visible, merge_views

BASIS = (
    "potential: a static upper bound. mappable: every page of the visible files that processes can map shared;"
    " startup: those of the files that starting the containers maps for certain"
)


class Member(msgspec.Struct, frozen=True):
    """An image as part of a fleet."""

    image: Image
    replicas: int
    files: tuple[tuple[str, Visible], ...]
    startup: Startup


class _Copy(msgspec.Struct, frozen=True):
    """One file of one image: several with one key are one inode."""

    member: int
    path: str
    file: Visible
    startup: bool


def compare_images(
    images: Sequence[Image],
    replicas: Sequence[int],
    indexes: Mapping[DiffID, LayerIndex],
    storage: StorageModel,
    kinds: Collection[str],
) -> Report:
    """What the images, each with so many containers, would hold in the page cache of one node."""
    views = merge_views(images, indexes)
    members = [_member(image, count, views, kinds) for image, count in zip(images, replicas, strict=True)]
    contents = _by_content(members, storage)
    causes = Causes(images)
    duplicates = tuple(
        sorted(
            (_duplicate(members, copies, causes) for copies in contents.values() if len(copies) > 1),
            key=lambda duplicate: (-duplicate.duplicate_bytes, duplicate.content),
        )
    )
    return Report(
        schema=SCHEMA,
        basis=BASIS,
        storage=storage.name,
        kinds=tuple(sorted(kinds)),
        images=tuple(_image_report(member) for member in members),
        totals=Bases(_totals(contents, startup=False), _totals(contents, startup=True)),
        causes=_cause_totals(duplicates),
        duplicates=duplicates,
        version_skew=_version_skew(members),
        partings=_partings(images),
        unshared=_unshared(members),
    )


def _member(image: Image, replicas: int, views: Mapping[ChainID, View], kinds: Collection[str]) -> Member:
    view = views[image.layers[-1].chain_id] if image.layers else EMPTY
    files = tuple((path, file) for path, file in view.files() if file.file.kind in kinds)
    return Member(image, replicas, files, startup_set(view, image.process))


def _by_content(members: Sequence[Member], storage: StorageModel) -> dict[ContentID, dict[Key, list[_Copy]]]:
    """Content → inode → the files that are it."""
    contents: dict[ContentID, dict[Key, list[_Copy]]] = {}
    container = 0
    for number, member in enumerate(members):
        copies = [_Copy(number, path, file, path in member.startup.paths) for path, file in member.files]
        for _ in range(member.replicas if storage.per_container else 1):
            for copy in copies:
                keys = contents.setdefault(copy.file.file.content, {})
                keys.setdefault(storage.key(copy.file, container), []).append(copy)
            container += 1
    return contents


def _totals(contents: Mapping[ContentID, Mapping[Key, Sequence[_Copy]]], *, startup: bool) -> Totals:
    page_cache = distinct = 0
    for keys in contents.values():
        counted = [copies for copies in keys.values() if not startup or any(copy.startup for copy in copies)]
        if counted:
            size = counted[0][0].file.file.mappable_bytes
            page_cache += size * len(counted)
            distinct += size
    return Totals(page_cache, distinct, page_cache - distinct, round(distinct / page_cache, 6) if page_cache else 1.0)


def _duplicate(members: Sequence[Member], keys: Mapping[Key, Sequence[_Copy]], causes: Causes) -> Duplicate:
    copies = [copy for same in keys.values() for copy in same]
    file = copies[0].file.file
    elf = file.elf
    each = causes.of_copies([(same[0].path, same[0].file) for same in keys.values()])
    why = counted(each)
    return Duplicate(
        content=file.content,
        size=file.size,
        mappable_bytes=file.mappable_bytes,
        copies=len(keys),
        duplicate_bytes=(len(keys) - 1) * file.mappable_bytes,
        kind=file.kind,
        soname=elf.soname if elf else None,
        package=_package_of(copies),
        cause=next(iter(why)),
        causes=why,
        placements=_placements(
            members, copies, [cause for cause, same in zip(each, keys.values(), strict=True) for _ in same]
        ),
    )


def _placements(
    members: Sequence[Member], copies: Sequence[_Copy], causes: Sequence[str | None] = ()
) -> tuple[Placement, ...]:
    """Each file of each image once, however many containers the image has."""
    unique: dict[tuple[int, str, int, ChainID, bool], str | None] = {}
    for copy, cause in zip_longest(copies, causes):
        unique.setdefault((copy.member, copy.path, copy.file.layer, copy.file.chain_id, copy.startup), cause)
    return tuple(
        Placement(members[member].image.ref, f"/{path}", layer, chain_id, startup, cause)
        for (member, path, layer, chain_id, startup), cause in unique.items()
    )


def _image_report(member: Member) -> ImageReport:
    per_layer: dict[int, dict[str, int]] = defaultdict(dict)
    for _, visible in member.files:
        per_layer[visible.layer][visible.file.link] = visible.file.mappable_bytes
    started = {
        (visible.layer, visible.file.link): visible.file.mappable_bytes
        for path, visible in member.files
        if path in member.startup.paths
    }
    image = member.image
    layers = tuple(
        LayerReport(layer.diff_id, layer.chain_id, layer.created_by, sum(per_layer[number].values()))
        for number, layer in enumerate(image.layers)
    )
    return ImageReport(
        ref=image.ref,
        name=image.name,
        platform=image.platform,
        replicas=member.replicas,
        mappable_bytes=sum(layer.mappable_bytes for layer in layers),
        startup=StartupReport(member.startup.programs, member.startup.missing, sum(started.values())),
        layers=layers,
        libc=_libc(member),
    )


def _cause_totals(duplicates: Iterable[Duplicate]) -> tuple[CauseTotal, ...]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for duplicate in duplicates:
        for cause, copies in duplicate.causes.items():
            sums[cause][0] += copies * duplicate.mappable_bytes
            sums[cause][1] += copies
            sums[cause][2] += 1
    totals = (CauseTotal(cause, *each) for cause, each in sums.items())
    return tuple(sorted(totals, key=lambda total: (-total.duplicate_bytes, total.cause)))


def _version_skew(members: Sequence[Member]) -> tuple[VersionSkew, ...]:
    """Sonames of one machine that stand for several contents."""
    names: dict[tuple[str, tuple[int, str, int]], dict[ContentID, list[_Copy]]] = defaultdict(lambda: defaultdict(list))
    for number, member in enumerate(members):
        for path, visible in member.files:
            elf = visible.file.elf
            if elf is not None and elf.soname and visible.file.kind == "library":
                copy = _Copy(number, path, visible, path in member.startup.paths)
                names[elf.soname, elf.machine][visible.file.content].append(copy)
    skews = [
        VersionSkew(soname, tuple(_version(members, content, copies) for content, copies in contents.items()))
        for (soname, _), contents in names.items()
        if len(contents) > 1
    ]
    return tuple(sorted(skews, key=lambda skew: (-sum(v.mappable_bytes for v in skew.versions), skew.soname)))


def _version(members: Sequence[Member], content: ContentID, copies: Sequence[_Copy]) -> Version:
    return Version(content, copies[0].file.file.mappable_bytes, _package_of(copies), _placements(members, copies))


def _unshared(members: Sequence[Member]) -> tuple[UnsharedFile, ...]:
    """Files whose pages a process makes its own, whatever its container shares."""
    found: dict[tuple[str, ContentID], list[_Copy]] = defaultdict(list)
    for number, member in enumerate(members):
        for path, visible in member.files:
            elf = visible.file.elf
            if elf is not None and (elf.upx or elf.textrel):
                copy = _Copy(number, path, visible, path in member.startup.paths)
                found[UPX if elf.upx else TEXTREL, visible.file.content].append(copy)
    files = [
        UnsharedFile(reason, content, copies[0].file.file.size, _package_of(copies), _placements(members, copies))
        for (reason, content), copies in found.items()
    ]
    return tuple(sorted(files, key=lambda file: (file.reason, -file.size, file.content)))


def _package_of(copies: Iterable[_Copy]) -> Package | None:
    return next((copy.file.package for copy in copies if copy.file.package), None)


def _libc(member: Member) -> dict[str, int]:
    """How many programs ask for the loader of each libc, the family that most ask for first."""
    inodes = {(file.chain_id, file.file.link): file.file.elf for _, file in member.files}
    asked = (elf.interp.rpartition("/")[2] for elf in inodes.values() if elf is not None and elf.interp)
    counts = Counter(family for name in asked if (family := _family(name)))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _family(loader: str) -> str | None:
    if loader.startswith("ld-musl"):
        return "musl"
    return "glibc" if loader.startswith(("ld-linux", "ld64.so", "ld.so.1")) else None


def _partings(images: Sequence[Image]) -> tuple[Parting, ...]:
    """Each chain on which images go different ways."""
    branches: dict[tuple[int, ChainID | None], dict[ChainID, list[Image]]] = defaultdict(lambda: defaultdict(list))
    for image in images:
        parent: ChainID | None = None
        for number, layer in enumerate(image.layers):
            branches[number, parent][layer.chain_id].append(image)
            parent = layer.chain_id
    return tuple(
        Parting(number, tuple(_branch(number, followers) for followers in ways.values()))
        for (number, _), ways in branches.items()
        if len(ways) > 1
    )


def _branch(number: int, followers: Sequence[Image]) -> Branch:
    return Branch(tuple(image.ref for image in followers), followers[0].layers[number].created_by)
