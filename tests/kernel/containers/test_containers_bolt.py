"""containerd's database, read without containerd."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.hosts import bolt

from memlint.kernel.containers.bolt import bucket

CONTENT = {
    "v1": {
        "default": {"containers": {"web": {"image": b"debian:12", "labels": {"a": b"1", "b": b"2" * 9000}}}},
        "k8s.io": {"containers": {}},
    }
}
WEB = ("v1", "default", "containers", "web")


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("size", [1024, 4096, 65536])
def test_buckets(tmp_path: Path, inline: bool, size: int) -> None:
    path = tmp_path / "meta.db"
    path.write_bytes(bolt(CONTENT, size=size, inline=inline))
    assert bucket(str(path), WEB) == {"image": b"debian:12"}
    assert bucket(str(path), (*WEB, "labels")) == {"a": b"1", "b": b"2" * 9000}
    assert bucket(str(path), ("v1", "k8s.io", "containers")) == {}
    assert bucket(str(path), ("v1", "default", "containers", "api")) == {}
    assert bucket(str(path), (*WEB, "image")) == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 40_000), junk=st.binary(min_size=1, max_size=40), length=st.integers(0, 40_000))
def test_damage_is_nothing_found(tmp_path: Path, at: int, junk: bytes, length: int) -> None:
    whole = bolt(CONTENT, inline=False)
    path = tmp_path / "meta.db"
    path.write_bytes((whole[:at] + junk + whole[at + len(junk) :])[:length])
    assert isinstance(bucket(str(path), WEB), dict)


def test_a_page_that_is_its_own_branch(tmp_path: Path) -> None:
    whole = bytearray(bolt(CONTENT))
    branch = struct.pack("<IIQ", 16, 0, 2)  # to its own page, below any name
    whole[8192:12288] = (struct.pack("<QHHI", 2, 1, 100, 0) + branch * 100).ljust(4096, b"\0")
    path = tmp_path / "meta.db"
    path.write_bytes(whole)
    assert bucket(str(path), WEB) == {}
    assert bucket(str(path), ()) == {}


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "meta.db")
    assert bucket(str(tmp_path / "meta.db"), WEB) == {}
    assert bucket(str(tmp_path / "nowhere"), WEB) == {}
