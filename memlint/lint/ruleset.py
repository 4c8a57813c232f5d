"""Reads the rules: `rules/*.toml`, the only home of a rule's id, severity and texts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import tomli

from memlint.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent.parent


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule as its file has it. `cause` names the cause of duplicates that the rule reports, if it reports one."""

    id: str
    name: str
    title: str
    severity: Literal["error", "warning", "info", "style"]
    scope: Literal["images"]
    remedy: str
    rationale: str
    fix: str
    bad: str
    good: str
    cause: str | None = None


def rules_directory() -> Path:
    """Where the rules lie: in the installed package, or beside it in a checkout."""
    installed = _PACKAGE / "_rules"
    return installed if installed.is_dir() else _PACKAGE.parent / "rules"


def load_rules(directory: Path | None = None) -> tuple[Rule, ...]:
    """All rules, by id. UsageError names the file that is no rule."""
    return tuple(_load(path) for path in sorted((directory or rules_directory()).glob("*.toml")))


def _load(path: Path) -> Rule:
    try:
        rule = msgspec.convert(tomli.loads(path.read_text("utf-8")), Rule)
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{path}: is no rule ({error})", "see the files in rules/ for what one looks like") from error
    if rule.id != path.stem:
        raise UsageError(f"{path}: has the id {rule.id}", "name the file after the id")
    return rule
