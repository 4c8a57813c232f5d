"""Which rules apply, and how: the configuration against the rules that there are."""

from __future__ import annotations

import re

import msgspec

from memlint.errors import UsageError, did_you_mean
from memlint.lint.engine import Active, Override, activate
from memlint.lint.globs import Globs
from memlint.lint.ruleset import ALL, Rule, load_check, thresholds_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from memlint.config import Config, RuleSettings, Selection

_LISTED = "memlint rules lists all of them"
_EXACT = 100
"""How narrow a selector is that names one rule; the beginning of ids is as narrow as it is long."""


def find_rule(rules: Iterable[Rule], name: str, where: str) -> Rule:
    """The rule of that id or name. UsageError with the nearest one when there is none."""
    rules = tuple(rules)
    rule = _named(rules, name)
    if rule is None:
        raise UsageError(f"{where}there is no rule {name!r}", suggested(name, rules))
    return rule


def suggested(name: str, rules: Iterable[Rule]) -> str:
    """What to do about a rule that does not exist."""
    rules = tuple(rules)
    near = [rule.id for rule in rules if _is_near(name.upper(), rule.id)]
    if len(near) == 1:
        return f"did you mean {near[0]}?"
    known = [rule.name for rule in rules]
    return (None if near or re.search(r"\d", name) else did_you_mean(name, known)) or _LISTED


def chosen(rules: Sequence[Rule], config: Config) -> tuple[Rule, ...]:
    """The rules that the configuration selects, in the order of their ids.

    What a later place says comes on top of what an earlier one does; in one place the narrower selector decides, and
    of two that are as narrow the one that ignores.
    """
    selected = {rule.id for rule in rules}
    for selection in config.selections:
        changes = _changes(rules, selection)
        kept = selected if selection.select is None else set()
        selected = {rule.id for rule in rules if changes.get(rule.id, rule.id in kept)}
    return tuple(rule for rule in rules if rule.id in selected)


def with_severities(rules: Sequence[Rule], config: Config) -> tuple[Rule, ...]:
    """All rules, with the severities and thresholds that the configuration gives them."""
    changed = _by_rule(rules, config.rule, config.place)
    return tuple(
        msgspec.structs.replace(
            rule,
            severity=changed[rule.id].severity or rule.severity,
            thresholds={**rule.thresholds, **changed[rule.id].thresholds},
        )
        if rule.id in changed
        else rule
        for rule in rules
    )


def active_rules(rules: Sequence[Rule], config: Config, root: str, *, images: bool = False) -> tuple[Active, ...]:
    """The rules that apply, with their severities and thresholds: those for Dockerfiles, or those for compared images.

    UsageError names what is wrong with the configuration, of any of its rules.
    """
    everywhere = _by_rule(rules, config.rule, config.place)
    places = [each for number, _ in enumerate(config.per_path) for each in _place(rules, config, root, number)]
    found = []
    for rule in chosen(rules, config):
        if (rule.scope == "images") is not images:
            continue
        overrides = tuple(
            Override(globs, rule.id in ignored, settings.get(rule.id))
            for globs, ignored, settings in places
            if rule.id in ignored or rule.id in settings
        )
        found.append(activate(rule, everywhere.get(rule.id), overrides))
    if not found and not images:
        raise UsageError(
            f"{_chooses(config)}no rule for Dockerfiles is selected",
            f"{_LISTED}; those of images are for compare",
        )
    return tuple(found)


def _place(
    rules: Sequence[Rule], config: Config, root: str, number: int
) -> Iterator[tuple[Globs, set[str], dict[str, RuleSettings]]]:
    """What one of the tables per-path says."""
    part, where = config.per_path[number], f"{config.place}per-path[{number}]."
    settings = _by_rule(rules, part.rule, where)
    for rule in rules:
        if rule.scope == "repository" and rule.id in settings and settings[rule.id].thresholds:
            raise UsageError(
                f"{where}rule: {rule.id} looks at all files at once: it has one set of thresholds",
                f"write them into the table rule.{rule.id}, not into per-path",
            )
    ignored = {rule.id for name in part.ignore for rule in _selected(rules, name, f"{where}ignore: ")}
    yield Globs(part.paths, config.directory, root, f"{where}paths: "), ignored, settings


def _by_rule(rules: Sequence[Rule], settings: Mapping[str, RuleSettings], where: str) -> dict[str, RuleSettings]:
    """By the rule's id. UsageError for a rule that is not there, or there twice, and for thresholds that do not fit."""
    found: dict[str, RuleSettings] = {}
    names: dict[str, str] = {}
    for name, value in settings.items():
        rule = find_rule(rules, name, f"{where}rule: ")
        if rule.id in found:
            problem = f"{where}rule.{names[rule.id]} and rule.{name} are one rule"
            raise UsageError(problem, "write all of its settings into one table")
        found[rule.id], names[rule.id] = value, name
        if value.thresholds and rule.check is None:
            raise UsageError(f"{where}rule.{name}: {rule.id} has no thresholds", "its severity can be set")
        if value.thresholds:
            thresholds_for(load_check(rule, f"{rule.id}.toml"), value.thresholds, f"{where}rule.{name}")
    return found


def _changes(rules: Sequence[Rule], selection: Selection) -> dict[str, bool]:
    """Which rules a selection switches on or off."""
    parts = (("select", selection.select or ()), ("extend-select", selection.extend_select))
    wanted = [(name, f"{selection.place}{key}: ", True) for key, names in parts for name in names]
    wanted += [(name, f"{selection.place}ignore: ", False) for name in selection.ignore]
    found = [(_width(rules, name), on, _selected(rules, name, where)) for name, where, on in wanted]
    found.sort(key=lambda each: (each[0], not each[1]))
    return {rule.id: on for _, on, selected in found for rule in selected}


def _selected(rules: Sequence[Rule], selector: str, where: str) -> Sequence[Rule]:
    """By id or name, by the beginning of ids (from two letters and a digit on), or all."""
    wanted = selector.upper()
    if wanted == ALL:
        return rules
    family = [rule for rule in rules if rule.id.startswith(wanted)]
    if family and len(wanted) > 2 and _named(rules, selector) is None:
        return family
    return (find_rule(rules, selector, where),)


def _width(rules: Sequence[Rule], selector: str) -> int:
    """How narrow a selector is."""
    if selector.upper() == ALL:
        return 0
    return len(selector) if _named(rules, selector) is None else _EXACT


def _named(rules: Iterable[Rule], name: str) -> Rule | None:
    return next((rule for rule in rules if name.upper() == rule.id or name.lower() == rule.name), None)


def _is_near(name: str, known: str) -> bool:
    """Whether one character too many, too few or wrong, or two in the wrong order, make one of the other."""
    if abs(len(name) - len(known)) > 1 or name == known:
        return False
    start = next((n for n, pair in enumerate(zip(name, known, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return True
    one, other = name[start:], known[start:]
    swapped = one[1::-1] + one[2:] if len(one) > 1 else one
    return other in (one[1:], swapped) or other[1:] in (one, one[1:])


def _chooses(config: Config) -> str:
    """The keys that choose rules, as an error names them."""
    keys = [
        f"{selection.place}{key}"
        for selection in config.selections
        for key, names in (
            ("select", selection.select),
            ("extend-select", selection.extend_select or None),
            ("ignore", selection.ignore or None),
        )
        if names is not None
    ]
    return f"{', '.join(keys)}: " if keys else ""
