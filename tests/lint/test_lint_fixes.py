"""Fixes: bytes that are kept, and repairs that count only when they help."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from support.effort import effort
from support.linting import RULES, gathered, linter

from memlint.lint.engine import Active
from memlint.lint.fixes import Repaired, apply_edits, repair
from memlint.lint.linting import Linter
from memlint.lint.repository import Repository
from memlint.model.dockerfile import Dockerfile, Span
from memlint.model.finding import Edit, Fix, Hit, Location


def edit(line: int, column: int, end_line: int, end_column: int, text: str) -> Edit:
    return Edit(Span(line, column, end_line, end_column), text)


@pytest.mark.parametrize(
    ("content", "edits", "wanted"),
    [
        (b"FROM a\n", [edit(1, 6, 1, 7, "b")], b"FROM b\n"),
        (b"FROM a", [edit(1, 6, 1, 7, "b")], b"FROM b"),
        (b"one\ntwo\nthree\n", [edit(2, 1, 3, 1, "")], b"one\nthree\n"),
        (b"one\ntwo", [edit(2, 1, 3, 1, "")], b"one\n"),
        (b"one\n", [edit(2, 1, 2, 1, "two\n")], b"one\ntwo\n"),
        (b"one\n", [edit(9, 1, 9, 1, "two\n")], b"one\ntwo\n"),
        (b"abc\n", [edit(1, 2, 1, 2, "-"), edit(1, 3, 1, 3, "+")], b"a-b+c\n"),
        (b"abc\n", [edit(1, 3, 1, 4, "3"), edit(1, 1, 1, 2, "1")], b"1b3\n"),
        (b"a\r\nb\r\n", [edit(1, 2, 1, 2, "\nx")], b"a\r\nx\r\nb\r\n"),
        (b"a\r\nb\r\n", [edit(1, 2, 1, 2, "\r\nx")], b"a\r\nx\r\nb\r\n"),
        (b"a\nb\n", [edit(1, 2, 1, 2, "\r\nx")], b"a\nx\nb\n"),
        (b"\xef\xbb\xbfFROM a\n", [edit(1, 6, 1, 7, "b")], b"\xef\xbb\xbfFROM b\n"),
        (b"# \xff\xfe\nFROM a\n", [edit(2, 6, 2, 7, "b")], b"# \xff\xfe\nFROM b\n"),
        ("é ü x\n".encode(), [edit(1, 5, 1, 6, "y")], "é ü y\n".encode()),
        (b"a\x0bb\x0c\xc2\x85c\n", [edit(1, 6, 1, 7, "d")], b"a\x0bb\x0c\xc2\x85d\n"),
        (b"ab\n", [edit(1, 2, 1, 99, "x")], b"ax\n"),
    ],
)
def test_edits(content: bytes, edits: list[Edit], wanted: bytes) -> None:
    assert apply_edits(content, edits) == wanted


@pytest.mark.parametrize(
    "edits",
    [
        [edit(1, 1, 1, 3, "x"), edit(1, 2, 1, 4, "y")],
        [edit(1, 3, 1, 2, "x")],
    ],
)
def test_edits_that_make_no_sense(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match="overlap"):
        apply_edits(b"abcdef\n", edits)


UNUSED = "FROM debian:12\n# memlint ignore=ML106,ML101 # why\nRUN true\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM debian:12\n# memlint ignore=ML106 # why\nRUN true\n", "FROM debian:12\nRUN true\n"),
        ("FROM debian:12\r\n# memlint ignore=ML106\r\nRUN true\r\n", "FROM debian:12\r\nRUN true\r\n"),
        ("FROM debian:12\n# memlint ignore=ML106", "FROM debian:12\n"),
        ("\ufeff# memlint global ignore=ML106\nFROM debian:12\n", "\ufeffFROM debian:12\n"),
        (UNUSED, "FROM debian:12\nRUN true\n"),
        (
            "# memlint ignore=ML101,ML106 # why\nFROM debian\n",
            "# memlint ignore=ML101 # why\nFROM debian\n",
        ),
        (
            "FROM debian:12\nRUN true && \\\n  # memlint ignore=ML106\n  true\n",
            "FROM debian:12\nRUN true && \\\n  true\n",
        ),
        ("# memlint ignore=ML101\nFROM debian\n", "# memlint ignore=ML101\nFROM debian\n"),
        (
            "# memlint ignore=ML106\n# syntax=docker/dockerfile:1-labs\nFROM debian:12\n",
            "# memlint ignore=ML106\n# syntax=docker/dockerfile:1-labs\nFROM debian:12\n",
        ),
    ],
)
def test_unused_comments_are_removed(before: str, after: str) -> None:
    repaired = repair(gathered({"Dockerfile": before}), linter("ML001", "ML101", "ML106"), unsafe=False)
    assert repaired.gathered.repository.content("Dockerfile").decode() == after
    assert bool(repaired.texts) == (before != after)


def test_a_second_run_changes_nothing() -> None:
    rules = linter()
    text = f"{UNUSED}RUN apt-get update && apt-get upgrade -y\nRUN apt-get upgrade -y\n"
    first = repair(gathered({"Dockerfile": text}), rules, unsafe=True)
    assert first.texts
    assert repair(first.gathered, rules, unsafe=True).texts == {}


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("ML001", "# memlint ignore=ML106\nRUN true\n\n"),
        ("ML001", "# memlint global ignore=ML106\n"),
        ("ML106", "RUN true && apt-get upgrade -y; true\n"),
        ("ML104", "ARG GIT_SHA_{}\n"),
    ],
)
def test_twice_the_fixes_take_twice_the_effort(rule: str, line: str) -> None:
    def repaired(count: int) -> Repaired:
        text = "".join(line.format(number) for number in range(count))
        files = gathered({"Dockerfile": f"FROM debian:12\n{text}RUN apt-get install -y libpq5\n"})
        return repair(files, linter(rule, "ML106"), unsafe=True)

    assert len(repaired(80).fixed) == 80
    assert effort(repaired, 80) < 12 * effort(repaired, 10)  # 8 where linear, 64 where quadratic


@pytest.mark.parametrize("rule", ["ML106", "ML301"])
def test_twice_the_files_take_twice_the_effort(rule: str) -> None:
    def repaired(count: int) -> Repaired:
        text = f"FROM debian:12\n# memlint ignore={rule}\nRUN true\n"
        files = gathered({f"{number}/Dockerfile": text for number in range(count)})
        return repair(files, linter("ML001", rule), unsafe=False)

    assert len(repaired(160).fixed) == 160
    assert effort(repaired, 160) < 12 * effort(repaired, 20)


def test_a_fix_that_does_not_help_holds_no_other_one_back() -> None:
    def check(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
        for number, line in enumerate(dockerfile.text.split("\n"), 1):
            if line.startswith("RUN"):
                wrong = "USER" if line == "RUN 3" else "# no\n"
                fix = Fix((Edit(Span(number, 1, number + 1, 1), wrong),), True, "mend it")
                yield Hit(Location(dockerfile.path, Span(number, 1, number, 4)), {"problem": line}, fix=fix)

    rule = next(rule for rule in RULES if rule.id == "ML002")
    text = "FROM a\n" + "".join(f"RUN {number}\n" for number in range(8))
    repaired = mended(text, Linter(RULES, [Active(rule, rule.severity, check)]))
    assert repaired.texts == {"Dockerfile": b"FROM a\n# no\n# no\n# no\nRUN 3\n# no\n# no\n# no\n# no\n"}
    assert len(repaired.fixed) == 7


def test_an_unsafe_fix_needs_to_be_asked_for() -> None:
    files = gathered({"Dockerfile": "FROM debian:12\nRUN apt-get update && apt-get upgrade -y\n"})
    assert repair(files, linter("ML106"), unsafe=False).texts == {}
    assert [each.rule for each in repair(files, linter("ML106"), unsafe=True).fixed] == ["ML106"]


def fixing(*edits: Edit, safe: bool = True, until: str = "never") -> Linter:
    """A linter whose one rule finds every file that does not hold `until`, and has these edits to offer."""

    def check(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
        if until not in dockerfile.text:
            place = Location(dockerfile.path, Span(1, 1, 1, 2))
            yield Hit(place, {"problem": "it"}, fix=Fix(tuple(edits), safe, "mend it"))

    rule = next(rule for rule in RULES if rule.id == "ML002")
    return Linter(RULES, [Active(rule, rule.severity, check)])


def mended(text: str, rules: Linter) -> Repaired:
    return repair(gathered({"Dockerfile": text}), rules, unsafe=False)


def test_a_fix_that_helps_is_applied() -> None:
    repaired = mended("FROM a\n", fixing(edit(1, 6, 1, 7, "b"), until="FROM b"))
    assert repaired.texts == {"Dockerfile": b"FROM b\n"}
    assert len(repaired.fixed) == 1


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (fixing(edit(1, 6, 1, 7, "b")), "the finding stays"),
        (fixing(edit(1, 1, 1, 7, ""), until="\n\n"), "no stage is left"),
        (fixing(edit(1, 1, 1, 5, "FORM"), until="FORM"), "the result does not parse"),
        (fixing(edit(1, 6, 1, 7, "a"), until="never"), "nothing changes"),
        (fixing(edit(1, 1, 1, 4, "x"), edit(1, 2, 1, 5, "y"), until="x"), "its edits overlap"),
        (fixing(edit(1, 6, 1, 7, "b"), until="FROM b", safe=False), "it is not safe"),
        (fixing(edit(1, 1, 1, 1, "# check=skip=all\n"), until="check"), "a line becomes a parser directive"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fix_that_does_not_help_is_not_applied(rules: Linter, why: str) -> None:
    repaired = mended("FROM a\n", rules)
    assert (repaired.texts, repaired.fixed) == ({}, ()), why


def test_fixes_that_undo_each_other_end() -> None:
    def check(dockerfile: Dockerfile, repository: Repository, *, wanted: str) -> Iterator[Hit]:
        if f"FROM {wanted}" not in dockerfile.text:
            place = Location(dockerfile.path, Span(1, 6, 1, 7))
            yield Hit(
                place, {"problem": wanted, "rules": wanted}, fix=Fix((Edit(Span(1, 6, 1, 7), wanted),), True, "mend")
            )

    rules = {rule.id: rule for rule in RULES}
    both = [
        Active(msgspec.structs.replace(rules["ML101"], message="{problem}"), "info", check, {"wanted": "a"}),
        Active(msgspec.structs.replace(rules["ML102"], message="{problem}"), "info", check, {"wanted": "b"}),
    ]
    repaired = mended("FROM x\n", Linter(RULES, both))
    assert repaired.gathered.repository.content("Dockerfile") in (b"FROM a\n", b"FROM b\n")


def test_a_rule_of_the_repository_repairs_too() -> None:
    def check(repository: Repository) -> Iterator[Hit]:
        first, *others = repository.dockerfiles
        wanted = first.text.split()[1]
        for dockerfile in others:
            if wanted not in dockerfile.text:
                place = Location(dockerfile.path, Span(1, 6, 1, 7))
                yield Hit(place, {"problem": ""}, fix=Fix((Edit(Span(1, 6, 1, 7), wanted),), True, "take the other"))

    rule = msgspec.structs.replace(next(rule for rule in RULES if rule.id == "ML301"), message="{problem}")
    files = gathered({"a/Dockerfile": "FROM a\n", "b/Dockerfile": "FROM b\n", "c/Dockerfile": "FROM c\n"})
    repaired = repair(files, Linter(RULES, [Active(rule, "info", check)]), unsafe=False)
    assert repaired.texts == {"b/Dockerfile": b"FROM a\n", "c/Dockerfile": b"FROM a\n"}
    assert len(repaired.fixed) == 2
