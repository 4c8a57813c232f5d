"""From a layer's entries to its LayerIndex: by its tar, and by the directory that overlay2 unpacked it to."""

from __future__ import annotations

import io
import os
import stat
import struct
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import blake3
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.elf import library
from support.elf import program as elf_program
from tars import END, header, member

from memlint.errors import LayerError
from memlint.layers.archive import index_tar
from memlint.layers.directory import index_directory
from memlint.layers.limits import Limits
from memlint.layers.stream import Promised
from memlint.model.digest import ContentID, DiffID, Digest
from memlint.model.layer import Elf, LayerIndex, Package, Script

DIFF_ID = DiffID(Digest("sha256:" + "0" * 64))
LIB, OTHER_LIB = library("liba.so.1", "libc.so.6", pages=3), library("libb.so.2")
PROGRAM = elf_program("x", "liba.so.1")
STATUS = b"Package: liba1\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2-3\n\n"
LOADER_CACHE = (
    b"glibc-ld.so.cache1.1"
    + struct.pack("<IIB3xI12x", 1, 22, 2, 0)
    + struct.pack("<iIIIQ", 0x303, 72, 82, 0, 0)
    + b"liba.so.1\0/usr/liba\0\0"
)

Entries = list[bytes]


def _index(*entries: bytes) -> LayerIndex:
    return msgspec.structs.replace(
        index_tar(io.BytesIO(b"".join(entries) + END), Limits(), Promised()), diff_id=DIFF_ID
    )


def _dir(path: bytes) -> bytes:
    return header(path + b"/", flag=b"5", mode=0o755)


def _sym(path: bytes, target: bytes) -> bytes:
    return header(path, flag=b"2", link=target)


def _hard(path: bytes, target: bytes) -> bytes:
    return header(path, flag=b"1", link=target)


def _script(path: bytes, text: bytes, mode: int) -> bytes:
    return header(path, len(text), mode=mode) + text + bytes(-len(text) % 512)


def _links(index: LayerIndex) -> dict[str, str]:
    return {file.path: file.link for file in index.files}


def test_everything_that_is_kept_of_a_file() -> None:
    (file,) = _index(member(b"usr/lib/liba.so.1", LIB)).files
    assert file.path == file.link == "usr/lib/liba.so.1"
    assert (file.size, file.mappable_bytes, file.kind, file.package) == (len(LIB), 3 * 4096, "library", None)
    assert file.content == ContentID("blake3:" + blake3.blake3(LIB).hexdigest())
    assert file.elf == Elf((64, "<", 62), soname="liba.so.1", needed=("libc.so.6",))


def test_files_are_told_by_content_not_by_name_or_mode() -> None:
    index = _index(
        member(b"lib.so", b"INPUT(libx.so.1)"),
        header(b"README", len(LIB), mode=0o444) + LIB,
        member(b"model", (9).to_bytes(8, "little") + b'{"a":{}} '),
        member(b"cut.so", LIB[:60]),
        member(b"module.ko", LIB[:16] + b"\1" + LIB[17:]),
    )
    assert [(file.path, file.kind, file.mappable_bytes) for file in index.files] == [
        ("README", "library", 3 * 4096),
        ("model", "safetensors", 4096),
    ]
    assert index.others == ("cut.so", "lib.so", "module.ko")


def test_scripts_need_the_mode() -> None:
    text = b"#! /usr/bin/env  python3 -u \nexit()\n"
    entry = b'#!/bin/sh\nset -e\nexec gosu app "$@"\n'
    index = _index(
        _script(b"a", text, 0o755), _script(b"b", text, 0o644), _script(b"c", entry, 0o100), _script(b"d", b"#!", 0o111)
    )
    assert index.scripts == (
        Script("a", ("/usr/bin/env", "python3 -u"), False),
        Script("c", ("/bin/sh",), True),
        Script("d", (), False),
    )
    assert index.others == ("b",)


@pytest.mark.parametrize(
    ("line", "passes_on"),
    [
        (b'exec "$@"', True),
        (b'\t exec su-exec www "$@"', True),
        (b'exec "${@}"', True),
        (b"exec $@", True),
        (b'# exec "$@"', False),
        (b'myexec "$@"', False),
        (b'exec app; echo "$@"', False),
        (b'exec app # "$@"', False),
        (b'"$@"', False),
    ],
)
def test_scripts_that_pass_their_arguments_on(line: bytes, passes_on: bool) -> None:
    (script,) = _index(_script(b"a", b"#!/bin/sh\n:\n" + line + b"\n", 0o755)).scripts
    assert script.passes_on is passes_on


