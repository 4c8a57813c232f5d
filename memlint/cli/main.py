"""The command line: parses, dispatches, and turns every end into its exit code."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from memlint import TYPE_CHECKING, __version__
from memlint.cli.output import say, write_output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

OK, UNANSWERED, INTERRUPTED = 0, 2, 130
_START = 30_000
"""So many objects are new before garbage is first looked for: starting makes a little less, and leaves none."""


def run() -> NoReturn:
    """The entry point of the command.

    It leaves without taking the interpreter apart: that takes a tenth of linting a file, and would wait for a thread
    that is blocked in a read. Nothing is lost: streams are flushed, and files are written by rename.
    """
    _look_for_garbage_after_start()
    code = main(sys.argv[1:])
    for stream in (sys.stderr,) if code == INTERRUPTED else (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError):  # nobody reads it any more
                stream.flush()
    os._exit(code)


def _look_for_garbage_after_start() -> None:
    usual = gc.get_threshold()

    def back_to_usual(_phase: str, _details: dict[str, int]) -> None:
        gc.callbacks.remove(back_to_usual)
        gc.set_threshold(*usual)

    gc.callbacks.append(back_to_usual)
    gc.set_threshold(_START, *usual[1:])


def main(arguments: Sequence[str]) -> int:
    """The exit code of one call: 0 clean, 1 findings or a missed limit, 2 no answer, 130 interrupted."""
    if sys.stderr is None:  # it was closed before the start
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # open to the end
    try:
        code = _answered(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        say("memlint: interrupted", "nothing was written; run it again to get an answer")
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        say(
            "memlint: the output was closed before all of it was written",
            "read all of it, or write it to a file with -o",
        )
        return UNANSWERED
    except Exception as error:  # noqa: BLE001  # the last resort: a user gets a line, never a traceback
        return _failed(error)
    return code


def _answered(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--version"]:
        write_output(f"memlint {__version__}\n", None)  # without the cost of a parser
        return OK
    from memlint.cli.parser import parse

    try:
        parsed = parse(arguments)
    except SystemExit as end:  # argparse ends so after --help and after errors
        return end.code if isinstance(end.code, int) else OK
    code: int = parsed.command(parsed)
    return code


def _drop_output() -> None:
    """What could not be written stays in the buffer, and the interpreter would complain of it a second time."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(error: Exception) -> int:
    from memlint.errors import MemlintError

    if isinstance(error, MemlintError):
        say(f"memlint: error: {error.message}", error.hint)
        return UNANSWERED
    if isinstance(error, FileNotFoundError) and error.filename is None:  # all others name what they miss
        say("memlint: error: the current directory is not there any more", "change to one that is")
        return UNANSWERED
    if isinstance(error, OSError):
        _drop_output()
        say(f"memlint: error: {error}", "make room or give permission, and run it again")
        return UNANSWERED
    if os.environ.get("MEMLINT_DEBUG"):
        raise error
    say(
        f"memlint: internal error: {type(error).__name__}: {error}",
        "this is a bug in memlint: please report it with what MEMLINT_DEBUG=1 shows",
    )
    return UNANSWERED
