"""Which images of a repository may run together."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.linting import repository, write

from memlint.lint.fleet import fleets, natural

TEXT = "FROM debian:12\nRUN a\n"


def together(home: Path, *paths: str, all_files: bool = False) -> list[list[str]]:
    dockerfiles = {path: TEXT for path in paths if "compose" not in path}
    write(home, dict.fromkeys(paths, TEXT))
    return [
        [built.path for built in fleet] for fleet in fleets(repository(dockerfiles, str(home)), all_files=all_files)
    ]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "examples/a/Dockerfile",
            "a/tests/Dockerfile",
            "e2e/Dockerfile",
            "test-data/Dockerfile",
            "vendor/x/Dockerfile",
        ),
        *("docs/Dockerfile", ".github/Dockerfile", "a/.devcontainer/Dockerfile", "hack/dockerfiles/lint.Dockerfile"),
        *("Dockerfile.dev", "Dockerfile-debug", "test.Dockerfile", "a/Dockerfile.lint", "third_party/b/Dockerfile"),
    ],
)
def test_unrelated(path: str, tmp_path: Path) -> None:
    assert together(tmp_path, path, "a/Dockerfile", "b/Dockerfile") == [["a/Dockerfile", "b/Dockerfile"]]
    assert together(tmp_path, path, "a/Dockerfile", "b/Dockerfile", all_files=True)[0].count(path) == 1


@pytest.mark.parametrize(
    "path", ["latest-news/Dockerfile", "contest/Dockerfile", "devices/Dockerfile", "src/docstore/Dockerfile"]
)
def test_related(path: str, tmp_path: Path) -> None:
    assert together(tmp_path, path, "z/Dockerfile") == [[path, "z/Dockerfile"]]


@pytest.mark.parametrize(
    ("variants", "kept"),
    [
        (["web/Dockerfile", "web/Dockerfile.alpine"], "web/Dockerfile"),
        (["web/1.2/Dockerfile", "web/1.10/Dockerfile"], "web/1.10/Dockerfile"),
        (["web/8.2/bookworm/Dockerfile", "web/8.2/alpine3.22/Dockerfile", "web/8.2/Dockerfile"], "web/8.2/Dockerfile"),
        (["web/Dockerfile", "web/cuda12/Dockerfile", "web/Dockerfile.arm64"], "web/Dockerfile"),
        (["web/v1/Dockerfile", "web/v2/Dockerfile"], "web/v2/Dockerfile"),
    ],
)
def test_of_variants_one_counts(variants: list[str], kept: str, tmp_path: Path) -> None:
    assert together(tmp_path, "api/Dockerfile", *variants) == [["api/Dockerfile", kept]]


def test_a_matrix_of_variants_is_no_fleet(tmp_path: Path) -> None:
    paths = [f"{version}/{system}/Dockerfile" for version in ("3.12", "3.13") for system in ("alpine3.22", "bookworm")]
    assert together(tmp_path, *paths) == []
    assert together(tmp_path, *paths, all_files=True) == [sorted(paths)]


def test_products_in_many_versions_are_for_others(tmp_path: Path) -> None:
    paths = [f"{version}/{kind}/Dockerfile" for version in ("8.2", "8.3", "8.4", "8.5") for kind in ("cli", "fpm")]
    assert together(tmp_path, *paths) == []
    assert together(tmp_path, *paths, "a/Dockerfile", "b/Dockerfile") == [["a/Dockerfile", "b/Dockerfile"]]


def test_files_that_name_services_are_services(tmp_path: Path) -> None:
    paths = ["backend/Dockerfile.cache", "backend/Dockerfile.driver", "backend/worker.Dockerfile"]
    assert together(tmp_path, *paths) == [sorted(paths)]


def test_compose_projects_of_a_collection_are_apart(tmp_path: Path) -> None:
    apart = together(
        tmp_path,
        *("a/compose.yaml", "a/web/Dockerfile", "a/api/Dockerfile", "b/docker-compose.yml", "b/web/Dockerfile"),
        *("b/api/Dockerfile", "c/Dockerfile", "d/Dockerfile"),
    )
    assert apart == [
        ["c/Dockerfile", "d/Dockerfile"],
        ["a/api/Dockerfile", "a/web/Dockerfile"],
        ["b/api/Dockerfile", "b/web/Dockerfile"],
    ]


def test_the_outermost_project_is_the_one(tmp_path: Path) -> None:
    paths = ["a/web/Dockerfile", "b/web/Dockerfile"]
    assert together(tmp_path, "compose.yml", "a/compose.yaml", "b/compose.yaml", *paths) == [paths]


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("FROM a AS api\nFROM b AS web\n", ["api", "web"]),
        ("FROM a AS api\nFROM b AS test\n", [""]),  # one is left: it needs no name
        ("FROM a AS api\nFROM b AS web\nFROM c AS dev\n", ["api", "web"]),
        ("FROM a AS api\nFROM b AS api-alpine\nFROM c AS alpine\nFROM d AS slim\n", ["api", "api-alpine", "slim"]),
        ("FROM a AS dev\n", [""]),
    ],
)
def test_images_of_one_dockerfile(text: str, targets: list[str]) -> None:
    files = repository({"a/Dockerfile": text, "b/Dockerfile": "FROM debian:12\n"})
    (fleet,) = fleets(files, all_files=False)
    assert [built.target for built in fleet if built.path == "a/Dockerfile"] == targets


def test_images_of_a_dockerfile_alone_are_a_fleet() -> None:
    (fleet,) = fleets(repository({"Dockerfile": "FROM a AS api\nFROM b AS web\n"}), all_files=False)
    assert [built.base.repository for built in fleet] == ["a", "b"]


def test_numbers_are_numbers() -> None:
    assert sorted(["3.9", "3.11", "3.10-slim", "v2"], key=natural) == ["v2", "3.9", "3.10-slim", "3.11"]
