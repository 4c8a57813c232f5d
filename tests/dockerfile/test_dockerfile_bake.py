"""Which stages bake files and skaffold files name as images."""

from __future__ import annotations

import json

import pytest

from memlint.dockerfile.bake import read_bake, read_skaffold


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ('target "api" { target = "api" }', [("Dockerfile", "api")]),
        ('target "api" {\n  context = "svc"\n  dockerfile = "D"\n  target = "api"\n}\n', [("svc/D", "api")]),
        ('target "a" { dockerfile = "../D"\n context = "svc/x"\n target = "a" }', [("svc/D", "a")]),
        (
            'target "a" {\n  // target = "no"\n  # target = "no"\n  /* target = "no" */\n  target = "a"\n}',
            [("Dockerfile", "a")],
        ),
        ('target "a" {\n  args = {\n    target = "no"\n  }\n  target = "a"\n}', [("Dockerfile", "a")]),
        ('target "a" {\n  args = {\n    A = "}"\n  }\n  target = "a"\n}', [("Dockerfile", "a")]),
        (
            'target "_c" {\n context = "svc"\n}\ntarget "a" {\n inherits = ["_c"]\n target = "a"\n}',
            [("svc/Dockerfile", "a")],
        ),
        ('target "a" {\n  target = "a"\n  output = ["type=registry"]\n}', [("Dockerfile", "a")]),
        ('target "a" {\n  target = "a"\n  output = ["type=cacheonly"]\n}', []),
        ('target "a" {\n  target = "a"\n  output = ["./bin"]\n}', []),
        ('target "a" {\n  target = "${X}"\n}', []),
        ('target "a" {\n  target = X\n}', []),
        ('target "a" {\n  context = CONTEXT\n  target = "a"\n}', []),
        ('target "a" {\n  context = "https://git.example/a.git"\n  target = "a"\n}', []),
        ('target "a" {\n  dockerfile-inline = "FROM b AS a"\n  target = "a"\n}', []),
        ('group "default" { targets = ["a"] }\ntarget "a" {}', []),
        ('target "a" { target = "a"', [("Dockerfile", "a")]),  # it never ends
        ('target "a" { inherits = ["a"]\n target = "a" }', [("Dockerfile", "a")]),
        ("/*" * 50_000, []),
        ('target "a" {' * 20_000, []),
    ],
)
def test_a_bake_file(text: str, targets: list[tuple[str, str]]) -> None:
    assert list(read_bake(text, "docker-bake.hcl")) == targets


@pytest.mark.parametrize(
    ("target", "targets"),
    [
        ({"target": "api"}, [("deploy/Dockerfile", "api")]),
        ({"target": "api", "context": "..", "dockerfile": "web/D"}, [("web/D", "api")]),
        ({"target": "api", "output": ["type=local,dest=x"]}, []),
        ({"target": "${api}"}, []),
        ({"target": 3}, []),
        ({}, []),
        ("api", []),
    ],
)
def test_a_bake_file_in_json(target: object, targets: list[tuple[str, str]]) -> None:
    assert list(read_bake(json.dumps({"target": {"a": target}}), "deploy/docker-bake.json")) == targets


@pytest.mark.parametrize("text", ["", "[]", "{", '{"target": []}', "[" * 100_000])
def test_json_that_names_no_target(text: str) -> None:
    assert read_bake(text, "docker-bake.json") == ()


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        (
            "build:\n  artifacts:\n  - image: a\n    context: src/a\n    docker: {target: run}\n  - image: b\n",
            [("src/a/Dockerfile", "run")],
        ),
        ("a: 1\n---\nbuild: {artifacts: [{docker: {dockerfile: D, target: run}}]}\n", [("D", "run")]),
        ("build: {artifacts: [{docker: {target: 3}}, x, {docker: y}]}\n", []),
        ("build: {artifacts: x}\n", []),
        ("build: x\n", []),
        ("- x\n", []),
        ("a: [\n", []),
    ],
)
def test_a_skaffold_file(text: str, targets: list[tuple[str, str]]) -> None:
    assert list(read_skaffold(text, "skaffold.yaml")) == targets