def test_symlinks_others_and_parents() -> None:
    index = _index(
        _sym(b"lib", b"usr/lib"),
        header(b"dev/null", flag=b"3", device=(1, 3)),
        header(b"run/fifo", flag=b"6"),
        header(b"a/b/c/d"),
        _dir(b"."),
    )
    assert index.symlinks == {"lib": "usr/lib"}
    assert index.others == ("a/b/c/d", "dev/null", "run/fifo")
    assert index.directories == ("a", "a/b", "a/b/c", "dev", "run")
    assert index.loader_cache is None


def test_whiteouts_in_every_spelling() -> None:
    index = _index(
        header(b".wh.top"),
        header(b"etc/.wh.gone", link=b"stale"),
        header(b"etc/.wh..hidden"),
        header(b"usr/share/doc/.wh..wh..opq"),
        header(b".wh..wh..opq"),
        header(b".wh..wh.aufs"),
        header(b"var/device", flag=b"3"),
        header(b"var/.whale"),
        header(b"var/a.wh.b"),
    )
    assert index.whiteouts == ("etc/.hidden", "etc/gone", "top", "var/device")
    assert index.opaque == ("", "usr/share/doc")
    assert index.others == ("var/.whale", "var/a.wh.b")


@pytest.mark.parametrize("name", [b"usr/.wh.", b".wh..", b"usr/.wh..."])
def test_whiteouts_of_nothing(name: bytes) -> None:
    with pytest.raises(LayerError, match="whiteout of no file"):
        _index(header(name))


@pytest.mark.parametrize("flag", [b"0", b"1", b"2", b"3", b"6"])
def test_the_root_is_a_directory(flag: bytes) -> None:
    with pytest.raises(LayerError, match="root directory"):
        _index(header(b"./", flag=flag, link=b"x", device=(1, 1)))


@pytest.mark.parametrize(
    ("entries", "links"),
    [
        ([member(b"b", LIB), _hard(b"a", b"b"), _hard(b"c", b"b")], {"a": "a", "b": "a", "c": "a"}),
        ([member(b"c", LIB), _hard(b"b", b"c"), _hard(b"a", b"b")], {"a": "a", "b": "a", "c": "a"}),
        ([member(b"a", LIB), member(b"b", LIB)], {"a": "a", "b": "b"}),
        ([member(b"a", LIB), _hard(b"b", b"a"), member(b"a", OTHER_LIB)], {"a": "a", "b": "b"}),
        ([member(b"a", LIB), _hard(b"b", b"a"), _hard(b"c", b"a"), header(b"a")], {"b": "b", "c": "b"}),
        ([member(b"b", LIB), _hard(b"a", b"/b")], {"a": "a", "b": "a"}),
    ],
)
def test_hard_links(entries: Entries, links: dict[str, str]) -> None:
    assert _links(_index(*entries)) == links


def test_hard_links_to_other_things() -> None:
    index = _index(
        _hard(b"far", b"lower/lib.so"),
        _hard(b"further", b"far"),
        _sym(b"s", b"x"),
        _hard(b"t", b"s"),
        header(b"plain"),
        _hard(b"also", b"plain"),
        _script(b"run", b"#!/bin/sh\n", 0o755),
        _hard(b"again", b"run"),
    )
    assert index.hardlinks == {"far": "lower/lib.so", "further": "lower/lib.so"}
    assert index.symlinks == {"s": "x", "t": "x"}
    assert index.others == ("also", "plain")
    assert [script.path for script in index.scripts] == ["again", "run"]


@settings(max_examples=40, deadline=None)
@given(order=st.permutations(["d", "a", "c/x", "b"]))
def test_link_order_does_not_matter(order: list[str]) -> None:
    first, *rest = (name.encode() for name in order)
    index = _index(member(first, LIB), *(_hard(name, first) for name in rest))
    assert _links(index) == dict.fromkeys(("a", "b", "c/x", "d"), "a")


