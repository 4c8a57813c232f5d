"""The directory of one process in /proc, held open: another that gets its PID later is never mistaken for it."""

from __future__ import annotations

import os
from types import TracebackType

_CHUNK = 1 << 18


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
        """All of a file in the directory."""
        descriptor = self.open(name)
        try:
            return b"".join(iter(lambda: os.read(descriptor, _CHUNK), b""))
        finally:
            os.close(descriptor)

    def status(self, name: str) -> os.stat_result:
        """The status of what a name in the directory stands for."""
        return os.stat(name, dir_fd=self._descriptor)

    def link(self, name: str) -> str:
        """Where a symbolic link in the directory points."""
        return os.readlink(name, dir_fd=self._descriptor)

    def alive(self) -> bool:
        """Whether the process is still there; a zombie is."""
        try:
            os.stat("maps", dir_fd=self._descriptor)
        except (FileNotFoundError, ProcessLookupError):
            return False
        except OSError:
            return True
        return True
