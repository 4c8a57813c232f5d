"""The directory of one process in /proc, held open: another that gets its PID later is never mistaken for it."""

from __future__ import annotations

import errno
import os
from types import TracebackType

from memlint.kernel.mounts import mount_of, mounts
from memlint.kernel.opening import may_not_answer, within

_CHUNK = 1 << 18
_MOST = 256 << 20
"""Bytes of a file in the directory: a million mappings of files with long names."""


class ProcessDirectory:
    """A process. OSError from whatever may not be read of it, and from everything once it has ended."""

    def __init__(self, proc: str, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.open(f"{proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY)

    def __enter__(self) -> ProcessDirectory:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.close(self._descriptor)

    def open(self, name: str | bytes) -> int:
        """A descriptor of a file in the directory, to be closed by the caller."""
        return os.open(name, os.O_RDONLY | os.O_NONBLOCK, dir_fd=self._descriptor)

    def read(self, name: str) -> bytes:
        """All of a file in the directory; OSError where that is more than anything but malice needs."""
        descriptor = self.open(name)
        parts, left = [], _MOST
        try:
            while part := os.read(descriptor, _CHUNK):
                parts.append(part)
                left -= len(part)
                if left < 0:
                    raise OSError(errno.EFBIG, f"its {name} is longer than {_MOST >> 20} MiB")
        finally:
            os.close(descriptor)
        return b"".join(parts)

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

    def link(self, name: str) -> str:
        """Where a symbolic link in the directory points."""
        return os.readlink(name, dir_fd=self._descriptor)

    def started(self) -> bytes:
        """When it began, which tells it from another that gets its number (proc_pid_stat(5), field 22)."""
        fields = self.read("stat").rpartition(b")")[2].split()
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