@pytest.mark.parametrize(
    ("entries", "files", "others", "directories"),
    [
        ([member(b"p", LIB), _dir(b"p"), member(b"p/q", LIB)], ["p/q"], (), ("p",)),
        ([_dir(b"p"), member(b"p/q", LIB), member(b"p", LIB)], ["p"], (), ()),
        ([member(b"p", LIB), _dir(b"p"), member(b"p/q", LIB), member(b"p", OTHER_LIB)], ["p"], (), ()),
        ([member(b"p", LIB), header(b"p/q/r")], [], ("p/q/r",), ("p", "p/q")),
        ([member(b"p/q/r", LIB), header(b"pq"), _sym(b"p", b"x")], [], ("pq",), ()),
        ([member(b"p", LIB), member(b"p", b"text")], [], ("p",), ()),
        ([_dir(b"p"), member(b"p/q", LIB), _dir(b"p")], ["p/q"], (), ("p",)),
    ],
)
def test_what_comes_later_replaces(
    entries: Entries, files: list[str], others: tuple[str, ...], directories: tuple[str, ...]
) -> None:
    index = _index(*entries)
    assert [file.path for file in index.files] == files
    assert index.others == others
    assert index.directories == directories


def test_directories_replaced_without_end() -> None:
    """Each one costs a look at all paths."""
    back_and_forth = [header(b"p/q"), header(b"p")]
    assert _index(*back_and_forth * 100).others == ("p",)
    with pytest.raises(LayerError, match="more than 100 times"):
        _index(*back_and_forth * 101)


def test_packages_reach_their_files() -> None:
    listed = b"/.\n/usr\n/usr/lib\n/usr/lib/liba.so.1\n"
    entries = [
        member(b"usr/lib/liba.so.1", LIB),
        member(b"usr/lib/libb.so.2", OTHER_LIB),
        member(b"var/lib/dpkg/status", STATUS),
        member(b"var/lib/dpkg/info/liba1.list", listed),
    ]
    for order in (entries, entries[::-1]):
        index = _index(*order)
        assert index.packages == (Package("liba1", "1.2-3", "deb"),)
        assert [(file.path, file.package) for file in index.files] == [
            ("usr/lib/liba.so.1", 0),
            ("usr/lib/libb.so.2", None),
        ]


def test_packages_reach_files_through_hard_links() -> None:
    """As uv installs: whatever is in site-packages, RECORD included, is a link to its cache."""
    cache, site = b"root/.cache/uv/archive/x/", b"usr/lib/python3/site-packages/"
    files = {
        b"a/core.so": LIB,
        b"a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n",
        b"a-1.dist-info/RECORD": b"a/core.so,,\n",
    }
    index = _index(
        *(member(cache + name, data) for name, data in files.items()),
        *(_hard(site + name, cache + name) for name in files),
        member(site + b"b.so", LIB),
    )
    assert index.packages == (Package("a", "1", "pypi"),)
    assert [file.package for file in index.files] == [0, 0, None]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (LOADER_CACHE, (("liba.so.1", "/usr/liba"),)),
        (b"ld.so-1.7.0\0" + bytes(36) + LOADER_CACHE, (("liba.so.1", "/usr/liba"),)),
        (LOADER_CACHE[:64] + b"\1" + LOADER_CACHE[65:], ()),
        (LOADER_CACHE[:20] + b"\xff" * 4 + LOADER_CACHE[24:], ()),
        (LOADER_CACHE[:60], ()),
        (b"rubbish", ()),
        (b"", ()),
    ],
    ids=["new", "behind the old one", "for one CPU only", "lying count", "cut", "rubbish", "empty"],
)
def test_loader_cache(data: bytes, expected: tuple[tuple[str, str], ...]) -> None:
    assert _index(member(b"etc/ld.so.cache", data)).loader_cache == expected


def test_loader_cache_of_the_other_byte_order() -> None:
    data = (
        b"glibc-ld.so.cache1.1"
        + struct.pack(">IIB3xI12x", 1, 22, 3, 0)
        + struct.pack(">iIIIQ", 0x303, 72, 82, 0, 0)
        + b"liba.so.1\0/usr/liba\0"
    )
    assert _index(member(b"etc/ld.so.cache", data)).loader_cache == (("liba.so.1", "/usr/liba"),)


def test_loader_cache_that_was_replaced() -> None:
    entries = [member(b"etc/ld.so.cache", LOADER_CACHE), _sym(b"etc/ld.so.cache", b"/dev/null")]
    assert _index(*entries).loader_cache is None
    assert _index(*entries[::-1]).loader_cache == (("liba.so.1", "/usr/liba"),)


# The same layer by its tar and by its directory

ROOT = os.geteuid() == 0
Make = Callable[[Path], None]


