"""Reads the rules: `rules/*.toml`, the only home of a rule's id, severity, texts and thresholds."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Literal, TypeAlias

import msgspec
import tomli

from memlint.config import Value
from memlint.errors import UsageError, did_you_mean
from memlint.model.finding import Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from memlint.model.finding import Hit

    Check: TypeAlias = Callable[..., Iterable[Hit]]

Scope = Literal["file", "repository", "images"]

_HERE = os.path.dirname(os.path.realpath(__file__))
_TYPES: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "tuple[str, ...]": tuple[str, ...],
    "frozenset[str]": frozenset[str],
}
"""The annotations that a threshold may have in a check's signature."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule as its file has it.

    - `scope`: what the rule looks at: one Dockerfile, all of a repository, or compared images.
    - `check`: the module in `lint/checks` that finds its hits; the engine itself reports ML0xx, `compare` ML2xx.
    - `message`: a template over a hit's evidence.
    - `thresholds`: the check's keyword-only arguments.
    - `precision` and `public`: of the hits read by eye those that were right, `19/20`: of all (or twenty) in the corpus
      of real repositories, and in other public Dockerfiles, read whole.
    - `bad` and `good`: examples that run as tests; several files are parted by lines `# file: PATH`.
    - `cause`: the cause of duplicates that a rule of compared images reports; `remedy` what to do, in a few words.
    """

    id: str
    name: str
    title: str
    severity: Severity
    scope: Scope
    rationale: str
    fix: str
    bad: str
    good: str
    message: str = ""
    check: str | None = None
    ignore_when: str = ""
    precision: str | None = None
    public: str | None = None
    thresholds: dict[str, Value] = {}
    cause: str | None = None
    remedy: str = ""


def rules_directory() -> str:
    """Where the rules lie: in the installed package, or beside it in a checkout."""
    package = os.path.dirname(_HERE)
    installed = os.path.join(package, "_rules")
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), "rules")


def load_rules(directory: str | os.PathLike[str] | None = None, more: Iterable[str] = ()) -> tuple[Rule, ...]:
    """All rules, by id, with those of the users' own directories. UsageError names the file that is no rule."""
    rules: dict[str, Rule] = {}
    names: set[str] = set()
    for place in (os.fspath(directory or rules_directory()), *more):
        for path in _files(place):
            rule = _load(path)
            if rule.id in rules or rule.name in names:
                _refuse(path, f"{rule.id} ({rule.name}) is there already", "give it an id and a name of its own")
            rules[rule.id] = rule
            names.add(rule.name)
    return tuple(rules[each] for each in sorted(rules))


def load_check(rule: Rule, where: str) -> Check:
    """The check that a rule names. UsageError when there is none, or when the rule's thresholds are not its own."""
    name = rule.check or ""
    try:
        check: Check = getattr(import_module(f"memlint.lint.checks.{name}"), name)
    except ModuleNotFoundError as error:
        if error.name != f"memlint.lint.checks.{name}":
            raise
        raise UsageError(f"{where}: no check is named {name!r}", _like(name, checks())) from error
    wanted = _parameters(check)
    for given in (*rule.thresholds, *wanted):
        if given not in wanted or given not in rule.thresholds:
            problem = "has no threshold" if given not in wanted else "lacks the threshold"
            raise UsageError(f"{where}: {problem} {given!r}", _takes(name, wanted))
    return check


def thresholds_for(check: Check, values: Mapping[str, Value], where: str) -> dict[str, Any]:
    """The values as the check declares them. UsageError names one of another type."""
    wanted = _parameters(check)
    for key in values:
        if key not in wanted:
            hint = did_you_mean(key, wanted) or _takes(check.__name__, wanted)
            raise UsageError(f"{where}: there is no threshold {key!r}", hint)
    try:
        return {key: msgspec.convert(value, _TYPES[wanted[key]]) for key, value in values.items()}
    except msgspec.ValidationError as error:
        key = next(key for key, value in values.items() if not _fits(value, wanted[key]))
        raise UsageError(f"{where}: threshold {key!r}: {error}", f"write a value of type {wanted[key]}") from error


def checks() -> tuple[str, ...]:
    """The names of all checks."""
    names = os.listdir(os.path.join(_HERE, "checks"))
    return tuple(sorted(name[:-3] for name in names if name.endswith(".py") and name != "__init__.py"))


def _files(place: str) -> list[str]:
    try:
        names = sorted(os.listdir(place))
    except OSError as error:
        raise UsageError(
            f"{place}: no directory of rules is there", "name a directory that holds rule files (*.toml)"
        ) from error
    return [os.path.join(place, name) for name in names if name.endswith(".toml")]


def _load(path: str) -> Rule:
    try:
        with open(path, encoding="utf-8") as file:
            rule = msgspec.convert(tomli.loads(file.read()), Rule)
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{path}: is no rule ({error})", "see the files in rules/ for what one looks like") from error
    if rule.id != os.path.basename(path).removesuffix(".toml"):
        _refuse(path, f"has the id {rule.id}", "name the file after the id")
    if rule.check is not None and not (rule.check.isidentifier() and rule.message):
        _refuse(path, "needs the name of a check, and a message", "see the files in rules/ for what one looks like")
    for key, counted in (("precision", rule.precision), ("public", rule.public)):
        if counted is not None and not _is_share(counted):
            _refuse(path, f"has the {key} {counted!r}", 'write how many of how many hits were right, like "19/20"')
    return rule


def _is_share(text: str) -> bool:
    right, slash, hits = text.partition("/")
    return bool(slash) and right.isdecimal() and hits.isdecimal() and 0 < int(hits) >= int(right)


def _refuse(path: str, problem: str, hint: str) -> None:
    raise UsageError(f"{path}: {problem}", hint)


def _parameters(check: Check) -> dict[str, str]:
    """A check's thresholds and their types, without the cost of `inspect`."""
    code = check.__code__
    first = code.co_argcount
    names = code.co_varnames[first : first + code.co_kwonlyargcount]
    return {name: str(check.__annotations__[name]) for name in names}


def _fits(value: Value, annotation: str) -> bool:
    try:
        msgspec.convert(value, _TYPES[annotation])
    except msgspec.ValidationError:
        return False
    return True


def _takes(name: str, wanted: Mapping[str, str]) -> str:
    listed = ", ".join(f"{key} ({kind})" for key, kind in wanted.items())
    return f"the check {name} takes {listed or 'none'}"


def _like(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name, known) or "the checks are: " + ", ".join(known)
