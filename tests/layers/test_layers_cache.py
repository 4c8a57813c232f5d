"""The cache on disk: whole entries or none, whoever writes, dies, prunes or meddles."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tars import noise

from memlint.errors import CacheError
from memlint.layers import cache as cache_module
from memlint.layers.cache import Cache
from memlint.model.digest import ContentID, DiffID, Digest
from memlint.model.layer import Elf, LayerIndex, MappedFile, Package, Script

NOBODY = 65534


def _diff_id(number: int) -> DiffID:
    return DiffID(Digest(f"sha256:{number:064x}"))


def _index(number: int, files: int = 3) -> LayerIndex:
    elf = Elf((64, "<", 62), soname="liba.so.1", needed=("libc.so.6",), runpath=("$ORIGIN",))
    return LayerIndex(
        diff_id=_diff_id(number),
        files=tuple(
            MappedFile(
                f"usr/lib/{n}.so",
                f"usr/lib/{n}.so",
                n,
                ContentID(f"blake3:{noise(32, b'%d %d' % (number, n)).hex()}"),
                4096,
                "library",
                elf,
                0,
            )
            for n in range(files)
        ),
        scripts=(Script("usr/bin/run", ("/bin/sh",), True),),
        symlinks={"lib": "usr/lib"},
        hardlinks={"a": "b"},
        others=("etc/passwd",),
        directories=("usr", "usr/lib"),
        whiteouts=("gone",),
        opaque=("usr/share",),
        packages=(Package("a", "1", "deb"),),
        loader_cache=(("liba.so.1", "/usr/lib/0.so"),),
    )


def _files(cache: Cache) -> list[Path]:
    return sorted(path for path in cache.directory.rglob("*") if path.is_file())


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_what_was_put_comes_back(cache: Cache) -> None:
    index = _index(1)
    assert cache.layer(index.diff_id) is None
    cache.put_layer(index)
    cache.put_config("sha256:" + "a" * 64, b'{"os": "linux"}\xff')
    assert cache.layer(index.diff_id) == index
    assert Cache(cache.directory).layer(index.diff_id) == index
    assert cache.config("sha256:" + "a" * 64) == b'{"os": "linux"}\xff'
    assert cache.layer(_diff_id(2)) is None
    assert cache.config("sha256:" + "b" * 64) is None
    entries, size = cache.usage()
    assert (entries, size) == (2, sum(path.stat().st_size for path in _files(cache)))


_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_TEXTS = st.lists(_TEXT, max_size=4).map(tuple)
_ELF = st.builds(
    Elf,
    machine=st.tuples(st.sampled_from([32, 64]), st.sampled_from("<>"), st.integers(0, 65535)),
    soname=st.none() | _TEXT,
    needed=_TEXTS,
    interp=st.none() | _TEXT,
    rpath=_TEXTS,
    runpath=_TEXTS,
    textrel=st.booleans(),
    upx=st.booleans(),
    dynamic_lost=st.booleans(),
)
_INDEX = st.builds(
    LayerIndex,
    diff_id=st.integers(0, 1 << 256 - 1).map(_diff_id),
    files=st.lists(
        st.builds(
            MappedFile,
            path=_TEXT,
            link=_TEXT,
            size=st.integers(0, (1 << 63) - 1),
            content=st.binary(min_size=32, max_size=32).map(lambda raw: ContentID("blake3:" + raw.hex())),
            mappable_bytes=st.integers(0, 1 << 62),
            kind=_TEXT,
            elf=st.none() | _ELF,
            package=st.none() | st.integers(0, 1 << 31),
        ),
        max_size=4,
    ).map(tuple),
    scripts=st.lists(st.builds(Script, path=_TEXT, interpreter=_TEXTS, passes_on=st.booleans()), max_size=3).map(tuple),
    symlinks=st.dictionaries(_TEXT, _TEXT, max_size=3),
    hardlinks=st.dictionaries(_TEXT, _TEXT, max_size=3),
    others=_TEXTS,
    directories=_TEXTS,
    whiteouts=_TEXTS,
    opaque=_TEXTS,
    packages=st.lists(st.builds(Package, name=_TEXT, version=_TEXT, type=_TEXT), max_size=3).map(tuple),
    loader_cache=st.none() | st.lists(st.tuples(_TEXT, _TEXT), max_size=3).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(index=_INDEX)
def test_any_index_comes_back(index: LayerIndex, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = Cache(tmp_path_factory.getbasetemp() / "any")
    cache.put_layer(index)
    assert cache.layer(index.diff_id) == index


def test_damaged_entries_are_as_good_as_absent(cache: Cache) -> None:
    index = _index(1)
    cache.put_layer(index)
    (path,) = _files(cache)
    good = path.read_bytes()
    damaged = [b"", good[:1], good[:44], good[:-1], good + b"\0", bytes(len(good))]
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        damaged.append(bytes(bad))
    for data in damaged:
        path.write_bytes(data)
        assert cache.layer(index.diff_id) is None
        assert not path.exists(), "what cannot be read is only in the way"
    cache.put_layer(index)
    assert cache.layer(index.diff_id) == index


def test_entries_of_another_key_are_not_believed(cache: Cache) -> None:
    cache.put_layer(_index(1))
    (path,) = _files(cache)
    other = cache._path(f"layer-{_diff_id(2)}")
    other.parent.mkdir(parents=True, exist_ok=True)
    path.rename(other)
    assert cache.layer(_diff_id(2)) is None

    first, second = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    cache.put_config(first, b"{}")
    place = cache._path(f"config-{second}")
    place.parent.mkdir(parents=True, exist_ok=True)
    cache._path(f"config-{first}").rename(place)
    assert cache.config(second) is None


def test_entries_of_another_format_are_not_believed(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    index = _index(1)
    cache.put_layer(index)
    monkeypatch.setattr(cache_module, "FORMAT", cache_module.FORMAT + 1)
    assert cache.layer(index.diff_id) is None
    cache.put_layer(index)
    assert cache.usage()[0] == 2, "older formats count, and are pruned like all others"
    old, new = _files(cache)
    new.write_bytes(old.read_bytes()[:8] + b"\xff\0\0\0" + old.read_bytes()[12:])
    assert cache.layer(index.diff_id) is None


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/b", "sha256:..", "a\0b"])
def test_keys_stay_below_the_directory(cache: Cache, key: str) -> None:
    with pytest.raises(ValueError, match="not a cache key"):
        cache.config(key)
    with pytest.raises(ValueError, match="not a cache key"):
        cache.put_config(key, b"")


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from memlint.layers.cache import Cache
from test_layers_cache import _index
cache = Cache(Path(sys.argv[1]))
indexes = [_index(number, 2000) for number in range(4)]
print("ready", flush=True)
for turn in range(int(sys.argv[2])):
    for index in indexes:
        cache.put_layer(index)
        assert cache.layer(index.diff_id) == index, "an entry was not whole"
"""


