"""One look at this host: its containers, their stores, their pages, counted."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import msgspec

from memlint.errors import UsageError
from memlint.kernel.bounds import Bounds, Budget
from memlint.kernel.cached import cached_files
from memlint.kernel.containers import narrowed, running
from memlint.kernel.containers.census import Census, census, pids_of
from memlint.kernel.contents import Remembered
from memlint.kernel.counting import measurement
from memlint.kernel.host import Host
from memlint.kernel.looking import look
from memlint.kernel.namespaces import aside, kernel
from memlint.kernel.packages import packages_of
from memlint.kernel.patience import Silent
from memlint.kernel.precision import imprecise
from memlint.kernel.residency import Container, Sight
from memlint.kernel.stores import stores
from memlint.kernel.unseen import hidden_frames, late
from memlint.model.measure import Cost, Measurement, Store, Unseen


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be looked at, and how closely.

    - `containers`, `cgroups`, `pids`: only these; all containers where none is given.
    - `everything`: processes in no container, too.
    - `cached`: also pages in the page cache that no process maps.
    - `sample`: the part of the processes whose pages are looked at, above 0 to 1.
    - `max_seconds`, `max_cpu_seconds`: when to stop, whatever is left.
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

    @property
    def narrowed(self) -> bool:
        """Whether only some of what runs is asked for."""
        return bool(self.containers or self.cgroups or self.pids)


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


def observe(question: Question, remembered: Remembered | None = None, silent: Silent | None = None) -> Observation:
    """Look now. UsageError on a system other than Linux, and for a container, cgroup or PID that is not there.

    Of looks before: what is `remembered` of files' contents is not read again, and this one adds to it; who is `silent`
    is not waited for.
    """
    require_linux()
    wall, cpu = time.perf_counter(), time.process_time()
    bounds = _bounds(question)
    budget = Budget(bounds, silent)
    tasks = census(Host())
    found, unknown = running(seen=tasks, budget=budget)
    containers, pids = _meant(question, found, tasks)
    used, unplaced = _used(containers, tasks, budget)
    sight = look(containers, pids=pids, bounds=bounds, remembered=remembered, budget=budget)
    packages, unpacked = packages_of(sight, budget=budget)
    here = kernel()
    around = (
        None if question.narrowed else aside(),
        None if here.frames else hidden_frames(),
        imprecise(Host(), here.release),
    )
    known = (each for each in around if each is not None)
    unseen = dict.fromkeys((*unknown, *unplaced, *known, *sight.unseen, *unpacked))
    sight = msgspec.structs.replace(sight, unseen=tuple(unseen))
    cached = cached_files(sight, page_bytes=here.page_bytes) if question.cached else ()
    pages = sum(len(each.pages) for each in sight.residencies)
    cost = Cost(time.perf_counter() - wall, time.process_time() - cpu, pages, sight.mappings, sight.sampled)
    counted = measurement(
        sight, kernel=here, stores=used, cost=cost, cached=cached, packages=packages, narrowed=question.narrowed
    )
    pids_of_all = {each.id: each.pids for each in found}
    in_part = frozenset(each.id for each in containers if each.pids != pids_of_all[each.id])
    return Observation(sight, counted, in_part)


def _used(containers: Sequence[Container], tasks: Census, budget: Budget) -> tuple[Sequence[Store], list[Unseen]]:
    """The stores of the host, or that there was no time for them."""
    try:
        return stores(containers=containers, seen=tasks, budget=budget), []
    except TimeoutError:
        return (), [late("the stores of this host")]


def _meant(question: Question, found: Sequence[Container], tasks: Census) -> tuple[Sequence[Container], Sequence[int]]:
    """The containers, and the processes outside of all."""
    if question.narrowed:
        if question.everything:
            raise UsageError("--all asks for everything, and the others for less", "leave --all out")
        return narrowed(found, names=question.containers, cgroups=question.cgroups, pids=question.pids, seen=tasks)
    inside = {pid for container in found for pid in container.pids}
    return found, [pid for pid in pids_of(Host()) if pid not in inside] if question.everything else []


def _bounds(question: Question) -> Bounds:
    bounds = Bounds(sample=question.sample, seconds=question.max_seconds, cpu_seconds=question.max_cpu_seconds)
    most = question.max_mapping
    return bounds if most is None else msgspec.structs.replace(bounds, mapping_bytes=most)
