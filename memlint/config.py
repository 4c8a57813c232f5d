"""Configuration: defaults < `memlint.toml` or `[tool.memlint]` < environment < command line → one frozen Config.

What the environment and the command line say arrives together, as the options of the call.
"""

from __future__ import annotations

import os
from typing import Any, Literal, TypeAlias

import msgspec
import tomli

from memlint.errors import UsageError, did_you_mean
from memlint.model.finding import SEVERITIES, Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Value: TypeAlias = bool | int | float | str | tuple[str, ...]
"""What a threshold may be."""
Threshold = Literal["error", "warning", "info", "style", "none"]
Format = Literal["text", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "markdown"]
FORMATS: tuple[Format, ...] = ("text", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "markdown")
THRESHOLDS: tuple[Threshold, ...] = (*SEVERITIES, "none")
FILE_NAMES = ("memlint.toml", "pyproject.toml")

_CHOICES: dict[str, tuple[str, ...]] = {"severity": SEVERITIES, "format": FORMATS, "failure-threshold": THRESHOLDS}
_NO_CHOICE = "Invalid enum value "
"""How msgspec begins about a text that is none of those."""


class RuleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What a configuration changes of one rule."""

    severity: Severity | None = None
    thresholds: dict[str, Value] = {}


class PathSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What holds for files that match one of `paths`: rules that are not reported, and other settings of rules."""

    paths: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    rule: dict[str, RuleSettings] = {}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The keys of `memlint.toml`, and of `[tool.memlint]` in `pyproject.toml`. Paths are relative to the file.

    - `select`: the rules that apply, by id, name or the beginning of ids ("ML1"); all when it is left out.
    - `extend-select`, `ignore`: rules to add to these, and to take away; the narrower of two that name a rule decides.
    - `exclude`: patterns, as in `.gitignore`, of files that are not linted unless they are named.
    - `rules`: directories with rule files of your own.
    - `rule`: severities and thresholds, by the rule's id or name.
    - `per-path`: other settings for some files; of several that match, the last one decides.
    - `failure-threshold`: the mildest severity that makes the exit status 1.
    - `baseline`: a file of known findings, which are not reported.
    - `build-args`: values of ARGs, as for `docker build --build-arg`.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rule: dict[str, RuleSettings] = {}
    per_path: tuple[PathSettings, ...] = ()
    format: Format = "text"
    failure_threshold: Threshold = "info"
    baseline: str | None = None
    build_args: dict[str, str] = {}


class Selection(msgspec.Struct, frozen=True):
    """Rules that are chosen in one place: these instead of all before, if there is a `select`; more; and not these.

    `place` is what an error puts before the key: "memlint.toml: ", or "--".
    """

    place: str = ""
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


class Config(Settings, frozen=True, kw_only=True):
    """The settings in force. `file` is where they were found, `directory` what its paths are relative to.

    `select`, `extend_select` and `ignore` are those of the file; `given` are those of the call, which come after.
    """

    directory: str
    file: str | None = None
    given: Selection = Selection("--")

    @property
    def selections(self) -> tuple[Selection, ...]:
        """What chooses rules, one after the other."""
        return (Selection(self.place, self.select, self.extend_select, self.ignore), self.given)

    @property
    def place(self) -> str:
        """What an error about a setting begins with."""
        return f"{self.file}: " if self.file is not None else ""


def load_config(
    given: Mapping[str, Any], start: str = ".", file: str | None = None, *, isolated: bool = False
) -> Config:
    """The Config of a call: `given` are its options that also a file may set, by field; None is not given.

    The file is `file`, else the next one upwards from the directory `start`. UsageError names file and key.
    """
    path = file if file is not None or isolated else find_config(start)
    settings = read_settings(path) if path is not None else Settings()
    directory = os.path.dirname(os.path.abspath(path)) if path is not None else os.path.abspath(start)
    fields = {key: getattr(settings, key) for key in settings.__struct_fields__}
    if fields["baseline"] is not None:
        fields["baseline"] = os.path.join(directory, fields["baseline"])
    fields["rules"] = tuple(os.path.join(directory, each) for each in fields["rules"])
    return Config(**_merged(fields, given), directory=directory, file=path)


