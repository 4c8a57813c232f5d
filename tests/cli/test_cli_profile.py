"""`compare --profile` as people and programs call it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from support import images
from support.command import Memlint
from support.elf import library, program
from support.profiles import profile

from memlint.kernel.profiles import encode_profile
from memlint.report.schema import compare_schema

PAGE = 4096
LOADER = {"lib64/ld-linux-x86-64.so.2": library("ld-linux-x86-64.so.2")}
LIBC, APP, WEB = library("libc.so.6", pages=64), program("app", "libc.so.6"), program("web", "libc.so.6")


@pytest.fixture
def fleet(command: Memlint) -> str:
    """Two images that share nothing: each has a libc, and a program."""
    one, two = (
        images.image(name, {**LOADER, "lib/libc.so.6": LIBC, f"bin/{name}": data}, Cmd=[name])
        for name, data in (("app", APP), ("web", WEB))
    )
    images.oci(one, two).write(command.home / "fleet")
    both = profile({(APP, LIBC): [(0, 8, 1)], (WEB, LIBC): [(4, 8, 1)]}, {(APP,): 1, (WEB,): 1})
    (command.home / "both.json").write_bytes(encode_profile(both))
    (command.home / "app.json").write_bytes(encode_profile(profile({(APP, LIBC): [(0, 8, 1)]}, {(APP,): 1})))
    (command.home / "web.json").write_bytes(encode_profile(profile({(WEB, LIBC): [(4, 8, 1)]}, {(WEB,): 1})))
    return "oci:fleet"


def test_the_page_has_a_third_line_that_names_its_basis(command: Memlint, fleet: str) -> None:
    done = command.run("compare", fleet, "--profile", "both.json", env={"COLUMNS": "120"})
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("by profile: page cache"))
    assert (
        line.split()
        == "by profile: page cache 65.5 kB = distinct 49.2 kB + duplicate 16.4 kB sharing efficiency 75 %".split()
    )
    assert "as 1 recording of running containers saw them" in done.stdout
    assert "has not seen run" not in done.stdout


def test_the_json_has_a_third_basis(command: Memlint, fleet: str) -> None:
    report = command.report(fleet, "--profile", "both.json")
    jsonschema.Draft202012Validator(compare_schema()).validate(report)
    assert report["totals"]["profile"]["duplicate_bytes"] == 4 * PAGE
    assert report["profile"]["recordings"] == 1
    assert sorted(each["profile_bytes"] or 0 for each in report["duplicates"]) == [0, 4 * PAGE]
    without = command.report(fleet)
    assert (without["totals"]["profile"], without["profile"]) == (None, None)


def test_several_profiles_are_one(command: Memlint, fleet: str) -> None:
    report = command.report(fleet, "--profile", "app.json", "--profile", "web.json")
    assert report["totals"]["profile"] == command.report(fleet, "--profile", "both.json")["totals"]["profile"]
    assert report["profile"]["recordings"] == 2
    by_environment = command.report(fleet, env={"MEMLINT_PROFILE": "app.json,web.json"})
    assert by_environment["totals"] == report["totals"]


def test_a_profile_of_another_fleet_says_what_it_lacks(command: Memlint, fleet: str) -> None:
    done = command.run("compare", fleet, "--profile", "app.json", env={"COLUMNS": "120"})
    assert "lacks all that they hold: web" in done.stdout
    assert command.report(fleet, "--profile", "app.json")["profile"]["unknown"] == ["oci:fleet:web"]


def test_where_a_profile_knows_nothing_there_are_no_figures(command: Memlint, fleet: str) -> None:
    other = program("other", "libc.so.6")
    path = command.home / "other.json"
    path.write_bytes(encode_profile(profile({(other, LIBC): [(0, 8, 1)]}, {(other,): 1})))
    report = command.report(fleet, "--profile", "other.json")
    jsonschema.Draft202012Validator(compare_schema()).validate(report)
    assert report["totals"]["profile"] is None
    assert len(report["profile"]["unknown"]) == 2
    page = command.run("compare", fleet, "--profile", "other.json", env={"COLUMNS": "120"}).stdout
    (line,) = (line for line in page.splitlines() if line.startswith("by profile: page cache"))
    assert line.split() == "by profile: page cache – = distinct – + duplicate – sharing efficiency –".split()
    for more in ((), ("--storage", "vfs")):
        message, hint = command.refused("plan", fleet, "--profile", "other.json", *more)
        assert "the profile has not seen run what any of these images runs" in message
        assert "--basis mappable" in hint


@pytest.mark.parametrize(("limit", "code"), [("16384", 0), ("16383", 1)])
def test_the_gate_judges_it(command: Memlint, fleet: str, limit: str, code: int) -> None:
    gate = ("--basis", "profile", "--max-duplicate", limit)
    done = command.run("compare", fleet, "--profile", "both.json", *gate)
    assert done.returncode == code
    assert ("expected by profile" in done.stderr) == bool(code)


def test_the_gate_does_not_pass_on_what_is_not_known(command: Memlint, fleet: str) -> None:
    done = command.run("compare", fleet, "--profile", "app.json", "--basis", "profile", "--max-duplicate", "1GB")
    assert done.returncode == 2
    assert "has not seen run" in done.stderr


def test_the_basis_needs_a_profile(command: Memlint, fleet: str) -> None:
    message, hint = command.refused("compare", fleet, "--basis", "profile")
    assert "--basis profile needs a profile" in message
    assert "--profile" in hint


@pytest.mark.parametrize("name", ["gone.json", "fleet", "bad.json"])
def test_what_is_no_profile_is_refused(command: Memlint, fleet: str, name: str) -> None:
    (command.home / "bad.json").write_text("{}")
    message, hint = command.refused("compare", fleet, "--profile", name)
    assert name in message
    assert "measure --record" in hint


def test_what_is_read_is_no_profile_of_a_later_version(command: Memlint, fleet: str) -> None:
    path = Path(command.home / "both.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": "memlint.profile/9"}))
    message, _ = command.refused("compare", fleet, "--profile", "both.json")
    assert "memlint.profile/9" in message


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_list_says_what_is_expected_of_each(command: Memlint, fleet: str, columns: int) -> None:
    done = command.run("compare", fleet, "--profile", "both.json", "--all", env={"COLUMNS": str(columns)})
    assert max(map(len, done.stdout.splitlines())) <= columns
    listed = done.stdout.partition("what to do")[2]
    assert "16.4 kB" in listed


def findings(command: Memlint, *arguments: str) -> list[str]:
    done = command.run("compare", *arguments, "--format", "gitlab")
    assert done.returncode == 0, done.stderr
    return [each["description"] for each in json.loads(done.stdout)]


def test_rules_judge_by_it_and_name_it(command: Memlint, fleet: str) -> None:
    """A libc of 256 KiB that both images hold; they keep 16 KiB of it twice, which is no finding."""
    rules = "[rule.ML201]\nthresholds = { min_bytes = 20000 }\n"
    (command.home / "memlint.toml").write_text(rules)
    assert any("bases differ" in each and "profile" not in each for each in findings(command, fleet))
    assert not any("bases differ" in each for each in findings(command, fleet, "--profile", "both.json"))
    (command.home / "memlint.toml").write_text(rules.replace("20000", "10000"))
    (message,) = (each for each in findings(command, fleet, "--profile", "both.json") if "bases differ" in each)
    assert "16.4 kB (by profile)" in message


def plan(command: Memlint, *arguments: str) -> dict[str, object]:
    done = command.run("plan", *arguments, "--min-saving", "1", "--format", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_plan_weighs_by_it(command: Memlint, fleet: str) -> None:
    by_profile = plan(command, fleet, "--profile", "both.json")
    assert str(by_profile["basis"]).startswith("expected, by profile: resident pages, as 1 recording")
    assert by_profile["before"] == {
        "page_cache_bytes": 2 * 8 * PAGE,
        "distinct_bytes": 8 * PAGE,
        "duplicate_bytes": 8 * PAGE,
        "efficiency": 0.5,
    }
    mappable = plan(command, fleet, "--profile", "both.json", "--basis", "mappable")
    assert mappable["before"] == plan(command, fleet)["before"]


def test_a_plan_says_what_it_does_not_know(command: Memlint, fleet: str) -> None:
    notes = plan(command, fleet, "--profile", "app.json")["notes"]
    assert notes == ["web: the profile has not seen run what it runs, so that nothing of it is weighed"]


def test_a_plan_by_profile_needs_one(command: Memlint, fleet: str) -> None:
    message, _ = command.refused("plan", fleet, "--basis", "profile")
    assert "--basis profile needs a profile" in message
    (command.home / "Dockerfile").write_text("FROM debian:12\n")
    message, _ = command.refused("plan", "Dockerfile", "--profile", "both.json")
    assert "--profile is of no use to Dockerfiles alone" in message
