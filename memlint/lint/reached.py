"""Which paths a RUN speaks of: the operands of its commands, what they redirect to, what is mounted."""

from __future__ import annotations

import re
from posixpath import dirname

from memlint import TYPE_CHECKING
from memlint.lint.paths import is_below, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.dockerfile.shell import Command
    from memlint.lint.facts import Step

UNKNOWN = "/?"
"""Stands for the working directory that the base sets, until the first WORKDIR."""
_OF_NAMES = frozenset(
    (
        *("apk", "apt", "apt-get", "conda", "dnf", "dnf5", "gem", "mamba", "microdnf", "micromamba", "pip", "pip3"),
        *("tdnf", "uv", "yum", "zypper"),
    )
)
"""Their operands are packages, unless they look like paths."""
_ACCOUNTS = frozenset(("addgroup", "adduser", "groupadd", "useradd"))
"""These may make a home."""
_OF_TEXT = frozenset((":", "echo", "set", "true", "update-ca-certificates"))
"""Their operands are no paths."""
_FILE = r"(?s).*(?:/|\.(?:asc|conf|deb|apk|rpm|gpg|key|list|pem|repo|sources|ya?ml|toml|lock)\Z)"
_REDIRECTION = r"[<>]{1,2}[|&]?[ \t]*([^\s;&|()<>]+)"
_URL = r"[\w.+-]+://"
_GLOB = r"[*?\[{]"


def reached(step: Step) -> tuple[str, ...] | None:
    """The paths that a RUN names, absolute; of a pattern the directory. None where not all of them can be known.

    Which files a program reads or writes by itself is for the caller to know.
    """
    if step.commands is None or step.instruction.heredocs:
        return None
    found: list[str | None] = [*_mounted(step)]
    for placed in step.commands:
        found += reached_by(placed.command, step)
    found += redirected(step)
    return None if None in found else tuple(path for path in found if path is not None)


def reached_by(command: Command, step: Step) -> Iterator[str | None]:
    """The paths that one command may name; None for each that cannot be known."""
    if command.name in _ACCOUNTS:
        yield "/home"
    before = len(command.words) - len(command.arguments)
    texts = [*(word.text for _, word in command.assignments), *(word.text for word in command.words)]
    for number, text in enumerate(texts):
        argument = number >= before + len(command.assignments)
        if text is None:
            yield None
        elif not argument or text.startswith("-") or command.name in _OF_NAMES or command.name in _ACCOUNTS:
            yield from _within(text, command, step)
        elif command.name not in _OF_TEXT:
            yield _placed(text, command.directory, step)


def files_named_by(command: Command, step: Step) -> Iterator[str]:
    """Those of the paths that look like paths whatever the command is."""
    for word in command.words:
        yield from (path for path in _within(word.text or "", command, step) if path)


def _within(text: str, command: Command, step: Step) -> Iterator[str | None]:
    """The paths in a word that need not be one: `--root=/a`, `-o/a`, `PATH=/a:/b`, `./a`, `a.list`."""
    if re.match(_URL, text):
        return
    for part in re.split(r"[=:,]", text):
        if re.match(_FILE, part):
            short = re.match(r"-\w(?=[/.])", part)
            yield _placed(part[short.end() :] if short else part, command.directory, step)


def redirected(step: Step) -> Iterator[str | None]:
    """What is redirected to or from. The text does not tell in which directory: all that its commands run in count."""
    directories = {placed.command.directory for placed in step.commands or ()}
    for match in re.finditer(_REDIRECTION, step.instruction.value):
        name = re.sub(r"[\"'\\]", "", match[1])
        if re.fullmatch(r"\d|-|/dev/(?:null|stdout|stderr)", name):
            continue
        for directory in directories:
            yield None if re.search(r"[$`~]", name) else _placed(name, directory, step)


def _mounted(step: Step) -> Iterator[str | None]:
    for flag in step.instruction.flags:
        for key, _, value in (field.partition("=") for field in flag.value.split(",")):
            if key.strip() in ("target", "dst", "destination"):
                yield None if "$" in value else join(step.directory or UNKNOWN, value)


def _placed(text: str, directory: str | None, step: Step) -> str | None:
    """Where a path leads, up to its first part that is a pattern."""
    known = directory if directory is not None else UNKNOWN if step.directory is None else None
    glob = re.search(_GLOB, text)
    return join(known, dirname(text[: glob.start()] + "x") or "." if glob else text)


def meets(path: str, place: str) -> bool:
    """Whether one of them lies in the other."""
    return is_below(path, place) or is_below(place, path)
