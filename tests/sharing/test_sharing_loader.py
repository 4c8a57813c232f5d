"""Libraries as the dynamic loader of the image would find them."""

from __future__ import annotations

import struct

import pytest
from support import fleets, images
from support.elf import AARCH64, I386, elf, library

from memlint.sharing.loader import closure, resolve

LIB = library("liba.so")
HERE = elf("here", soname="liba.so")
THERE = elf("there", soname="liba.so")
OTHER_MACHINE = elf("arm", soname="liba.so", machine=AARCH64)
NARROW = elf("narrow", soname="liba.so", machine=I386, bits=32)


def found(tree: images.Tree, **env: str) -> tuple[set[str], set[str]]:
    paths, missing = closure(fleets.view(images.image("x", tree)), "app/bin/app", env)
    return {path for path in paths if path != "app/bin/app"}, missing


def app(**settings: str) -> images.Files:
    return {"app/bin/app": elf("app", needed=("liba.so",), program=True, **settings)}  # type: ignore[arg-type]


def loader_cache(*entries: tuple[str, str]) -> images.Files:
    """An ld.so.cache as glibc 2.32 and later writes it."""
    texts = b""
    start = 48 + 24 * len(entries)
    table = b""
    for name, path in entries:
        table += struct.pack("<iIIIQ", 0x0303, start + len(texts), start + len(texts) + len(name) + 1, 0, 0)
        texts += f"{name}\0{path}\0".encode()
    head = b"glibc-ld.so.cache1.1" + struct.pack("<II", len(entries), len(texts)) + b"\x02" + bytes(19)
    return {"etc/ld.so.cache": head + table + texts}


CASES: dict[str, tuple[images.Tree, dict[str, str], str | None]] = {
    "default directory": ({**app(), "usr/lib/liba.so": LIB}, {}, "usr/lib/liba.so"),
    "multiarch before others": (
        {**app(), "usr/lib/liba.so": HERE, "usr/lib/x86_64-linux-gnu/liba.so": THERE},
        {},
        "usr/lib/x86_64-linux-gnu/liba.so",
    ),
    "RPATH": ({**app(rpath="/opt/lib"), "opt/lib/liba.so": HERE, "usr/lib/liba.so": THERE}, {}, "opt/lib/liba.so"),
    "RPATH before LD_LIBRARY_PATH": (
        {**app(rpath="/opt/lib"), "opt/lib/liba.so": HERE, "env/liba.so": THERE},
        {"LD_LIBRARY_PATH": "/env"},
        "opt/lib/liba.so",
    ),
    "LD_LIBRARY_PATH before RUNPATH": (
        {**app(runpath="/opt/lib"), "opt/lib/liba.so": HERE, "env/liba.so": THERE},
        {"LD_LIBRARY_PATH": "/absent:/env"},
        "env/liba.so",
    ),
    "RPATH does not count beside RUNPATH": (
        {**app(rpath="/r", runpath="/absent"), "r/liba.so": HERE, "usr/lib/liba.so": THERE},
        {},
        "usr/lib/liba.so",
    ),
    "several directories": (
        {**app(runpath="/absent:/opt/lib"), "opt/lib/liba.so": HERE},
        {},
        "opt/lib/liba.so",
    ),
    "$ORIGIN": ({**app(runpath="$ORIGIN/../lib"), "app/lib/liba.so": LIB}, {}, "app/lib/liba.so"),
    "${ORIGIN}": ({**app(rpath="${ORIGIN}/../lib"), "app/lib/liba.so": LIB}, {}, "app/lib/liba.so"),
    "ld.so.cache": (
        {**app(), **loader_cache(("liba.so", "/opt/a/liba.so")), "opt/a/liba.so": HERE, "usr/lib/liba.so": THERE},
        {},
        "opt/a/liba.so",
    ),
    "ld.so.cache after RUNPATH": (
        {**app(runpath="/r"), **loader_cache(("liba.so", "/opt/a/liba.so")), "opt/a/liba.so": HERE, "r/liba.so": THERE},
        {},
        "r/liba.so",
    ),
    "ld.so.cache that is out of date": (
        {**app(), **loader_cache(("liba.so", "/gone/liba.so")), "usr/lib/liba.so": LIB},
        {},
        "usr/lib/liba.so",
    ),
    "another machine's is passed over": (
        {**app(runpath="/one:/two:/three"), "one/liba.so": OTHER_MACHINE, "two/liba.so": NARROW, "three/liba.so": LIB},
        {},
        "three/liba.so",
    ),
    "what is no ELF is passed over": (
        {**app(runpath="/one:/two"), "one/liba.so": b"GROUP ( x )", "two/liba.so": LIB},
        {},
        "two/liba.so",
    ),
    "merged usr": (
        {**app(), "lib": images.Link("usr/lib"), "usr/lib/x86_64-linux-gnu/liba.so": LIB},
        {},
        "usr/lib/x86_64-linux-gnu/liba.so",
    ),
    "symlink to a version": (
        {**app(), "usr/lib/liba.so": images.Link("liba.so.1.2"), "usr/lib/liba.so.1.2": LIB},
        {},
        "usr/lib/liba.so.1.2",
    ),
    "absolute symlink": (
        {**app(), "usr/lib/liba.so": images.Link("/opt/liba.so.1"), "opt/liba.so.1": LIB},
        {},
        "opt/liba.so.1",
    ),
    "symlink out of the root": (
        {**app(), "usr/lib/liba.so": images.Link("../../../../opt/liba.so.1"), "opt/liba.so.1": LIB},
        {},
        "opt/liba.so.1",
    ),
    "symlinks in a loop": (
        {**app(), "usr/lib/liba.so": images.Link("libb.so"), "usr/lib/libb.so": images.Link("liba.so")},
        {},
        None,
    ),
    "symlink to itself": ({**app(), "usr/lib/liba.so": images.Link("liba.so")}, {}, None),
    "nowhere": (app(), {}, None),
}


