"""What could not be seen, gathered: one entry for each reason, however many processes it is about."""

from __future__ import annotations

import os

from memlint.kernel.host import utf8
from memlint.model.measure import Unseen

HIDDEN = "/proc is mounted so that this user does not see them (hidepid)"
_NAMED = 5
"""PIDs that an entry names."""
_LATE = "the time that was allowed had passed"


def with_more_rights() -> str:
    """What to do where rights may be missing; "" for root, who has them."""
    return "run memlint as root (sudo), on the host itself" if os.geteuid() else ""


def as_root() -> str:
    """What to do where rights are missing; root that is refused has been confined."""
    return with_more_rights() or (
        "root is refused here: run memlint outside of containers and sandboxes, with CAP_SYS_ADMIN and CAP_SYS_PTRACE;"
        " a security module (AppArmor, SELinux, lockdown) may refuse it, too, and logs that"
    )


def hidden_frames(proc: str = "/proc") -> Unseen:
    """What to say where the kernel shows no page frame."""
    if not os.path.exists(f"{proc}/self/pagemap"):
        reason = "this kernel was built without /proc/PID/pagemap and smaps (CONFIG_PROC_PAGE_MONITOR)"
        return Unseen("page frames", reason)
    reason = "the kernel shows them to CAP_SYS_ADMIN alone, so it is not known what is shared and what is duplicate"
    return Unseen("page frames", reason, as_root())


def late(what: str) -> Unseen:
    """What to say of facts beside the figures for which no time was left, or whose file system does not answer."""
    return Unseen(what, _LATE, "allow more time, and see whether all file systems answer", totals=False)


class Notes:
    """What a look could not see."""

    def __init__(self) -> None:
        self._unseen: dict[Unseen, None] = {}
        self._processes: dict[tuple[str, str], list[int]] = {}

    def add(self, what: str, reason: str, hint: str = "") -> None:
        self._unseen[Unseen(utf8(what), reason, hint)] = None

    def process(self, pid: int, error: OSError) -> None:
        """A process that may not be looked at."""
        hint = as_root() if isinstance(error, PermissionError) else ""
        self._about(pid, (error.strerror or str(error)).lower(), hint)

    def concealed(self, pid: int) -> None:
        """A process that is there, and that /proc does not show."""
        self._about(pid, HIDDEN, as_root())

    def late(self, pid: int) -> None:
        """A process for which no time was left."""
        self._about(pid, _LATE, "allow more time, or look at fewer containers")

    def hidden_frames(self) -> None:
        self._unseen[hidden_frames()] = None

    def large(self, path: str, size: int) -> None:
        reason = f"a mapping of {size} bytes is more than is walked"
        self.add(f"pages of {path}", reason, "allow larger mappings, where a slower look does no harm")

    def changed(self, path: str) -> None:
        self.add(f"some pages of {path}", "it was written to meanwhile")

    def unseen(self) -> tuple[Unseen, ...]:
        grouped = [Unseen(_named(pids), *key) for key, pids in self._processes.items()]
        return (*grouped, *self._unseen)

    def _about(self, pid: int, reason: str, hint: str) -> None:
        pids = self._processes.setdefault((reason, hint), [])
        if pid not in pids[-1:]:
            pids.append(pid)


def _named(pids: list[int]) -> str:
    distinct = sorted(set(pids))
    if len(distinct) == 1:
        return f"process {distinct[0]}"
    more = ", …" if len(distinct) > _NAMED else ""
    return f"{len(distinct)} processes ({', '.join(map(str, distinct[:_NAMED]))}{more})"
