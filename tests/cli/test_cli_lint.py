"""`memlint lint` as people and programs call it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.command import Memlint
from support.linting import write
from support.snapshots import assert_snapshot

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPGRADE = "RUN apt-get update && apt-get upgrade -y\n"
PINNED = "FROM debian:12@sha256:0d8498a0e9e6a60011df39aab78534cfe940785e7c59d19dfae1eb53ea59babe\n"
FILES = {
    "api/Dockerfile": f"FROM debian:12.11\n{UPGRADE}",
    "web/Dockerfile": f"FROM debian\n# memlint ignore=ML106 # until the base is newer\n{UPGRADE}",
    "clean/Dockerfile": f"{PINNED}RUN true\n",
}
RULES = ("--select", "ML001,ML002,ML101,ML106")


@pytest.fixture
def home(command: Memlint) -> Memlint:
    """A repository of three Dockerfiles, of which two have findings."""
    write(command.home, FILES, git=True)
    return command


def places(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str, int]]:
    """Path, rule and line of what JSON reports."""
    return [
        (each["location"]["path"], each["rule"], each["location"]["span"]["line"])
        for each in json.loads(done.stdout)["findings"]
    ]


def lint(command: Memlint, *arguments: str, env: dict[str, str] | None = None, code: int = 1) -> dict[str, Any]:
    done = command.run("lint", "-f", "json", *arguments, env=env)
    assert (done.returncode, done.stderr) == (code, "")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def rules(report: dict[str, Any]) -> list[str]:
    return [finding["rule"] for finding in report["findings"]]


@pytest.mark.parametrize("columns", [100, 60])
def test_page(home: Memlint, columns: int) -> None:
    done = home.run("lint", *RULES, env={"COLUMNS": str(columns)})
    assert (done.returncode, done.stderr) == (1, "")
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert_snapshot(SNAPSHOTS / f"lint-{columns}.txt", done.stdout)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nothing_is_wider_than_the_terminal(command: Memlint, columns: int) -> None:
    long = "RUN echo " + "x" * 150 + " && apt-get upgrade -y && echo " + "界" * 150
    write(command.home, {"a/b/c/d/e/f/g/h/i/j/Dockerfile": f"FROM debian\n{long}\n\tRUN\tapt-get upgrade -y\n"})
    done = command.run("lint", env={"COLUMNS": str(columns)})
    assert "apt-get upgrade" in done.stdout
    wide = [line for line in done.stdout.splitlines() if sum(2 if char == "界" else 1 for char in line) > columns]
    assert wide == []


def test_carets_stand_under_what_they_mean(command: Memlint) -> None:
    for text in (
        "RUN echo ä界 && apt-get upgrade -y",
        "\tRUN\tapt-get upgrade -y",
        "RUN " + "a;" * 99 + "apt-get upgrade",
    ):
        write(command.home, {"Dockerfile": f"FROM debian:12\n{text}\n"})
        lines = command.run("lint", "--select", "ML106", env={"COLUMNS": "80"}).stdout.splitlines()
        at = next(number for number, line in enumerate(lines) if "^" in line)
        source, carets = lines[at - 1], lines[at]
        start = carets.index("^") - (1 if "界" in source else 0)
        assert source[start:].startswith("apt-get upgrade"), (source, carets)


def test_a_clean_repository(home: Memlint) -> None:
    done = home.run("lint", "clean", *RULES)
    assert (done.returncode, done.stdout, done.stderr) == (0, "No findings in 1 Dockerfile.\n", "")


def test_no_dockerfile(command: Memlint) -> None:
    done = command.run("lint")
    assert (done.returncode, done.stdout) == (0, "No Dockerfile was linted.\n")
    assert done.stderr == "memlint: note: there is no Dockerfile to lint\n"


@pytest.mark.parametrize("arguments", ["api -f json web", "-f json api web", "api web -f json", "api -f json -- web"])
def test_paths_may_stand_before_and_behind_options(home: Memlint, arguments: str) -> None:
    report = json.loads(home.run("lint", *arguments.split()).stdout)
    assert report["files"] == ["api/Dockerfile", "web/Dockerfile"]


def test_what_is_linted(home: Memlint) -> None:
    assert lint(home, *RULES)["files"] == ["api/Dockerfile", "clean/Dockerfile", "web/Dockerfile"]
    assert lint(home, "api", *RULES)["files"] == ["api/Dockerfile"]
    assert lint(home, "api/Dockerfile", "clean", *RULES)["files"] == ["api/Dockerfile", "clean/Dockerfile"]
    assert lint(home, str(home.home / "web"), *RULES)["files"] == ["web/Dockerfile"]


def test_paths_are_shown_from_here_and_reported_from_the_root(home: Memlint) -> None:
    home.home = home.home / "web"
    done = home.run("lint", *RULES)
    assert "--> Dockerfile:1:6" in done.stdout
    assert lint(home, *RULES)["files"] == ["web/Dockerfile"]
    done = home.run("lint", "../api", *RULES)
    assert "--> ../api/Dockerfile:2:23" in done.stdout


def test_rules_of_the_repository_tell_of_what_is_passed_alone(home: Memlint) -> None:
    write(home.home, {"api/Dockerfile": "FROM debian:12\n", "web/Dockerfile": "FROM debian:11\n"})
    found = lint(home, "--select", "ML3", "web/Dockerfile", code=1)
    assert {finding["location"]["path"] for finding in found["findings"]} == {"web/Dockerfile"}
    assert any(
        related["location"]["path"] != "web/Dockerfile" for each in found["findings"] for related in each["related"]
    )


@pytest.mark.parametrize(
    ("threshold", "code"),
    [("error", 0), ("warning", 1), ("info", 1), ("style", 1), ("none", 0), (None, 1)],
)
@pytest.mark.parametrize("name", ["text", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "markdown"])
def test_the_threshold_judges_whatever_the_format(home: Memlint, threshold: str | None, code: int, name: str) -> None:
    options = ("-t", threshold) if threshold else ()
    done = home.run("lint", "--select", "ML106", "-f", name, *options)
    assert (done.returncode, done.stderr) == (code, "")


def test_style_alone_does_not_fail(home: Memlint) -> None:
    write(home.home, {"clean/Dockerfile": "# memlint global ignore=ML106\nFROM debian:12\n"})
    assert rules(lint(home, "clean", *RULES, code=0)) == ["ML001"]
    assert rules(lint(home, "clean", *RULES, "-t", "style", code=1)) == ["ML001"]


def test_exit_zero(home: Memlint) -> None:
    assert rules(lint(home, *RULES, "--exit-zero", code=0))
    assert home.run("lint", "absent", "--exit-zero").returncode == 2


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--select", "ML101"), {"ML101"}),
        (("--select", "unpinned-base"), {"ML101"}),
        (("--select", "ML101", "--select", "ML106"), {"ML101", "ML106"}),
        (("--select", "ML101,ML106", "--ignore", "ML101"), {"ML106"}),
        (("--select", "ML101", "--extend-select", "ML106"), {"ML101", "ML106"}),
    ],
)
def test_selection(home: Memlint, options: tuple[str, ...], found: set[str]) -> None:
    assert set(rules(lint(home, *options))) == found


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (("--select", "ML101"), {"MEMLINT_SELECT": "ML101"}),
        (("--select", "ML101,ML106"), {"MEMLINT_SELECT": "ML101,ML106"}),
        (("--ignore", "ML1"), {"MEMLINT_IGNORE": "ML1"}),
        (
            ("--select", "ML101", "--extend-select", "ML106"),
            {"MEMLINT_SELECT": "ML101", "MEMLINT_EXTEND_SELECT": "ML106"},
        ),
        (("-t", "error"), {"MEMLINT_FAILURE_THRESHOLD": "error"}),
        (("--exit-zero",), {"MEMLINT_EXIT_ZERO": "1"}),
        (("--build-arg", "BASE=debian"), {"MEMLINT_BUILD_ARG": "BASE=debian"}),
        (("--isolated",), {"MEMLINT_ISOLATED": "yes"}),
        (("-c", "own.toml"), {"MEMLINT_CONFIG": "own.toml"}),
        (("--baseline", "known.json"), {"MEMLINT_BASELINE": "known.json"}),
    ],
)
def test_the_environment_gives_options(home: Memlint, options: tuple[str, ...], environment: dict[str, str]) -> None:
    write(home.home, {"memlint.toml": "ignore = ['ML101']\n", "own.toml": "ignore = ['ML106']\n"})
    write(home.home, {"arg/Dockerfile": "ARG BASE\nFROM $BASE\n"})
    home.run("lint", "api", "--write-baseline", "known.json")
    plain = home.run("lint", "-f", "json")
    by_option = home.run("lint", "-f", "json", *options)
    by_environment = home.run("lint", env={**environment, "MEMLINT_FORMAT": "json"})
    assert (by_environment.returncode, by_environment.stdout) == (by_option.returncode, by_option.stdout)
    assert (plain.returncode, plain.stdout) != (by_option.returncode, by_option.stdout)


def test_an_option_comes_before_the_environment_and_that_before_the_file(home: Memlint) -> None:
    write(home.home, {"memlint.toml": "select = ['ML101']\nfailure-threshold = 'none'\n"})
    assert set(rules(lint(home, code=0))) == {"ML101"}
    assert set(rules(lint(home, env={"MEMLINT_SELECT": "ML106"}, code=0))) == {"ML106"}
    assert set(rules(lint(home, "--select", "ML102", env={"MEMLINT_SELECT": "ML106"}, code=0))) == {"ML102"}
    assert set(rules(lint(home, "-t", "style", code=1))) == {"ML101"}


def test_a_variable_of_another_command_is_no_concern(home: Memlint) -> None:
    done = home.run("lint", *RULES, env={"MEMLINT_STORAGE": "nonsense", "MEMLINT_TOP": "0"})
    assert (done.returncode, done.stderr) == (1, "")


def test_configuration(home: Memlint) -> None:
    settings = """
        select = ["ML1"]
        exclude = ["clean"]
        [rule.ML106]
        severity = "error"
        [[per-path]]
        paths = ["web"]
        ignore = ["ML101", "ML102"]
    """
    write(home.home, {"memlint.toml": settings})
    report = lint(home)
    assert report["files"] == ["api/Dockerfile", "web/Dockerfile"]
    assert {each["severity"] for each in report["findings"] if each["rule"] == "ML106"} == {"error"}
    assert {each["location"]["path"] for each in report["findings"]} == {"api/Dockerfile"}
    assert "web/Dockerfile" in {each["location"]["path"] for each in lint(home, "--isolated")["findings"]}
    home.home = home.home / "api"
    assert {each["severity"] for each in lint(home)["findings"] if each["rule"] == "ML106"} == {"error"}


def test_own_rules(home: Memlint) -> None:
    own = (Path(__file__).resolve().parents[2] / "rules" / "ML106.toml").read_text("utf-8")
    own = own.replace('"ML106"', '"CORP1"').replace('"upgrade"', '"never-upgrade"', 1).replace("warning", "error")
    write(home.home, {"ci/rules/CORP1.toml": own, "memlint.toml": "rules = ['ci/rules']\nselect = ['CORP1']\n"})
    report = lint(home)
    assert [(each["rule"], each["name"], each["severity"]) for each in report["findings"]] == [
        ("CORP1", "never-upgrade", "error")
    ] * 2
    write(home.home, {"web/Dockerfile": f"FROM debian\n# memlint ignore=CORP1\n{UPGRADE}"})
    assert len(lint(home)["findings"]) == 1


def test_build_arguments(command: Memlint) -> None:
    write(command.home, {"Dockerfile": "ARG BASE\nARG TAG=latest\nFROM $BASE:$TAG\n"})
    select = ("--select", "ML101")
    assert rules(lint(command, *select, code=0)) == []
    assert rules(lint(command, *select, "--build-arg", "BASE=debian")) == ["ML101"]
    assert rules(lint(command, *select, "--build-arg", "BASE=debian", "--build-arg", "TAG=12.1", code=0)) == []
    assert rules(lint(command, *select, "--build-arg", "BASE", env={"BASE": "debian"})) == ["ML101"]
    write(command.home, {"memlint.toml": "[build-args]\nBASE = 'debian'\n"})
    assert rules(lint(command, *select)) == ["ML101"]
    assert rules(lint(command, *select, "--build-arg", "TAG=12.1", code=0)) == []


def test_platform(command: Memlint) -> None:
    write(command.home, {"Dockerfile": "FROM debian-$TARGETARCH${TARGETVARIANT:+-$TARGETVARIANT}\n"})
    select = ("--select", "ML101")
    assert rules(lint(command, *select, code=0)) == []
    for platform, base in (("linux/arm64", "debian-arm64"), ("linux/arm/v7", "debian-arm-v7")):
        (finding,) = lint(command, *select, "--platform", platform)["findings"]
        assert base in finding["message"]
    (finding,) = lint(command, *select, "--platform", "linux/arm64", "--build-arg", "TARGETARCH=riscv64")["findings"]
    assert "debian-riscv64" in finding["message"]
    assert command.run("lint", "--platform", "arm64").returncode == 2


def test_standard_input(command: Memlint) -> None:
    done = command.run("lint", "-", "-f", "json", "--select", "ML106", stdin=FILES["api/Dockerfile"].encode())
    assert (done.returncode, places(done)) == (1, [("-", "ML106", 2)])


def test_standard_input_stands_for_a_file_of_the_repository(home: Memlint) -> None:
    write(home.home, {"memlint.toml": "[[per-path]]\npaths = ['web']\nignore = ['ML101']\n"})
    options = ("-f", "json", "--select", "ML101,ML301", "--stdin-filename", "web/Dockerfile")
    done = home.run("lint", "-", *options, stdin=b"FROM debian:10\n")
    assert {rule for _, rule, _ in places(done)} == {"ML301"}
    assert {path for path, _, _ in places(done)} == {"web/Dockerfile"}
    done = home.run("lint", "-", *options[:4], stdin=b"FROM debian:10\n")
    assert places(done) == []


def test_statistics(home: Memlint) -> None:
    done = home.run("lint", *RULES, "--statistics")
    assert done.returncode == 1
    assert [re.split(r"\s{2,}", line.strip())[:3] for line in done.stdout.splitlines()[:2]] == [
        ["1", "ML101", "warning"],
        ["1", "ML106", "warning"],
    ]
    assert home.run("lint", "clean", *RULES, "--statistics").stdout == "No findings in 1 Dockerfile.\n"
    assert [each["rule"] for each in lint(home, *RULES)["statistics"]] == ["ML101", "ML106"]


def test_the_report_on_standard_output_by_name(home: Memlint) -> None:
    assert home.run("lint", *RULES, "-o", "-").stdout == home.run("lint", *RULES).stdout
    assert not (home.home / "-").exists()


def test_baseline(home: Memlint) -> None:
    done = home.run("lint", *RULES, "--write-baseline", "known.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "memlint: note: known.json lists 2 findings as known\n"
    printed = home.run("lint", *RULES, "--write-baseline", "-")
    assert (printed.returncode, printed.stdout) == (0, (home.home / "known.json").read_text())
    assert printed.stderr == "memlint: note: the baseline lists 2 findings as known\n"
    assert not (home.home / "-").exists()
    report = lint(home, *RULES, "--baseline", "known.json", code=0)
    assert (report["findings"], report["known"], report["stale"]) == ([], 2, 0)

    text = FILES["api/Dockerfile"]
    write(home.home, {"api/Dockerfile": f"# moved\n\n{text}RUN true\nRUN apt-get dist-upgrade -y\n"})
    report = lint(home, *RULES, "--baseline", "known.json")
    assert [(each["rule"], each["location"]["span"]["line"]) for each in report["findings"]] == [("ML106", 6)]

    write(home.home, {"api/Dockerfile": PINNED, "memlint.toml": "baseline = 'known.json'\n"})
    done = home.run("lint", *RULES)
    assert done.returncode == 0
    assert "1 known to the baseline; 1 entry of the baseline found no more" in done.stdout

    done = home.run("lint", *RULES, "--write-baseline", "known.json")
    assert "lists 1 finding" in done.stderr


def test_output_file(home: Memlint) -> None:
    done = home.run("lint", *RULES, "-f", "sarif", "-o", "memlint.sarif")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert json.loads((home.home / "memlint.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.parametrize(
    ("environment", "options", "colored"),
    [
        ({}, (), False),
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
        ({"FORCE_COLOR": "1"}, ("--no-color",), False),
        ({"FORCE_COLOR": "1"}, ("--statistics",), True),
    ],
)
def test_color(home: Memlint, environment: dict[str, str], options: tuple[str, ...], colored: bool) -> None:
    done = home.run("lint", *RULES, *options, env=environment)
    assert ("\x1b[" in done.stdout) == colored
    if colored:
        plain = home.run("lint", *RULES, *options).stdout
        assert re.sub(r"\x1b\[[0-9;]*m", "", done.stdout) == plain


def test_help_says_every_option(command: Memlint) -> None:
    text = command.run("lint", "--help", env={"COLUMNS": "100"}).stdout
    for option in (
        *("--format", "--output-file", "--config", "--isolated", "--select", "--extend-select", "--ignore", "--fix"),
        *("--unsafe-fixes", "--diff", "--statistics", "--failure-threshold", "--exit-zero", "--baseline"),
        *("--write-baseline", "--build-arg", "--platform", "--no-color", "--stdin-filename"),
    ):
        assert option in text