@pytest.mark.parametrize(("tree", "env", "expected"), CASES.values(), ids=CASES)
def test_which_file(tree: images.Tree, env: dict[str, str], expected: str | None) -> None:
    assert found(tree, **env) == (({expected}, set()) if expected else (set(), {"liba.so"}))


def test_an_rpath_is_inherited_and_a_runpath_is_not() -> None:
    libraries = {"opt/liba.so": library("liba.so", "libb.so"), "opt/libb.so": library("libb.so")}
    assert found({**app(rpath="/opt"), **libraries}) == ({"opt/liba.so", "opt/libb.so"}, set())
    assert found({**app(runpath="/opt"), **libraries}) == ({"opt/liba.so"}, {"libb.so"})


def test_a_runpath_puts_inherited_rpaths_out_of_force() -> None:
    needs = elf("needs", soname="liba.so", needed=("libb.so",), runpath="/absent")
    libraries = {"opt/liba.so": needs, "opt/libb.so": library("libb.so")}
    assert found({**app(rpath="/opt"), **libraries}) == ({"opt/liba.so"}, {"libb.so"})


def test_libraries_that_need_each_other() -> None:
    libraries = {"usr/lib/liba.so": library("liba.so", "libb.so"), "usr/lib/libb.so": library("libb.so", "liba.so")}
    assert found({**app(), **libraries}) == ({"usr/lib/liba.so", "usr/lib/libb.so"}, set())


@pytest.mark.parametrize("value", ["/opt/libp.so", "libp.so", "/opt/libp.so:/opt/libq.so", "/opt/libp.so /opt/libq.so"])
def test_preload(value: str) -> None:
    tree = {
        **app(),
        "usr/lib/liba.so": LIB,
        "opt/libp.so": library("libp.so"),
        "usr/lib/libp.so": images.Link("/opt/libp.so"),
    }
    paths, missing = found(tree, LD_PRELOAD=value)
    assert paths == {"usr/lib/liba.so", "opt/libp.so"}
    assert missing == ({"/opt/libq.so"} if "libq" in value else set())


def test_musl() -> None:
    """Alpine's loader is its libc."""
    tree: images.Tree = {
        "app/bin/app": elf("app", needed=("libc.musl-x86_64.so.1",), interp="/lib/ld-musl-x86_64.so.1"),
        "lib/ld-musl-x86_64.so.1": elf("musl", soname="libc.musl-x86_64.so.1"),
        "lib/libc.musl-x86_64.so.1": images.Link("ld-musl-x86_64.so.1"),
    }
    assert found(tree) == ({"lib/ld-musl-x86_64.so.1"}, set())


def test_a_missing_interpreter_is_named() -> None:
    tree = {"app/bin/app": elf("app", interp="/lib64/ld-linux-x86-64.so.2")}
    assert found(tree) == (set(), {"/lib64/ld-linux-x86-64.so.2"})


def test_a_needed_name_with_a_slash_is_a_path() -> None:
    tree = {"app/bin/app": elf("app", needed=("/opt/liba.so",), program=True), "opt/liba.so": LIB}
    assert found(tree) == ({"opt/liba.so"}, set())


def test_what_is_not_there_maps_nothing() -> None:
    assert closure(fleets.view(images.image("x", {"a": b"a"})), "app", {}) == (set(), set())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b/c", "a/b/c"),
        ("//a//./b/../c/", "a/c"),
        ("/../../a", "a"),
        ("/l/x", "t/u/x"),
        ("/l/../x", "t/x"),
        ("/abs/x", "t/u/x"),
        ("/up/x", "x"),
    ],
)
def test_resolve(path: str, expected: str) -> None:
    tree: images.Tree = {
        "l": images.Link("t/u"),
        "abs": images.Link("/t/u"),
        "up": images.Link("../../.."),
        "t/u/f": b"",
    }
    assert resolve(fleets.view(images.image("x", tree)), path) == expected
