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
    from collections.abc import Iterable, Mapping

Value: TypeAlias = bool | int | float | str | tuple[str, ...]
"""What a threshold may be."""
Threshold = Literal["error", "warning", "info", "style", "none"]
Format = Literal["text", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "markdown"]
FORMATS: tuple[Format, ...] = ("text", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "markdown")
THRESHOLDS: tuple[Threshold, ...] = (*SEVERITIES, "none")
FILE_NAMES = ("memlint.toml", "pyproject.toml")


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
    - `extend-select`, `ignore`: rules to add to these, and to take away.
    - `exclude`: globs of files that are not linted unless they are named.
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


class Config(Settings, frozen=True, kw_only=True):
    """The settings in force. `file` is where they were found, `directory` what its paths are relative to."""

    directory: str
    file: str | None = None

    @property
    def where(self) -> str:
        """What an error about a setting names."""
        return self.file or "the command line"


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
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        problem, _, key = str(error).partition(" - at `$.")
        raise UsageError(
            f"{path}: {key.rstrip('`') or 'its table'}: {problem}", "docs/lint.md lists the keys"
        ) from error


def _merged(fields: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A new selection starts afresh; what is ignored or added without one comes on top of what the file says."""
    new = {key: value for key, value in given.items() if value is not None}
    if "select" not in new:
        for key in ("extend_select", "ignore"):
            new[key] = (*fields[key], *new.get(key, ()))
    else:
        fields = {**fields, "extend_select": (), "ignore": ()}
    if "build_args" in new:
        new["build_args"] = {**fields["build_args"], **new["build_args"]}
    return {**fields, **new}


def _table(path: str) -> dict[str, Any] | None:
    pyproject = os.path.basename(path) == "pyproject.toml"
    try:
        with open(path, "rb") as file:
            content = file.read()
        if pyproject and b"memlint" not in content:
            return None  # most are not ours, and reading TOML takes its time
        document = tomli.loads(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path}: cannot be read ({reason})", "it has to be TOML in UTF-8") from error
    if not pyproject:
        return document
    tool = document.get("tool", {})
    table = tool.get("memlint") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _check_keys(table: dict[str, Any], path: str) -> None:
    """Name the first key that does not exist, before types are looked at."""
    _known(table, Settings, path, "")
    rules = table.get("rules")
    if isinstance(rules, dict):
        raise UsageError(
            f"{path}: rules: is a list of directories",
            f"settings of one rule are in the table rule.{next(iter(rules), 'ML101')}",
        )
    per_path = table.get("per-path")
    parts = [(table, "")]
    for number, part in enumerate(per_path if isinstance(per_path, list) else ()):
        if isinstance(part, dict):
            _known(part, PathSettings, path, f"per-path[{number}].")
            parts.append((part, f"per-path[{number}]."))
    for part, where in parts:
        settings = part.get("rule")
        for rule, values in (settings if isinstance(settings, dict) else {}).items():
            if isinstance(values, dict):
                _known(values, RuleSettings, path, f"{where}rule.{rule}.")


def _known(table: Iterable[str], kind: type[msgspec.Struct], path: str, where: str) -> None:
    keys = kind.__struct_encode_fields__
    for key in table:
        if key not in keys:
            hint = did_you_mean(key, keys) or "the keys are: " + ", ".join(keys)
            raise UsageError(f"{path}: {where}{key}: there is no such key", hint)
