"""A look at a host: the processes of its containers, the files that they map, and the frames that hold them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from memlint.kernel.bounds import Bounds, Budget, SpentError, in_turn
from memlint.kernel.contents import Remembered
from memlint.kernel.memory import UNKNOWN, parse, sizes
from memlint.kernel.process import ProcessDirectory, hides
from memlint.kernel.residency import Container, Process, Sight
from memlint.kernel.spaces import Spaces
from memlint.kernel.unseen import Notes
from memlint.kernel.walk import HiddenError, Walk


def look(
    containers: Sequence[Container],
    *,
    pids: Sequence[int] = (),
    bounds: Bounds | None = None,
    proc: str = "/proc",
    remembered: Remembered | None = None,
    budget: Budget | None = None,
) -> Sight:
    """The processes of `containers`, and those of `pids` outside of them, as far as `bounds` and this user's rights go.

    Memory is asked of all, pages of a sample. What could not be seen is in the result's `unseen`; processes that end
    meanwhile are left out, and so are threads of the kernel and whoever uses the address space of another. What is
    `remembered` of files' contents is not read again, and what is read is added to it. A `budget` is of a look that has
    begun already.
    """
    bounds = bounds or Bounds()
    owners = {pid: container.id for container in containers for pid in container.pids}
    looking = _Looking(bounds, proc, budget or Budget(bounds), remembered)
    wanted = dict.fromkeys((*owners, *pids))
    for pid in wanted:
        looking.ask(pid, owners.get(pid))
    for process in in_turn(looking.processes.values(), bounds.sample):
        looking.walk(process)
    return looking.sight(tuple(containers))


class _Looking:
    """A look while it lasts."""

    def __init__(self, bounds: Bounds, proc: str, budget: Budget, remembered: Remembered | None) -> None:
        self._proc, self._notes, self._spaces = proc, Notes(), Spaces()
        self._budget = budget
        self._walk = Walk(proc, bounds, self._budget, self._notes, remembered)
        self._hidden = False
        self.processes: dict[int, Process] = {}
        self._started: dict[int, bytes] = {}

    def ask(self, pid: int, container: str | None) -> None:
        """Note what the kernel says of a process's memory."""
        blind = Process(pid, "", container, None, UNKNOWN, walked=False)
        found = self._of(pid, lambda process: self._asked(process, container), blind)
        if found is not None:
            self.processes[pid] = found

    def walk(self, known: Process) -> None:
        """Note which frames a process maps of which files."""
        if self._hidden or known.memory is UNKNOWN:
            return
        try:
            found = self._of(known.pid, lambda process: self._walked(process, known), known)
        except HiddenError:
            self._hidden = True
            self._notes.hidden_frames()
            return
        if found is None:
            del self.processes[known.pid]
        else:
            self.processes[known.pid] = found

    def sight(self, containers: tuple[Container, ...]) -> Sight:
        processes = tuple(self.processes.values())
        residencies = tuple(each for each in self._walk.residencies if each.pid in self.processes)
        walked = sum(process.walked for process in processes)
        sampled = walked / len(processes) if processes else 1.0
        return Sight(containers, processes, residencies, self._notes.unseen(), self._walk.mappings, sampled)

    def _asked(self, process: ProcessDirectory, container: str | None) -> Process | None:
        self._started[process.pid] = process.started()
        try:
            text = sizes(process)
        except ProcessLookupError:
            return None  # no memory at all: a thread of the kernel, or a process on its way out
        if not self._spaces.is_new(process.thread, text):
            return None
        return Process(process.pid, process.command(), container, None, parse(text), walked=False)

    def _walked(self, process: ProcessDirectory, known: Process) -> Process | None:
        """None where another process has its number by now."""
        return self._walk.of(process, known) if process.started() == self._started.get(known.pid) else None

    def _of(self, pid: int, asked: Callable[[ProcessDirectory], Process | None], otherwise: Process) -> Process | None:
        """What is found of a process; None if it has ended, and `otherwise`, with a note, if it may not be seen."""
        try:
            self._budget.check()
            with ProcessDirectory(self._proc, pid) as process:
                try:
                    return asked(process)
                except OSError as error:
                    if not process.alive():
                        return None
                    self._notes.process(pid, error)
                    return otherwise
        except SpentError:
            self._notes.late(pid)
            return otherwise
        except OSError:
            if not hides(self._proc):
                return None
            self._notes.concealed(pid)
            return otherwise
