"""One look at this host: its containers, their stores, their pages, counted."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import msgspec

from memlint.errors import UsageError
from memlint.kernel.bounds import Bounds
from memlint.kernel.cached import cached_files
from memlint.kernel.containers import narrowed, running
from memlint.kernel.containers.census import Census, census, pids_of
from memlint.kernel.contents import Remembered
from memlint.kernel.counting import measurement
from memlint.kernel.host import Host
from memlint.kernel.looking import look
from memlint.kernel.namespaces import aside, kernel
from memlint.kernel.packages import packages_of
from memlint.kernel.precision import imprecise
from memlint.kernel.residency import Container, Sight
from memlint.kernel.stores import stores
from memlint.kernel.unseen import hidden_frames
from memlint.model.measure import Cost, Measurement


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be looked at, and how closely.

    - `containers`, `cgroups`, `pids`: only these; all containers where none is given.
    - `everything`: processes in no container, too.
    - `cached`: also pages in the page cache that no process maps.
    - `sample`: the part of the processes whose pages are looked at, above 0 to 1.
    - `max_seconds`, `max_cpu_seconds`: when to stop looking at pages.
    - `max_mapping`: bytes; mappings that are larger are left out.
    """

    containers: Sequence[str] = ()
    cgroups: Sequence[str] = ()
    pids: Sequence[int] = ()
    everything: bool = False
    cached: bool = False
    sample: float = 1.0
    max_seconds: float | None = None
    max_cpu_seconds: float | None = None
    max_mapping: int | None = None


class Observation(msgspec.Struct, frozen=True, eq=False):
    """What was seen, and what it amounts to. `in_part` are IDs of containers of which only some processes were asked
    for."""

    sight: Sight
    measurement: Measurement
    in_part: frozenset[str] = frozenset()


def require_linux() -> None:
    """UsageError anywhere else."""
    if sys.platform != "linux":
        raise UsageError(
            f"measuring needs Linux, and this is {sys.platform}",
            "run memlint on the host of the containers itself; where they run in a virtual machine, inside that",
        )


def observe(question: Question, remembered: Remembered | None = None) -> Observation:
    """Look now. UsageError on a system other than Linux, and for a container, cgroup or PID that is not there.

    `remembered` are contents of files from looks before, which are not read again; this one adds to them.
    """
    require_linux()
    wall, cpu = time.perf_counter(), time.process_time()
    tasks = census(Host())
    found, unknown = running(seen=tasks)
    containers, pids = _meant(question, found, tasks)
    sight = look(containers, pids=pids, bounds=_bounds(question), remembered=remembered)
    here = kernel()
    around = (
        None if _is_narrow(question) else aside(),
        None if here.frames else hidden_frames(),
        imprecise(Host(), here.release),
    )
    unseen = dict.fromkeys((*unknown, *(each for each in around if each is not None), *sight.unseen))
    sight = msgspec.structs.replace(sight, unseen=tuple(unseen))
    cached = cached_files(sight, page_bytes=here.page_bytes) if question.cached else ()
    packages = packages_of(sight)
    used = stores(containers=containers, seen=tasks)
    pages = sum(len(each.pages) for each in sight.residencies)
    cost = Cost(time.perf_counter() - wall, time.process_time() - cpu, pages, sight.mappings, sight.sampled)
    counted = measurement(sight, kernel=here, stores=used, cost=cost, cached=cached, packages=packages)
    pids_of_all = {each.id: each.pids for each in found}
    in_part = frozenset(each.id for each in containers if each.pids != pids_of_all[each.id])
    return Observation(sight, counted, in_part)


def _meant(question: Question, found: Sequence[Container], tasks: Census) -> tuple[Sequence[Container], Sequence[int]]:
    """The containers, and the processes outside of all."""
    if _is_narrow(question):
        if question.everything:
            raise UsageError("--all asks for everything, and the others for less", "leave --all out")
        return narrowed(found, names=question.containers, cgroups=question.cgroups, pids=question.pids, seen=tasks)
    inside = {pid for container in found for pid in container.pids}
    return found, [pid for pid in pids_of(Host()) if pid not in inside] if question.everything else []


def _is_narrow(question: Question) -> bool:
    return bool(question.containers or question.cgroups or question.pids)


def _bounds(question: Question) -> Bounds:
    bounds = Bounds(sample=question.sample, seconds=question.max_seconds, cpu_seconds=question.max_cpu_seconds)
    most = question.max_mapping
    return bounds if most is None else msgspec.structs.replace(bounds, mapping_bytes=most)
