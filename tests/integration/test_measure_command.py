"""`memlint measure` on containers that run: what people, programs and Prometheus get, and who may see what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.frames import PAGE, descendants, held
from support.promtool import promtool
from support.waiting import until

from memlint.report.schema import measure_schema

from .daemons import Daemon

pytestmark = pytest.mark.integration

_WAIT = "import time; time.sleep(3600)"
_PYTHON = ("python3", "-c", _WAIT)
_COPY_UP = ("sh", "-c", f"touch /usr/bin/python3.11 && exec python3 -c '{_WAIT}'")
_STARTED = {
    "measure-api-1": ("fleet/base", _PYTHON, ()),
    "measure-api-2": ("fleet/base", _PYTHON, ()),
    "measure-worker": ("fleet/worker", _PYTHON, ()),
    "measure-touched": ("fleet/base", _COPY_UP, ()),
    "measure-nobody": ("fleet/base", _PYTHON, ("--user", "65534:65534")),
}
_NAMES = ",".join(_STARTED)
_NOBODY = 65534
_AS_NOBODY = f"""
import ast, contextlib, importlib, io, os, pathlib, sys
import memlint
from memlint.cli.main import main
# Nobody may not be allowed to read where Python and memlint lie: all that memlint may come to import is imported now.
for path in pathlib.Path(memlint.__file__).parent.rglob("*.py"):
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        for name in [node.module] if isinstance(node, ast.ImportFrom) else names:
            with contextlib.suppress(ImportError):  # another Python's
                importlib.import_module(name)
with contextlib.redirect_stdout(io.StringIO()):
    main(sys.argv[1:])  # and this what rich needs
os.setgroups([])
os.setgid({_NOBODY})
os.setuid({_NOBODY})
sys.exit(main(sys.argv[1:]))
"""
_WIDE = {**os.environ, "COLUMNS": "200"}

Ask = Callable[..., subprocess.CompletedProcess[str]]


def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "memlint", "measure", *arguments]
    return subprocess.run(command, env=_WIDE, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _AS_NOBODY, "measure", *arguments]
    return subprocess.run(
        command, env=_WIDE, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )


def document(ask: Ask, *arguments: str) -> dict[str, Any]:
    done = ask("--format", "json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(measure_schema()).validate(found)
    return found


def by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in found["containers"]}


@pytest.fixture(scope="module")
def pids(docker: Daemon) -> Iterator[dict[str, list[int]]]:
    """The processes of the containers that run, by name."""
    for name, (image, command, options) in _STARTED.items():
        docker.docker("run", "--detach", "--network=none", f"--name={name}", *options, image, *command)
    try:
        found = {name: _settled(docker, name) for name in _STARTED}
        yield found
    finally:
        docker.docker("rm", "--force", *_STARTED)


def _settled(docker: Daemon, name: str) -> list[int]:
    """The container's processes, once the last of them is Python and sleeps."""
    top = int(docker.docker("inspect", "-f", "{{.State.Pid}}", name))
    until(lambda: _waits(top), lambda: docker.docker("logs", name))
    return descendants(top)


def _waits(pid: int) -> bool:
    name, call = (Path(f"/proc/{pid}/{file}").read_text() for file in ("comm", "wchan"))
    return name.startswith("python3") and "sleep" in call


def test_json(pids: dict[str, list[int]]) -> None:
    found = document(ask, "--container", _NAMES)
    containers = by_name(found)
    assert {name: list(each["pids"]) for name, each in containers.items()} == pids
    assert {name: each["image"] for name, each in containers.items()} == {
        name: image for name, (image, _, _) in _STARTED.items()
    }
    for each in containers.values():
        assert each["runtime"] == "docker"
        assert each["storage"] == "overlay2"
        assert 0 < each["uss_bytes"] <= each["pss_bytes"] <= each["rss_bytes"]
    counted = held([pid for each in pids.values() for pid in each])
    totals = found["totals"]
    assert (totals["file_pages_bytes"], totals["distinct_bytes"]) == (counted.frames * PAGE, counted.pages * PAGE)
    assert totals["duplicate_bytes"] == counted.duplicate_bytes > 0
    assert sum(each["duplicate_bytes"] for each in found["duplicates"]) == totals["duplicate_bytes"]


def test_images_count_shared_frames_once(pids: dict[str, list[int]]) -> None:
    found = document(ask, "--container", _NAMES)
    images = {each["image"]: each for each in found["images"]}
    base = [pid for name, each in pids.items() if _STARTED[name][0] == "fleet/base" for pid in each]
    assert images["fleet/base"]["containers"] == 4
    assert images["fleet/base"]["file_pages_bytes"] == held(base).frames * PAGE
    replicas = document(ask, "--container", "measure-api-1,measure-api-2")
    (image,) = replicas["images"]
    assert image["file_pages_bytes"] == replicas["totals"]["file_pages_bytes"]
    assert replicas["totals"]["duplicate_bytes"] == 0


