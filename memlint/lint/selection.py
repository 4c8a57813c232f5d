"""Which rules apply, and how: the configuration against the rules that there are."""

from __future__ import annotations

import msgspec

from memlint.errors import UsageError, did_you_mean
from memlint.lint.engine import Active, Override, activate
from memlint.lint.globs import Globs
from memlint.lint.ruleset import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from memlint.config import Config, RuleSettings

ALL = "ALL"


def find_rule(rules: Iterable[Rule], name: str, where: str) -> Rule:
    """The rule of that id or name. UsageError with the nearest one when there is none."""
    rules = tuple(rules)
    for rule in rules:
        if name.upper() == rule.id.upper() or name.lower() == rule.name:
            return rule
    raise UsageError(f"{where}there is no rule {name!r}", suggested(name, rules))


def suggested(name: str, rules: Iterable[Rule]) -> str:
    """What to do about a rule that does not exist."""
    known = [each for rule in rules for each in (rule.id, rule.name)]
    return did_you_mean(name, known) or "memlint rules lists all of them"


def chosen(rules: Sequence[Rule], config: Config) -> tuple[Rule, ...]:
    """The rules that the configuration selects, in the order of their ids."""
    where = "" if config.file is None else f"{config.file}: "
    wanted = {ALL} if config.select is None else set(config.select)
    selected = _matching(rules, (*wanted, *config.extend_select), where)
    ignored = _matching(rules, config.ignore, where)
    return tuple(rule for rule in rules if rule.id in selected - ignored)


def with_severities(rules: Sequence[Rule], config: Config) -> tuple[Rule, ...]:
    """All rules, with the severities and thresholds that the configuration gives them."""
    where = "" if config.file is None else f"{config.file}: "
    changed = _by_rule(rules, config.rule, where)
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

    UsageError names what is wrong with the configuration.
    """
    where = "" if config.file is None else f"{config.file}: "
    everywhere = _by_rule(rules, config.rule, where)
    places = [
        (
            Globs(part.paths, config.directory, root),
            _matching(rules, part.ignore, where),
            _by_rule(rules, part.rule, where),
        )
        for part in config.per_path
    ]
    found = []
    for rule in chosen(rules, config):
        if (rule.scope == "images") is not images:
            continue
        overrides = tuple(
            Override(globs, rule.id in ignored, settings.get(rule.id))
            for globs, ignored, settings in places
            if rule.id in ignored or rule.id in settings
        )
        found.append(activate(rule, everywhere.get(rule.id), overrides, where))
    if not found and not images:
        raise UsageError(
            "no rule for Dockerfiles is selected", "memlint rules lists all of them; those of images are for compare"
        )
    return tuple(found)


def _by_rule(rules: Sequence[Rule], settings: Mapping[str, RuleSettings], where: str) -> dict[str, RuleSettings]:
    return {find_rule(rules, name, f"{where}rule: ").id: value for name, value in settings.items()}


def _matching(rules: Sequence[Rule], selectors: Iterable[str], where: str) -> set[str]:
    return {rule.id for selector in selectors for rule in _selected(rules, selector, where)}


def _selected(rules: Sequence[Rule], selector: str, where: str) -> Iterator[Rule]:
    """By id or name, by the beginning of ids (from two letters and a digit on), or all."""
    wanted = selector.upper()
    if wanted == ALL:
        return iter(rules)
    family = [rule for rule in rules if rule.id.startswith(wanted)]
    if family and len(wanted) > 2:
        return iter(family)
    return iter((find_rule(rules, selector, where),))