def _write(data: bytes, mode: int = 0o644) -> Make:
    def make(path: Path) -> None:
        path.write_bytes(data)
        path.chmod(mode)

    return make


def _opaque(path: Path) -> None:
    path.mkdir()
    os.setxattr(path, "trusted.overlay.opaque", b"y")


UNPRIVILEGED: list[tuple[bytes, Make, bytes]] = [
    (b"usr", Path.mkdir, _dir(b"usr")),
    (b"usr/lib", Path.mkdir, _dir(b"usr/lib")),
    (b"usr/lib/liba.so.1", _write(LIB), member(b"usr/lib/liba.so.1", LIB)),
    (
        b"usr/lib/zz",
        lambda path: os.link(path.with_name("liba.so.1"), path),
        _hard(b"usr/lib/zz", b"usr/lib/liba.so.1"),
    ),
    (b"usr/lib/s", lambda path: path.symlink_to("../x"), _sym(b"usr/lib/s", b"../x")),
    (
        b"usr/lib/u",
        lambda path: os.link(path.with_name("s"), path, follow_symlinks=False),
        _hard(b"usr/lib/u", b"usr/lib/s"),
    ),
    (b"usr/big", _write(LIB + bytes(3 << 20)), member(b"usr/big", LIB + bytes(3 << 20))),
    (b"usr/empty", _write(b""), member(b"usr/empty")),
    (b"usr/fifo", os.mkfifo, header(b"usr/fifo", flag=b"6")),
    (b"usr/run", _write(b"#!/bin/sh\n" + b"# padding\n" * 900 + b'exec "$@"\n', 0o755), b""),
    (b"usr/gguf", _write(b"GGUF" + bytes(9000)), member(b"usr/gguf", b"GGUF" + bytes(9000))),
    (b"usr/\xff\xc3\xa9", _write(PROGRAM), member(b"usr/\xff\xc3\xa9", PROGRAM)),
    (b"etc", Path.mkdir, _dir(b"etc")),
    (b"etc/ld.so.cache", _write(LOADER_CACHE), member(b"etc/ld.so.cache", LOADER_CACHE)),
    (b"var", Path.mkdir, _dir(b"var")),
    (b"var/lib", Path.mkdir, _dir(b"var/lib")),
    (b"var/lib/dpkg", Path.mkdir, _dir(b"var/lib/dpkg")),
    (b"var/lib/dpkg/status", _write(STATUS), member(b"var/lib/dpkg/status", STATUS)),
    (b"var/lib/dpkg/info", Path.mkdir, _dir(b"var/lib/dpkg/info")),
    (
        b"var/lib/dpkg/info/liba1.list",
        _write(b"/usr/lib/zz\n"),
        member(b"var/lib/dpkg/info/liba1.list", b"/usr/lib/zz\n"),
    ),
]
UNPRIVILEGED[9] = (
    *UNPRIVILEGED[9][:2],
    _script(b"usr/run", b"#!/bin/sh\n" + b"# padding\n" * 900 + b'exec "$@"\n', 0o755),
)
PRIVILEGED: list[tuple[bytes, Make, bytes]] = [
    (b"opt", _opaque, _dir(b"opt") + header(b"opt/.wh..wh..opq")),
    (b"opt/gone", lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(0, 0)), header(b"opt/.wh.gone")),
    (
        b"opt/null",
        lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3)),
        header(b"opt/null", flag=b"3", device=(1, 3)),
    ),
    (b"opt/disk", lambda path: os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(0, 0)), header(b"opt/disk", flag=b"4")),
]


def _both(parts: Iterable[tuple[bytes, Make, bytes]], root: Path) -> tuple[LayerIndex, LayerIndex]:
    entries = []
    for name, make, entry in parts:
        make(Path(os.fsdecode(os.fsencode(root) + b"/" + name)))
        entries.append(entry)
    return index_directory(str(root), DIFF_ID, Limits()), _index(*entries)


@pytest.mark.parametrize("parts", [UNPRIVILEGED, *([PRIVILEGED, UNPRIVILEGED + PRIVILEGED] if ROOT else [])])
def test_tar_and_directory_agree(parts: list[tuple[bytes, Make, bytes]], tmp_path: Path) -> None:
    by_directory, by_tar = _both(parts, tmp_path)
    assert by_directory == by_tar
    if parts is not PRIVILEGED:
        assert {file.path: file.package for file in by_tar.files}["usr/lib/zz"] == 0
        assert by_tar.scripts[0].passes_on
        assert "usr/\\xffé" in [file.path for file in by_tar.files]
    if parts is not UNPRIVILEGED:
        assert by_tar.whiteouts == ("opt/gone",)
        assert by_tar.opaque == ("opt",)
        assert {"opt/null", "opt/disk"} <= set(by_tar.others)


