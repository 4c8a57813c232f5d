"""The directory of one process in /proc, held open: another that gets its PID later is never mistaken for it."""

from __future__ import annotations

import errno
import os
import re
from itertools import islice
from types import TracebackType

from memlint.kernel.mounts import mount_of, mounts
from memlint.kernel.opening import may_not_answer, within

_ENDED = (b"Z", b"X")
_THREADS = 1000
"""Threads of a process that are asked whether they live; the others are most likely on their way out as well."""
_CHUNK = 1 << 16
_MOST = 256 << 20
"""Bytes of a file in the directory: a million mappings of files with long names."""


class ProcessDirectory:
    """A process. OSError from whatever may not be read of it, and from everything once it has ended.

    One whose main thread has ended and left others is read through one of those: `thread` is the number.
    """

    def __init__(self, proc: str, pid: int) -> None:
        self.pid = self.thread = pid
        self._main = self._descriptor = os.open(f"{proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY)
        if _state(self._main) in _ENDED:
            self.thread, self._descriptor = _living(proc, pid, self._main) or (pid, self._main)

    def __enter__(self) -> ProcessDirectory:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for descriptor in {self._main, self._descriptor}:
            os.close(descriptor)

    def open(self, name: str | bytes) -> int:
        """A descriptor of a file in the directory, to be closed by the caller."""
        return os.open(name, os.O_RDONLY | os.O_NONBLOCK, dir_fd=self._descriptor)

    def read(self, name: str) -> bytes:
        """All of a file in the directory (`read_in`)."""
        return read_in(self._descriptor, name)

    def handle(self, name: str) -> int:
        """A handle (O_PATH) of what a name in the directory stands for, to be closed by the caller."""
        return os.open(name, os.O_PATH | os.O_CLOEXEC, dir_fd=self._descriptor)

    def within(self, path: str) -> int:
        """A handle of what the process sees at `path` on the mount that is its root; OSError for all else.

        The root itself may not be one that a stranger's program answers for.
        """
        root = self.handle("root")
        try:
            number = mount_of(root)
            mount = mounts(self.read("mountinfo")).get(number) if number is not None else None
            if mount is None or may_not_answer(mount.type):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
            return within(root, path)
        finally:
            os.close(root)

    def mapped(self, path: str) -> int:
        """The same of a path as maps has it: from the root of the mount namespace, also for a process in a chroot."""
        root = self.link("root").rstrip("/")
        if root and not path.startswith(root + "/"):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
        return self.within(path[len(root) :])

    def link(self, name: str) -> str:
        """Where a symbolic link in the directory points."""
        return os.readlink(name, dir_fd=self._descriptor)

    def command(self) -> str:
        """The name of its program, or what it calls itself, of 15 bytes at the most."""
        return read_in(self._main, "comm").rstrip(b"\n").decode("utf-8", "backslashreplace")

    def started(self) -> bytes:
        """When it began, which tells it from another that gets its number (proc_pid_stat(5), field 22)."""
        fields = read_in(self._main, "stat").rpartition(b")")[2].split()
        return fields[19] if len(fields) > 19 else b""

    def alive(self) -> bool:
        """Whether the process is still there; a zombie is."""
        try:
            os.stat("maps", dir_fd=self._descriptor)
        except (FileNotFoundError, ProcessLookupError):
            return False
        except OSError:
            return True
        return True


def hides(proc: str) -> bool:
    """Whether /proc does not tell this user of all processes (proc(5), hidepid): the first is always there."""
    return not os.path.exists(f"{proc}/1")


def read_in(directory: int, name: str) -> bytes:
    """All of a file in an open directory of /proc; OSError where that is more than anything but malice needs."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK, dir_fd=directory)
    try:
        return read_open(descriptor, name)
    finally:
        os.close(descriptor)


def read_open(descriptor: int, name: str) -> bytes:
    """The same of an open file."""
    parts, left = [], _MOST
    while part := os.read(descriptor, _CHUNK):
        parts.append(part)
        left -= len(part)
        if left < 0:
            raise OSError(errno.EFBIG, f"its {name} is longer than {_MOST >> 20} MiB")
    return b"".join(parts)


def _state(directory: int) -> bytes:
    """`Z` for a zombie: proc_pid_stat(5), field 3."""
    try:
        return read_in(directory, "stat").rpartition(b")")[2].split(None, 1)[0]
    except (OSError, IndexError):
        return b""


def _living(proc: str, pid: int, directory: int) -> tuple[int, int] | None:
    """A thread that outlives the main one, and a descriptor of its directory.

    /proc does not list it there, but has it, with more in it than in the process's own directory `task`.
    """
    for thread in islice(_threads(directory), _THREADS):
        try:
            found = os.open(f"{proc}/{thread}", os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        if thread != pid and _state(found) not in (b"", *_ENDED) and _process_of(found) == pid:
            return thread, found
        os.close(found)
    return None


def _threads(directory: int) -> list[int]:
    try:
        descriptor = os.open("task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
    except OSError:
        return []
    try:
        return sorted(int(name) for name in os.listdir(descriptor) if name.isdecimal())
    except OSError:
        return []
    finally:
        os.close(descriptor)


def _process_of(directory: int) -> int | None:
    """The process that a thread is of."""
    try:
        found = re.search(rb"^Tgid:\s*(\d+)$", read_in(directory, "status"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