def _writer(cache: Cache, turns: int) -> subprocess.Popen[bytes]:
    tests = Path(__file__).parent
    arguments = [sys.executable, "-c", WRITER, str(cache.directory), str(turns), str(tests)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=tests.parent.parent)


def test_killed_writers_leave_whole_entries_only(cache: Cache) -> None:
    whole = 0
    for delay in (0.02, 0.033, 0.047, 0.06):
        process = _writer(cache, 100_000)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        for number in range(4):
            found = cache.layer(_diff_id(number))
            assert found is None or found == _index(number, 2000)
            whole += found is not None
        entries = [path for path in _files(cache) if not path.name.startswith(".new-")]
        assert len(entries) == sum(cache.layer(_diff_id(number)) is not None for number in range(4)), "one was damaged"
    assert whole


def test_writers_in_parallel(cache: Cache) -> None:
    processes = [_writer(cache, 15) for _ in range(2)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert cache.usage()[0] == 4
    assert len(_files(cache)) == 4, "nothing temporary is left"


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_prune_takes_the_least_recently_used(cache: Cache) -> None:
    for number in range(5):
        cache.put_layer(_index(number, 50))
        _age(cache._path(f"layer-{_diff_id(number)}"), 1_000_000 - number * 1000)
    assert cache.layer(_diff_id(0)) is not None, "its use is noted"
    entries, total = cache.usage()
    assert entries == 5
    assert cache.prune(total) == (0, 0)
    removed, freed = cache.prune(total * 3 // 5 + 200)
    assert removed == 2
    assert cache.usage() == (3, total - freed)
    assert [number for number in range(5) if cache.layer(_diff_id(number))] == [0, 3, 4]
    assert cache.prune(0)[0] == 3
    assert cache.usage() == (0, 0)


def test_use_is_noted_once_a_day(cache: Cache) -> None:
    cache.put_layer(_index(1))
    (path,) = _files(cache)
    _age(path, 3600)
    before = path.stat().st_mtime
    cache.layer(_diff_id(1))
    assert path.stat().st_mtime == before
    _age(path, 100_000)
    cache.layer(_diff_id(1))
    assert time.time() - path.stat().st_mtime < 60


def test_only_runs_that_wrote_prune(cache: Cache) -> None:
    cache.put_layer(_index(1))
    Cache(cache.directory).close(0)
    assert cache.usage()[0] == 1
    cache.close(0)
    assert cache.usage()[0] == 0


def test_leftovers_are_removed_once_nobody_can_be_writing_them(cache: Cache) -> None:
    cache.put_layer(_index(1))
    (entry,) = _files(cache)
    old, fresh = entry.with_name(".new-old"), entry.with_name(".new-fresh")
    for path in (old, fresh):
        path.write_bytes(b"half")
    _age(old, 10_000)
    assert cache.usage()[0] == 1
    assert (old.exists(), fresh.exists(), entry.exists()) == (False, True, True)


def test_a_directory_that_does_not_exist_is_an_empty_cache(cache: Cache) -> None:
    assert cache.usage() == (0, 0)
    assert cache.prune(0) == (0, 0)
    assert cache.layer(_diff_id(1)) is None
    cache.close(0)
    assert not cache.directory.exists()


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    assert cache.layer(_diff_id(1)) is None
    assert cache.usage() == (0, 0)
    with pytest.raises(CacheError, match="cannot be written") as caught:
        cache.put_layer(_index(1))
    assert "--cache-dir" in caught.value.hint
    assert str(tmp_path) in caught.value.message


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_no_room(cache: Cache, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CacheError, match=os.strerror(code)):
        cache.put_layer(_index(1))
    assert _files(cache) == [], "nothing half-written is left"
    monkeypatch.undo()
    cache.put_layer(_index(1))
    assert cache.layer(_diff_id(1)) == _index(1)


@contextmanager
def _unprivileged() -> Iterator[None]:
    """Root may do everything, so it steps down."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_cache_that_may_only_be_read() -> None:
    """As another user has it: entries serve, damaged ones are passed over, nothing is raised but on writing."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        cache = Cache(Path(place) / "cache")
        cache.put_layer(_index(1))
        cache.put_layer(_index(2))
        damaged = cache._path(f"layer-{_diff_id(2)}")
        damaged.write_bytes(b"x")
        directories = [cache.directory, *(path for path in cache.directory.rglob("*") if path.is_dir())]
        for path in _files(cache):
            path.chmod(0o644)
            _age(path, 100_000)
        for directory in directories:
            directory.chmod(0o555)
        with _unprivileged():
            assert cache.layer(_diff_id(1)) == _index(1)
            assert cache.layer(_diff_id(2)) is None
            assert cache.usage()[0] == 2
            cache.prune(0)
            with pytest.raises(CacheError, match="Permission denied"):
                cache.put_layer(_index(3))
        assert damaged.exists()
        for directory in directories:
            directory.chmod(0o755)


def test_a_cache_out_of_reach() -> None:
    with tempfile.TemporaryDirectory() as place:
        cache = Cache(Path(place) / "cache")
        cache.put_layer(_index(1))
        os.chmod(place, 0)
        with _unprivileged():
            assert cache.layer(_diff_id(1)) is None
            with pytest.raises(CacheError, match="cannot be read"):
                cache.usage()
            with pytest.raises(CacheError, match="cannot be written"):
                cache.put_layer(_index(1))
        os.chmod(place, 0o700)
