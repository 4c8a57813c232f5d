"""Commands that rewrite files in place, so that overlayfs copies them up, and those that make files."""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.paths import join

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memlint.dockerfile.shell import Command, ShellWord


ONLY_PROGRAMS = frozenset(("setcap", "strip", "patchelf", "chrpath"))
"""What these are done to is a program or library, whatever its name."""


class Rewrite(msgspec.Struct, frozen=True):
    """A command that changes files: `targets` are absolute, those that cannot be known are left out.

    `mode` is what chmod sets, `owner` what chown does to whatever belonged to whom.
    """

    verb: str
    targets: tuple[str, ...]
    recursive: bool
    by_find: bool = False
    mode: str | None = None
    owner: str | None = None


class _Verb(msgspec.Struct, frozen=True):
    """How a command is written.

    `values` are options with a value, `before` counts the operands before the files, with `harmless` it writes nothing.
    """

    values: frozenset[str] = frozenset()
    before: int = 0
    harmless: tuple[str, ...] = ()


def _verb(values: str = "", before: int = 0, harmless: str = "") -> _Verb:
    return _Verb(frozenset(values.split()), before, tuple(harmless.split()))


_VERBS = {
    "chmod": _verb("--reference", 1),
    "chown": _verb("--reference --from", 1),
    "chgrp": _verb("--reference", 1),
    "chcon": _verb("--reference -t -u -r -l --type --user --role --range", 1),
    "touch": _verb("-r -t -d --reference --date --time"),
    "mv": _verb("-t -S --target-directory --suffix"),
    "ln": _verb("-t -S --target-directory --suffix", 0, "-s --symbolic"),
    "strip": _verb("-K -N -R -F -I -O --keep-symbol --strip-symbol --remove-section --target", 0, "-o --version -V"),
    "setcap": _verb("-n", 1, "-v"),
    "patchelf": _verb(
        "--set-rpath --add-rpath --set-interpreter --set-soname --add-needed --remove-needed --page-size",
        0,
        "--print-rpath --print-interpreter --print-soname --print-needed --output --version --help",
    ),
    "setfattr": _verb("-n -v -x --name --value --remove --restore"),
    "setfacl": _verb("-m -x -M -X --modify --remove --set --restore", 0, "--test"),
    "chrpath": _verb("-r --replace", 0, "-l --list"),
}
_RECURSIVE = {"chmod", "chown", "chgrp", "chcon", "setfacl"}
_OPTIONAL_BEFORE = ("--reference",)
_MODE = r"-[rwxXst]+\Z"
_WHICH = r"""["']?(?:\$\(|`).*\b(?:which|command\s+-v)\s+([\w.+-]+)[^\w/]*\Z"""
_UNSELECTIVE = frozenset(
    ("-type", "-maxdepth", "-mindepth", "-print", "-print0", "-depth", "-xdev", "-name", "-o", "-or", "(", ")")
)


def rewrite_of(command: Command, directory: str | None, programs: Callable[[str], str] | None = None) -> Rewrite | None:
    """What the command rewrites; None when it is none of those known, or rewrites nothing that can be known.

    `directory` is where it runs; `programs` tells where a program lies that the command looks up (`$(which node)`).
    """
    name = command.name
    if name == "find":
        return _found(command, directory)
    verb = "strip" if name and name.endswith("-strip") else name
    if verb not in _VERBS:
        return None
    return _rewrite(verb, command.arguments, directory, programs)


def _rewrite(
    name: str, arguments: Sequence[ShellWord], directory: str | None, programs: Callable[[str], str] | None
) -> Rewrite | None:
    verb = _VERBS[name]
    options, operands = _split(name, verb, arguments)
    if any(_given(option, options) for option in verb.harmless):
        return None
    before = 0 if any(option.startswith(_OPTIONAL_BEFORE) for option in options) else verb.before
    first = operands[0].text if operands and before else None
    operands = operands[before:]
    if name in ("mv", "ln") and not any(option.startswith(("-t", "--target")) for option in options):
        operands = operands[:-1]
    if name == "setcap":
        operands = operands[::2]
    targets = tuple(path for word in operands if (path := _path(word, directory, programs)))
    recursive = name in _RECURSIVE and any(_given(option, options) for option in ("-R", "--recursive"))
    mode = first if name == "chmod" else None
    owner = first if name == "chown" and not any(option.startswith("--from") for option in options) else None
    return Rewrite(name, targets, recursive, mode=mode, owner=owner) if targets else None


def _split(name: str, verb: _Verb, arguments: Sequence[ShellWord]) -> tuple[list[str], list[ShellWord]]:
    """Options and operands; options may come after operands."""
    options: list[str] = []
    operands: list[ShellWord] = []
    skip = closed = False
    for word in arguments:
        text = word.text if word.text is not None else word.prefix
        if skip:
            skip = False
        elif closed or not text.startswith("-") or text == "-" or (name == "chmod" and re.match(_MODE, text)):
            operands.append(word)
        elif text == "--":
            closed = True
        else:
            options.append(text)
            skip = text in verb.values
    return options, operands


def _given(option: str, options: Sequence[str]) -> bool:
    if option.startswith("--"):
        return any(each.split("=")[0] == option for each in options)
    return any(each == option or (not each.startswith("--") and option[1] in each[1:]) for each in options)


