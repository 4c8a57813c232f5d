"""How options are declared: what all commands have in common."""

from __future__ import annotations

import argparse
import os
import sys

from memlint import TYPE_CHECKING
from memlint.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


class Help(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal; argparse asks for it with every argument, and would import `shutil` to know."""

    def __init__(self, prog: str, indent_increment: int = 2, max_help_position: int = 24) -> None:
        super().__init__(prog, indent_increment, max_help_position, width=_columns() - 2)


def _columns() -> int:
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (AttributeError, OSError, ValueError):  # there may be no standard output
        return 80


class Parser(argparse.ArgumentParser):
    """Two lines for an error, as everywhere in memlint; and operands may stand between options."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """All are known, or there is an error: argparse leaves over the operands that come after an option."""
        found, rest = super().parse_known_args(args, namespace)
        end = rest.index("--") if "--" in rest else len(rest)
        options = [each for each in rest[:end] if each.startswith("-") and each != "-"]
        several = [each.dest for each in self._get_positional_actions() if each.nargs in ("*", "+")]
        if options or (rest and not several):
            self._refuse(*(options or rest))
        for name in several[:1]:
            setattr(found, name, [*getattr(found, name), *rest[:end], *rest[end + 1 :]])
        return found, []

    def _refuse(self, *unknown: str) -> NoReturn:
        from memlint.errors import did_you_mean  # only mistakes pay for it

        near = did_you_mean(unknown[0].partition("=")[0], self._option_string_actions)
        self.error(f"unrecognized arguments: {' '.join(unknown)}", near)

    def error(self, message: str, hint: str | None = None) -> NoReturn:
        say(f"memlint: error: {message}", hint or f"{self.prog} --help shows what there is")
        sys.exit(2)


def variable(flags: Sequence[str]) -> str:
    return "MEMLINT_" + flags[-1].removeprefix("--").replace("-", "_").upper()


def option(group: Any, *flags: str, **settings: Any) -> None:
    """An option whose default the environment may give, in the same words as the command line."""
    given = os.environ.get(variable(flags))
    if given is not None:
        kind, choices = settings.get("type", str), settings.get("choices")
        try:
            parts = [kind(part) for part in given.split(",")] if settings.get("action") == "append" else kind(given)
        except (argparse.ArgumentTypeError, ValueError) as error:
            Parser("memlint").error(f"{variable(flags)}: {error}")
        if choices and parts not in choices:
            Parser("memlint").error(f"{variable(flags)}: {given!r} is none of {', '.join(choices)}")
        settings["default"] = parts
    group.add_argument(*flags, **settings)


def listed(group: Any, *flags: str, **settings: Any) -> None:
    """An option that takes a list, parted by commas, and may be repeated; its value is a tuple, None when not given."""
    option(group, *flags, type=_parts, action=_Extend, default=None, **settings)


class _Extend(argparse.Action):
    """Lists of one option join; the first one replaces what the environment says."""

    def __call__(self, _parser: Any, namespace: Any, values: Any, _option: str | None = None) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, values if before is self.default else before + values)


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no list, parted by commas")
    return parts


def flag(group: Any, *flags: str, help: str) -> None:  # noqa: A002  # argparse's own word
    given = os.environ.get(variable(flags), "").lower()
    if given not in (*_YES, *_NO):
        Parser("memlint").error(f"{variable(flags)}: {given!r} is neither {_YES[0]} nor {_NO[1]}")
    group.add_argument(*flags, action="store_true", default=given in _YES, help=help)
