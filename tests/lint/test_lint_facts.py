"""What checks are told of a Dockerfile: bases, which stages count, and what each instruction runs and installs."""

from __future__ import annotations

from typing import Any

import pytest
from support.effort import effort
from support.linting import linter, repository

from memlint.dockerfile.parser import parse_dockerfile
from memlint.dockerfile.shell import commands_of
from memlint.lint import facts as facts_module
from memlint.lint.facts import Facts, Step, facts_of
from memlint.lint.image import copy_of
from memlint.lint.places import stage_of


def facts(text: str) -> Facts:
    return facts_of(parse_dockerfile(text))


def steps(text: str, stage: int = -1) -> tuple[Step, ...]:
    return facts(text).stages[stage].steps


def test_the_last_stage_and_what_it_is_built_on() -> None:
    found = facts("FROM debian AS a\nFROM a AS b\nFROM alpine AS c\nFROM b AS d\nCOPY --from=c /x /x\n")
    assert found.target is found.stages[-1]
    assert [each.stage.name for each in found.target.lineage] == ["a", "b", "d"]


def test_of_stages_with_one_name_the_last_counts() -> None:
    """As BuildKit does: for --target and COPY --from the last of all, for FROM the last above."""
    found = facts("FROM debian AS a\nFROM fedora AS A\nFROM a AS b\nFROM alpine AS a\n")
    assert [found.named[name].stage.index for name in ("a", "b", "0")] == [3, 2, 0]
    assert [each.stage.parent for each in found.stages] == [None, None, 1, None]
    target = stage_of(found.dockerfile, "A")
    assert target is not None
    assert target.index == 3


@pytest.mark.parametrize(("escape", "target"), [("", "/app"), ("# escape=\\\n", "/app"), ("# escape=`\n", "/a\\pp")])
def test_words_are_expanded_with_the_escape_character_of_the_file(escape: str, target: str) -> None:
    found = facts(f"{escape}FROM debian\nCOPY x /a\\pp\n")
    copy = copy_of(found.target.steps[0], found)
    assert copy is not None
    assert copy.target == target


def test_a_base_is_the_image_from_outside() -> None:
    found = facts("ARG TAG=12\nFROM debian:$TAG AS a\nFROM a AS b\nFROM b\nFROM $UNSET\nFROM scratch\n")
    names = [(each.base.repository, each.base.tag) if each.base else None for each in found.stages]
    assert names == [("debian", "12")] * 3 + [None, ("scratch", None)]


def test_an_instruction_with_what_holds_before_it() -> None:
    found = steps(
        "FROM debian\nENV P=curl\nWORKDIR /app\nWORKDIR src\nRUN apt-get install $P && cd x && y\nENV P=git\n"
    )
    assert [step.instruction.keyword for step in found] == ["ENV", "WORKDIR", "WORKDIR", "RUN", "ENV"]
    assert [step.directory for step in found] == [None, None, "/app", "/app/src", "/app/src"]
    assert [step.environment.get("P") for step in found] == [None, "curl", "curl", "curl", "curl"]
    run = found[3]
    assert [placed.command.directory for placed in run.commands or ()] == ["/app/src", "/app/src", "/app/src/x"]
    assert [package.name for install in run.installs for package in install.packages] == ["curl"]
    assert all(step.commands is None for step in found if step.instruction.keyword != "RUN")


@pytest.mark.parametrize(
    ("text", "directory"),
    [
        ("FROM debian\n", None),
        ("FROM scratch\n", "/"),
        ("FROM debian\nWORKDIR app\n", None),
        ("FROM scratch\nWORKDIR app\n", "/app"),
        ("FROM debian\nENV D=/x\nWORKDIR ${D}/y\n", "/x/y"),
        ("FROM debian\nWORKDIR /a\nWORKDIR $UNKNOWN\n", None),
        ("FROM debian AS a\nWORKDIR /a\nFROM a\nWORKDIR b\n", "/a/b"),
        ("FROM debian AS a\nWORKDIR /a\nFROM debian\n", None),
    ],
)
def test_the_working_directory(text: str, directory: str | None) -> None:
    assert steps(text + "RUN x\n")[-1].directory == directory


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("FROM debian\n", True),
        ('FROM debian\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\n', True),
        ('FROM debian\nSHELL ["conda", "run", "-n", "e", "/bin/bash", "-c"]\n', True),
        ('FROM debian\nSHELL ["pwsh", "-Command"]\n', False),
        ('FROM debian\nSHELL ["/usr/bin/python3", "-c"]\n', False),
        ('FROM debian\nSHELL ["pwsh", "-c"]\nSHELL ["sh", "-c"]\n', True),
        ('FROM debian AS a\nSHELL ["pwsh", "-c"]\nFROM a\n', False),
        ('FROM debian AS a\nSHELL ["pwsh", "-c"]\nFROM debian\n', True),
        ("FROM mcr.microsoft.com/windows/servercore:ltsc2022\n", False),
        ("FROM python:3.12-windowsservercore\n", False),
        ("# escape=`\nFROM example\n", False),
        ("# escape=`\nFROM debian\n", True),  # an image of Linux has a shell whatever the escape is
        ("# escape=`\nFROM mcr.microsoft.com/windows/servercore:ltsc2022\n", False),
        ('# escape=`\nFROM example\nSHELL ["bash", "-c"]\n', True),
    ],
)
def test_only_a_posix_shell_is_read(text: str, known: bool) -> None:
    run = steps(text + "RUN pip install x\n")[-1]
    assert (run.commands is not None, bool(run.installs)) == (known, known)


