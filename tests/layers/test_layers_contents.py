"""Two layers hold the same or not, whatever their times are and however they are kept."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest
from support.images import digest

from memlint.layers.contents import contents_of
from memlint.layers.limits import Limits
from memlint.model.digest import ChainID, ContentID, parse_diff_id
from memlint.model.image import Blob, Descriptor, Directory, Layer

Entry = tuple[str, dict[str, object], bytes]
TREE: tuple[Entry, ...] = (
    ("etc", {"type": tarfile.DIRTYPE, "mode": 0o755}, b""),
    ("etc/app.conf", {"mode": 0o640, "gid": 7}, b"setting"),
    ("usr/bin/app", {"mode": 0o4755}, b"program" * 300_000),
    ("usr/bin/link", {"type": tarfile.SYMTYPE, "linkname": "app"}, b""),
    ("usr/bin/hard", {"type": tarfile.LNKTYPE, "linkname": "usr/bin/app"}, b""),
    ("lib/x.pyc", {"mode": 0o644}, b"\xa7\r\r\n\0\0\0\0TIMESIZE" + b"code"),
)


def layer(*entries: Entry, mtime: int = 0) -> Layer:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, fields, data in entries:
            info = tarfile.TarInfo(path)
            info.mtime, info.size = mtime, len(data)
            for field, value in fields.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(data))
    data = out.getvalue()
    name = parse_diff_id(digest(data))
    return Layer(Descriptor("", None, len(data)), name, ChainID(name), "", Blob(lambda: io.BytesIO(data)))


def contents(*entries: Entry, mtime: int = 0) -> ContentID | None:
    return contents_of(layer(*entries, mtime=mtime), Limits())


def changed(path: str, **fields: object) -> list[Entry]:
    """The tree with one entry that is another; `data` is its content, `name` its path."""
    found = []
    for name, own, data in TREE:
        entry = (name, own, data)
        if name == path:
            rest = {key: value for key, value in fields.items() if key not in ("data", "name")}
            content = fields.get("data", data)
            assert isinstance(content, bytes)
            entry = (str(fields.get("name", name)), {**own, **rest}, content)
        found.append(entry)
    return found


@pytest.mark.parametrize(
    "more",
    [
        ("var/log/dpkg.log", {}, b"2024-01-01 installed"),
        ("var/cache/ldconfig/aux-cache", {}, b"inodes"),
        ("var/cache/apt/pkgcache.bin", {}, b"cache"),
        ("var/lib/apt/lists/archive_Packages", {}, b"list"),
        ("var/lib/dpkg/status-old", {}, b"before"),
        ("etc/machine-id", {}, b"0123456789abcdef"),
        ("etc/resolv.conf", {}, b"nameserver 10.0.0.1"),
        ("etc/passwd-", {}, b"root"),
        ("tmp/left", {}, b"behind"),
    ],
    ids=lambda entry: entry[0],
)
def test_times_and_what_a_run_leaves_behind_are_no_difference(more: Entry) -> None:
    assert contents(*TREE) == contents(*TREE, more, mtime=1_700_000_000) is not None
    assert contents(*TREE, more) == contents(*TREE, (more[0], more[1], b"another"))


def test_the_time_of_its_source_in_a_compiled_file_is_none_either() -> None:
    assert contents(*TREE) == contents(*changed("lib/x.pyc", data=b"\xa7\r\r\n\0\0\0\0timesize" + b"code"))
    assert contents(*TREE) != contents(*changed("lib/x.pyc", data=b"\xa7\r\r\n\0\0\0\0TIMESIZE" + b"Code"))


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("etc/app.conf", {"data": b"Setting"}),
        ("etc/app.conf", {"mode": 0o644}),
        ("etc/app.conf", {"uid": 1}),
        ("etc/app.conf", {"gid": 0}),
        ("etc/app.conf", {"name": "etc/other.conf"}),
        ("etc/app.conf", {"name": "etc/.wh.app.conf"}),
        ("etc/app.conf", {"pax_headers": {"SCHILY.xattr.security.capability": "x"}}),
        ("etc", {"mode": 0o700}),
        ("usr/bin/link", {"linkname": "hard"}),
        ("usr/bin/link", {"type": tarfile.REGTYPE, "linkname": ""}),
        ("usr/bin/app", {"data": b"program" * 299_999 + b"Program"}),
    ],
)
def test_all_else_is_one(path: str, fields: dict[str, object]) -> None:
    assert contents(*TREE) != contents(*changed(path, **fields))


def test_a_directory_that_hides_what_is_below_is_another() -> None:
    assert contents(*TREE) != contents(*TREE, ("etc/.wh..wh..opq", {}, b""))


def test_a_layer_that_was_unpacked_holds_what_its_tar_does(tmp_path: Path) -> None:
    root = tmp_path / "diff"
    (root / "sub/deep").mkdir(parents=True)
    (root / "sub/file").write_bytes(b"x" * 3_000_000)
    (root / "sub/file").chmod(0o640)
    (root / "sub/deep/link").symlink_to("../file")
    os.link(root / "sub/file", root / "sub/again")
    os.mkfifo(root / "pipe")
    (root / "var/log").mkdir(parents=True)
    (root / "var/log/x.log").write_text("now")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(root, ".")
    data = out.getvalue()
    name = parse_diff_id(digest(data))
    packed = Layer(Descriptor("", None, None), name, ChainID(name), "", Blob(lambda: io.BytesIO(data)))
    unpacked = Layer(Descriptor("", None, None), name, ChainID(name), "", Directory(str(root)))
    before = contents_of(packed, Limits())
    assert before == contents_of(unpacked, Limits()) is not None
    (root / "sub/file").chmod(stat.S_IRUSR)
    assert contents_of(unpacked, Limits()) != before


def test_what_only_passed_by_cannot_be_told() -> None:
    name = parse_diff_id(digest(b""))
    assert contents_of(Layer(Descriptor("", None, None), name, ChainID(name), "", None), Limits()) is None
