from __future__ import annotations

import pytest
from layer_files import owners

from memlint.model.layer import Package

INSTALLED = b"""\
C:Q1P0m1Fo8Qw1XvJm5sC0vUcoU1mYs=
P:musl
V:1.2.5-r9
A:x86_64
S:411000
I:667648
T:the musl c library (libc) implementation
U:https://musl.libc.org/
L:MIT
o:musl
m:Natanael Copa <ncopa@alpinelinux.org>
t:1739469366
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1ZYhB8xSxv1l2cQX3mkYlZ6QG1Nk=
R:libc.musl-x86_64.so.1
a:0:0:777
Z:Q17yJ3JFNypA4mxhJJr0ou6CzsJVI=

C:Q1Zz5fWfVq0Xb2eQ2k6yHcEz3mY0g=
P:alpine-baselayout
V:3.6.8-r1
F:
R:.hidden
F:etc
R:motd
M:0:0:755
F:dev

"""
MUSL = Package("musl", "1.2.5-r9", "apk")
BASE = Package("alpine-baselayout", "3.6.8-r1", "apk")


@pytest.mark.parametrize("database", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("lib/ld-musl-x86_64.so.1", MUSL),
        ("usr/lib/libc.musl-x86_64.so.1", MUSL),
        (".hidden", BASE),
        ("etc/motd", BASE),
        ("usr/etc/motd", None),
        ("lib/motd", None),
    ],
)
def test_a_file_belongs_to_the_paragraph_that_lists_it(database: str, path: str, package: Package | None) -> None:
    assert owners({database: INSTALLED}, [path]).get(path) == package


@pytest.mark.parametrize(
    "installed",
    [
        b"F:lib\nR:a\n",
        b"P:x\nF:lib\nR:a\n",
        b"P:x\nV:1\n\nF:lib\nR:a\n",
        b"P:x\nV:1\nF:lib",
        b"P:x\nV:1\nR:a\n",
    ],
)
def test_a_broken_paragraph_owns_nothing(installed: bytes) -> None:
    assert owners({"lib/apk/db/installed": installed}, ["lib/a"]) == {}
