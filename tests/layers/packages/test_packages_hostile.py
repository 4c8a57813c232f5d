"""Whatever a layer holds in place of a database, nothing is raised and little is kept."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_files import owners

from memlint.layers import packages
from memlint.layers.packages import Databases, database_of
from memlint.layers.packages.database import TEXT_LIMIT
from memlint.model.layer import Package

FILES = [
    "var/lib/dpkg/status",
    "var/lib/dpkg/info/a.list",
    "var/lib/dpkg/status.d/a",
    "var/lib/dpkg/status.d/a.md5sums",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "a-1.dist-info/METADATA",
    "lib/a-1.dist-info/RECORD",
    "lib/a-1.dist-info/METADATA",
    "node_modules/a/package.json",
    "srv/node_modules/.pnpm/a@1/node_modules/@b/a/package.json",
]
OTHERS = [
    "",
    "status",
    "var/lib/dpkg/status-old",
    "var/lib/dpkg/info/a.md5sums",
    "var/lib/dpkg/info/a/b.list",
    "srv/var/lib/dpkg/status",
    "lib/apk/db/installed.new",
    "usr/lib/apk/db/triggers",
    "var/lib/rpm/Packages",
    "var/lib/rpm/rpmdb.sqlite-wal",
    "a.dist-info/entry_points.txt",
    "dist-info/METADATA",
    ".dist-info/METADATA",
    "package.json",
    "srv/package.json",
    "node_modules/package.json",
    "node_modules/.cache/package.json",
    "node_modules/a/lib/package.json",
    "my_node_modules/a/package.json",
]
WORDS = [
    b"Package: a",
    b"Version: 1",
    b"P:a",
    b"V:1",
    b"F:lib",
    b"R:b",
    b"Name: a",
    b"/lib/b",
    b"0  lib/b",
    b"b,,",
]
PATHS = ["lib/b", "usr/lib/b", "b", "node_modules/a/b"]

lines = st.lists(st.sampled_from(WORDS) | st.just(b"") | st.binary(max_size=8), max_size=20).map(b"\n".join)
headed = st.binary(max_size=300).map(lambda tail: b"SQLite format 3\0" + tail)
layers = st.dictionaries(st.sampled_from(FILES), st.binary() | lines | headed)


@pytest.mark.parametrize("path", FILES)
def test_a_database_is_known_by_its_path(path: str) -> None:
    assert database_of(path) is not None


@pytest.mark.parametrize("path", OTHERS)
def test_a_file_that_only_resembles_one_is_not_read(path: str) -> None:
    def unread() -> Iterator[bytes]:
        raise AssertionError
        yield b""

    assert database_of(path) is None
    Databases().add(path, 1, unread())


@given(layers)
def test_any_bytes_name_packages_or_nothing(files: dict[str, bytes]) -> None:
    found = owners(files, PATHS)
    assert found.keys() <= set(PATHS)
    assert all(isinstance(package, Package) for package in found.values())


@given(st.sampled_from(FILES), st.text(min_size=1))
def test_any_path_is_answered(path: str, other: str) -> None:
    assert database_of(other + path.replace("/", other)) in {None, *map(database_of, FILES)}


@pytest.mark.parametrize("path", [path for path in FILES if "rpm" not in path])
def test_a_file_without_end_is_read_to_its_limit_only(path: str) -> None:
    databases = Databases()
    databases.add(path, 10, itertools.repeat(bytes(1 << 24)))
    assert databases.owners(PATHS) == {}


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_says_it_is_too_large_is_not_read(path: str) -> None:
    database = database_of(path)
    assert database is not None
    chunks = iter([b"unread"])
    Databases().add(path, database.limit + 1, chunks)
    assert list(chunks) == [b"unread"]


def test_an_oversized_text_takes_the_place_of_the_former() -> None:
    databases = Databases()
    databases.add("lib/apk/db/installed", 20, iter([b"P:a\nV:1\nF:lib\nR:b\n"]))
    assert databases.owners(PATHS)
    databases.add("lib/apk/db/installed", 20, itertools.repeat(b"\n" * TEXT_LIMIT))
    assert databases.owners(PATHS) == {}


def test_a_layer_that_would_keep_too_much_has_no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "KEPT_LIMIT", 100)
    files = {"lib/apk/db/installed": b"P:a\nV:1\nF:lib\nR:b\n"}
    assert owners(files, PATHS)
    more = {f"var/lib/dpkg/info/{name}.list": b"/lib/c\n" * 3 for name in "abcdefgh"}
    assert owners(files | more, PATHS) == owners(more | files, PATHS) == {}


def test_a_distribution_owns_what_it_ships_of_python_and_node() -> None:
    files = {
        "var/lib/dpkg/status": b"Package: python3-yaml\nVersion: 6.0-3+b2\n",
        "var/lib/dpkg/info/python3-yaml.list": b"/usr/lib/python3/dist-packages/yaml/_yaml.so\n",
        "usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA": b"Name: PyYAML\nVersion: 6.0\n",
        "usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/RECORD": b"yaml/_yaml.so,,\nyaml/extra.so,,\n",
    }
    own, extra = "usr/lib/python3/dist-packages/yaml/_yaml.so", "usr/lib/python3/dist-packages/yaml/extra.so"
    assert owners(files, [own, extra]) == {
        own: Package("python3-yaml", "6.0-3+b2", "deb"),
        extra: Package("PyYAML", "6.0", "pypi"),
    }


names = st.text("abc.+-_0", min_size=1, max_size=8)
tops = st.sampled_from(["etc", "opt", "srv"])
fleets = st.dictionaries(names, st.tuples(names, tops, st.sets(names)))


@given(fleets)
def test_what_a_database_lists_is_found_again(fleet: dict[str, tuple[str, str, set[str]]]) -> None:
    listed = {
        f"{top}/{name}/{file}": (name, version)
        for name, (version, top, files) in fleet.items()
        for file in files - {".", ".."}
    }
    status = "\n".join(f"Package: {name}\nVersion: {version}\n" for name, (version, _, _) in fleet.items())
    dpkg = {"var/lib/dpkg/status": status.encode()}
    apk = []
    for name, (version, top, files) in fleet.items():
        own = sorted(files - {".", ".."})
        dpkg[f"var/lib/dpkg/info/{name}.list"] = "".join(f"/{top}/{name}/{file}\n" for file in own).encode()
        apk.append("\n".join([f"P:{name}", f"V:{version}", f"F:{top}/{name}", *(f"R:{file}" for file in own)]))
    asked = [*listed, "etc/unlisted"]
    assert owners(dpkg, asked) == {path: Package(*word, "deb") for path, word in listed.items()}
    assert owners({"lib/apk/db/installed": "\n\n".join(apk).encode()}, asked) == {
        path: Package(*word, "apk") for path, word in listed.items()
    }
