"""Which stages of a Dockerfile are built as images."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.linting import repository, write

from memlint.lint.targets import targets_of


def targets(text: str, home: Path | str = ".", path: str = "Dockerfile") -> list[str | int]:
    """The stages, by name, or by number where they have none."""
    files = repository({path: text}, str(home))
    dockerfile = files.dockerfile(path)
    assert dockerfile is not None
    return [each.stage.name or each.stage.index for each in targets_of(files.facts(dockerfile), files)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM a\n", [0]),
        ("FROM a AS api\nFROM b AS worker\nFROM c AS web\n", ["web", "api", "worker"]),
        ("FROM a AS base\nFROM base AS api\nFROM base AS worker\n", ["worker", "api"]),
        ("FROM a AS x\nFROM b AS y\nCOPY --from=x /x /x\n", ["y"]),
        ("FROM a AS x\nFROM b AS y\nCOPY --from=X /x /x\n", ["y"]),
        ("FROM a AS x\nFROM b AS y\nCOPY --from=0 /x /x\n", ["y"]),
        ("FROM a AS x\nFROM b AS y\nRUN --mount=from=x,target=/x make\n", ["y"]),
        ("FROM a AS x\nFROM b AS y\nONBUILD COPY --from=x /x /x\n", ["y"]),
        ("FROM a\nFROM b\n", [1]),  # nobody can name it
        # a build argument says which
        ("ARG X=linux\nFROM a AS bin-linux\nFROM a AS bin-mac\nFROM bin-$X AS y\n", ["y"]),
        ("ARG X=l\nFROM a AS bin-l\nFROM a AS bin-m\nFROM b AS y\nCOPY --from=bin-${X} / /\n", ["y"]),
        ("FROM a AS x\nFROM $BASE AS y\n", ["y", "x"]),
        ("FROM a AS node-checker\nFROM a AS release\nFROM b AS y\n", ["y", "node-checker", "release"]),
        # steps of a build
        *(
            (f"FROM a AS {name}\nFROM b AS y\n", ["y"])
            for name in ("test", "lint", "dev-envs", "docs", "build", "debug")
        ),
        *((f"FROM a AS {name}\nFROM b AS y\n", ["y"]) for name in ("go-builder", "vendor-update", "validate.all")),
        ("FROM a AS prod\nFROM b AS test\n", ["test", "prod"]),
        # what is only copied from to be tested
        ("FROM a AS prod\nFROM b AS test\nCOPY --from=prod /x /x\n", ["test", "prod"]),
        ("FROM a AS prod\nFROM b AS y\nCOPY --from=prod /x /x\n", ["y"]),
        ("FROM a AS prod-deps\nFROM b AS test\nCOPY --from=prod-deps /x /x\n", ["test"]),
        ("FROM a AS compiler-x\nFROM b AS test\nCOPY --from=compiler-x /x /x\n", ["test"]),
    ],
)
def test_what_the_file_itself_tells(text: str, found: list[str | int]) -> None:
    assert targets(text) == found


TEXT = "FROM a AS base\nFROM base AS dev\nFROM base AS build\nFROM b AS y\nCOPY --from=build /x /x\n"


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("compose.yaml", "services: {a: {build: {context: svc, target: dev}}}", ["y", "dev"]),
        ("svc/docker-compose.yml", "services: {a: {build: {context: ., target: BUILD}}}", ["y", "build"]),
        ("compose.yaml", "services: {a: {build: {context: svc, target: '2'}}}", ["y", "build"]),
        ("compose.yaml", "services: {a: {build: {context: svc, target: y}}}", ["y"]),
        ("compose.yaml", "services: {a: {build: {context: svc, target: none}}}", ["y"]),
        ("compose.yaml", "services: {a: {build: {context: other, target: dev}}}", ["y"]),
        ("compose.yaml", "services: {a: {build: {context: svc, target: dev}", ["y"]),  # no YAML
        ("other/compose.yaml", "services: {a: {build: {context: ../svc, target: dev}}}", ["y"]),  # not above it
        ("docker-bake.hcl", 'target "a" {\n context = "svc"\n target = "base"\n}', ["y", "base"]),
        ("docker-bake.hcl", 'target "a" {\n context = "svc"\n target = "dev"\n}', ["y"]),  # bake runs steps as well
        ("docker-bake.json", '{"target": {"a": {"context": "svc", "target": "base"}}}', ["y", "base"]),
        ("skaffold.yaml", "build: {artifacts: [{context: svc, docker: {target: base}}]}", ["y", "base"]),
    ],
)
def test_what_files_beside_it_and_above_it_name(tmp_path: Path, name: str, content: str, found: list[str]) -> None:
    write(tmp_path, {name: content})
    assert targets(TEXT, tmp_path, "svc/Dockerfile") == found


def test_a_file_outside_of_the_repository_asks_nobody(tmp_path: Path) -> None:
    write(tmp_path, {"compose.yaml": "services: {a: {build: {target: dev}}}"})
    assert targets(TEXT, tmp_path) == ["y", "dev"]
    assert targets(TEXT, tmp_path, "../Dockerfile") == ["y"]
    assert targets(TEXT, tmp_path, "-") == ["y"]


def test_very_many_stages_are_not_all_looked_at() -> None:
    text = "".join(f"FROM a AS s{number}\n" for number in range(300))
    assert len(targets(text)) == 101
