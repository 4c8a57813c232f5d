"""What was seen of a host → a profile; several profiles → one."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby, pairwise

import msgspec

from memlint.kernel.pagemap import PAGE
from memlint.kernel.patience import in_time
from memlint.kernel.process import ProcessDirectory
from memlint.kernel.residency import Container, Process, Residency, Seen, Sight
from memlint.model.digest import ContentID
from memlint.model.profile import PROFILE_PAGE, SCHEMA, Profile, Ran, Resident, Run, Use

_PATIENCE = 2.0
BASIS = "measured: file pages that processes of containers had mapped, by page frames"

Unit = tuple[str, ContentID]
"""A container and a program in it: processes that fork share their layout, so that they map one set of pages."""
Has = Callable[[int, str, int], bool]
"""Whether a process sees a file of that path and size."""


def profile(sight: Sight, has: Has | None = None) -> Profile:
    """What each program of the containers keeps resident of each content; processes outside of containers are no part.

    `has` is asked of containers that ran a program and did not map a file that others did.
    """
    units = _units(process for process in sight.processes if process.walked)
    pages, files = _mapped(sight.residencies, units)
    pids = {unit: pid for pid, unit in units.items()}
    by_program: dict[ContentID, list[Unit]] = defaultdict(list)
    for unit in pids:
        by_program[unit[1]].append(unit)
    uses: dict[ContentID, list[Use]] = defaultdict(list)
    for (content, program), counts in pages.items():
        file, mapping = files[content], counts.keys()
        others = [unit for unit in by_program[program] if unit not in mapping]
        seen = len(mapping) + sum((has or has_file)(pids[unit], file.path, file.size) for unit in others)
        uses[content].append(Use(program, seen, _runs(Counter(page for each in counts.values() for page in each))))
    contents = (Resident(content, files[content].kind, files[content].size, _sorted(uses[content])) for content in uses)
    return Profile(SCHEMA, BASIS, 1, tuple(sorted(contents, key=_content)), _ran(_together(pids)))


def wholly(sight: Sight, in_part: Collection[str] = ()) -> tuple[Sight, tuple[Container, ...]]:
    """The sight of those containers alone of which each process was looked into; and the others that still run.

    Of a container that was seen in part, what was not seen would count as not resident. So does one of those that are
    `in_part`, by ID: only some of their processes were asked for.
    """
    processes: dict[str | None, list[Process]] = defaultdict(list)
    for process in sight.processes:
        processes[process.container].append(process)
    alive = [container for container in sight.containers if processes[container.id]]
    whole = {
        container.id
        for container in alive
        if container.id not in in_part
        and all(process.seen for process in processes[container.id])
        and any(process.program is not None for process in processes[container.id])
    }
    kept = {process.pid for process in sight.processes if process.container in whole}
    return msgspec.structs.replace(
        sight,
        containers=tuple(container for container in alive if container.id in whole),
        processes=tuple(process for process in sight.processes if process.pid in kept),
        residencies=tuple(each for each in sight.residencies if each.pid in kept),
    ), tuple(container for container in alive if container.id not in whole)


def merge(profiles: Sequence[Profile]) -> Profile:
    """What all of them know together, in whatever order: counts add up. At least one is given."""
    uses: dict[ContentID, dict[ContentID, list[Use]]] = defaultdict(lambda: defaultdict(list))
    facts: dict[ContentID, tuple[str, int]] = {}
    together: Counter[tuple[ContentID, ...]] = Counter()
    for each in profiles:
        for resident in each.contents:
            fact = (resident.kind, resident.size)
            facts[resident.content] = min(fact, facts.get(resident.content, fact))
            for use in resident.uses:
                uses[resident.content][use.program].append(use)
        for ran in each.ran:
            together[ran.programs] += ran.seen
    contents = (
        Resident(content, *facts[content], _sorted(_joined(same) for same in programs.values()))
        for content, programs in uses.items()
    )
    return msgspec.structs.replace(
        profiles[0],
        recordings=sum(each.recordings for each in profiles),
        contents=tuple(sorted(contents, key=_content)),
        ran=_ran(together),
    )


def has_file(pid: int, path: str, size: int) -> bool:
    """Whether the process's root directory has it now."""
    try:
        return in_time(partial(_size, pid, path), _PATIENCE) == size
    except OSError:  # a TimeoutError is one, too
        return False


def _size(pid: int, path: str) -> int:
    with ProcessDirectory("/proc", pid) as process:
        handle = process.within(path)
    try:
        return os.fstat(handle).st_size
    finally:
        os.close(handle)


def _units(processes: Iterable[Process]) -> dict[int, Unit]:
    return {
        process.pid: (process.container, process.program)
        for process in processes
        if process.container is not None and process.program is not None
    }


def _mapped(
    residencies: Iterable[Residency], units: Mapping[int, Unit]
) -> tuple[dict[tuple[ContentID, ContentID], dict[Unit, set[int]]], dict[ContentID, Seen]]:
    """(content, program) → unit → resident pages, and a file of each content."""
    pages: dict[tuple[ContentID, ContentID], dict[Unit, set[int]]] = defaultdict(lambda: defaultdict(set))
    files: dict[ContentID, Seen] = {}
    for residency in residencies:
        unit = units.get(residency.pid)
        if unit is not None and residency.pages:
            files.setdefault(residency.file.content, residency.file)
            pages[residency.file.content, unit[1]][unit].update(_small(residency, PAGE))
    return pages, files


def _small(residency: Residency, page_bytes: int) -> Iterable[int]:
    """A profile's pages are of 4 KiB on every machine: each of the host's is so many, up to the end of the file."""
    times = page_bytes // PROFILE_PAGE
    if times == 1:
        return residency.pages
    most = -(-residency.file.size // PROFILE_PAGE)
    return (each for page in residency.pages for each in range(page * times, min((page + 1) * times, most)))


def _together(units: Iterable[Unit]) -> Counter[tuple[ContentID, ...]]:
    programs: dict[str, list[ContentID]] = defaultdict(list)
    for container, program in units:
        programs[container].append(program)
    return Counter(tuple(sorted(each)) for each in programs.values())


def _ran(together: Mapping[tuple[ContentID, ...], int]) -> tuple[Ran, ...]:
    return tuple(Ran(programs, seen) for programs, seen in sorted(together.items()))


def _joined(uses: Sequence[Use]) -> Use:
    """Uses of one program as one."""
    steps: Counter[int] = Counter()
    for use in uses:
        for first, length, count in use.runs:
            steps[first] += count
            steps[first + length] -= count
    return Use(uses[0].program, sum(use.seen for use in uses), _between(steps))


def _between(steps: Mapping[int, int]) -> tuple[Run, ...]:
    """Runs out of where counts rise and fall. Pages of equal counts are one run."""
    runs: list[Run] = []
    places = sorted(place for place, change in steps.items() if change)
    count = 0
    for place, following in pairwise(places):
        count += steps[place]
        if count:
            runs.append((place, following - place, count))
    return tuple(runs)


def _runs(counts: Mapping[int, int]) -> tuple[Run, ...]:
    """Pages with their counts as runs."""
    runs = []
    for _, same in groupby(enumerate(sorted(counts)), key=lambda each: (each[1] - each[0], counts[each[1]])):
        pages = [page for _, page in same]
        runs.append((pages[0], len(pages), counts[pages[0]]))
    return tuple(runs)


def _sorted(uses: Iterable[Use]) -> tuple[Use, ...]:
    return tuple(sorted(uses, key=lambda use: use.program))


def _content(resident: Resident) -> ContentID:
    return resident.content
