"""Reading what may be no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memlint.errors import DockerfileError, UsageError
from memlint.lint.dockerfiles import Dockerfiles
from memlint.lint.origins import services_of
from memlint.lint.reading import read_bytes
from memlint.lint.repository import Repository


def test_a_directory_is_named_and_nothing_stays_open(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(DockerfileError, match=r"^is a directory, not a Dockerfile$"):
        read_bytes(str(tmp_path))
    assert Repository(Dockerfiles(str(tmp_path))).read(".") is None
    assert os.listdir("/proc/self/fd") == before


COMPOSE = "services: {web: {build: ., image: 'web:${TAG:-none}'}}"


def names(path: Path) -> list[str]:
    return [name for service in services_of([str(path)], {}) for name in service.names]


def test_variables_beside_a_compose_file(tmp_path: Path) -> None:
    compose, env = tmp_path / "compose.yaml", tmp_path / ".env"
    compose.write_text(COMPOSE)
    assert names(compose) == ["web:none"]
    env.mkdir()
    assert names(compose) == ["web:none"]
    env.rmdir()
    env.write_text("TAG=1\n")
    assert names(compose) == ["web:1"]
    os.truncate(env, 5 * 2**20)
    with pytest.raises(UsageError, match=r"/\.env: has more than 4 MiB$"):
        names(compose)
