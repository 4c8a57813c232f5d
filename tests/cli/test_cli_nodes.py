"""`memlint nodes`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from support.command import Memlint
from support.nodes import CRYPTO, KERNEL, NODE, OVERLAY2, VFS, duplicate, measurement

import memlint
from memlint.model.layer import Package
from memlint.model.measure import Measurement, Unseen
from memlint.report.schema import schemas

SCHEMA = Path(memlint.__file__).parent / "report" / "schemas" / "nodes-1.schema.json"
PACKAGE = Package("libssl3", "3.0.17", "deb")
CRYPTO_TWICE = duplicate(CRYPTO, "/usr/lib/x86_64-linux-gnu/libcrypto.so.3", 4_096_000, package=PACKAGE)
NODE_TWICE = duplicate(NODE, "/usr/bin/node", 40_960_000)
FLEET = {
    "a.json": measurement(duplicates=(NODE_TWICE, CRYPTO_TWICE)),
    "b.json": measurement(totals=(5_000_000, 5_000_000), containers=1, duplicates=(CRYPTO_TWICE,)),
}


def write(command: Memlint, files: Mapping[str, Measurement]) -> list[str]:
    for name, content in files.items():
        path = command.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(msgspec.json.encode(content))
    return list(files)


def nodes(command: Memlint, files: Mapping[str, Measurement]) -> dict[str, Any]:
    done = command.run("nodes", "--format", "json", *write(command, files))
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def warnings(command: Memlint, files: Mapping[str, Measurement]) -> list[str]:
    found: list[str] = nodes(command, files)["warnings"]
    return found


def test_the_sums(command: Memlint) -> None:
    found = nodes(command, FLEET)
    assert found["totals"] == {
        "file_pages_bytes": 15_000_000,
        "distinct_bytes": 11_000_000,
        "duplicate_bytes": 4_000_000,
        "efficiency": 11 / 15,
    }
    assert [(node["name"], node["containers"]) for node in found["nodes"]] == [("a", 2), ("b", 1)]
    assert found["warnings"] == []


def test_what_is_duplicated_on_most_nodes_comes_first(command: Memlint) -> None:
    found = nodes(command, FLEET)["duplicates"]
    assert [(each["content"], each["nodes"], each["duplicate_bytes"]) for each in found] == [
        (CRYPTO, ["a", "b"], 8_192_000),
        (NODE, ["a"], 40_960_000),
    ]
    assert found[0]["frames"] == 4000


def test_the_json_keeps_its_schema(command: Memlint) -> None:
    shipped = json.loads(SCHEMA.read_text("utf-8"))
    assert shipped == schemas()[SCHEMA.name]
    jsonschema.Draft202012Validator(shipped).validate(nodes(command, FLEET))


DIFFERENT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "driver": (
        {"stores": (VFS,)},
        [
            "docker on vfs shares nothing, not even between replicas of one image: b",
            "nodes differ in engines and drivers: docker overlay2 on a; docker vfs on b",
        ],
    ),
    "backing": (
        {"stores": (msgspec.structs.replace(OVERLAY2, backing="xfs"),)},
        ["nodes differ in backing file systems: ext4 on a; xfs on b"],
    ),
    "option": (
        {"stores": (msgspec.structs.replace(OVERLAY2, options={"metacopy": "on"}),)},
        ["nodes differ in option metacopy of docker on overlay2: off on a; on on b"],
    ),
    "option not set": (
        {"stores": (msgspec.structs.replace(OVERLAY2, options={}),)},
        ["nodes differ in option metacopy of docker on overlay2: off on a; not set on b"],
    ),
    "no store": ({"stores": ()}, ["nodes differ in engines and drivers: docker overlay2 on a; none on b"]),
    "kernel": (
        {"kernel": msgspec.structs.replace(KERNEL, release="5.10")},
        ["nodes differ in kernels: 6.1.0-28 on a; 5.10 on b"],
    ),
    "page": (
        {"kernel": msgspec.structs.replace(KERNEL, machine="aarch64", page_bytes=16384)},
        [
            "nodes differ in machines: x86_64 on a; aarch64 on b",
            "nodes differ in page sizes: 4096 bytes on a; 16384 bytes on b",
        ],
    ),
    "blind": ({"totals": None}, ["no page frame could be seen, so the sums are without them (measure as root): b"]),
    "unseen": (
        {"unseen": (Unseen("x", "y"),)},
        ["not all could be seen; each node's own measurement says what: b"],
    ),
    "sampled": (
        {"sampled": 0.25},
        ["only a sample of the processes was looked into, so the sums are without the rest: b"],
    ),
    "narrowed": (
        {"narrowed": True},
        ["only some of what runs was asked for when these were measured: b"],
    ),
    "idle": ({"containers": 0}, ["no container ran when these were measured: b"]),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_where_nodes_differ(command: Memlint, name: str) -> None:
    changed, wanted = DIFFERENT[name]
    said = warnings(command, {"a.json": measurement(), "b.json": measurement(**changed)})
    assert [line for line in wanted if line not in said] == []
    assert [line for line in said if line not in wanted and "backing" not in line] == []


@pytest.mark.parametrize(
    ("changes", "whole"),
    [({}, True), ({"sampled": 0.25}, False), ({"unseen": (Unseen("x", "y"),)}, False), ({"totals": None}, False)],
)
def test_whole(command: Memlint, changes: dict[str, Any], whole: bool) -> None:
    assert [node["whole"] for node in nodes(command, {"a.json": measurement(**changes)})["nodes"]] == [whole]


def test_one_blind_node_is_no_zero(command: Memlint) -> None:
    found = nodes(command, {"a.json": measurement(), "b.json": measurement(totals=None)})
    assert found["nodes"][1]["totals"] is None
    assert found["totals"]["file_pages_bytes"] == 10_000_000
    blind = nodes(command, {"a.json": measurement(totals=None)})
    assert blind["totals"] is None


def test_files_of_one_name(command: Memlint) -> None:
    files = {"a/measure.json": measurement(), "b/measure.json": measurement(containers=1)}
    assert [node["name"] for node in nodes(command, files)["nodes"]] == ["a/measure.json", "b/measure.json"]


def test_names_of_their_own(command: Memlint) -> None:
    """What a shell gives for <(…) is called /dev/fd/63."""
    write(command, {"63": measurement(), "62": measurement(containers=1), "c=d.json": measurement(containers=3)})
    done = command.run("nodes", "-f", "json", "a=./63", "b=62", "c=d.json")
    assert [node["name"] for node in json.loads(done.stdout)["nodes"]] == ["a", "b", "c=d"]
    done = command.run("nodes", "-f", "json", "a=63", "./62")
    assert [node["name"] for node in json.loads(done.stdout)["nodes"]] == ["a", "62"]


def test_a_name_twice(command: Memlint) -> None:
    write(command, {"a.json": measurement(), "b.json": measurement(containers=1)})
    message, hint = command.refused("nodes", "a=a.json", "a=b.json")
    assert "b.json: another node is called a, too" in message
    assert "NAME=FILE" in hint


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 130])
def test_text(command: Memlint, columns: int) -> None:
    files = write(command, {**FLEET, "a\x1b[31m-node-of-a-very-long-name-indeed.json": measurement(containers=3)})
    done = command.run("nodes", *files, "--top", "1", env={"COLUMNS": str(columns)})
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("3 nodes, 6 containers.")
    assert "crypto.so.3" in done.stdout
    assert "… 1 more" in done.stdout
    assert max(map(len, lines)) <= columns
    assert "\x1b" not in done.stdout


def test_the_page(command: Memlint) -> None:
    done = command.run("nodes", *write(command, FLEET), env={"COLUMNS": "110"})
    assert done.stdout.splitlines() == [
        "2 nodes, 3 containers.  Measured (page frames of each node):",
        "",
        "file pages 15.0 MB = distinct 11.0 MB + duplicate 4.0 MB   sharing efficiency 73 %",
        "",
        "node  kernel    store            shares by    containers  file pages  duplicate  efficiency",
        "a     6.1.0-28  docker overlay2  layer chain           2     10.0 MB     4.0 MB        60 %",
        "b     6.1.0-28  docker overlay2  layer chain           1      5.0 MB        0 B       100 %",
        "",
        "duplicate  nodes  frames  file                                      package",
        "   8.2 MB      2    4000  /usr/lib/x86_64-linux-gnu/libcrypto.so.3  libssl3 3.0.17",
        "  41.0 MB      1   20000  /usr/bin/node",
    ]


def test_markdown(command: Memlint) -> None:
    done = command.run("nodes", "-f", "markdown", *write(command, {**FLEET, "a|b.json": measurement(stores=(VFS,))}))
    assert done.returncode == 0
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows[1].startswith("| `a` | 6.1.0\\-28 |") or rows[1].startswith("| `a` | 6.1.0-28 |")
    assert "`a\\|b`" in rows[3]
    assert "⚠️ docker on vfs shares nothing" in done.stdout


BAD = {
    "not JSON": (b"RSS 12", "a.json: is no measurement ("),
    "empty": (b"", "a.json: is no measurement ("),
    "not UTF-8": (b'{"schema": "\xff"}', "a.json: is no measurement ("),
    "a list": (b"[]", "a.json: is no measurement ("),
    "no schema": (b"{}", "a.json: is no measurement ("),
    "schema of no text": (b'{"schema": 1}', "a.json: is no measurement ("),
    "another command's": (b'{"schema": "memlint.compare/1"}', "reads: it is memlint.compare/1, not memlint.measure/1"),
    "another version": (b'{"schema": "memlint.measure/2"}', "it is memlint.measure/2, not memlint.measure/1"),
    "a part": (b'{"schema": "memlint.measure/1"}', "is no measurement, or damaged ("),
    "deep": (b'{"schema": ' + b"[" * 100_000, "a.json: is n"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(command: Memlint, name: str) -> None:
    content, wanted = BAD[name]
    (command.home / "a.json").write_bytes(content)
    message, _ = command.refused("nodes", "a.json")
    assert wanted in message


def test_no_file(command: Memlint) -> None:
    assert "nowhere.json: cannot be read" in command.refused("nodes", "nowhere.json")[0]
    (command.home / "directory").mkdir()
    assert "directory: cannot be read" in command.refused("nodes", "directory")[0]


@pytest.mark.parametrize("second", ["a.json", "./a.json", "copy.json", "link.json"])
def test_a_file_twice(command: Memlint, second: str) -> None:
    write(command, {"a.json": measurement(), "copy.json": measurement()})
    (command.home / "link.json").symlink_to("a.json")
    assert f"{second}: is the same measurement as a.json" in command.refused("nodes", "a.json", second)[0]


def test_a_pipe(command: Memlint) -> None:
    done = command.run("nodes", "/dev/stdin", stdin=msgspec.json.encode(measurement()))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_only_text_pays_for_tables(command: Memlint, form: str) -> None:
    loads = f"import sys; from memlint.cli.main import main; main(['nodes', '-f', '{form}', 'a.json'])"
    write(command, {"a.json": measurement()})
    script = f"{loads}; assert not {{'rich', 'docker', 'requests'}} & set(sys.modules), sys.modules"
    done = subprocess.run([sys.executable, "-c", script], cwd=command.home, env=command.env(), capture_output=True)
    assert done.returncode == 0, done.stderr


def test_from_python(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(msgspec.json.encode(measurement()))
    assert memlint.nodes([tmp_path / "a.json"]).nodes[0].name == "a"
    assert memlint.nodes([("node-1", tmp_path / "a.json")]).nodes[0].name == "node-1"
