"""What cannot be answered: exit 2, one line that names the input, one that says what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from .conftest import Memlint
from .daemons import Daemon, without
from .recorder import recording

pytestmark = pytest.mark.integration


def refused(memlint: Memlint, *arguments: str, host: str | None = None, before: Sequence[str] = ()) -> str:
    """The first of the two lines that `memlint compare ARGUMENTS` fails with."""
    done = memlint.run("compare", *arguments, host=host, before=before)
    assert (done.returncode, done.stdout) == (2, "")
    what, hint = done.stderr.splitlines()
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert hint
    return what


def test_absent_image(memlint: Memlint) -> None:
    assert "fleet/absent" in refused(memlint, "docker-daemon:fleet/base", "docker-daemon:fleet/absent")


def test_no_daemon(memlint: Memlint, tmp_path: Path) -> None:
    assert "nowhere.sock" in refused(memlint, "docker-daemon:fleet/base", host=f"unix://{tmp_path}/nowhere.sock")


@pytest.mark.parametrize("percent", [10, 50, 90])
def test_truncated_docker_save(memlint: Memlint, saved: Path, scratch: Path, percent: int) -> None:
    archive = scratch / "cut.tar"
    shutil.copyfile(saved, archive)
    os.truncate(archive, saved.stat().st_size * percent // 100)
    assert "cut.tar" in refused(memlint, f"docker-archive:{archive}:fleet/base:latest")


def test_truncated_docker_save_through_a_pipe(memlint: Memlint, saved: Path) -> None:
    cut = ["sh", "-c", 'head -c 100000000 "$0" | "$@"', str(saved)]
    assert "/dev/stdin" in refused(memlint, "docker-archive:/dev/stdin", before=cut)


def test_a_daemon_that_hangs_up_within_its_stream(memlint: Memlint, docker: Daemon, tmp_path: Path) -> None:
    with recording(tmp_path / "sock", docker.socket, limit=20_000_000) as recorder:
        elsewhere = without(docker.home / "data")
        assert "fleet/base" in refused(memlint, "docker-daemon:fleet/base", host=recorder.host, before=elsewhere)


def test_a_name_that_no_image_can_have(memlint: Memlint) -> None:
    """The daemon answers, so the name is at fault, not the daemon."""
    what = refused(memlint, "docker-daemon:Not/Lower")
    assert "Not/Lower" in what
    assert "no answer" not in what


def test_absent_image_of_an_archive(memlint: Memlint, saved: Path) -> None:
    assert "fleet/absent" in refused(memlint, f"docker-archive:{saved}:fleet/absent:latest")
