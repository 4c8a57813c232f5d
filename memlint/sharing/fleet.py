"""A fleet's images, merged: prices what its containers hold in page cache, and finds what they hold twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from memlint.model.digest import ChainID, ContentID, DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
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
    Report,
    StartupReport,
    Totals,
    UnsharedFile,
    Version,
    VersionSkew,
)
from memlint.sharing.causes import Causes, counted
from memlint.sharing.expecting import Expectation
from memlint.sharing.members import Copy, Inodes, Member, by_content, package_of, placements_of
from memlint.sharing.resident import Known, programs_of
from memlint.sharing.startup import startup_set
from memlint.sharing.storage import StorageModel
from memlint.sharing.view import EMPTY, View, merge_views

BASIS = (
    "potential: a static upper bound. mappable: every page of the visible files that processes can map shared;"
    " startup: those of the files that starting the containers maps for certain"
)
PROFILE_BASIS = "profile: expected, the pages that running containers of the same programs were seen to keep"


def compare_images(
    images: Sequence[Image],
    replicas: Sequence[int],
    indexes: Mapping[DiffID, LayerIndex],
    storage: StorageModel,
    kinds: Collection[str],
    known: Known | None = None,
) -> Report:
    """What the images, each with so many containers, would hold in the page cache of one node."""
    views = merge_views(images, indexes)
    members = [_member(image, count, views, kinds, known) for image, count in zip(images, replicas, strict=True)]
    contents = by_content(members, storage)
    causes = Causes(images)
    expectation = None if known is None else Expectation(members, contents, known)
    duplicates = tuple(
        sorted(
            (_duplicate(members, copies, causes, expectation) for copies in contents.values() if len(copies) > 1),
            key=lambda duplicate: (-duplicate.duplicate_bytes, duplicate.content),
        )
    )
    return Report(
        schema=SCHEMA,
        basis=BASIS if known is None else f"{BASIS}; {PROFILE_BASIS}",
        storage=storage.name,
        kinds=tuple(sorted(kinds)),
        images=tuple(_image_report(member) for member in members),
        totals=Bases(
            _totals(contents, startup=False),
            _totals(contents, startup=True),
            None if expectation is None else expectation.totals(),
        ),
        causes=_cause_totals(duplicates),
        duplicates=duplicates,
        version_skew=_version_skew(members, expectation),
        partings=_partings(images),
        unshared=_unshared(members),
        profile=None if expectation is None else expectation.report(),
    )


def _member(
    image: Image, replicas: int, views: Mapping[ChainID, View], kinds: Collection[str], known: Known | None
) -> Member:
    view = views[image.layers[-1].chain_id] if image.layers else EMPTY
    files = tuple((path, file) for path, file in view.files() if file.file.kind in kinds)
    startup = startup_set(view, image.process)
    return Member(image, replicas, files, startup, frozenset() if known is None else programs_of(view, startup, known))


def _totals(contents: Mapping[ContentID, Inodes], *, startup: bool) -> Totals:
    page_cache = distinct = 0
    for keys in contents.values():
        counted = [copies for copies in keys.values() if not startup or any(copy.startup for copy in copies)]
        if counted:
            size = counted[0][0].file.file.mappable_bytes
            page_cache += size * len(counted)
            distinct += size
    return Totals(page_cache, distinct, page_cache - distinct, round(distinct / page_cache, 6) if page_cache else 1.0)


def _duplicate(members: Sequence[Member], keys: Inodes, causes: Causes, expectation: Expectation | None) -> Duplicate:
    copies = [copy for same in keys.values() for copy in same]
    file = copies[0].file.file
    elf = file.elf
    each = causes.of_copies([(same[0].path, same[0].file) for same in keys.values()])
    why = counted(each)
    price = None if expectation is None else expectation.of(file.content, keys)
    return Duplicate(
        content=file.content,
        size=file.size,
        mappable_bytes=file.mappable_bytes,
        copies=len(keys),
        duplicate_bytes=(len(keys) - 1) * file.mappable_bytes,
        kind=file.kind,
        soname=elf.soname if elf else None,
        package=package_of(copies),
        cause=next(iter(why)),
        causes=why,
        placements=placements_of(
            members, copies, [cause for cause, same in zip(each, keys.values(), strict=True) for _ in same]
        ),
        profile_bytes=None if price is None else price.duplicate_bytes,
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


def _version_skew(members: Sequence[Member], expectation: Expectation | None) -> tuple[VersionSkew, ...]:
    """Sonames of one machine that stand for several contents."""
    names: dict[tuple[str, tuple[int, str, int]], dict[ContentID, list[Copy]]] = defaultdict(lambda: defaultdict(list))
    for number, member in enumerate(members):
        for path, visible in member.files:
            elf = visible.file.elf
            if elf is not None and elf.soname and visible.file.kind == "library":
                copy = Copy(number, path, visible, path in member.startup.paths, member.replicas)
                names[elf.soname, elf.machine][visible.file.content].append(copy)
    skews = [
        VersionSkew(
            soname, tuple(_version(members, content, copies, expectation) for content, copies in contents.items())
        )
        for (soname, _), contents in names.items()
        if len(contents) > 1
    ]
    return tuple(sorted(skews, key=lambda skew: (-sum(v.mappable_bytes for v in skew.versions), skew.soname)))


def _version(
    members: Sequence[Member], content: ContentID, copies: Sequence[Copy], expectation: Expectation | None
) -> Version:
    price = None if expectation is None else expectation.of(content, {0: copies})
    resident = None if price is None else round(price.distinct)
    size = copies[0].file.file.mappable_bytes
    return Version(content, size, package_of(copies), placements_of(members, copies), resident)


def _unshared(members: Sequence[Member]) -> tuple[UnsharedFile, ...]:
    """Files whose pages a process makes its own, whatever its container shares."""
    found: dict[tuple[str, ContentID], list[Copy]] = defaultdict(list)
    for number, member in enumerate(members):
        for path, visible in member.files:
            elf = visible.file.elf
            if elf is not None and (elf.upx or elf.textrel):
                copy = Copy(number, path, visible, path in member.startup.paths, member.replicas)
                found[UPX if elf.upx else TEXTREL, visible.file.content].append(copy)
    files = [
        UnsharedFile(reason, content, copies[0].file.file.size, package_of(copies), placements_of(members, copies))
        for (reason, content), copies in found.items()
    ]
    return tuple(sorted(files, key=lambda file: (file.reason, -file.size, file.content)))


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
