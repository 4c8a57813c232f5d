"""Reads the rules: `rules/*.toml`, the only home of a rule's id, severity, texts and thresholds."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Any, Literal, NoReturn, TypeAlias, get_args

import msgspec
import tomli

from memlint.config import Value
from memlint.errors import UsageError, did_you_mean
from memlint.lint.thresholds import KINDS
from memlint.model.finding import Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from memlint.lint.thresholds import Kind
    from memlint.model.finding import Hit

    Check: TypeAlias = Callable[..., Iterable[Hit]]

Scope = Literal["file", "repository", "images"]

_HERE = os.path.dirname(os.path.realpath(__file__))
ALL = "ALL"
"""What a selection calls all rules: none of them can be called so."""
_ID = re.compile(r"[A-Z]{2,}-?\d+")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_SCOPES: dict[tuple[str, ...], Scope] = {
    ("dockerfile", "repository"): "file",
    ("repository",): "repository",
    ("compared",): "images",
}
"""What a check takes by position, and the scope of rules over it."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule as its file has it.

    - `scope`: what the rule looks at: one Dockerfile, all of a repository, or compared images.
    - `check`: the module in `lint/checks` that finds its hits; the engine itself reports ML0xx, `compare` ML2xx.
    - `message`: a template over a hit's evidence.
    - `thresholds`: the check's keyword-only arguments.
    - `precision` and `public`: of the hits read by eye those that were right, `19/20`: of all (or twenty) in the corpus
      of real repositories, and in other public Dockerfiles, read whole. `precision_all_files`: of those in the corpus
      where all files of a repository are compared, for a rule that finds nothing there otherwise.
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
    precision_all_files: str | None = None
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
    shipped = [(path, _load(path)) for path in _files(os.fspath(directory or rules_directory()))]
    own = ((path, _load_own(path)) for place in more for path in _files(place))
    for path, rule in (*shipped, *own):
        if rule.id in rules or rule.name in names:
            _refuse(path, f"{rule.id} ({rule.name}) is there already", "give it an id and a name of its own")
        rules[rule.id] = rule
        names.add(rule.name)
    return tuple(rules[each] for each in sorted(rules))


def load_check(rule: Rule, where: str) -> Check:
    """The check that a rule names. UsageError when there is none, or when scope or thresholds do not fit it."""
    name = rule.check or ""
    try:
        check: Check = getattr(import_module(f"memlint.lint.checks.{name}"), name)
    except ModuleNotFoundError as error:
        if error.name != f"memlint.lint.checks.{name}":
            raise
        raise UsageError(f"{where}: no check is named {name!r}", _like(name, checks())) from error
    scope = _SCOPES[check.__code__.co_varnames[: check.__code__.co_argcount]]
    if rule.scope != scope:
        _refuse(where, f"has the scope {rule.scope!r}, which the check {name} is not for", f'write scope = "{scope}"')
    wanted = kinds_of(check)
    for given in (*rule.thresholds, *wanted):
        if given not in wanted or given not in rule.thresholds:
            problem = "has no threshold" if given not in wanted else "lacks the threshold"
            raise UsageError(f"{where}: {problem} {given!r}", _takes(name, wanted))
    return check


def kinds_of(check: Check) -> dict[str, Kind]:
    """What a check's thresholds may be, by their names; without the cost of `inspect`."""
    code = check.__code__
    first = code.co_argcount
    names = code.co_varnames[first : first + code.co_kwonlyargcount]
    return {name: KINDS[str(check.__annotations__[name])] for name in names}


def described(rule: Rule) -> dict[str, str]:
    """In words, what each of a rule's thresholds may be."""
    wanted = kinds_of(load_check(rule, f"{rule.id}.toml")) if rule.thresholds else {}
    return {key: kind.words for key, kind in wanted.items()}


def thresholds_for(check: Check, values: Mapping[str, Value], where: str) -> dict[str, Any]:
    """The values as the check declares them. UsageError names one that is none of those it may be."""
    wanted = kinds_of(check)
    found = {}
    for key, value in values.items():
        if key not in wanted:
            hint = did_you_mean(key, wanted) or _takes(check.__name__, wanted)
            raise UsageError(f"{where}: there is no threshold {key!r}", hint)
        try:
            found[key] = msgspec.convert(value, wanted[key].type)
        except msgspec.ValidationError as error:
            shown = msgspec.json.encode(value).decode()
            problem = f"{where}: threshold {key!r} is {shown}, and has to be {wanted[key].words}"
            raise UsageError(problem, _nearest(value, wanted[key])) from error
    return found


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
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, RecursionError, msgspec.ValidationError) as error:
        raise UsageError(f"{path}: is no rule ({error})", "see the files in rules/ for what one looks like") from error
    if not _ID.fullmatch(rule.id):
        _refuse(path, f"has the id {rule.id!r}", "an id is capital letters and then digits, like ACME101")
    if rule.id != os.path.basename(path).removesuffix(".toml"):
        _refuse(path, f"has the id {rule.id}", f"name the file {rule.id}.toml")
    if not _NAME.fullmatch(rule.name) or rule.name == ALL.lower() or _ID.fullmatch(rule.name.upper()):
        _refuse(path, f"has the name {rule.name!r}", "a name is words in small letters, joined by -, like stale-base")
    if rule.check is not None and not (rule.check.isidentifier() and rule.message):
        _refuse(path, "needs the name of a check, and a message", "see the files in rules/ for what one looks like")
    for key in ("precision", "precision_all_files", "public"):
        counted = getattr(rule, key)
        if counted is not None and not _is_share(counted):
            _refuse(path, f"has the {key} {counted!r}", 'write how many of how many hits were right, like "19/20"')
    return rule


def _load_own(path: str) -> Rule:
    """A rule of users: all of it is looked at before it runs."""
    rule = _load(path)
    if rule.check is None:
        _refuse(path, "has no check, so it would find nothing", "the checks are: " + ", ".join(checks()))
    thresholds_for(load_check(rule, path), rule.thresholds, path)
    return rule


def _is_share(text: str) -> bool:
    right, slash, hits = text.partition("/")
    return bool(slash) and right.isdecimal() and hits.isdecimal() and 0 < int(hits) >= int(right)


def _refuse(path: str, problem: str, hint: str) -> NoReturn:
    raise UsageError(f"{path}: {problem}", hint)


def _nearest(value: Value, kind: Kind) -> str:
    """What to write instead of a value."""
    choices = [*get_args(kind.type), *(name for part in get_args(kind.type) for name in get_args(part))]
    names = value if isinstance(value, tuple) else (value,)
    wrong = next((name for name in names if isinstance(name, str) and name not in choices), "")
    known = [name for name in choices if isinstance(name, str)]
    return did_you_mean(wrong, known) or "memlint explain, with the rule's id, shows the default"


def _takes(name: str, wanted: Mapping[str, Kind]) -> str:
    listed = ", ".join(f"{key} ({kind.words})" for key, kind in wanted.items())
    return f"the check {name} takes {listed or 'none'}"


def _like(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name, known) or "the checks are: " + ", ".join(known)
