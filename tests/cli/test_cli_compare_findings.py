"""`memlint compare` in the formats of `memlint lint`, with findings at the lines of Dockerfiles."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.command import FLEET, Memlint
from support.linting import write

import memlint

PLATFORM = ("--platform", "linux/amd64")
_INSTALL = "RUN apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*\n"
FILES = {
    "web/Dockerfile": "FROM debian:12\n"
    + _INSTALL.format("mini-httpd")
    + "COPY --link --from=mimalloc /usr/local /usr/local\nWORKDIR /srv/www\nCOPY site .\n",
    "api/Dockerfile": "FROM debian:12\n"
    + _INSTALL.format("expat")
    + "WORKDIR /srv/app\nCOPY app /srv/app\n"
    + _INSTALL.format("openssl")
    + "COPY --link --from=mimalloc /usr/local /usr/local\n",
    "worker/Dockerfile": "FROM fleet/api:2.0\nRUN chmod -R a+rx /usr/local\nWORKDIR /srv/worker\nCOPY worker .\n",
    "cron/Dockerfile": "FROM debian:12\n" + _INSTALL.format("expat") + "WORKDIR /srv/cron\nCOPY cron /srv/cron\n",
    "batch/Dockerfile": "FROM debian:12\n" + _INSTALL.format("expat") + "WORKDIR /srv/batch\nCOPY batch /srv/batch\n",
    ".env": "VERSION=1.4\n",
    "compose.yaml": """\
services:
  web: {image: "fleet/web:${VERSION}", build: ./web}
  api: {image: "fleet/api:2.0", build: {context: ., dockerfile: api/Dockerfile}}
  worker: {image: "fleet/worker:2.0", build: ./worker}
  cron: {image: "fleet/cron:0.9", build: ./cron}
  batch: {image: "fleet/batch:3.2", build: ./batch}
  db: {image: postgres}
