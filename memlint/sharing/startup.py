"""The startup set: the files that a container of an image maps for certain when it starts."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence

import msgspec

from memlint.model.image import Process
from memlint.model.layer import Script
from memlint.sharing.loader import closure, resolve
from memlint.sharing.view import View, Visible

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROGRAMS_MAX = 8
_INITS = frozenset(
    {
        "tini",
        "tini-static",
        "dumb-init",
        "catatonit",
        "docker-init",
        "gosu",
        "su-exec",
        "env",
        "nice",
        "exec",
        "setpriv",
    }
)
"""Programs that start the program in their arguments."""
_TAKES_USER = frozenset({"gosu", "su-exec"})
_TAKES_VALUE = {
    "nice": {"-n"},
    "env": {"-u", "-C"},
    "tini": {"-p", "-e"},
    "dumb-init": {"-r"},
    "setpriv": {"--reuid", "--regid", "--groups", "--inh-caps", "--ambient-caps", "--bounding-set"},
}
"""Their options whose value is a word of its own."""
SHELLS = frozenset({"sh", "bash", "dash", "ash"})
_BUILTINS = frozenset(
    {".", ":", "cd", "echo", "eval", "export", "false", "printf", "read", "set", "source", "test", "true"}
)
_SHELL_SYNTAX = re.compile(r"[;&|<>()`\n\\*?\[\]{}!#]|\$\(|\$\{")


class Startup(msgspec.Struct, frozen=True):
    """Paths of the files, programs first found in order, and names that were asked for and not found."""

    paths: frozenset[str] = frozenset()
    programs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def startup_set(view: View, process: Process) -> Startup:
    """The entrypoint's PT_INTERP and DT_NEEDED closure, through scripts and inits to the program that they start."""
    env = dict(entry.partition("=")[::2] for entry in process.env)
    argv = (*process.entrypoint, *process.cmd)
    paths: set[str] = set()
    missing: set[str] = set()
    programs: list[str] = []
    while argv and len(programs) < _PROGRAMS_MAX:
        path = _find_program(view, argv[0], env.get("PATH", _DEFAULT_PATH), process.working_dir)
        if path is None:
            missing.add(argv[0])
            break
        programs.append("/" + path)
        node = view.nodes.get(path)
        if isinstance(node, Script):
            argv = _after_script(node, argv)
            continue
        found, unknown = closure(view, path, env)
        paths |= found
        missing |= unknown
        argv = _after_program(path, argv, view)
    return Startup(frozenset(paths), tuple(programs), tuple(sorted(missing)))


def _find_program(view: View, name: str, search: str, working_dir: str) -> str | None:
    places = (
        [posixpath.join(working_dir or "/", name)]
        if "/" in name
        else [f"{part}/{name}" for part in search.split(":") if part]
    )
    for place in places:
        path = resolve(view, place)
        if isinstance(view.nodes.get(path), (Visible, Script)):
            return path
    return None


def _after_script(script: Script, argv: Sequence[str]) -> tuple[str, ...]:
    """The kernel starts the interpreter with the script as an argument; `_after_program` goes on from there."""
    return (*script.interpreter, "/" + script.path, *argv[1:])


def _after_program(path: str, argv: Sequence[str], view: View) -> tuple[str, ...]:
    """The command that the program is known to start, or ()."""
    name = posixpath.basename(path)
    called = posixpath.basename(argv[0])
    rest = list(argv[1:])
    if called == "busybox":
        return _after_program(path, rest, view) if rest else ()
    if called in _INITS or name in _INITS:
        return _wrapped(rest, called if called in _INITS else name)
    if called not in SHELLS and name not in SHELLS:
        return ()
    if rest[:1] and rest[0].startswith("-") and rest[0].endswith("c") and len(rest) > 1:
        return _simple_command(rest[1])
    for number, word in enumerate(rest):
        script = view.nodes.get(resolve(view, word)) if word.startswith("/") else None
        if isinstance(script, Script):
            return tuple(rest[number + 1 :]) if script.passes_on else ()
    return ()


def _wrapped(rest: list[str], init: str) -> tuple[str, ...]:
    """The command in an init's arguments, after its options and `NAME=value` words."""
    values = _TAKES_VALUE.get(init, set())
    while rest and (rest[0].startswith("-") or "=" in rest[0]):
        first, *rest = rest
        if init == "env" and first.startswith("-S"):  # one word that stands for several
            text = first[2:] or (rest.pop(0) if rest else "")
            rest = [*_words(text), *rest]
        elif first in values:
            rest = rest[1:]
    return tuple(rest[1:] if init in _TAKES_USER else rest)


def _simple_command(text: str) -> tuple[str, ...]:
    """The words of a shell command that is one plain command; () for anything more."""
    if _SHELL_SYNTAX.search(text):
        return ()
    words = _words(text)
    while words and (words[0] == "exec" or re.match(r"[A-Za-z_][A-Za-z_0-9]*=", words[0])):
        words = words[1:]
    known = words and words[0] not in _BUILTINS and "$" not in words[0]
    return tuple(words) if known else ()


def _words(text: str) -> list[str]:
    """The words of a command line; none where it is not closed."""
    try:
        return shlex.split(text)
    except ValueError:
        return []