def test_the_json_form_asks_no_shell() -> None:
    run = steps('FROM debian\nSHELL ["pwsh", "-c"]\nRUN ["pip", "install", "x"]\n')[-1]
    assert [package.name for install in run.installs for package in install.packages] == ["x"]


def test_commands_of_the_start_install_nothing_into_the_image() -> None:
    start = steps("FROM debian\nCMD pip install x && y\n")[-1]
    assert [placed.command.name for placed in start.commands or ()] == ["pip", "y"]
    assert start.installs == ()


def test_what_a_parent_stage_set_holds() -> None:
    text = "FROM debian AS a\nENV P=curl\nFROM a\nRUN apt-get install $P\n"
    (install,) = steps(text)[-1].installs
    assert [package.name for package in install.packages] == ["curl"]


def test_another_escape_joins_the_lines_of_a_run() -> None:
    (run,) = steps("# escape=`\nFROM debian\nRUN apt-get update && `\n  apt-get install -y a b\\c `\n  d\n")
    assert [placed.command.name for placed in run.commands or ()] == ["apt-get", "apt-get"]
    assert [package.name for install in run.installs for package in install.packages] == ["a", "bc", "d"]
    assert [placed.span.line for placed in run.commands or ()] == [3, 4]


def test_what_onbuild_holds_runs_above_the_stage() -> None:
    text = (
        "FROM debian AS a\nONBUILD ARG P=curl\nONBUILD WORKDIR /b\nONBUILD RUN apt-get install $P && x\nWORKDIR /a\n"
        "FROM a\nRUN y\n"
    )
    first, second = facts(text).stages
    assert [(step.instruction.keyword, step.on_build) for step in first.triggered] == [
        ("ARG", True),
        ("WORKDIR", True),
        ("RUN", True),
    ]
    run = first.triggered[-1]
    assert [package.name for install in run.installs for package in install.packages] == ["curl"]
    assert [placed.command.directory for placed in run.commands or ()] == ["/b", "/b"]
    assert [step.instruction.keyword for step in first.steps] == ["ONBUILD"] * 3 + ["WORKDIR"]
    assert [step.directory for step in second.steps] == ["/b"]
    assert second.triggered == ()


def test_places_in_a_here_document_without_its_tabs() -> None:
    run = steps("FROM debian\nRUN <<-EOF\n\t\tchmod +x\nEOF\n")[-1]
    assert [span.column for placed in run.commands or () for span in placed.word_spans] == [3, 9]


def test_a_long_row_of_stages() -> None:
    text = "FROM debian AS s0\n" + "".join(f"FROM s{i} AS s{i + 1}\nWORKDIR d\n" for i in range(1500))
    found = facts(text + "RUN x\n")
    assert found.target.base is not None
    assert found.target.base.repository == "debian"
    assert len(found.target.lineage) == 1501


@pytest.mark.parametrize(
    "line",
    ["RUN apt-get upgrade -y", "ENV A=1", "COPY a /b", "WORKDIR d", "RUN pip install numpy"],
)
def test_twice_the_stages_take_twice_the_effort(line: str) -> None:
    """All rules over stages that each stand on the one before."""
    once, twice = (
        effort(
            linter().findings,
            repository(
                {"Dockerfile": "FROM x:1 AS s0\n" + "".join(f"FROM s{i} AS s{i + 1}\n{line}\n" for i in range(count))}
            ),
            ("Dockerfile",),
        )
        for count in (100, 200)
    )
    assert twice < 2.2 * once


def test_facts_are_worked_out_once_and_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*given: Any) -> Any:
        calls.append(1)
        return commands_of(*given)

    monkeypatch.setattr(facts_module, "commands_of", counted)
    found = facts("FROM debian AS a\nRUN x\nFROM debian\nRUN y\n")
    assert found.stages[0].base is not None
    assert calls == []
    assert found.stages[1].steps is found.stages[1].steps
    assert calls == [1]