def find_config(start: str) -> str | None:
    """The next `memlint.toml`, or `pyproject.toml` with a `[tool.memlint]`, upwards from a directory."""
    directory = os.path.abspath(start)
    while True:
        for name in FILE_NAMES:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and (name != "pyproject.toml" or _table(path) is not None):
                return os.path.relpath(path)
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above


def read_settings(path: str) -> Settings:
    """What a file says. UsageError names the file and the key."""
    table = _table(path)
    if table is None:
        raise UsageError(f"{path}: has no table [tool.memlint]", "add it, or name another file with --config")
    _check_keys(table, path)
    for key, value, kind in _values(table):
        _check(value, kind, path, key)
    return msgspec.convert(table, Settings)


def _merged(fields: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    new = {key: value for key, value in given.items() if value is not None}
    chosen = {key: new.pop(key) for key in ("select", "extend_select", "ignore") if key in new}
    if "build_args" in new:
        new["build_args"] = {**fields["build_args"], **new["build_args"]}
    return {**fields, **new, "given": Selection("--", **chosen)}


def _table(path: str) -> dict[str, Any] | None:
    pyproject = os.path.basename(path) == "pyproject.toml"
    try:
        with open(path, "rb") as file:
            content = file.read()
        if pyproject and b"memlint" not in content:
            return None  # most are not ours, and reading TOML takes its time
        document = tomli.loads(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path}: cannot be read ({reason})", "it has to be TOML in UTF-8") from error
    if not pyproject:
        return document
    tool = document.get("tool", {})
    table = tool.get("memlint") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{path}: tool.memlint: is no table", "begin it with [tool.memlint]")
    return table


def _check_keys(table: dict[str, Any], path: str) -> None:
    """Name the first key that does not exist, before types are looked at."""
    rules = table.get("rules")
    if isinstance(rules, dict):
        raise UsageError(
            f"{path}: rules: is a list of directories",
            f"settings of one rule are in the table rule.{next(iter(rules), 'ML101')}",
        )
    for where, part, kind in _tables(table):
        keys = kind.__struct_encode_fields__
        for key in part if isinstance(part, dict) else ():
            if key not in keys:
                name = f"{where}.{key}".lstrip(".")
                hint = did_you_mean(key, keys) or "the keys are: " + ", ".join(keys)
                raise UsageError(f"{path}: {name}: there is no such key", hint)


def _tables(table: dict[str, Any]) -> Iterator[tuple[str, object, type[msgspec.Struct]]]:
    """The table and those in it whose keys are ours, each with its key and what it should be; outer ones first."""
    yield "", table, Settings
    per_path = table.get("per-path")
    places = [(f"per-path[{n}]", part) for n, part in enumerate(per_path if isinstance(per_path, list) else ())]
    yield from ((where, part, PathSettings) for where, part in places)
    for where, part in (("", table), *places):
        for rule, values in _items(part, "rule"):
            yield f"{where}.rule.{rule}".lstrip("."), values, RuleSettings


def _values(table: dict[str, Any]) -> Iterator[tuple[str, object, Any]]:
    """All that has a type, with its key; inner ones first: an error of msgspec names no keys of rules and arguments."""
    for name, value in _items(table, "build-args"):
        yield f"build-args.{name}", value, str
    for where, part, kind in reversed(list(_tables(table))):
        for name, value in _items(part, "thresholds") if kind is RuleSettings else ():
            yield f"{where}.thresholds.{name}", value, Value
        yield where, part, kind


def _items(part: object, key: str) -> Iterable[tuple[str, object]]:
    value = part.get(key) if isinstance(part, dict) else None
    return value.items() if isinstance(value, dict) else ()


def _check(value: object, kind: Any, path: str, key: str) -> None:
    """UsageError when the value of the key is not of the kind."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problem, _, below = str(error).partition(" - at `$")
        name = f"{key}{below.rstrip('`')}".lstrip(".") or "its table"
        choices = _CHOICES.get(name.rpartition(".")[2])
        hint = "docs/lint.md lists the keys"
        if choices and problem.startswith(_NO_CHOICE):
            wrong = problem.removeprefix(_NO_CHOICE).strip("'")
            problem = f"{wrong!r} is none of {', '.join(choices)}"
            hint = did_you_mean(wrong, choices) or hint
        elif name.startswith("build-args."):
            hint = f'write its value as a text: {name.removeprefix("build-args.")} = "…"'
        raise UsageError(f"{path}: {name}: {problem}", hint) from error
