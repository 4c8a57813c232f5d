"""`memlint plan` of images as people and programs call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support import images
from support.command import FLEET, Memlint
from support.elf import library
from support.snapshots import assert_snapshot

import memlint
from memlint.report.schema import plan_schema

SNAPSHOTS = Path(__file__).parent / "snapshots"
PLATFORM = ("--platform", "linux/amd64")
SMALL = ("--min-saving", "10kB")
SHIPPED = Path(memlint.__file__).parent / "report" / "schemas" / "plan-1.schema.json"


@pytest.fixture
def fleet(command: Memlint) -> str:
    (command.home / "fleet").symlink_to(FLEET)
    return "oci:fleet"


def planned(command: Memlint, *arguments: str) -> dict[str, Any]:
    done = command.run("plan", *arguments, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    plan: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json.loads(SHIPPED.read_text("utf-8"))).validate(plan)
    return plan


@pytest.mark.parametrize("columns", [100, 60])
def test_page(command: Memlint, fleet: str, columns: int) -> None:
    done = command.run("plan", fleet, *PLATFORM, *SMALL, env={"COLUMNS": str(columns)})
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert_snapshot(SNAPSHOTS / f"plan-{columns}.txt", done.stdout)


def test_the_shipped_schema_is_the_generated_one() -> None:
    assert json.loads(SHIPPED.read_text("utf-8")) == plan_schema()


def test_the_plan_counts_as_a_comparison_does(command: Memlint, fleet: str) -> None:
    plan = planned(command, fleet, *PLATFORM, *SMALL)
    totals = command.report(fleet, *PLATFORM)["totals"]["mappable"]
    assert plan["before"] == totals
    assert plan["schema"] == "memlint.plan/1"
    assert plan["after"]["page_cache_bytes"] < totals["page_cache_bytes"]
    startup = planned(command, fleet, *PLATFORM, *SMALL, "--basis", "startup")
    assert startup["before"] == command.report(fleet, *PLATFORM)["totals"]["startup"]


def test_prefer_picks_the_point(command: Memlint, fleet: str) -> None:
    for name in ("strict", "union"):
        plan = planned(command, fleet, *PLATFORM, *SMALL, "--prefer", name)
        point = next(point for point in plan["points"] if point["name"] == name)
        assert plan["chosen"] == name
        assert plan["after"]["page_cache_bytes"] == point["page_cache_bytes"]
        assert len(plan["bases"]) == point["bases"]


def test_limits_are_kept(command: Memlint, fleet: str) -> None:
    plan = planned(command, fleet, *PLATFORM, *SMALL, "--max-bases", "1", "--max-extra", "1MB")
    assert len(plan["bases"]) == 1
    assert [point["max_extra_bytes"] for point in plan["points"]][0::2] in ([0, None], [0])
    none = planned(command, fleet, *PLATFORM, "--min-saving", "1GB")
    assert none["bases"] == []
    assert none["before"] == none["after"]


def test_one_image(command: Memlint) -> None:
    images.oci(images.image("x:1", {"usr/lib/a.so": library("a")})).write(command.home / "layout")
    plan = planned(command, "oci:layout")
    assert plan["bases"] == []
    assert plan["left_out"][0]["why"] == "there is no other image to share with"
    assert "no shared base would save page cache" in command.run("plan", "oci:layout").stdout


def test_nothing_in_common_and_nothing_at_all(command: Memlint) -> None:
    specs = [images.image("x:1", {"usr/lib/a.so": library("a")}), images.image("y:1", {}), images.image("z:1")]
    images.oci(*specs).write(command.home / "layout")
    plan = planned(command, "oci:layout")
    assert plan["bases"] == []
    assert plan["before"]["duplicate_bytes"] == 0


def test_files_of_no_package_are_taken_from_an_image(command: Memlint) -> None:
    lib = library("a", pages=500)
    specs = [images.image(f"{name}:1", {"srv/a.so": lib, f"srv/{name}": name.encode()}) for name in "xy"]
    images.oci(*specs).write(command.home / "layout")
    plan = planned(command, "oci:layout")
    (base,) = plan["bases"]
    assert base["source"] == "scratch"
    assert base["files"][0]["paths"] == ["/srv/a.so"]
    assert base["page_cache_saved_bytes"] == 500 * 4096
    assert plan["after"]["duplicate_bytes"] == 0


def test_a_store_that_shares_nothing_gets_no_base(command: Memlint, fleet: str) -> None:
    plan = planned(command, fleet, *PLATFORM, "--storage", "vfs")
    assert plan["bases"] == []
    assert "no base changes it" in plan["left_out"][0]["why"]


def test_what_cannot_be_answered(command: Memlint, fleet: str) -> None:
    message, _ = command.refused("plan")
    assert "no image was given" in message
    command.refused("plan", fleet, "--prefer", "all")
    command.refused("plan", fleet, "--max-bases", "0")
    command.refused("plan", "oci:absent")
    message, _ = command.refused("plan", fleet, "--write", "a", "--check", "b")
    assert "--check and --write" in message


def test_a_former_plan_is_heeded(command: Memlint) -> None:
    def layout(ssl: str) -> str:
        lib, changing = library("lib", pages=400), library("ssl", text=ssl, pages=400)
        files = {"opt/lib/lib.so": lib, "opt/ssl/ssl.so": changing}
        specs = [images.image(f"{name}:{ssl}", {**files, f"srv/{name}": name.encode()}) for name in "xy"]
        images.oci(*specs).write(command.home / ssl)
        return f"oci:{ssl}"

    done = command.run("plan", layout("1"), "--write", "before")
    assert done.returncode == 0, done.stderr
    (command.home / "before.json").write_text(json.dumps(planned(command, "oci:1")))
    for former in ("before", "before.json", "before/plan.json"):
        plan = planned(command, layout("2"), "--previous", former)
        assert plan["moved"] == []
    before = planned(command, "oci:1")
    (command.home / "before.json").write_text(json.dumps({**before, "bases": [], "images": []}))
    page = command.run("plan", "oci:2", "--previous", "before.json").stdout
    assert "Since the former plan:" in page
    assert "base files: none → files" in page
    assert "new image y:2: none → files" in page


def test_a_former_plan_may_be_large(command: Memlint, fleet: str) -> None:
    plan = planned(command, fleet)
    (command.home / "large.json").write_text(json.dumps({**plan, "notes": ["x" * 2**21] * 8}))
    assert planned(command, fleet, "--previous", "large.json")["bases"] == plan["bases"]


def test_what_is_no_former_plan(command: Memlint, fleet: str) -> None:
    (command.home / "other.json").write_text('{"schema": "memlint.compare/1"}')
    (command.home / "cut.json").write_text('{"schema": "memlint.plan/1"}')
    for place, says in (
        ("absent", "cannot be read (No such file or directory)"),
        ("other.json", "is no plan that this memlint reads: it is memlint.compare/1, not memlint.plan/1"),
        ("cut.json", "is no plan, or damaged (Object missing required field"),
    ):
        message, hint = command.refused("plan", fleet, "--previous", place)
        assert f"{place}: {says}" in message
        assert "memlint plan --" in hint


def test_nodes_weigh_by_how_often_images_meet(command: Memlint, fleet: str) -> None:
    plan = planned(command, fleet, *PLATFORM, *SMALL, "--nodes", "4", "--replicas", "api:2.0=4")
    assert plan["nodes"] == 4
    one = planned(command, fleet, *PLATFORM, *SMALL)
    assert 0 < plan["before"]["page_cache_bytes"] < one["before"]["page_cache_bytes"]
    assert "each of 4 nodes" in command.run("plan", fleet, *PLATFORM, *SMALL, "--nodes", "4").stdout
    replicas = planned(command, fleet, *PLATFORM, *SMALL, "--replicas", "api:2.0=4")
    assert {**replicas, "notes": one["notes"]} == one
    assert "--replicas changes nothing on one node" in replicas["notes"][-1]
    command.refused("plan", fleet, "--nodes", "0")


def test_suggestions_name_the_line(command: Memlint) -> None:
    """An install that two images have with another one below it."""
    lib = library("a", pages=500)
    specs = [
        images.image(
            f"{name}:1",
            images.Layer({"etc/os-release": b"ID=debian\nVERSION_ID=12\n"}, "ADD rootfs"),
            images.Layer({f"srv/{name}": name.encode()}, f"COPY {name} /srv/ # buildkit"),
            images.Layer({"usr/lib/a.so": lib}, "RUN /bin/sh -c make a # buildkit", 9),
        )
        for name in "xy"
    ]
    images.oci(*specs).write(command.home / "layout")
    for name in "xy":
        (command.home / name).mkdir()
        (command.home / f"{name}/Dockerfile").write_text(f"FROM debian:12\n\nCOPY {name} /srv/\nRUN make a\n")
    given = [f"--dockerfile={name}:1={name}/Dockerfile" for name in "xy"]
    (found,) = planned(command, "oci:layout", *given)["suggestions"]
    assert (found["location"]["path"], found["location"]["span"]["line"]) == ("y/Dockerfile", 4)
    assert "(y/Dockerfile:4)" in command.run("plan", "oci:layout", *given).stdout
    assert planned(command, "oci:layout")["suggestions"][0]["location"] is None


def test_an_image_whose_base_has_triggers_stays_as_it_is(command: Memlint) -> None:
    """What ONBUILD says would run where a planned base is built, and not in the service's build."""
    lib = library("a", pages=500)
    ground = images.Layer({"etc/os-release": b"ID=debian\nVERSION_ID=12\n"}, "ADD rootfs")
    base = images.image("base:1", ground, OnBuild=["COPY . /srv", "RUN make"])
    specs = [
        images.image(f"{name}:1", ground, images.Layer({"usr/lib/a.so": lib}, "COPY a /usr/lib/")) for name in "xyz"
    ]
    images.oci(base, *specs).write(command.home / "layout")
    (command.home / "Dockerfile").write_text("FROM base:1\nCOPY a /usr/lib/\n")
    given = ("--dockerfile", "x:1=Dockerfile")
    plan = planned(command, "oci:layout", *given)
    left = {each["what"]: each["why"] for each in plan["left_out"]}
    assert "base base:1 has ONBUILD COPY . /srv and 1 more" in left["oci:layout:x:1"]
    assert {image["name"]: image["base"] for image in plan["images"]}["x:1"] is None
    done = command.run("plan", "oci:layout", *given, "--write", "plan")
    assert done.returncode == 0, done.stderr
    assert (command.home / "plan/services/x/Dockerfile").read_text() == "FROM base:1\nCOPY a /usr/lib/\n"
