"""Processes whose root is not that of their mount namespace, and what their files are of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mappers import Mapper, container, figures, mapper, of, random_file

from memlint.kernel import tables
from memlint.kernel.containers.running import rootfs_of
from memlint.kernel.host import Host
from memlint.kernel.looking import look
from memlint.kernel.mounts import Mount

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and changes roots: run as root")

CALLS = "import ctypes, os, mmap; c = ctypes.CDLL(None)"
APART = "assert c.unshare(0x20000) == 0; assert c.mount(b'none', b'/', None, 0x44000, None) == 0"  # MS_REC | MS_PRIVATE
MOUNTED = "assert c.mount(b'o', {target!r}, b'overlay', 0, {options!r}) == 0"
MAPPED = "f = open({path!r}, 'rb'); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ); sum(m[::4096])"


@contextmanager
def apart(*more: str) -> Iterator[Mapper]:
    """A process in a mount namespace of its own, in which it then does more."""
    with mapper() as process:
        for code in (CALLS, APART, *more):
            process.do(code)
        yield process


def in_a_jail(file: Path) -> tuple[str, str]:
    """It maps a file, and then its root is a plain directory: no mount of its namespace lies below that."""
    (file.parent / "jail").mkdir(exist_ok=True)
    return MAPPED.format(path=str(file)), f"os.chroot({str(file.parent / 'jail')!r})"


def test_what_lies_outside_of_a_process_s_root_is_seen(tmp_path: Path) -> None:
    file = random_file(tmp_path / "file", 5)
    with apart(*in_a_jail(file)) as process:
        sight = look([container(process.pid)])
        (found,) = of(sight, file)
        assert (len(found.pages), found.file.held, found.file.real) == (5, "plain", str(file))
        assert sight.unseen == ()


def test_what_a_container_runs_on_is_seen_from_any_root(tmp_path: Path) -> None:
    with mapper() as plain, apart(*in_a_jail(random_file(tmp_path / "file", 1))) as jailed:
        here, there = (rootfs_of(each.pid, Host()) for each in (plain, jailed))
        assert isinstance(here, Mount)
        assert isinstance(there, Mount)
        assert here._replace(number=0) == there._replace(number=0)


def refused(_namespace: int) -> bytes:
    raise PermissionError(1, "Operation not permitted")


def test_what_one_process_does_not_lead_to_another_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the right to enter a namespace, those that are at its root still tell."""
    monkeypatch.setattr(tables, "mountinfo_of", refused)
    file = random_file(tmp_path / "file", 5)
    with apart(*in_a_jail(file)) as jailed:
        alone = look([container(jailed.pid)])
        assert [each.reason for each in alone.unseen if str(file) in each.what] == [
            "the mount that it was mapped from is gone, or in a namespace that this user may not enter"
        ]
        enter = f"assert c.setns(os.open('/proc/{jailed.pid}/ns/mnt', 0), 0) == 0"
        with mapper() as free:
            for code in (CALLS, enter, MAPPED.format(path=str(file))):
                free.do(code)
            sight = look([container(jailed.pid, free.pid)])
            assert {each.pid for each in of(sight, file)} >= {free.pid}


@pytest.mark.parametrize("entered", [True, False])
def test_an_overlay_that_is_a_process_s_root_shows_what_was_copied_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entered: bool
) -> None:
    """maps names its files from the root of the namespace, and the process's mountinfo from its own."""
    if not entered:
        monkeypatch.setattr(tables, "mountinfo_of", refused)
    for name in ("low", "up", "work", "merged"):
        (tmp_path / name).mkdir()
    for name in ("kept", "changed"):
        random_file(tmp_path / "low" / name, 4, seed=len(name))
    merged = tmp_path / "merged"
    options = f"lowerdir={tmp_path}/low,upperdir={tmp_path}/up,workdir={tmp_path}/work"
    with apart(
        MOUNTED.format(target=os.fsencode(merged), options=options.encode()),
        f"os.chmod({str(merged / 'changed')!r}, 0o700); os.chroot({str(merged)!r})",
        MAPPED.format(path="/kept"),
        f"kept = m; {MAPPED.format(path='/changed')}",
    ) as process:
        sight = look([container(process.pid)])
        (kept,), (changed,) = of(sight, merged / "kept"), of(sight, merged / "changed")
        assert (kept.file.held, kept.file.real) == ("lower", f"{tmp_path}/low/kept")
        assert (changed.file.held, changed.file.real) == ("upper", f"{tmp_path}/up/changed")
        (copied,) = figures(sight).copied_up
        assert (copied.path, copied.same_content_below) == (f"{merged}/changed", True)
        assert sight.unseen == ()
