"""`memlint lint --fix` and `--diff`: what is written, and what is only shown."""

from __future__ import annotations

import os
from difflib import unified_diff

import msgspec

from memlint.cli.lint import say_errors, with_faults
from memlint.cli.output import replace_file, write_bytes
from memlint.errors import DockerfileError
from memlint.lint.fixes import repair
from memlint.lint.reading import read_bytes
from memlint.model.lint import FileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from memlint.lint.fixes import Repaired
    from memlint.lint.gathering import Gathered
    from memlint.lint.linting import Linter
    from memlint.model.finding import Finding


def show_difference(gathered: Gathered, linter: Linter, arguments: argparse.Namespace) -> int:
    """Print what --fix would change; 1 when that is something."""
    repaired = repair(gathered, linter, unsafe=arguments.unsafe_fixes)
    gathered = with_faults(gathered, linter)
    say_errors(gathered.errors, gathered.repository.root)
    changes = b"".join(
        _difference(path, gathered.repository.content(path), text) for path, text in repaired.texts.items()
    )
    write_bytes(changes, arguments.output_file)
    return 2 if gathered.errors else int(bool(repaired.texts) and not arguments.exit_zero)


def fix(gathered: Gathered, linter: Linter, arguments: argparse.Namespace) -> tuple[Gathered, Sequence[Finding]]:
    """Repair the files, and give what is there now and what was fixed. What came by standard input goes out again."""
    repaired = repair(gathered, linter, unsafe=arguments.unsafe_fixes)
    errors = [error for path in repaired.texts for error in _write(gathered, repaired, path)]
    if gathered.standard in gathered.targets:
        write_bytes(repaired.gathered.repository.content(gathered.standard), None)
    lost = {error.path for error in errors}
    fixed = [finding for finding in repaired.fixed if finding.location.path not in lost]
    return msgspec.structs.replace(repaired.gathered, errors=(*gathered.errors, *errors)), fixed


def _write(gathered: Gathered, repaired: Repaired, path: str) -> Iterator[FileError]:
    """Write a file, if it still is what was read."""
    if path == gathered.standard:
        return
    place = os.path.join(gathered.repository.root, path)
    try:
        if not gathered.repository.is_as_read(path, read_bytes(place)):
            yield FileError(path, None, "was changed by somebody else meanwhile", "run it again")
            return
        replace_file(place, (repaired.texts[path],))
    except DockerfileError as error:
        yield FileError(path, None, error.message, error.hint)
    except OSError as error:
        yield FileError(path, None, f"cannot be written ({error.strerror})", "make room or give permission")


def _difference(path: str, before: bytes, after: bytes) -> bytes:
    """A unified diff that git apply and patch take."""
    old, new = _lines(before), _lines(after)
    name = path.lstrip("/")
    lines = unified_diff(old, new, f"a/{name}", f"b/{name}")
    whole = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return whole.encode("utf-8", "surrogateescape")


def _lines(content: bytes) -> list[str]:
    """Parted at newlines alone, unlike `splitlines`."""
    lines = [f"{line}\n" for line in content.decode("utf-8", "surrogateescape").split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, last] if last else lines
