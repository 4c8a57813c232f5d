"""`memlint measure` as people and programs call it, on processes of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support import measured
from support.command import MEMLINT, Memlint
from support.promtool import promtool

import memlint
from memlint.cli.host_options import MAX_MAPPING
from memlint.cli.measure import judge
from memlint.cli.values import size
from memlint.errors import UsageError
from memlint.kernel.bounds import Bounds
from memlint.kernel.measuring import Question, observe
from memlint.model.measure import Cost, MeasuredTotals, Measurement, Unseen
from memlint.report.schema import measure_schema

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="measuring needs Linux")
ROOT_USER = os.geteuid() == 0
pytestmark = LINUX
LATE = "the time that was allowed had passed"


@pytest.fixture
def sleeper() -> Iterator[str]:
    """The PID of a process that only waits."""
    with subprocess.Popen(["sleep", "300"]) as process:
        yield str(process.pid)
        process.kill()


def found(command: Memlint, *arguments: str) -> dict[str, Any]:
    done = command.run("measure", "-f", "json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(measure_schema()).validate(document)
    return document


def test_a_process(command: Memlint, sleeper: str) -> None:
    document = found(command, "--pid", sleeper)
    (process,) = document["processes"]
    rollup = Path(f"/proc/{sleeper}/smaps_rollup").read_text()
    (pss,) = (int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    assert (process["pid"], process["command"]) == (int(sleeper), "sleep")
    assert process["pss_bytes"] == pytest.approx(pss * 1024, rel=0.2)  # others come and go, and share libc
    assert process["container"] is None or process["container"] in {each["id"] for each in document["containers"]}


def test_frames_or_a_word_on_them(command: Memlint, sleeper: str) -> None:
    document = found(command, "--pid", sleeper)
    if document["kernel"]["frames"]:
        assert 0 < document["totals"]["file_pages_bytes"] == document["processes"][0]["file_pages_bytes"]
    else:
        assert document["totals"] is document["processes"][0]["file_pages_bytes"] is None
        assert any("sudo" in each["hint"] for each in document["unseen"])


@pytest.mark.skipif(not ROOT_USER, reason="only root sees pages, which time ends")
@pytest.mark.parametrize("bound", ["--max-cpu", "--max-seconds"])
def test_time_that_is_over_is_said_and_passes_no_gate(command: Memlint, sleeper: str, bound: str) -> None:
    arguments = ("--pid", sleeper, bound, "0.000001")
    document = found(command, *arguments)
    assert (document["cost"]["sampled"], document["totals"], document["basis"]) == (0, None, "measured: smaps")
    late = {each["what"]: each["totals"] for each in document["unseen"] if each["reason"] == LATE}
    assert late[f"process {sleeper}"] is True
    assert late["the stores of this host"] is False
    assert document["stores"] == []
    assert "memlint_node_file_pages_bytes" not in command.run("measure", *arguments, "-f", "prometheus").stdout
    page = command.run("measure", *arguments).stdout
    assert "Page frames could not be seen" in page
    assert "100 %" not in page
    gate = command.run("measure", *arguments, "--max-duplicate", "1GB")
    assert (gate.returncode, gate.stderr != "") == (2, True)


def test_python_gets_the_same(sleeper: str) -> None:
    measurement = memlint.measure(pids=[int(sleeper)])
    assert [each.pid for each in measurement.processes] == [int(sleeper)]
    assert measurement.schema == "memlint.measure/1"


def test_several(command: Memlint, sleeper: str) -> None:
    own = str(os.getpid())
    document = found(command, "--pid", f"{sleeper},{own}")
    assert {each["pid"] for each in document["processes"]} == {int(sleeper), int(own)}
    assert own in command.run("measure", "--pid", own, "--pid", sleeper).stdout


def test_all(command: Memlint, sleeper: str) -> None:
    pids = {each["pid"] for each in found(command, "--all")["processes"]}
    assert int(sleeper) in pids


def test_text(command: Memlint, sleeper: str) -> None:
    done = command.run("measure", "--pid", sleeper, env={"COLUMNS": "70"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "sleep" in done.stdout
    assert "Looking took" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 70


def test_prometheus(command: Memlint, sleeper: str) -> None:
    done = command.run("measure", "--pid", sleeper, "-f", "prometheus")
    assert done.returncode == 0
    assert promtool("check", "metrics", stdin=done.stdout) == ""
    assert ("memlint_node_file_pages_bytes" in done.stdout) is ROOT_USER


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_what_has_no_memory_is_not_a_host_without_containers(command: Memlint, form: str) -> None:
    with subprocess.Popen(["true"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        done = command.run("measure", "--pid", str(zombie.pid), "-f", form)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Nothing that was asked for has memory" in done.stdout
        assert found(command, "--pid", str(zombie.pid))["narrowed"] is True


def test_a_narrowed_look_says_nothing_of_the_host(command: Memlint, sleeper: str) -> None:
    text = command.run("measure", "--pid", sleeper, "-f", "prometheus").stdout
    assert "memlint_measure_narrowed 1\n" in text
    assert "of this host" not in text


def test_markdown(command: Memlint, sleeper: str) -> None:
    assert command.run("measure", "--pid", sleeper, "-f", "markdown").stdout.startswith("### memlint measure")


def test_a_collector_never_sees_half_a_file(command: Memlint, sleeper: str) -> None:
    target = command.home / "memlint.prom"
    target.write_text("old\n")
    target.chmod(0o640)
    with target.open() as open_before:
        arguments = ("--pid", sleeper, "-f", "prometheus", "-o", str(target))
        assert command.run("measure", *arguments).stdout == ""
        assert open_before.read() == "old\n"
    assert target.read_text().startswith("# HELP memlint_")
    assert target.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in command.home.iterdir() if "memlint" in each.name] == ["memlint.prom"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--container", "there-is-no-such-container"), "no container 'there-is-no-such-container'"),
        (("--pid", "4194305"), "no process 4194305"),
        (("--pid", "one"), "'one' is no PID"),
        (("--pid", "0"), "'0' is no PID"),
        (("--cgroup", "/no/such/group"), "no process is in the cgroup"),
        (("--all", "--pid", "1"), "--all"),
        (("--sample", "0"), "above 0"),
        (("--sample", "2"), "between 0 and 1"),
        (("--max-seconds", "-1"), "no number of seconds"),
        (("--max-seconds", "nan"), "no number of seconds"),
        (("--max-cpu", "-1"), "no number of seconds"),
        (("--max-mapping", "big"), "no size"),
        (("--by", "layer"), "invalid choice"),
        (("--sort", "pages"), "invalid choice"),
        (("-f", "sarif"), "invalid choice"),
        (("--top", "0"), "no whole number"),
        (("-o", "/no/such/directory/file"), "cannot be written"),
    ],
)
def test_what_cannot_be_answered(command: Memlint, arguments: tuple[str, ...], said: str) -> None:
    message, _ = command.refused("measure", *arguments)
    assert said in message


def test_variables(command: Memlint, sleeper: str) -> None:
    env = {"MEMLINT_PID": sleeper, "MEMLINT_FORMAT": "json", "MEMLINT_SAMPLE": "1", "MEMLINT_MAX_SECONDS": "60"}
    document = json.loads(command.run("measure", env=env).stdout)
    assert [each["pid"] for each in document["processes"]] == [int(sleeper)]


@pytest.mark.parametrize("name", ["measure", "exporter"])
def test_elsewhere(command: Memlint, name: str) -> None:
    start = f"sys.platform = 'darwin'; sys.argv = ['memlint', {name!r}]; run()"
    script = f"import sys; from memlint.cli.main import run; {start}"
    done = subprocess.run(
        [MEMLINT[0], "-c", script], env=command.env(), cwd=command.home, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "measuring needs Linux, and this is darwin" in done.stderr
    assert "hint: run memlint on the host of the containers" in done.stderr


def test_elsewhere_from_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UsageError):
        observe(Question())


PARTLY = {"unseen": (Unseen("process 1", "belongs to another"),)}
BLIND = {"totals": None}
PERFECT = {"totals": MeasuredTotals(10, 10, 0, 1.0)}


@pytest.mark.parametrize(
    ("changes", "efficiency", "duplicate", "code"),
    [
        ({}, None, None, 0),
        ({}, 0.8, 14_000_000, 0),
        ({}, 0.9, None, 1),
        ({}, None, 13_999_999, 1),
        ({}, 0.9, 1, 1),
        (PERFECT, 1.0, 0, 0),
        (PARTLY, None, None, 0),
        (PARTLY, 0.8, None, 2),
        (PARTLY, None, 14_000_000, 2),
        (PARTLY, None, 13_999_999, 1),
        (PARTLY, 0.9, None, 2),
        (BLIND, 0.1, None, 2),
        (BLIND, None, 10**12, 2),
        ({"cost": Cost(1.0, 1.0, 1, 1, 0.5)}, 0.1, None, 2),
        ({"unseen": (Unseen("a name", "no daemon", totals=False),)}, 0.8, None, 0),
    ],
)
def test_gate(
    changes: dict[str, Any],
    efficiency: float | None,
    duplicate: int | None,
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert judge(measured.node(**changes), efficiency, duplicate) == code
    assert bool(capsys.readouterr().err) is bool(code)


@pytest.mark.skipif(not ROOT_USER, reason="page frames need root")
def test_cached(command: Memlint, sleeper: str) -> None:
    cached = found(command, "--pid", sleeper, "--cached")["cached"]
    (sleep,) = (each for each in cached if each["real"].endswith("/sleep"))
    assert sleep["cached_bytes"] >= sleep["mapped_bytes"] > 0
    assert found(command, "--pid", sleeper)["cached"] == []


def test_plain_processes_are_not_recorded(command: Memlint, sleeper: str) -> None:
    message, _ = command.refused("measure", "--pid", sleeper, "--record", "x.json")
    assert "nothing to record" in message
    assert not (command.home / "x.json").exists()


@pytest.mark.skipif(not ROOT_USER, reason="page frames need root")
def test_the_gate_of_the_command(command: Memlint, sleeper: str) -> None:
    held = command.run("measure", "--pid", sleeper, "--min-efficiency", "1", "--max-duplicate", "0")
    assert (held.returncode, held.stderr) == (0, "")
    copy = command.home / "sleep"
    copy.write_bytes(Path("/bin/sleep").read_bytes())
    copy.chmod(0o755)
    with subprocess.Popen([copy, "300"]) as other:
        missed = command.run(
            "measure", "--pid", f"{sleeper},{other.pid}", "--min-efficiency", "1", "--max-duplicate", "0"
        )
        other.kill()
    assert missed.returncode == 1
    assert "below --min-efficiency 1 (measured)" in missed.stderr
    assert "exceed --max-duplicate 0 (measured)" in missed.stderr
    assert "/sleep  (no container) (2 ×)" in missed.stdout


def test_the_default_of_mappings_is_that_of_looking() -> None:
    assert size(MAX_MAPPING) == Bounds().mapping_bytes


def test_values_of_a_measurement_are_comparable() -> None:
    assert measured.node() == measured.node()
    assert isinstance(measured.node(), Measurement)
