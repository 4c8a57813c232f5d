"""From what was seen to figures: each frame counts once, and equal pages in several frames are duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from memlint.kernel.duplicates import duplicates
from memlint.kernel.host import utf8
from memlint.kernel.memory import together
from memlint.kernel.pages import Pages
from memlint.kernel.residency import Container, Process, Sight
from memlint.model.digest import ContentID
from memlint.model.layer import Package
from memlint.model.measure import (
    SCHEMA,
    CachedFile,
    CopiedUp,
    Cost,
    Kernel,
    MeasuredContainer,
    MeasuredImage,
    MeasuredProcess,
    MeasuredTotals,
    Measurement,
    Memory,
    Store,
)

_BASIS = "measured: page frames"
_NO_FRAMES = "measured: smaps"


def measurement(
    sight: Sight,
    *,
    kernel: Kernel,
    stores: Sequence[Store],
    cost: Cost,
    cached: Sequence[CachedFile] = (),
    packages: Mapping[ContentID, Package] | None = None,
    narrowed: bool = False,
) -> Measurement:
    """The figures of one look; totals are over all processes that were looked at, None where none could be."""
    pages = Pages(sight.residencies)
    of = {process.pid: process for process in sight.processes}
    seen = kernel.frames and not _is_blind(sight)
    alive = [each for each in sight.containers if any(pid in of for pid in each.pids)]  # others ended meanwhile
    return Measurement(
        schema=SCHEMA,
        basis=_BASIS if seen else _NO_FRAMES,
        kernel=kernel,
        stores=tuple(stores),
        totals=_totals(pages, kernel.page_bytes) if seen else None,
        containers=tuple(_container(each, of, pages, kernel) for each in alive),
        processes=tuple(_process(each, pages, kernel) for each in sight.processes),
        duplicates=duplicates(sight, pages, kernel.page_bytes, packages or {}) if seen else (),
        copied_up=copied_up(sight, kernel.page_bytes) if seen else (),
        cached=tuple(cached),
        unseen=sight.unseen,
        cost=cost,
        images=tuple(_images(alive, of, pages, kernel)),
        narrowed=narrowed,
    )


def _is_blind(sight: Sight) -> bool:
    """Whether nothing was seen where something may well be: that is no zero."""
    if sight.processes:
        return not any(process.seen for process in sight.processes)
    return any(each.containers for each in sight.unseen)


def copied_up(sight: Sight, page_bytes: int) -> tuple[CopiedUp, ...]:
    """The files that containers map from their upper directories, those with most pages first."""
    container_of = {process.pid: process.container for process in sight.processes}
    by_id = {container.id: container for container in sight.containers}
    found: dict[tuple[str, str], tuple[set[int], bool]] = {}
    for each in sight.residencies:
        container = container_of.get(each.pid)
        if each.file.held == "upper" and container is not None:
            same = each.file.below == each.file.content
            frames, _ = found.setdefault((container, each.file.path), (set(), same))
            frames.update(each.frames)
    rows = [_copied(by_id[key], path, len(frames) * page_bytes, same) for (key, path), (frames, same) in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.file_pages_bytes, row.container, row.path)))


def _copied(container: Container, path: str, size: int, same: bool) -> CopiedUp:
    return CopiedUp(container.id, container.name, container.image, utf8(path), size, same)


def _totals(pages: Pages, page_bytes: int) -> MeasuredTotals:
    frames, distinct = pages.frames(), pages.distinct()
    efficiency = distinct / frames if frames else 1.0
    return MeasuredTotals(frames * page_bytes, distinct * page_bytes, (frames - distinct) * page_bytes, efficiency)


def _container(container: Container, of: dict[int, Process], pages: Pages, kernel: Kernel) -> MeasuredContainer:
    processes = [of[pid] for pid in container.pids if pid in of]
    return MeasuredContainer(
        id=container.id,
        name=container.name,
        image=container.image,
        runtime=container.runtime,
        storage=container.storage,
        cgroup=container.cgroup,
        pids=container.pids,
        **_file_pages(processes, pages, kernel),
        **_memory(together(process.memory for process in processes)),
    )


def _images(
    containers: Sequence[Container], of: dict[int, Process], pages: Pages, kernel: Kernel
) -> Iterator[MeasuredImage]:
    """The images by name; a frame that several containers of one image map counts once."""
    groups: dict[str, list[Container]] = {}
    for container in containers:
        groups.setdefault(container.image, []).append(container)
    for image, group in sorted(groups.items()):
        processes = [of[pid] for container in group for pid in container.pids if pid in of]
        yield MeasuredImage(
            image=image,
            containers=len(group),
            **_file_pages(processes, pages, kernel),
            **_memory(together(process.memory for process in processes)),
        )


def _file_pages(processes: Iterable[Process], pages: Pages, kernel: Kernel) -> dict[str, int | None]:
    """What these hold together; nothing is known where none of them could be seen."""
    pids = [process.pid for process in processes if process.seen]
    if not pids or not kernel.frames:
        return {"file_pages_bytes": None, "duplicate_bytes": None}
    frames = pages.of(pids)
    duplicate = pages.doubled(frames)
    return {"file_pages_bytes": len(frames) * kernel.page_bytes, "duplicate_bytes": duplicate * kernel.page_bytes}


def _process(process: Process, pages: Pages, kernel: Kernel) -> MeasuredProcess:
    seen = kernel.frames and process.seen
    return MeasuredProcess(
        pid=process.pid,
        command=process.command,
        container=process.container,
        file_pages_bytes=pages.of_one(process.pid) * kernel.page_bytes if seen else None,
        **_memory(process.memory),
    )


def _memory(memory: Memory) -> dict[str, int | None]:
    return {name: getattr(memory, name) for name in Memory.__struct_fields__}
