"""Rules → a table, a page for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import indent, wrap

import msgspec

from memlint.lint.ruleset import Rule, described
from memlint.report.terminal import Terminal

_WIDEST = 100
"""Prose in longer lines is hard to read."""
SEVERITY_COLORS = {"error": "1;31", "warning": "1;33", "info": "1;36", "style": "1;35"}


def to_table(rules: Sequence[Rule], terminal: Terminal) -> str:
    """A line for each rule."""
    name = max(len(rule.name) for rule in rules)
    lines = []
    for rule in rules:
        severity = paint(f"{rule.severity:7}", SEVERITY_COLORS[rule.severity], terminal)
        room = terminal.width - name - 31
        title = rule.title if len(rule.title) <= room else rule.title[: max(room - 1, 0)] + "…"
        lines.append(
            f"{paint(rule.id, '1', terminal)}  {severity}  {rule.scope:10}  {rule.name:{name}}  {title}".rstrip()
        )
    return "".join(f"{line}\n" for line in lines)


def to_page(rule: Rule, terminal: Terminal) -> str:
    """Everything that there is to say of a rule."""
    return "\n".join(_page(rule, terminal)) + "\n"


def _page(rule: Rule, terminal: Terminal) -> Iterator[str]:
    width = min(terminal.width, _WIDEST)
    severity = paint(rule.severity, SEVERITY_COLORS[rule.severity], terminal)
    yield f"{paint(f'{rule.id} {rule.name}', '1', terminal)}  ({severity}, looks at {_SCOPES[rule.scope]})"
    yield ""
    yield from wrap(f"{rule.title}.", width)
    for title, text in (("Why", rule.rationale), ("What to do", rule.fix)):
        yield from _section(title, text, width, terminal)
    for title, text in (("Bad", rule.bad), ("Good", rule.good)):
        yield ""
        yield paint(f"{title}:", "1", terminal)
        yield indent(text.strip("\n"), "    ")
    if rule.ignore_when:
        yield from _section("Ignore it when", rule.ignore_when, width, terminal)
    if rule.thresholds:
        yield ""
        yield paint("Thresholds:", "1", terminal) + f" (set them in [tool.memlint.rule.{rule.id}.thresholds])"
        words = described(rule)
        for key, value in rule.thresholds.items():
            yield from wrap(f"# {words[key]}", width, initial_indent="    ", subsequent_indent="    # ")
            yield f"    {key} = {msgspec.json.encode(value).decode()}"


_SCOPES = {"file": "one Dockerfile", "repository": "all Dockerfiles of a repository", "images": "compared images"}


def _section(title: str, text: str, width: int, terminal: Terminal) -> Iterator[str]:
    yield ""
    yield paint(f"{title}:", "1", terminal)
    for paragraph in text.strip().split("\n\n"):
        yield from wrap(paragraph, width, initial_indent="  ", subsequent_indent="  ")


def paint(text: str, code: str, terminal: Terminal) -> str:
    """The text in a colour, where colours are shown."""
    return f"\x1b[{code}m{text}\x1b[0m" if terminal.color else text
