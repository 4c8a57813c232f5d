"""Storage model against page frames, file by file; predicted totals against measured ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from memlint.errors import SourceError
from memlint.kernel.matching import (
    Provenance,
    another_build,
    by_container,
    containers_of,
    matched,
    nothing_runs,
    visible,
)
from memlint.kernel.pagemap import PAGE
from memlint.kernel.residency import Container, Residency, Sight
from memlint.model.digest import ContentID, DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.measure import MeasuredTotals
from memlint.model.report import Report
from memlint.model.verify import (
    NOT_SHARED,
    SCHEMA,
    SHARED_ANYWAY,
    Agreement,
    Contradiction,
    Prediction,
    Sharer,
    Verification,
    Verified,
)
from memlint.sharing.fleet import compare_images
from memlint.sharing.resident import Known
from memlint.sharing.storage import Key, StorageModel
from memlint.sharing.view import EMPTY, View, merge_views

_BASIS = (
    "measured: file pages that running containers of the images have mapped, each frame once; predicted: as compare"
    " does, for as many containers"
)


class Holding(msgspec.Struct, frozen=True, eq=False):
    """An inode of an image's file, as one container maps it: page → frame. `key` is what the storage model says."""

    container: Container
    residency: Residency
    key: Key
    frames: dict[int, int]

    @property
    def place(self) -> tuple[int, int, str]:
        file = self.residency.file
        return (file.device, file.inode, file.owner)


def verify_images(
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    storage: StorageModel,
    kinds: Collection[str],
    sight: Sight,
    known: Known | None,
    provenance: Provenance,
) -> Verification:
    """What was predicted of the images against what was seen.

    SourceError where no container of any of them runs, or where they run in several stores: of each, all is predicted.
    """
    merged = merge_views(images, indexes)
    views = [merged[image.layers[-1].chain_id] if image.layers else EMPTY for image in images]
    numbers, others = matched(sight, images, views, provenance)
    here = [number for number in range(len(images)) if number in numbers.values()]
    if not here:
        raise nothing_runs(images, others)
    _require_one_store([each for each in sight.containers if each.id in numbers], provenance)
    counts = [len(containers_of(numbers, number)) for number in here]
    report = compare_images([images[number] for number in here], counts, indexes, storage, kinds, known)
    holdings = _holdings(sight, numbers, views, storage, kinds)
    measured = _measured(holdings)
    agreement, contradictions = judged(holdings, storage.name)
    return Verification(
        schema=SCHEMA,
        basis=_BASIS,
        storage=storage.name,
        kinds=tuple(sorted(kinds)),
        images=tuple(Verified(images[each].ref, images[each].name, containers_of(numbers, each)) for each in here),
        not_running=tuple(image.ref for number, image in enumerate(images) if number not in here),
        measured=measured,
        predicted=tuple(_predictions(report, measured)),
        agreement=agreement,
        contradictions=contradictions,
        unseen=(*sight.unseen, *map(another_build, others)),
        profile=report.profile,
    )


def _require_one_store(containers: Iterable[Container], provenance: Provenance) -> None:
    stores: dict[str, list[str]] = {}
    for each in containers:
        origin = provenance.origins.get(each.id)
        if origin is not None and origin.store:
            stores.setdefault(origin.store, []).append(each.name)
    if len(stores) > 1:
        told = "; ".join(f"{store}: {', '.join(sorted(names))}" for store, names in stores.items())
        raise SourceError(
            f"containers of these images run in {len(stores)} stores, which share no page with each other: {told}",
            "choose those of one store with --container, or ask for a daemon's own images: docker-daemon:NAME",
        )


def _predictions(report: Report, measured: MeasuredTotals) -> Iterable[Prediction]:
    for basis in ("mappable", "startup", "profile"):
        totals = getattr(report.totals, basis)
        if totals is not None:
            seen = measured.duplicate_bytes
            yield Prediction(basis, totals, round(totals.duplicate_bytes / seen, 4) if seen else None)


def _holdings(
    sight: Sight, numbers: Mapping[str, int], views: Sequence[View], storage: StorageModel, kinds: Collection[str]
) -> list[Holding]:
    """What the containers map of their images' files, each inode of each container once."""
    containers = {container.id: container for container in sight.containers}
    found: dict[object, Holding] = {}
    for order, (identity, residencies) in enumerate(by_container(sight).items()):
        if identity not in numbers:
            continue
        for residency in residencies:
            file = visible(views[numbers[identity]], residency)
            if file is None or file.file.kind not in kinds:
                continue
            key = storage.key(file, order)
            fresh = Holding(containers[identity], residency, key, {})
            holding = found.setdefault((identity, file.file.content, key, fresh.place), fresh)
            holding.frames.update(zip(residency.pages, residency.frames, strict=True))
    return list(found.values())


