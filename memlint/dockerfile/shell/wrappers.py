"""Programs that run another program given as their arguments: which of the words is the program that does the work."""

from __future__ import annotations

import re

import msgspec

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memlint.dockerfile.shell import ShellWord

SHELLS = frozenset(("sh", "bash", "dash", "ash"))


class Wrapper(msgspec.Struct, frozen=True, gc=False):
    """How a wrapper's own arguments end: letters and long names of options with a value, words before the program.

    `queries` are options with which it runs nothing; `subcommand` is the word after it without which it is no wrapper.
    """

    values: str = ""
    long: tuple[str, ...] = ()
    words: int = 0
    assignments: bool = False
    queries: str = ""
    subcommand: str = ""


_SUDO_LONG = (
    "--chdir",
    "--chroot",
    "--close-from",
    "--command-timeout",
    "--group",
    "--host",
    "--other-user",
    "--prompt",
    "--role",
    "--type",
    "--user",
)
_WRAPPERS = {
    "env": Wrapper("uC", ("--unset", "--chdir"), assignments=True, queries="S"),
    "sudo": Wrapper("CDghpRrTtUu", _SUDO_LONG, assignments=True, queries="Kkleiv"),
    "doas": Wrapper("uC"),
    "exec": Wrapper("a"),
    "command": Wrapper(queries="vV"),
    "builtin": Wrapper(),
    "nohup": Wrapper(),
    "time": Wrapper("of", ("--output", "--format")),
    "nice": Wrapper("n", ("--adjustment",)),
    "ionice": Wrapper("cn", ("--class", "--classdata"), queries="pPu"),
    "timeout": Wrapper("ks", ("--kill-after", "--signal"), words=1),
    "stdbuf": Wrapper("ioe", ("--input", "--output", "--error")),
    "xargs": Wrapper(
        "adEILnPs",
        ("--arg-file", "--delimiter", "--max-args", "--max-chars", "--max-lines", "--max-procs", "--process-slot-var"),
    ),
    "eatmydata": Wrapper(),
    "fakeroot": Wrapper("lsb"),
    "gosu": Wrapper(words=1),
    "su-exec": Wrapper(words=1),
    "busybox": Wrapper(),
    "tini": Wrapper("pel"),
    "dumb-init": Wrapper("r", ("--rewrite",)),
    **dict.fromkeys(
        ("conda", "mamba", "micromamba"),
        Wrapper("nprae", ("--name", "--prefix", "--cwd", "--root-prefix", "--attach", "--env"), subcommand="run"),
    ),
    **dict.fromkeys(("poetry", "pdm", "pipenv", "rye"), Wrapper("CPp", ("--directory", "--project"), subcommand="run")),
    "bundle": Wrapper("", ("--gemfile",), subcommand="exec"),
}
_ASSIGNMENT = r"[A-Za-z_][A-Za-z0-9_]*="


class Unwrapped(msgspec.Struct, frozen=True, gc=False):
    """Where the program stands (None: not known), and what the wrappers before it do to its environment."""

    index: int | None
    through: tuple[str, ...] = ()
    assignments: tuple[ShellWord, ...] = ()


def program(text: str | None) -> str | None:
    """The name of a program without its directory."""
    return None if text is None else text.rpartition("/")[2]


def unwrap(words: Sequence[ShellWord]) -> Unwrapped:
    """The program that the words run in the end."""
    index = 0
    through: tuple[str, ...] = ()
    assignments: tuple[ShellWord, ...] = ()
    while index < len(words):
        name = program(words[index].text)
        wrapper = _WRAPPERS.get(name or "")
        if name is None:
            return Unwrapped(None, through, assignments)
        if not wrapper:
            break
        start = index + 1
        if wrapper.subcommand:
            if start >= len(words) or words[start].text != wrapper.subcommand:
                break
            start += 1
        following = _skip(words, start, wrapper)
        if following is None:
            return Unwrapped(None, through, assignments)
        if following in (start - 1, len(words)):
            break
        if wrapper.assignments:
            assignments += tuple(word for word in words[index + 1 : following] if _assigns(word))
        through += (name,)
        index = following
    return Unwrapped(index, through, assignments) if index < len(words) else Unwrapped(None)


def _skip(words: Sequence[ShellWord], at: int, wrapper: Wrapper) -> int | None:
    """Where the wrapped program stands; the wrapper's own place when it runs none; None when that is not known."""
    start = at - 1
    rest = wrapper.words
    while at < len(words):
        text = words[at].text
        if wrapper.assignments and _assigns(words[at]):
            at += 1
            continue
        if text is None:
            return at if not rest and not words[at].prefix.startswith("-") else None
        if text == "--":
            at += 1
            break
        if not text.startswith("-") or text == "-":
            break
        taken = _option(text, wrapper)
        if taken is None:
            return start
        at += taken
    while at < len(words) and wrapper.assignments and _assigns(words[at]):
        at += 1
    return min(at + rest, len(words))


def _option(text: str, wrapper: Wrapper) -> int | None:
    """How many words the option takes; None when no program follows."""
    if text.startswith("--"):
        return 2 if text in wrapper.long else 1
    for position, letter in enumerate(text[1:], 2):
        if letter in wrapper.queries:
            return None
        if letter in wrapper.values:
            return 1 if position < len(text) else 2
    return 1


def _assigns(word: ShellWord) -> bool:
    return bool(re.match(_ASSIGNMENT, word.text if word.text is not None else word.prefix))


def shell_script(arguments: Sequence[ShellWord]) -> int | None:
    """Of the arguments of a shell, the index of the script that `-c` gives; None when there is none for certain."""
    command = False
    at = 0
    while at < len(arguments):
        text = arguments[at].text
        if text is None:
            return at if command and not arguments[at].prefix.startswith("-") else None
        if text in ("--", "-"):
            at += 1
            break
        if text[:1] not in ("-", "+") or len(text) < 2:
            break
        if text.startswith("--"):
            at += 2 if text in ("--rcfile", "--init-file") else 1
            continue
        command |= text[0] == "-" and "c" in text
        at += 1 + sum(text.count(letter) for letter in "oO")
    return at if command and at < len(arguments) else None


def reads_standard_input(arguments: Sequence[ShellWord]) -> bool:
    """Whether a shell with these arguments takes its script from there."""
    return all(word.text is not None and word.text[:1] in ("-", "+") and "c" not in word.text for word in arguments)
