"""All packages of the databases, with what they need."""

from __future__ import annotations

import pytest
from layer_files import reused
from rpm_files import DATABASE, STRINGS, database, header, package

from memlint.layers.packages import Databases
from memlint.layers.release import parse_release
from memlint.model.layer import Installed, Package, Release

STATUS = b"""\
Package: libc6
Status: install ok installed
Installed-Size: 13000
Version: 2.36-9
Depends: libgcc-s1, libcrypt1 (>= 1:4.4.10-10~)

Package: python3
Status: install ok installed
Version: 3.11.2-1
Pre-Depends: python3-minimal (= 3.11.2-1)
Depends: python3.11 (>= 3.11.2-1~), libpython3-stdlib:any, mawk | awk
Provides: python3-profiler, python3-lib (= 1)

Package: gone
Status: deinstall ok config-files
Version: 1
"""
STATES = b"Package: libc6\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: python3\nAuto-Installed: 0\n"
APK = b"""\
P:musl
V:1.2.5-r9
I:667648
p:so:libc.musl-x86_64.so.1=1

P:busybox
V:1.36-r0
D:so:libc.musl-x86_64.so.1 zlib>=1.3 !uclibc
"""
METADATA = b"""\
Metadata-Version: 2.1
Name: Some.Package
Version: 1.0
Requires-Dist: typing-extensions (>=4)
Requires-Dist: tomli ; python_version < "3.11"
Requires-Dist: Foo_Bar[extra]>=2

Requires-Dist: not a header
"""


def installed(files: dict[str, bytes]) -> list[Installed]:
    databases = Databases()
    for path, content in files.items():
        databases.add(path, len(content), reused(content))
    return databases.installed()


def test_dpkg() -> None:
    path = "var/lib/dpkg/status"
    libc, python = installed({path: STATUS})
    needs = (("libgcc-s1",), ("libcrypt1",))
    assert libc == Installed(Package("libc6", "2.36-9", "deb"), path, needs, (), 13000 * 1024, None)
    assert python.needs == (("python3-minimal",), ("python3.11",), ("libpython3-stdlib",), ("mawk", "awk"))
    assert python.provides == ("python3-profiler", "python3-lib")
    assert python.size is None


def test_apt_says_what_was_asked_for() -> None:
    found = installed({"var/lib/dpkg/status": STATUS, "var/lib/apt/extended_states": STATES})
    assert [(each.package.name, each.asked) for each in found] == [("libc6", False), ("python3", True)]


def test_distroless() -> None:
    found = installed({"var/lib/dpkg/status.d/tzdata": b"Package: tzdata\nVersion: 1\nDepends: x\n"})
    assert found == [Installed(Package("tzdata", "1", "deb"), "var/lib/dpkg/status.d/tzdata", (("x",),))]


def test_apk() -> None:
    path = "lib/apk/db/installed"
    busybox, musl = installed({path: APK})
    assert musl == Installed(Package("musl", "1.2.5-r9", "apk"), path, (), ("so:libc.musl-x86_64.so.1",), 667648)
    assert busybox.needs == (("so:libc.musl-x86_64.so.1",), ("zlib",))
    busybox, musl = installed({path: APK, "etc/apk/world": b"busybox>1\n"})
    assert (busybox.asked, musl.asked) == (True, False)


def test_rpm() -> None:
    values = package("bash", ["/usr/bin/"], [(0, "bash")]) | {
        1009: (4, [8_000_000]),
        1047: (STRINGS, ["bash", "/bin/sh"]),
        1049: (STRINGS, ["rpmlib(FileDigests)", "libc.so.6()(64bit)", "(a if b)", "filesystem"]),
    }
    (bash,) = installed({DATABASE: database(header(values))})
    assert bash.needs == (("filesystem",), ("libc.so.6()(64bit)",))
    assert bash.provides == ("/bin/sh", "bash")
    assert (bash.size, bash.asked) == (8_000_000, None)


def test_python() -> None:
    path = "usr/lib/python3/dist-packages/Some.Package-1.0.dist-info/METADATA"
    requested = path.replace("METADATA", "REQUESTED")
    needs = (("typing-extensions",), ("foo-bar",))
    (found,) = installed({path: METADATA, requested: b""})
    assert found == Installed(Package("Some.Package", "1.0", "pypi"), path, needs, ("some-package",), None, True)
    assert installed({path: METADATA})[0].asked is None


@pytest.mark.parametrize("needs", ['{"b": "^1", "a": "*"}', "[]", '"x"', "null"])
def test_npm(needs: str) -> None:
    path = "usr/lib/node_modules/x/package.json"
    content = f'{{"name": "x", "version": "1.2.3", "dependencies": {needs}}}'.encode()
    (found,) = installed({path: content})
    expected = (("a",), ("b",)) if needs.startswith("{") else ()
    assert found == Installed(Package("x", "1.2.3", "npm"), path, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('PRETTY_NAME="Debian"\nVERSION_ID="12"\nID=debian\n', Release("debian", "12")),
        ("ID=alpine\nVERSION_ID=3.19.1\n", Release("alpine", "3.19.1")),
        ("ID='arch'\n", Release("arch", "")),
        ("VERSION_ID=1\n", None),
        ("ID=a b\n", None),
        ("\xff\xfe", None),
    ],
)
def test_release(text: str, expected: Release | None) -> None:
    assert parse_release(text.encode("latin-1")) == expected
