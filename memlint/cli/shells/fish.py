"""Completion for fish."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.cli.shells.tree import Argument, Command, options, places, walk


def fish(tree: Command) -> Iterator[str]:
    """The lines of the script."""
    yield "complete -c memlint -f"
    for each in walk(tree):
        condition = _condition(each)
        for below in each.commands:
            yield f"complete -c memlint -n '{condition}' -a {below.words[-1]} -d {_quoted(below.help)}"
        for option in options(each):
            yield f"complete -c memlint -n '{condition}' {_option(option)}"
        for place in places(each):
            yield f"complete -c memlint -n '{condition}' {_values(place)}"


def _condition(command: Command) -> str:
    names = " ".join(each.words[-1] for each in command.commands)
    parts = [f"__fish_seen_subcommand_from {word}" for word in command.words]
    if names:
        parts.append(f"not __fish_seen_subcommand_from {names}")
    return "; and ".join(parts) or "true"


def _option(option: Argument) -> str:
    parts = [f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags]
    if option.takes_value:
        parts.append(f"-r {_values(option)}")
    return " ".join((*parts, "-d", _quoted(option.help)))


def _values(argument: Argument) -> str:
    if argument.kind == "list":
        return f"-f -a '(__fish_complete_list , \"string split \\\\  -- {' '.join(argument.words)}\")'"
    if argument.kind == "words":
        return f"-f -a '{' '.join(argument.words)}'"
    if argument.kind == "directories":
        return "-f -a '(__fish_complete_directories)'"
    return "-F" if argument.kind == "files" else "-f"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
