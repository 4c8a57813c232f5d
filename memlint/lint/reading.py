"""Reads Dockerfiles, whatever lies in their place."""

from __future__ import annotations

import os
import stat

from memlint.dockerfile.parser import LARGEST, parse_dockerfile
from memlint.errors import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from memlint.model.dockerfile import Dockerfile

_KINDS = (
    (stat.S_ISDIR, "is a directory"),
    (stat.S_ISFIFO, "is a named pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)


def read_bytes(place: str) -> bytes:
    """The content of a regular file. DockerfileError says why there is none; a pipe is never waited for."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file can have this name"
        raise DockerfileError(f"cannot be read ({reason})", "check the name and the permissions") from error
    try:
        status = os.fstat(descriptor)
        for kind, name in _KINDS:
            if kind(status.st_mode):
                raise DockerfileError(f"{name}, not a Dockerfile", "name a file, or give it by standard input as -")
        expected = min(status.st_size, LARGEST) + 1  # a larger buffer would be made whole before it is filled
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(expected)
            if len(content) == expected:
                content += file.read(LARGEST + 1 - expected)
    except OSError as error:
        raise DockerfileError(f"cannot be read ({error.strerror})", "check the disk it lies on") from error
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise DockerfileError(
            f"has more than {LARGEST // 2**20} MiB", "a Dockerfile is a text that people write: name another file"
        )
    return content


def parse(content: bytes, path: str, build_args: Mapping[str, str]) -> Dockerfile:
    """The Dockerfile that the bytes are. DockerfileError, whose message leaves the path to who reports it."""
    _refuse_binary(content)
    try:
        return parse_dockerfile(content, path, build_args)
    except DockerfileError as error:
        message = error.message
        for prefix in (f"{path}:{error.line}: ", f"{path}: "):
            message = message.removeprefix(prefix)
        raise DockerfileError(message, error.hint, error.line) from error
    except RecursionError as error:
        raise DockerfileError("is nested too deeply to be understood", "simplify it") from error


def _refuse_binary(content: bytes) -> None:
    """No instruction can have a NUL in it: programs do not take one in a word, nor a file system in a name."""
    at = content.find(b"\0")
    if at < 0:
        return
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DockerfileError("is UTF-16", "save it as UTF-8: docker build reads nothing else", 1)
    line = content.count(b"\n", 0, at) + 1
    raise DockerfileError("holds a NUL byte", "a Dockerfile is text: remove it, or name another file", line)