def _path(word: ShellWord, directory: str | None, programs: Callable[[str], str] | None) -> str | None:
    if word.text is not None:
        return join(directory, word.text) if word.text else None
    looked_up = re.match(_WHICH, word.raw)
    return programs(looked_up[1]) if looked_up and programs else None


def _found(command: Command, directory: str | None) -> Rewrite | None:
    """`find DIRECTORY… -exec chmod … {} +`, as long as it selects nothing but by type and by name of a library."""
    texts = [word.text for word in command.arguments]
    action = next((index for index, text in enumerate(texts) if text in ("-exec", "-execdir")), None)
    if action is None or None in texts[:action] or len(texts) < action + 3:
        return None
    start = next((index for index, text in enumerate(texts) if (text or "").startswith(("-", "(", "!"))), action)
    tests = [text or "" for text in texts[start:action]]
    names = [value for test, value in pairwise(tests) if test == "-name"]
    if (
        any(test.startswith(("-", "!", "(")) and test not in _UNSELECTIVE for test in tests)
        or "d" in tests
        or "l" in tests
    ):
        return None
    if any(name != "*" and ".so" not in name for name in names):
        return None
    verb = (texts[action + 1] or "").rpartition("/")[2]
    if verb not in _VERBS or verb in ("mv", "ln"):
        return None
    targets = tuple(path for text in texts[:start] or ["."] if (path := join(directory, text or ".")))
    return Rewrite(verb, targets, recursive=True, by_find=True) if targets else None


# Commands that make files


def environments_of(command: Command, directory: str | None) -> tuple[str, ...]:
    """The virtual environments of Python that the command makes, which packages with libraries are installed to."""
    texts = [word.text for word in command.arguments]
    name = command.name or ""
    if name == "uv" and texts[:1] == ["sync"]:
        made: str | None = ".venv"
    elif name == "virtualenv" or texts[:2] == ["-m", "venv"] or (name == "uv" and texts[:1] == ["venv"]):
        operands = [text for text in texts if text is None or not text.startswith("-")]
        made = operands[-1] if operands and operands[-1] != "venv" else ".venv" if name == "uv" else None
    else:
        return ()
    path = join(directory, made) if made else None
    return (path,) if path else ()


_URL = r"(?:https?|ftp)://\S*/([^/?#\s]+)(?:[?#]\S*)?\Z"
_END = r"/([\w.-]+)[\"']?\Z"
_MODULE = r"[^-@]\S*?/([\w.-]+?)(?:/v\d+)?@\S+\Z"


def made_by(command: Command, directory: str | None) -> tuple[str, ...]:
    """The files that the command makes for certain in that directory, by their absolute paths."""
    name, texts = command.name, [_named(word) for word in command.arguments]
    if name in ("curl", "wget"):
        outputs = _downloaded(name, texts)
    elif name == "go" and texts[:1] == ["install"]:
        outputs = [f"/go/bin/{match[1]}" for text in texts[1:] if text and (match := re.match(_MODULE, text))]
    elif name in ("go", "gcc", "cc", "g++", "clang", "rustc"):
        outputs = _values(texts, ("-o",))
    elif name in ("cp", "mv", "install"):
        outputs = _moved(texts)
    else:
        outputs = []
    return tuple(path for output in outputs if (path := join(directory, output)))


def _downloaded(name: str, texts: Sequence[str | None]) -> list[str]:
    named = _values(texts, ("-o", "--output") if name == "curl" else ("-O", "--output-document"))
    if named:
        return named
    if name == "curl" and not any(_short(text, "O") or text == "--remote-name" for text in texts):
        return []
    if name == "wget" and any((text or "").startswith(("-P", "--directory-prefix")) for text in texts):
        return []
    return [match[1] for text in texts if text and (match := re.match(_URL, text))]


def _named(word: ShellWord) -> str | None:
    """The text; of an URL that is known but for its middle, one with the same end."""
    if word.text is None and word.prefix.startswith("http") and (end := re.search(_END, word.raw)):
        return f"https://host/{end[1]}"
    return word.text


def _short(text: str | None, letter: str) -> bool:
    return bool(text and re.match(r"-\w*" + letter, text))


def _values(texts: Sequence[str | None], options: Sequence[str]) -> list[str]:
    """The values of an option: `-o FILE`, `-oFILE`, `-fsSLo FILE`, `--output=FILE`."""
    found = []
    for index, text in enumerate(texts):
        following = texts[index + 1] if index + 1 < len(texts) else None
        for option in options:
            if text == option or (
                len(option) == 2 and text and re.match(r"-[a-zA-Z]+\Z", text) and text[-1] == option[1]
            ):
                found.append(following)
            elif text and option.startswith("--") and text.startswith(option + "="):
                found.append(text.partition("=")[2])
    return [value for value in found if value and value not in ("-", "/dev/null")]


def _moved(texts: Sequence[str | None]) -> list[str]:
    """Where cp, mv and install put a file: the path itself, or below it where it is a directory."""
    operands = [text for text in texts if text is None or not text.startswith("-")]
    if len(operands) < 2 or None in operands[-2:]:
        return []
    source, target = operands[-2] or "", operands[-1] or ""
    below = f"{target.rstrip('/')}/{source.rstrip('/').rpartition('/')[2]}"
    return [below] if target.endswith(("/", ".")) else [target, below]
