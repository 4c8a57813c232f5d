"""Completion for zsh: what its `_arguments` takes."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.cli.shells.tree import Argument, Command, options, places, walk


def zsh(tree: Command) -> Iterator[str]:
    """The lines of the script."""
    yield "#compdef memlint"
    for each in walk(tree):
        yield f"{_name(each)}() {{"
        yield '  local context state line curcontext="$curcontext"'
        yield "  typeset -A opt_args"
        specs = [spec for argument in options(each) for spec in _option(argument)]
        if each.commands:
            described = " ".join(f"{name.words[-1]}\\:{_quoted(_text(name.help))}" for name in each.commands)
            specs += [f"': :(({_inside(described)}))'", "'*:: :->rest'"]
        else:
            specs += [f"'*:{_inside(argument.help)}:{_values(argument)}'" for argument in places(each)]
        yield "  _arguments -C -S \\"
        yield from (f"    {spec} \\" for spec in specs[:-1])
        yield f"    {specs[-1]}"
        if each.commands:
            yield '  case "$state:$line[1]" in'
            yield from (f"    rest:{name.words[-1]}) {_name(name)} ;;" for name in each.commands)
            yield "  esac"
        yield "}"
    yield "compdef _memlint memlint"


def _name(command: Command) -> str:
    return "_".join(("_memlint", *command.words))


def _option(option: Argument) -> Iterator[str]:
    value = f":{_text(option.flags[-1].lstrip('-'))}:{_values(option)}" if option.takes_value else ""
    for flag in option.flags:
        yield f"'*{flag}[{_inside(_text(option.help))}]{_inside(value)}'"


def _values(argument: Argument) -> str:
    if argument.kind == "list":
        return f"_sequence compadd - {' '.join(argument.words)}"
    if argument.kind == "words":
        return f"({' '.join(argument.words)})"
    return {"files": "_files", "directories": "_files -/"}.get(argument.kind, " ")


def _text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"').replace("`", "\\`").replace("$", "\\$") + '"'


def _inside(text: str) -> str:
    """For single quotes."""
    return text.replace("'", "'\\''")