def _measured(holdings: Iterable[Holding]) -> MeasuredTotals:
    frames: set[int] = set()
    pages: set[tuple[ContentID, int]] = set()
    for holding in holdings:
        frames.update(holding.frames.values())
        pages.update((holding.residency.file.content, page) for page in holding.frames)
    held, distinct = len(frames) * PAGE, len(pages) * PAGE
    return MeasuredTotals(held, distinct, held - distinct, round(distinct / held, 6) if held else 1.0)


def judged(holdings: Iterable[Holding], predicted: str) -> tuple[Agreement, tuple[Contradiction, ...]]:
    """Of each content that several containers hold: whether those that are to share do, and no others.

    `predicted` is the name of the storage model that the keys are of.
    """
    contents: dict[ContentID, list[Holding]] = defaultdict(list)
    for holding in holdings:
        contents[holding.residency.file.content].append(holding)
    shared = apart = undecided = 0
    found: list[Contradiction] = []
    for content, same in contents.items():
        inodes, unsure = inodes_of(same)
        wrong = list(_contradictions(content, same, inodes, predicted))
        found += wrong
        undecided += bool(unsure and not wrong)
        if len(same) > 1 and not wrong and not unsure:
            keys = len({holding.key for holding in same})
            shared += keys < len(same)
            apart += keys == len(same)
    found.sort(key=lambda each: (-each.bytes, each.content))
    return Agreement(shared, apart, undecided), tuple(found)


def inodes_of(holdings: Sequence[Holding]) -> tuple[list[int], bool]:
    """The inode of each holding of one content by number, told by frames; and whether two could not be told.

    Where no page is common to two, the file that was resolved decides, and it is no proof.
    """
    numbers: list[int] = []
    pages: list[dict[int, int]] = []
    places: list[set[tuple[int, int, str]]] = []
    unsure = False
    for holding in holdings:
        alike = [_alike(holding.frames, known) for known in pages]
        number = next((at for at, same in enumerate(alike) if same), None)
        if number is None:
            open_ = [at for at, same in enumerate(alike) if same is None and holding.place in places[at]]
            unsure = unsure or any(same is None for same in alike)
            number = open_[0] if open_ else None
        if number is None:
            number = len(pages)
            pages.append({})
            places.append(set())
        pages[number].update(holding.frames)
        places[number].add(holding.place)
        numbers.append(number)
    return numbers, unsure


def _alike(one: Mapping[int, int], other: Mapping[int, int]) -> bool | None:
    """Whether two hold the same frames; None where they hold no page in common."""
    common = one.keys() & other.keys()
    if not common:
        return None
    return any(one[page] == other[page] for page in common)


def _contradictions(
    content: ContentID, same: Sequence[Holding], inodes: Sequence[int], predicted: str
) -> Iterable[Contradiction]:
    by_key: dict[Key, set[int]] = defaultdict(set)
    by_inode: dict[int, set[Key]] = defaultdict(set)
    for holding, inode in zip(same, inodes, strict=True):
        by_key[holding.key].add(inode)
        by_inode[inode].add(holding.key)
    for key, several in by_key.items():
        if len(several) > 1:
            members = [at for at, holding in enumerate(same) if holding.key == key]
            yield _contradiction(content, NOT_SHARED, [(same[at], inodes[at]) for at in members], predicted)
    for inode, keys in by_inode.items():
        if len(keys) > 1:
            members = [at for at, number in enumerate(inodes) if number == inode]
            yield _contradiction(content, SHARED_ANYWAY, [(same[at], inodes[at]) for at in members], predicted)


def _contradiction(
    content: ContentID, verdict: str, members: Sequence[tuple[Holding, int]], predicted: str
) -> Contradiction:
    frames = {(page, frame) for holding, _ in members for page, frame in holding.frames.items()}
    pages = {page for page, _ in frames}
    beyond = len(frames) - len(pages) if verdict == NOT_SHARED else len(pages)
    numbers: dict[int, int] = {}
    sharers = tuple(
        Sharer(
            holding.container.id,
            holding.container.name,
            holding.container.image,
            holding.residency.file.path,
            numbers.setdefault(inode, len(numbers) + 1),
        )
        for holding, inode in members
    )
    reason = _reason(verdict, [holding for holding, _ in members], predicted)
    return Contradiction(content, verdict, beyond * PAGE, reason, sharers)


def _reason(verdict: str, holdings: Sequence[Holding], predicted: str) -> str | None:
    """Why, as far as it shows. A store that is the one predicted explains nothing."""
    kinds = (("upper", "copied up in {}"), ("deleted", "deleted since {} mapped it"))
    for held, text in kinds if verdict == NOT_SHARED else ():
        if names := _names(each for each in holdings if each.residency.file.held == held):
            return text.format(names)
    drivers = sorted({each.container.storage or "" for each in holdings} - {"", predicted})
    told = ((_names(each for each in holdings if each.container.storage == driver), driver) for driver in drivers)
    return "; ".join(f"the store of {names} is {driver}" for names, driver in told) or None


def _names(holdings: Iterable[Holding]) -> str:
    containers = (each.container for each in holdings)
    return ", ".join(dict.fromkeys(each.name or each.id[:12] for each in containers))
