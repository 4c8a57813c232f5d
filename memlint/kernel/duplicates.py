"""The contents of which the host holds pages more than once, and what is seen of why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memlint.kernel.host import utf8
from memlint.kernel.pages import Pages
from memlint.kernel.residency import Container, Seen, Sight
from memlint.model.digest import ContentID
from memlint.model.layer import Package
from memlint.model.measure import MeasuredDuplicate, MeasuredPlacement
from memlint.sharing.causes import COPIED_UP, STORAGE

_OUTSIDE = Container("", "", "", "", None, "", ())


def duplicates(
    sight: Sight, pages: Pages, page_bytes: int, packages: Mapping[ContentID, Package]
) -> tuple[MeasuredDuplicate, ...]:
    """Most bytes first."""
    by_id = {container.id: container for container in sight.containers}
    container_of = {each.pid: by_id.get(each.container or "", _OUTSIDE) for each in sight.processes}
    placed: dict[ContentID, dict[tuple[str, Seen], Container]] = {}
    for each in sight.residencies:
        container = container_of.get(each.pid, _OUTSIDE)
        placed.setdefault(each.file.content, {})[container.id, each.file] = container
    more = {content: found for content, found in placed.items() if pages.content(content)[1]}
    rows = [_duplicate(content, more[content], pages, page_bytes, packages.get(content)) for content in more]
    return tuple(sorted(rows, key=lambda row: (-row.duplicate_bytes, row.content)))


def _duplicate(
    content: ContentID,
    placed: Mapping[tuple[str, Seen], Container],
    pages: Pages,
    page_bytes: int,
    package: Package | None,
) -> MeasuredDuplicate:
    frames, more = pages.content(content)
    files = [seen for _, seen in placed]
    first = files[0]
    return MeasuredDuplicate(
        content=content,
        size=first.size,
        mappable_bytes=first.mappable_bytes,
        copies=len({(seen.device, seen.inode, seen.owner) for seen in files}),
        frames=frames,
        duplicate_bytes=more * page_bytes,
        kind=first.kind,
        soname=first.elf.soname if first.elf else None,
        package=package,
        cause=cause([(container, seen) for (_, seen), container in placed.items()]),
        placements=tuple(sorted({_placement(container, seen) for (_, seen), container in placed.items()}, key=_order)),
    )


def cause(placed: Sequence[tuple[Container, Seen]]) -> str | None:
    """Why there are several, where a host shows it: copied up, or a store that shares nothing."""
    if any(seen.held == "upper" and seen.below == seen.content for _, seen in placed):
        return COPIED_UP
    inodes: dict[tuple[str, str], set[tuple[int, int, str]]] = {}
    for container, seen in placed:
        if container.id and container.image and seen.held == "plain":
            inodes.setdefault((container.image, seen.path), set()).add((seen.device, seen.inode, seen.owner))
    return STORAGE if any(len(each) > 1 for each in inodes.values()) else None


def _placement(container: Container, seen: Seen) -> MeasuredPlacement:
    real = None if seen.real is None else utf8(seen.real)
    return MeasuredPlacement(container.id, container.name, container.image, utf8(seen.path), seen.held, real)


def _order(placement: MeasuredPlacement) -> tuple[str, ...]:
    return (placement.name, placement.container, placement.path, placement.held, placement.real or "")