""",
}
WHERE = {
    ("ML201", "cron/Dockerfile", 1),
    ("ML202", "api/Dockerfile", 6),
    ("ML203", "api/Dockerfile", 5),
    ("ML204", "worker/Dockerfile", 2),
    ("ML205", "batch/Dockerfile", 2),
    ("ML206", "worker/Dockerfile", 4),
    ("ML208", "cron/Dockerfile", 2),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the runs have in common."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(command: Memlint, kept: Path) -> Memlint:
    """The command in the work tree that the shipped fleet might have been built from."""
    command.own["XDG_CACHE_HOME"] = str(kept)
    write(command.home, FILES, git=True)
    (command.home / "fleet").symlink_to(FLEET)
    return command


def findings(project: Memlint, *options: str) -> list[dict[str, Any]]:
    done = project.run("compare", "oci:fleet", *PLATFORM, "-f", "json", *options)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    schema = Path(memlint.__file__).parent / "report" / "schemas" / "compare-1.schema.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8"))).validate(document)
    found: list[dict[str, Any]] = document["findings"]
    return found


def where(found: list[dict[str, Any]]) -> set[tuple[str, str, int]]:
    return {
        (each["rule"], each["location"]["path"], each["location"]["span"]["line"] if each["location"]["span"] else 0)
        for each in found
    }


def test_compose_says_where(project: Memlint) -> None:
    assert where(findings(project, "--compose", "compose.yaml")) == WHERE


def test_the_call_says_where(project: Memlint) -> None:
    options = [f"--dockerfile={name}={name}/Dockerfile" for name in ("web", "api", "worker:2.0", "fleet/batch:3.2")]
    options = [option.replace(":2.0/", "/").replace("=fleet/batch:3.2/", "=batch/") for option in options]
    found = where(findings(project, *options))
    assert found == {each for each in WHERE if not each[1].startswith("cron")} | {
        ("ML201", "oci:fleet:fleet/cron:0.9", 0),
        ("ML208", "oci:fleet:fleet/cron:0.9", 0),
    }


def test_the_call_comes_before_compose(project: Memlint) -> None:
    write(project.home, {"other/Dockerfile": "# a comment\n" + FILES["cron/Dockerfile"]})
    found = where(findings(project, "--compose", "compose.yaml", "--dockerfile", "cron=other/Dockerfile"))
    assert {each for each in found if each[0] == "ML201"} == {("ML201", "other/Dockerfile", 2)}


def test_without_dockerfiles_findings_are_at_the_images(project: Memlint) -> None:
    found = findings(project)
    assert {each["rule"] for each in found} == {rule for rule, _, _ in WHERE}
    assert all(each["location"]["span"] is None and each["location"]["path"].startswith("oci:") for each in found)


def test_paths_are_those_of_the_work_tree(project: Memlint) -> None:
    (project.home / "sub").mkdir()
    below = Memlint(project.home / "sub")
    below.own = project.own
    done = below.run("compare", "oci:../fleet", *PLATFORM, "-f", "gitlab", "--compose", "../compose.yaml")
    assert {each["location"]["path"] for each in json.loads(done.stdout)} == {path for _, path, _ in WHERE}


def test_text_shows_lines_only_when_they_are_known(project: Memlint) -> None:
    plain = project.run("compare", "oci:fleet", *PLATFORM).stdout
    placed = project.run("compare", "oci:fleet", *PLATFORM, "--compose", "compose.yaml").stdout
    assert placed.startswith(plain)
    lines = placed.removeprefix(plain).splitlines()
    assert lines[:2] == ["", "At these lines:"]
    assert {tuple(line.split(":")[:2]) for line in lines[2:]} == {(f"  {path}", str(line)) for _, path, line in WHERE}
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", ["sarif", "github", "gitlab", "junit", "checkstyle", "markdown"])
def test_formats(project: Memlint, name: str) -> None:
    done = project.run("compare", "oci:fleet", *PLATFORM, "-f", name, "--compose", "compose.yaml", "-o", "out")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (project.home / "out").read_text("utf-8")
    assert all(rule in text and path in text for rule, path, _ in WHERE)
    if name in ("sarif", "gitlab"):
        assert json.loads(text)
    if name in ("junit", "checkstyle"):
        ET.fromstring(text)  # noqa: S314  # our own text


def test_images_without_a_dockerfile_are_counted(project: Memlint) -> None:
    done = project.run("compare", "oci:fleet", *PLATFORM, "-f", "github")
    assert done.stderr == (
        "memlint: note: the Dockerfile of 4 images is not known: name it with --dockerfile or --compose\n"
    )


def test_settings_and_comments_hold(project: Memlint) -> None:
    settings = '[rule.ML203]\nseverity = "error"\n[rule.ML201.thresholds]\nmin_bytes = 100000000\n'
    write(project.home, {"memlint.toml": 'ignore = ["vendored"]\n' + settings})
    ignored = FILES["batch/Dockerfile"].replace("RUN", "# memlint ignore=ML205 # on purpose\nRUN")
    write(project.home, {"batch/Dockerfile": ignored})
    found = findings(project, "--compose", "compose.yaml")
    assert {each["rule"] for each in found} == {"ML202", "ML203", "ML204", "ML208"}
    assert [each["severity"] for each in found if each["rule"] == "ML203"] == ["error"]
    assert {each["rule"] for each in findings(project, "--isolated")} >= {"ML201", "ML205", "ML206"}


def test_the_gate_still_decides(project: Memlint) -> None:
    done = project.run("compare", "oci:fleet", *PLATFORM, "-f", "github", "--max-duplicate", "1MB")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--dockerfile", "nobody=web/Dockerfile"], "'nobody' has a Dockerfile but is none of the images"),
        (["--dockerfile", "web=absent/Dockerfile"], "absent/Dockerfile: cannot be read"),
        (["--dockerfile", "web=web"], "web: is a directory"),
        (["--dockerfile", "web=bad/Dockerfile"], "bad/Dockerfile:1"),
        (["--dockerfile", "web"], "'web' is not of the form IMAGE=PATH"),
        (["--compose", "absent.yaml"], "absent.yaml: cannot be read"),
        (["--compose", "bad/Dockerfile"], "bad/Dockerfile: has no services"),
        (["--compose", "stage.yaml"], "has no stage 'absent'"),
    ],
)
def test_what_cannot_be_answered(project: Memlint, options: list[str], complaint: str) -> None:
    stage = "services: {web: {image: 'fleet/web:1.4', build: {context: web, target: absent}}}\n"
    write(project.home, {"bad/Dockerfile": "NOTHING\n", "stage.yaml": stage})
    message, _ = project.refused("compare", "oci:fleet", *PLATFORM, "-f", "json", *options)
    assert complaint in message
