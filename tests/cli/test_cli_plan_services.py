"""Which Dockerfile, repository, tag and context each image of a plan has."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from memlint.cli.plan_services import Given, find_services
from memlint.lint.origins import meant
from memlint.planner.write.service import Service


class Image(NamedTuple):
    ref: str
    name: str


class Fleet:
    def __init__(self, *refs: tuple[str, str]) -> None:
        self.images = [Image(*each) for each in refs]


def services(place: Path, *refs: tuple[str, str], compose: str = "", plan: str = "plan") -> list[Service]:
    (place / "Dockerfile").write_text("FROM debian:12\nRUN a\n")
    given = {ref: str(place / "Dockerfile") for ref, _ in refs}
    files = []
    if compose:
        (place / "compose.yaml").write_text(compose)
        files = [str(place / "compose.yaml")]
    return find_services(Fleet(*refs), Given(given, {}, files), str(place / plan))


@pytest.mark.parametrize(
    ("ref", "name", "repository"),
    [
        ("docker-daemon:fleet/api:1", "api:1", "fleet/api"),
        (
            "docker-daemon:registry.example:5000/fleet/api:1@sha256:" + "a" * 64,
            "api",
            "registry.example:5000/fleet/api",
        ),
        ("docker-daemon:sha256:" + "a" * 64, "aaaaaaaaaaaa", "memlint-plan/built-aaaaaaaaaaaa"),
        ("docker-archive:x.tar:team/api:1", "api:1", "team/api"),
        ("oci:build:team/api:1", "api:1", "team/api"),
        ("oci:build/api:latest", "api:latest", "api"),
        ("oci:My Build", "My Build", "memlint-plan/built-my-build"),
    ],
)
def test_a_build_goes_where_the_image_came_from(tmp_path: Path, ref: str, name: str, repository: str) -> None:
    (found,) = services(tmp_path, (ref, name))
    assert (found.repository, found.variant) == (repository, "")


def test_versions_of_one_repository_keep_their_tags(tmp_path: Path) -> None:
    refs = [(f"docker-daemon:a/app:{tag}", f"app:{tag}") for tag in ("1.0", "1.1")]
    found = services(tmp_path, *refs, ("oci:x:b/app:1.0", "app:1.0"))
    assert [(each.repository, each.variant) for each in found] == [("a/app", "-1.0"), ("a/app", "-1.1"), ("b/app", "")]


def test_every_service_of_a_compose_file_that_runs_the_image_runs_the_new_one(tmp_path: Path) -> None:
    compose = "services: {api: {image: 'a/app:1', build: .}, worker: {image: 'a/app:1', command: w}, db: {image: pg}}"
    (found,) = services(tmp_path, ("docker-daemon:a/app:1", "app:1"), compose=compose)
    assert found.compose == ("api", "worker")


@pytest.mark.parametrize(
    ("plan", "ignored", "expected"),
    [
        ("plan", None, "plan\n"),
        ("plan", ".git", ".git\nplan\n"),
        ("a/plan", ".git\n", ".git\na/plan\n"),
        ("../plan", ".git", None),
    ],
)
def test_a_plan_inside_of_the_context_is_no_part_of_it(
    tmp_path: Path, plan: str, ignored: str | None, expected: str | None
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    if ignored is not None:
        (context / ".dockerignore").write_text(ignored)
    (found,) = services(context, ("docker-daemon:a/app:1", "app:1"), plan=plan)
    assert found.ignore == expected


@pytest.mark.parametrize(
    ("name", "count"),
    [("a/app", 2), ("a/app:1", 1), ("app", 3), ("a", 0), ("b/app", 1), ("docker-daemon:b/app", 1), ("b/app:latest", 1)],
)
def test_a_name_without_a_tag_means_the_repository(name: str, count: int) -> None:
    fleet = Fleet(
        ("docker-daemon:a/app:1", "app:1"), ("docker-daemon:a/app:2", "app:2"), ("docker-daemon:b/app:latest", "app")
    )
    assert len(meant(fleet, (name,))) == count