def test_text(pids: dict[str, list[int]]) -> None:
    done = ask("--container", _NAMES, "--top", "30")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("5 containers of 2 images, 5 processes, on docker overlay2")
    assert "Measured from page frames" in done.stdout
    assert any(line.startswith("measure-worker ") and "fleet/worker" in line for line in lines)
    assert any("/python3.11 " in line and "measure-worker" in line for line in lines)
    assert any("measure-touched  /usr/bin/python3.11  the same bytes lie below" in line for line in lines)
    assert "memlint compare fleet/base fleet/worker" in done.stdout


def test_container(pids: dict[str, list[int]]) -> None:
    both = document(ask, "--container", "measure-api-1", "--container", "measure-worker")
    assert set(by_name(both)) == {"measure-api-1", "measure-worker"}
    one = by_name(both)["measure-api-1"]
    for short in (one["id"], one["id"][:12]):
        assert set(by_name(document(ask, "--container", short))) == {"measure-api-1"}
    by_group = document(ask, "--cgroup", one["cgroup"])
    assert set(by_name(by_group)) == {"measure-api-1"}


def test_pid(pids: dict[str, list[int]]) -> None:
    (pid,) = pids["measure-worker"]
    found = document(ask, "--pid", str(pid))
    assert [each["pid"] for each in found["processes"]] == [pid]
    assert set(by_name(found)) == {"measure-worker"}


def test_prometheus(pids: dict[str, list[int]], tmp_path: Path) -> None:
    target = tmp_path / "memlint.prom"
    assert ask("--container", _NAMES, "-f", "prometheus", "-o", str(target)).returncode == 0
    text = target.read_text("utf-8")
    assert promtool("check", "metrics", stdin=text) == ""
    assert 'memlint_image_containers{image="fleet/base"} 4\n' in text
    copied = [line for line in text.splitlines() if line.startswith("memlint_container_copied_up_bytes{")]
    assert [line for line in copied if not line.endswith(" 0")] == [
        line for line in copied if "measure-touched" in line
    ]


def test_gate(pids: dict[str, list[int]]) -> None:
    some = ("--container", "measure-api-1,measure-worker")
    missed = ask(*some, "--min-efficiency", "0.9", "--max-duplicate", "1MB")
    assert missed.returncode == 1
    assert "below --min-efficiency 0.9 (measured)" in missed.stderr
    assert "exceed --max-duplicate 1000000 (measured)" in missed.stderr
    replicas = ("--container", "measure-api-1,measure-api-2")
    assert ask(*replicas, "--min-efficiency", "1", "--max-duplicate", "0").returncode == 0
    blind = as_nobody("--min-efficiency", "0.1")
    assert blind.returncode == 2
    assert "the gate cannot be judged" in blind.stderr


def test_without_root(pids: dict[str, list[int]]) -> None:
    """One's own processes are measured; of the others nothing is known, and both are said."""
    (own,), (other,) = pids["measure-nobody"], pids["measure-api-1"]
    found = document(as_nobody)
    assert found["totals"] is None
    assert found["kernel"]["frames"] is False
    processes = {each["pid"]: each for each in found["processes"]}
    assert processes[own]["pss_bytes"] > 0
    assert processes[own]["file_pages_bytes"] is None
    assert processes[other]["pss_bytes"] is processes[other]["rss_bytes"] is None
    containers = {tuple(each["pids"]): each for each in found["containers"]}
    assert containers[own,]["pss_bytes"] == processes[own]["pss_bytes"]
    assert containers[other,]["pss_bytes"] is None
    assert all(each["file_pages_bytes"] is None for each in found["containers"])
    hints = [each["hint"] for each in found["unseen"]]
    assert any("root" in hint for hint in hints)
    text = as_nobody()
    assert text.returncode == 0
    assert "Not seen:" in text.stdout
    assert "sudo" in text.stdout


def test_record(pids: dict[str, list[int]], tmp_path: Path) -> None:
    target = tmp_path / "fleet.profile.json"
    for recordings in (1, 2):
        assert ask("--container", "measure-api-1,measure-worker", "--record", str(target)).returncode == 0
        profile = json.loads(target.read_text("utf-8"))
        assert (profile["schema"], profile["recordings"]) == ("memlint.profile/1", recordings)
        assert profile["contents"]
    assert "measure-api" not in target.read_text("utf-8")
    refused = as_nobody("--pid", str(pids["measure-nobody"][0]), "--record", str(tmp_path / "other.json"))
    assert refused.returncode == 2
    assert "sudo" in refused.stderr
