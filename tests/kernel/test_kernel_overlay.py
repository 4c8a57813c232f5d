"""The kernel as an oracle: what overlays of random layers show is what memlint finds in the layers."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from memlint.kernel.mounts import mounts
from memlint.kernel.views import Layers, layers

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts overlays: run as root")
NAMES = ("a", "b", "c")


@contextmanager
def overlay(home: Path, options: str, base: Path | None = None) -> Iterator[tuple[Path, Layers | None]]:
    merged = home / "merged"
    merged.mkdir()
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, merged], check=True, cwd=base or home)
    try:
        info = Path("/proc/self/mountinfo").read_bytes()
        mount = next(each for each in mounts(info).values() if each.point == str(merged))
        yield merged, layers(mount, [""], [])
    finally:
        subprocess.run(["umount", merged], check=True)


def everything(merged: Path) -> set[str]:
    return {str(path.relative_to(merged)) for path in merged.rglob("*")}


def change(merged: Path, chance: random.Random, step: int) -> None:
    """One change that people make: they write, move, replace, chmod and remove files and directories."""
    paths = sorted(everything(merged))
    path = merged / chance.choice(paths) if paths else merged / "a"
    target = path.parent / chance.choice(NAMES)
    action = chance.choice(["write", "make", "move", "remove", "chmod", "replace"])
    if action == "write" and path.is_file():
        path.write_text(f"written {step}")
    elif action == "make" and not target.exists():
        target.mkdir()
        (target / chance.choice(NAMES)).write_text(f"made {step}")
    elif action == "move" and not (merged / f"m{step}").exists():
        path.rename(merged / chance.choice(["", "a/", "b/"]) / f"m{step}")
    elif action == "remove" and path.exists():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif action == "chmod" and path.exists():
        path.chmod(0o755)
    elif action == "replace" and path.is_dir():
        shutil.rmtree(path)
        path.mkdir()
        (path / "new").write_text(f"new {step}")


def tree(root: Path, chance: random.Random, label: str) -> None:
    for first in NAMES:
        for second in NAMES:
            if chance.random() < 0.7:
                (root / first).mkdir(exist_ok=True)
                (root / first / second).write_text(f"{label}/{first}/{second}")


@pytest.mark.parametrize("options", ["redirect_dir=on,metacopy=on", "redirect_dir=on", "metacopy=off", "userxattr"])
@pytest.mark.parametrize("seed", range(6))
def test_what_an_overlay_shows_is_found_in_its_layers(tmp_path: Path, options: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - wanted: the same at every run
    (tmp_path / "l0").mkdir()
    tree(tmp_path / "l0", chance, "l0")
    below = "l0"
    for number in (1, 2, 3):  # each upper directory becomes the next one's layer, as images and containers are made
        upper, home = tmp_path / f"l{number}", tmp_path / f"home{number}"
        for each in (upper, home, home / "work"):
            each.mkdir()
        text = f"lowerdir={below},upperdir=l{number},workdir=home{number}/work,{options}"
        with overlay(home, text, base=tmp_path) as (merged, found):
            for step in range(12):
                with suppress(OSError):  # a directory of a lower layer moved without redirect_dir, say
                    change(merged, chance, 100 * number + step)
            assert found is not None
            same_as_kernel(merged, found)
        below = f"l{number}:{below}"


def same_as_kernel(merged: Path, found: Layers) -> None:
    paths = everything(merged)
    tried = paths | {f"{first}/{second}" for first in NAMES for second in NAMES} | set(NAMES)
    for path in sorted(tried):
        files = found.overlay.find(path)
        seen = merged / path
        if not (seen.is_file() and not seen.is_symlink()):
            assert not files, path
            continue
        assert Path(files[0].path).read_bytes() == seen.read_bytes(), path


def test_layers_that_hold_data_alone(tmp_path: Path) -> None:
    for name in ("meta", "data", "data/x"):
        (tmp_path / name).mkdir()
    (tmp_path / "data/x/blob").write_text("content")
    (tmp_path / "meta/file").touch()
    os.truncate(tmp_path / "meta/file", 7)
    os.setxattr(tmp_path / "meta/file", "trusted.overlay.metacopy", b"")
    os.setxattr(tmp_path / "meta/file", "trusted.overlay.redirect", b"/x/blob")
    options = f"lowerdir={tmp_path}/meta::{tmp_path}/data,metacopy=on,redirect_dir=on"
    with overlay(tmp_path, options) as (merged, found):
        assert found is not None
        assert (merged / "file").read_text() == "content"
        assert found.overlay.find("file")[0].path == str(tmp_path / "data/x/blob")
        assert found.overlay.find("x/blob") == []


def test_names_with_commas_colons_and_backslashes(tmp_path: Path) -> None:
    for number, name in enumerate(("a,b", "c:d", "e\\f", "g h")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"file{number}").write_text(name)
    options = r"lowerdir=a\,b:c\:d:e\\f:g h"
    with overlay(tmp_path, options) as (_, found):
        assert found is not None
        files = [found.overlay.find(f"file{number}")[0] for number in range(4)]
        assert [(file.layer, Path(file.path).read_text()) for file in files] == [
            (0, "a,b"),
            (1, "c:d"),
            (2, "e\\f"),
            (3, "g h"),
        ]


def test_layers_that_are_not_there_are_not_guessed(tmp_path: Path) -> None:
    for name in ("low", "other"):
        (tmp_path / name).mkdir()
    with overlay(tmp_path, "lowerdir=low:other") as (merged, _):
        (tmp_path / "low").rename(tmp_path / "gone")
        info = Path("/proc/self/mountinfo").read_bytes()
        mount = next(each for each in mounts(info).values() if each.point == str(merged))
        assert layers(mount, [""], []) is None
