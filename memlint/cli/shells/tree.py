"""The commands, their options and their values, read off the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import msgspec

from memlint.cli.parser import build
from memlint.lint.ruleset import load_rules

_FILES = ("FILE", "PATH")
_DIRECTORIES = ("DIR",)
_RULES = ("RULE", "RULE,…")


class Argument(msgspec.Struct, frozen=True):
    """An option, or (without flags) the positional arguments: what may stand there is words, or names of something."""

    flags: tuple[str, ...]
    help: str
    takes_value: bool
    words: tuple[str, ...]
    kind: str


class Command(msgspec.Struct, frozen=True):
    """A command by the words that lead to it, with the commands below it."""

    words: tuple[str, ...]
    help: str
    commands: tuple[Command, ...]
    arguments: tuple[Argument, ...]


def read_commands() -> Command:
    """The whole tree of commands."""
    return _command(build(), (), "")


def _command(parser: argparse.ArgumentParser, words: tuple[str, ...], text: str) -> Command:
    commands: list[Command] = []
    arguments: list[Argument] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts = {each.dest: each.help or "" for each in action._choices_actions}
            commands += [_command(each, (*words, name), texts[name]) for name, each in action.choices.items()]
        else:
            arguments.append(_argument(action))
    return Command(words, text, tuple(commands), tuple(arguments))


def _argument(action: argparse.Action) -> Argument:
    metavar = action.metavar if isinstance(action.metavar, str) else (action.dest or "").upper()
    kind = "files" if metavar in _FILES else "directories" if metavar in _DIRECTORIES else ""
    words = tuple(map(str, action.choices or ()))
    if metavar in _RULES:
        kind, words = ("list" if "," in metavar else "words"), tuple(rule.id for rule in load_rules())
    if metavar == "IMAGE":
        kind = "files"
    values = {"choices": ", ".join(words), "default": action.default, "prog": "memlint"}
    text = (action.help or "") % values
    return Argument(
        tuple(action.option_strings), text, action.nargs != 0, words, kind or ("words" if words else "text")
    )


def walk(command: Command) -> Iterator[Command]:
    """It and all below it."""
    yield command
    for each in command.commands:
        yield from walk(each)


def options(command: Command) -> list[Argument]:
    """Those of its arguments that have flags."""
    return [each for each in command.arguments if each.flags]


def places(command: Command) -> list[Argument]:
    """Those that have none."""
    return [each for each in command.arguments if not each.flags]
