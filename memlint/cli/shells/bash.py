"""Completion for bash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memlint.cli.shells.tree import Argument, Command, options, places, walk

_HEAD = """\
_memlint() {
  local command='' word prefix=''
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
  if [[ $current == '=' ]]; then current=''
  elif [[ $previous == '=' ]]; then previous="${COMP_WORDS[COMP_CWORD-2]}"; fi
  [[ $current == *,* ]] && prefix="${current%,*},"
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command/$word" in"""


def bash(tree: Command) -> Iterator[str]:
    """The lines of the script."""
    yield from _HEAD.splitlines()
    for each in walk(tree):
        if each.words:
            above, name = "/".join(each.words[:-1]), each.words[-1]
            yield f"      '{above}/{name}') command='{'/'.join(each.words)}' ;;"
    yield "    esac"
    yield "  done"
    yield "  COMPREPLY=()"
    yield '  case "$command $previous" in'
    for each in walk(tree):
        for option in options(each):
            if option.takes_value:
                patterns = "|".join(f"'{'/'.join(each.words)} {flag}'" for flag in option.flags)
                yield f"    {patterns}) {_values(option)}; return ;;"
    yield "  esac"
    yield '  case "$command" in'
    for each in walk(tree):
        flags = " ".join(flag for option in options(each) for flag in option.flags)
        yield f"    '{'/'.join(each.words)}')"
        yield f"      if [[ $current == -* ]]; then {_words(flags.split())}"
        yield f"      else {_rest(each)}; fi ;;"
    yield "  esac"
    yield "}"
    yield "complete -F _memlint memlint"


def _rest(command: Command) -> str:
    if command.commands:
        return _words([each.words[-1] for each in command.commands])
    return "; ".join(_values(each) for each in places(command)) or ":"


def _values(argument: Argument) -> str:
    if argument.kind == "list":
        return f'COMPREPLY=($(compgen -P "$prefix" -W \'{" ".join(argument.words)}\' -- "${{current##*,}}"))'
    if argument.kind == "words":
        return _words(argument.words)
    if argument.kind in ("files", "directories"):
        flag = "f" if argument.kind == "files" else "d"
        return f'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -{flag} -- "$current"))'
    return ":"


def _words(words: Iterable[str]) -> str:
    return f"COMPREPLY=($(compgen -W '{' '.join(words)}' -- \"$current\"))"