_TREES = st.dictionaries(
    st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map("/".join),
    st.sampled_from(["lib", "text", "dir", "link", "hard"]),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(tree=_TREES)
def test_any_tree_by_tar_and_directory(tree: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("tree")
    for path, kind in sorted(tree.items()):
        place = root / path
        if any(os.path.lexists(parent) and not parent.is_dir() for parent in place.parents) or os.path.lexists(place):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        others = sorted(other for other in root.rglob("*") if other.is_file() and not other.is_symlink())
        if kind == "dir":
            place.mkdir()
        elif kind == "link":
            place.symlink_to("nowhere")
        elif kind == "hard" and others:
            os.link(others[-1], place)
        else:
            place.write_bytes(LIB if kind == "lib" else b"text")
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        tar.add(root, ".")
    assert index_directory(str(root), DIFF_ID, Limits()) == _index(written.getvalue())


def test_directories_are_bounded(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / str(number)).touch()
    assert len(index_directory(str(tmp_path), DIFF_ID, Limits(max_entries=5)).others) == 5
    with pytest.raises(LayerError, match="more than 4 entries"):
        index_directory(str(tmp_path), DIFF_ID, Limits(max_entries=4))


def test_directories_nested_too_deep(tmp_path: Path) -> None:
    (tmp_path / ("d/" * 250)).mkdir(parents=True)
    assert len(index_directory(str(tmp_path), DIFF_ID, Limits()).directories) == 250
    (tmp_path / ("d/" * 300)).mkdir(parents=True)
    with pytest.raises(LayerError, match="more than 256 deep"):
        index_directory(str(tmp_path), DIFF_ID, Limits())


@pytest.mark.parametrize("name", ["absent", "file"])
def test_a_directory_that_is_none(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LayerError, match="cannot be read where the store keeps it") as caught:
        index_directory(str(tmp_path / name), DIFF_ID, Limits())
    assert "root" in caught.value.hint


def test_no_symlink_is_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "lib.so").write_bytes(LIB)
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "layer" / "lib.so").symlink_to(tmp_path / "secret" / "lib.so")
    index = index_directory(str(tmp_path / "layer"), DIFF_ID, Limits())
    assert not index.files
    assert set(index.symlinks) == {"lib.so", "out"}


# Through the whole of index_tar


def test_the_diff_id_is_that_of_the_bytes_or_the_one_promised() -> None:
    tar = member(b"a", LIB) + END
    found = index_tar(io.BytesIO(tar), Limits(), Promised()).diff_id
    assert found.startswith("sha256:")
    assert index_tar(io.BytesIO(tar), Limits(), Promised(diff_id=found)).diff_id == found
    assert index_tar(io.BytesIO(tar), Limits(), Promised(diff_id=DIFF_ID), verify=False).diff_id == DIFF_ID


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_hostile_layers_give_an_error_or_an_index(data: st.DataObject) -> None:
    names = st.sampled_from(
        [
            b"a",
            b"a/b",
            b"./",
            b"",
            b"/",
            b".wh.a",
            b"a/.wh..wh..opq",
            b".wh.",
            b"etc/ld.so.cache",
            b"\xff",
            b"a/" * 40,
            b"..",
        ]
    )
    files = st.sampled_from([b"", LIB, LIB[:100], LOADER_CACHE, b"#!", b"MZ" * 40, b"GGUF", STATUS])
    flags = st.sampled_from([b"\0", b"0", b"1", b"2", b"3", b"5", b"6", b"S", b"x", b"L", b"V"])
    entries = data.draw(
        st.lists(st.builds(lambda n, f, g, k: member(n, f, g, link=k), names, files, flags, names), max_size=6)
    )
    try:
        index = _index(*entries)
    except LayerError:
        return
    decoded = msgspec.msgpack.decode(msgspec.msgpack.encode(index), type=LayerIndex)
    assert decoded == index
    for paths in ([file.path for file in index.files], index.others, index.directories, index.whiteouts):
        assert list(paths) == sorted(set(paths))
        assert not any(path.startswith("/") or path.endswith("/") or ".." in path.split("/") for path in paths)
