"""What an install command says, and how its options are told from its packages."""

from __future__ import annotations

import re

import msgspec

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from memlint.dockerfile.shell import Placed, ShellWord
    from memlint.model.dockerfile import Span

_ECOSYSTEMS = {
    "apt": "deb",
    "apk": "apk",
    "dnf": "rpm",
    "yum": "rpm",
    "microdnf": "rpm",
    "zypper": "rpm",
    "pip": "pypi",
    "uv": "pypi",
    "npm": "npm",
    "yarn": "npm",
    "pnpm": "npm",
    "gem": "gem",
    "conda": "conda",
}


class Package(msgspec.Struct, frozen=True, gc=False):
    """A package as it is asked for: `version` where it is pinned to one, `constraint` where it is limited otherwise."""

    manager: str
    name: str
    version: str | None
    constraint: str | None
    raw: str
    span: Span

    @property
    def ecosystem(self) -> str:
        """Where the name is a name: pip and uv install the same packages."""
        return _ECOSYSTEMS[self.manager]


class Install(msgspec.Struct, frozen=True, gc=False):
    """An install command, without what the same instruction removes again.

    - `files`: lists of packages that it reads, as they are written: relative ones are relative to `directory`.
    - `complete`: `packages` and `files` are what it installs, for certain; False where a word is not known or names a
      file or an URL instead of a package, and where the command is `conditional`.
    - `directory`: where it runs; None when unknown.
    """

    manager: str
    packages: tuple[Package, ...]
    files: tuple[str, ...]
    span: Span
    options: tuple[str, ...]
    complete: bool
    conditional: bool = False
    directory: str | None = None

    @property
    def ecosystem(self) -> str:
        """What it installs, whatever names it gives."""
        return _ECOSYSTEMS[self.manager]


class Found(msgspec.Struct, frozen=True, gc=False):
    """An install, and the name of the group that it can be removed by."""

    install: Install
    group: str | None = None


class Removal(msgspec.Struct, frozen=True, gc=False):
    """Takes away packages of these names; all that the manager installed before when `names` is None."""

    manager: str
    names: frozenset[str] | None


class Grammar(msgspec.Struct, frozen=True, gc=False):
    """How a manager writes options: letters with a value, long names with a value, what `--` begins."""

    letters: str = ""
    long: frozenset[str] = frozenset()
    rest_is_foreign: bool = False


class Operand(msgspec.Struct, frozen=True, gc=False):
    """A word that is no option. `text` is None when it is not known, `prefix` what is known of its start."""

    text: str | None
    prefix: str
    raw: str
    span: Span


class Arguments(msgspec.Struct, frozen=True, gc=False):
    """The arguments of a command, sorted. `options` has the value of each option that takes one, "" for the others."""

    operands: tuple[Operand, ...]
    options: tuple[tuple[str, str | None], ...]
    words: tuple[str, ...]
    certain: bool

    def has(self, names: Collection[str]) -> bool:
        return any(name in names for name, _ in self.options)

    def values(self, names: Collection[str]) -> list[str | None]:
        return [value for name, value in self.options if name in names]

    def last(self, names: Collection[str]) -> str | None:
        return next(reversed(self.values(names)), None)

    def without(self, count: int) -> Arguments:
        """The same, with the first operands (a subcommand) dropped."""
        return Arguments(self.operands[count:], self.options, self.words, self.certain)

    def subcommand(self) -> str:
        return (self.operands[0].text or "") if self.operands else ""


def arguments_of(words: Sequence[tuple[ShellWord, Span]], grammar: Grammar) -> Arguments:
    """Tell options from operands."""
    operands: list[Operand] = []
    options: list[tuple[str, str | None]] = []
    texts: list[str] = []
    certain = True
    at = 0
    while at < len(words):
        word, span = words[at]
        at += 1
        if word.text == "--":
            if not grammar.rest_is_foreign:
                operands += [Operand(each.text, each.prefix, each.raw, place) for each, place in words[at:]]
            break
        if not word.prefix.startswith("-") or word.text == "-":
            operands.append(Operand(word.text, word.prefix, word.raw, span))
            continue
        found, waits = _options(word, grammar)
        if waits:
            value = words[at][0].text if at < len(words) else None
            found[-1] = (found[-1][0], value)
            texts += [word.prefix, value if value is not None else words[at][0].raw] if at < len(words) else []
            at += 1
        else:
            texts.append(word.text if word.text is not None else word.raw)
            certain = certain and (word.text is not None or "=" in word.prefix)
        options += found
    return Arguments(tuple(operands), tuple(options), tuple(texts), certain)


def _options(word: ShellWord, grammar: Grammar) -> tuple[list[tuple[str, str | None]], bool]:
    """The options that a word holds, and whether the last of them takes the next word."""
    text = word.prefix
    known = word.text is not None
    name, equals, value = text.partition("=")
    if text.startswith("--"):
        if equals:
            return [(name, value if known else None)], False
        return [(name, "")], name in grammar.long and known
    options: list[tuple[str, str | None]] = []
    for position, letter in enumerate(text[1:], 2):
        if letter in grammar.letters:
            options.append((f"-{letter}", text[position:].removeprefix("=") if known else None))
            return options, position == len(text) and known
        options.append((f"-{letter}", ""))
    return options, False


def install(
    manager: str,
    placed: Placed,
    arguments: Arguments,
    packages: Sequence[Package | None],
    files: Sequence[str | None] = (),
) -> Install:
    """The install; what is None among packages or files could not be known."""
    command = placed.command
    known = all(package is not None for package in packages) and all(file is not None for file in files)
    partly = any(operand.text is None for operand in arguments.operands)
    return Install(
        manager,
        tuple(package for package in packages if package is not None),
        tuple(file for file in files if file is not None),
        placed.span,
        arguments.words,
        known and not partly and arguments.certain and not command.conditional,
        command.conditional,
        command.directory,
    )


def half_known(manager: str, operand: Operand, pattern: str) -> Package | None:
    """A package of which all but the name is not known; the pattern finds that in how the word begins."""
    match = re.match(pattern, operand.prefix)
    if not match:
        return None
    constraint = operand.raw.partition(match[1])[2].strip("\"'")
    return Package(manager, match[1], None, constraint or None, operand.raw, operand.span)


def removal(manager: str, arguments: Arguments, pattern: str) -> Removal:
    """What the operands name by the pattern's first group; all, when one of them is not known."""
    matches = [re.match(pattern, operand.text or "") for operand in arguments.operands]
    if not arguments.certain or not all(matches):
        return Removal(manager, None)
    return Removal(manager, frozenset(match[1] for match in matches if match))
