"""The pages of the rules in `docs/rules`, generated from their files.

`python -m memlint.lint.pages [DIRECTORY]` writes them; a test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import wrap

from memlint.lint.ruleset import Rule, described, load_rules

_WIDTH = 100
_PAGES = Path(__file__).resolve().parents[2] / "docs" / "rules"
_SCOPES = {"file": "one Dockerfile", "repository": "all Dockerfiles of a repository", "images": "compared images"}
_FAMILIES = {
    "file": "Rules for one Dockerfile",
    "repository": "Rules for all Dockerfiles of a repository",
    "images": "Rules for compared images",
}
_CORPUS = "the corpus of real repositories that memlint is tested with"
_GENERATED = "<!-- generated from rules/*.toml by python -m memlint.lint.pages -->"


def pages() -> dict[str, str]:
    """All pages, by file name."""
    rules = load_rules()
    return {"README.md": _overview(rules), **{f"{rule.id}.md": page(rule) for rule in rules}}


def page(rule: Rule) -> str:
    """The page of a rule."""
    command = "memlint compare" if rule.scope == "images" else "memlint lint"
    facts = [f"`{rule.name}`", f"severity **{rule.severity}**", f"looks at {_SCOPES[rule.scope]} (`{command}`)"]
    language = "text" if rule.scope == "images" else "dockerfile"
    parts = [
        f"# {rule.id}: {rule.title}",
        _GENERATED,
        " · ".join(facts),
        "## Why",
        rule.rationale.strip(),
        "## What to do",
        rule.fix.strip(),
        "## Bad",
        f"```{language}\n{rule.bad.strip()}\n```",
        "## Good",
        f"```{language}\n{rule.good.strip()}\n```",
    ]
    if rule.ignore_when:
        parts += ["## When to ignore it", f"When {rule.ignore_when.strip()}"]
        if rule.scope != "images":
            parts.append(f"`# memlint ignore={rule.id} # reason` on the line above does so.")
    if rule.scope != "images" and rule.check:
        parts += ["## How sure it is", _evidence(rule)]
    if rule.thresholds:
        parts += ["## Thresholds", _thresholds(rule)]
    return "\n\n".join(parts) + "\n"


def _evidence(rule: Rule) -> str:
    """What is known of its hits on Dockerfiles that nobody wrote for it."""
    figures = (
        (rule.precision, f"in {_CORPUS} (all, or twenty)"),
        (rule.precision_all_files, f"in {_CORPUS}, with `all_files = true`: by default it finds nothing there"),
        (rule.public, "in other public Dockerfiles, looked for because of this rule and read whole"),
    )
    known = "; ".join(f"{figure} {where}" for figure, where in figures if figure)
    none = "" if rule.precision or rule.precision_all_files else f"No hit was found in {_CORPUS}, so there is no figure"
    if not known:
        return f"{none}: it is known by its examples and tests alone."
    told = f"Hits that were read by eye, and right: {known}."
    return f"{told} {none} for it." if none else told


def _thresholds(rule: Rule) -> str:
    words = described(rule)
    lines = [
        line
        for key, value in rule.thresholds.items()
        for line in (*wrap(f"# {words[key]}", _WIDTH, subsequent_indent="# "), f"{key} = {_toml(value)}")
    ]
    return "\n".join(
        ["```toml", f"[rule.{rule.id}.thresholds]   # in memlint.toml; these are the defaults", *lines, "```"]
    )


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value)


def _overview(rules: tuple[Rule, ...]) -> str:
    parts = ["# The rules", _GENERATED]
    for scope, title in _FAMILIES.items():
        rows = [
            f"| [{rule.id}]({rule.id}.md) | `{rule.name}` | {rule.severity} | {rule.title} |"
            for rule in rules
            if rule.scope == scope
        ]
        parts += [f"## {title}", "\n".join(["| id | name | severity | what |", "|---|---|---|---|", *rows])]
    return "\n\n".join(parts) + "\n"


def _write(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    made = pages()
    for path in directory.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (directory / name).write_text(text, "utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]) if len(sys.argv) > 1 else _PAGES)
