"""What `memlint plan` says of Dockerfiles and directories that it cannot take, and what it leaves alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from support.command import FLEET, Memlint

from memlint.report.schema import schemas

IMAGES = (f"oci:{FLEET}", "--platform", "linux/amd64")
DOCKERFILES = {
    "api/Dockerfile": "FROM debian:12\nRUN apt-get update && apt-get install -y openssl curl\nCMD a\n",
    "web/Dockerfile": "FROM debian:12\nRUN apt-get install -y openssl\nCMD b\n",
    "scratch/Dockerfile": "FROM scratch\nCOPY a /\n",
}


@pytest.fixture
def project(command: Memlint) -> Memlint:
    """A directory with three Dockerfiles."""
    for path, text in DOCKERFILES.items():
        place = command.home / path
        place.parent.mkdir()
        place.write_text(text)
    return command


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("--dockerfile", "nobody=api/Dockerfile"), "'nobody' has a Dockerfile but is none", "the images are"),
        (("--dockerfile", "api:2.0=missing"), "missing: cannot be read", "check the name"),
        (("--context", "nobody=api"), "'nobody' has a context but is none", "the images are"),
        (("--dockerfile", "api:2.0=api/Dockerfile", "--context", "api:2.0=none"), "none: is no directory", "--context"),
        (("--write", "missing/plan"), "missing: there is no such directory", "make it"),
        (("--write", "api"), "api: is not empty", "--force"),
        (("--write", "api/Dockerfile"), "api/Dockerfile: is no directory", "does not exist yet"),
    ],
)
def test_what_the_call_names_and_is_not_there(
    project: Memlint, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    said, advice = project.refused("plan", *IMAGES, *arguments)
    assert message in said
    assert hint in advice
    assert not list(project.home.glob("**/build.sh"))


def test_images_and_dockerfiles_are_not_mixed(project: Memlint) -> None:
    said, advice = project.refused("plan", IMAGES[0], "api/Dockerfile")
    assert "api/Dockerfile is a Dockerfile, but oci:" in said
    assert "--dockerfile IMAGE=PATH" in advice


def test_a_directory_that_holds_no_plan_is_not_checked(project: Memlint) -> None:
    said, advice = project.refused("plan", "--check", "api")
    assert "api/plan.json: cannot be read" in said
    assert "memlint plan --write" in advice


def test_a_plan_is_checked_as_it_was_counted(project: Memlint) -> None:
    assert "no use for --basis" in project.refused("plan", "--check", "plan", "--basis", "startup")[0]
    assert "no use for --replicas" in project.refused("plan", "--check", "plan", "--replicas", "api=2")[0]
    assert project.run("plan", *DOCKERFILES, "--write", "plan").returncode == 0
    said, advice = project.refused("plan", "--check", "plan")
    assert "is a plan of Dockerfiles alone, which predicts no bytes" in said
    assert "memlint compare" in advice


def test_a_dockerfile_of_another_image_is_left_out_by_name(project: Memlint) -> None:
    done = project.run("plan", *IMAGES, "--dockerfile", "api:2.0=api/Dockerfile", "--write", "plan")
    assert done.returncode == 0, done.stderr
    assert "does not show api/Dockerfile:2 RUN apt-get" in " ".join(done.stdout.split())
    for plan in (
        json.loads((project.home / "plan/plan.json").read_text()),
        json.loads(project.run("plan", *IMAGES, "--dockerfile", "api:2.0=api/Dockerfile", "-f", "json").stdout),
    ):
        (left,) = [each for each in plan["left_out"] if each["what"].endswith("api:2.0")]
        assert "does not show api/Dockerfile:2 RUN apt-get" in left["why"]
    assert not (project.home / "plan/services").exists()
    assert list((project.home / "plan/bases").iterdir())
    readme = (project.home / "plan/README.md").read_text()
    assert "change their FROM by hand" in readme
    assert readme.count("does not show api/Dockerfile:2 RUN apt-get") == 1
    built = json.loads((project.home / "plan/built.json").read_text())
    assert set(built["images"].values()) == {None}


def test_a_check_of_images_that_were_not_built_says_what_is_missed(project: Memlint) -> None:
    done = project.run("plan", *IMAGES, "--write", "plan")
    assert done.returncode == 0, done.stderr
    checked = project.run("plan", "--check", "plan")
    assert checked.returncode == 1
    assert "saved 0 B of " in checked.stdout
    assert "do not save what was planned" in checked.stderr
    answer = json.loads(project.run("plan", "--check", "plan", "-f", "json").stdout)
    assert (answer["schema"], answer["met"], answer["saved_bytes"]) == ("memlint.plan-check/1", False, 0)
    jsonschema.validate(answer, schemas()["plan-check-1.schema.json"])


def test_dockerfiles_alone(project: Memlint) -> None:
    done = project.run("plan", *DOCKERFILES, "--write", "plan")
    assert done.returncode == 0, done.stderr
    assert "installed anew: 3 packages now, 2 with 1 shared base (strict)" in done.stdout
    assert "scratch/Dockerfile: it begins from scratch" in done.stdout
    text = (project.home / "plan/services/api/Dockerfile").read_text()
    reference = text.split()[1]
    assert re.fullmatch("memlint-plan/debian-12:[0-9a-f]{12}", reference)
    assert text == DOCKERFILES["api/Dockerfile"].replace("debian:12", reference)
    assert f"base {reference} bases/debian-12\n" in (project.home / "plan/build.sh").read_text()
    assert 'service api:"$TAG" services/api/Dockerfile ../api\n' in (project.home / "plan/build.sh").read_text()
    assert not (project.home / "plan/services/scratch").exists()
    assert {path: (project.home / path).read_text() for path in DOCKERFILES} == DOCKERFILES
    plan = json.loads(project.run("plan", *DOCKERFILES, "-f", "json").stdout)
    assert (plan["schema"], plan["before"], plan["after"]) == ("memlint.plan-dockerfiles/1", 3, 2)
    jsonschema.validate(plan, schemas()["plan-dockerfiles-1.schema.json"])


def test_the_original_files_are_never_written(project: Memlint) -> None:
    before = {path: path.read_bytes() for path in project.home.rglob("Dockerfile")}
    inside = project.home / "api"
    done = project.run("plan", *DOCKERFILES, "--write", str(inside), "--force")
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in before} == before
    assert (inside / "build.sh").exists()
    assert Path(inside / "services/api/Dockerfile").exists()


def test_a_base_is_built_from_what_is_stable_up(project: Memlint) -> None:
    """Two versions of expat are in the fleet, made 42 days apart; of openssl there is one."""
    done = project.run("plan", *IMAGES, "--min-saving", "10kB", "--write", "plan")
    assert done.returncode == 0, done.stderr
    (text,) = [
        text
        for path in (project.home / "plan/bases").glob("*/Dockerfile")
        if " expat=" in " ".join((text := path.read_text()).split())
    ]
    runs = [line for line in text.splitlines() if line.startswith(("RUN", "# Step", "      "))]
    assert [line.partition(":")[0] for line in runs if line.startswith("# Step")] == ["# Step 1", "# Step 2"]
    assert text.count("RUN apt-get update") == 2
    assert text.index("openssl=3.0.22") < text.index("# Step 2: seen to change more than once in 90 days")
    assert text.index("# Step 2") < text.index("expat=2.5.0-1+deb12u5")
    assert "expat (1 change in 42 days)" in " ".join(text.replace("\n#  ", "").split())
