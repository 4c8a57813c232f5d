"""All packages of the databases, with what they need."""

from __future__ import annotations

import pytest
from layer_files import reused
from rpm_files import DATABASE, STRINGS, database, header, package

from memlint.layers.packages import Databases
from memlint.layers.release import parse_release
from memlint.model.layer import BUILT, URL, Installed, Package, Release

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
Recommends: ca-certificates | ca-bundle, python3-doc (>= 3)
Conflicts: python-old, python3-lib (<< 1)
Breaks: python3-broken

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
D:so:libc.musl-x86_64.so.1 zlib>=1.3 !uclibc !old<2
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
    assert python.recommends == (("ca-certificates", "ca-bundle"), ("python3-doc",))
    assert python.conflicts == ("python-old", "python3-broken")


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
    assert busybox.conflicts == ("uclibc",)
    busybox, musl = installed({path: APK, "etc/apk/world": b"busybox>1\n"})
    assert (busybox.asked, musl.asked) == (True, False)


def test_rpm() -> None:
    values = package("bash", ["/usr/bin/"], [(0, "bash")]) | {
        1009: (4, [8_000_000]),
        1047: (STRINGS, ["bash", "/bin/sh"]),
        1049: (STRINGS, ["rpmlib(FileDigests)", "libc.so.6()(64bit)", "(a if b)", "filesystem"]),
        5046: (STRINGS, ["bash-completion", "(c if d)"]),
    }
    (bash,) = installed({DATABASE: database(header(values))})
    assert bash.needs == (("filesystem",), ("libc.so.6()(64bit)",))
    assert bash.provides == ("/bin/sh", "bash")
    assert (bash.size, bash.asked) == (8_000_000, None)
    assert bash.recommends == (("bash-completion",),)


def test_python() -> None:
    path = "usr/lib/python3/dist-packages/Some.Package-1.0.dist-info/METADATA"
    requested = path.replace("METADATA", "REQUESTED")
    needs = (("typing-extensions",), ("foo-bar",))
    (found,) = installed({path: METADATA, requested: b""})
    assert found == Installed(Package("Some.Package", "1.0", "pypi"), path, needs, ("some-package",), None, True)
    assert installed({path: METADATA})[0].asked is None


def test_the_size_of_a_python_package_is_that_of_its_files() -> None:
    info = "usr/local/lib/python3.11/site-packages/Some.Package-1.0.dist-info"
    record = b'a.py,sha256=x,10\r\n"b,7",sha256=y,200\nb.pyc,,\n'
    assert installed({f"{info}/METADATA": METADATA, f"{info}/RECORD": record})[0].size == 210
    assert installed({f"{info}/METADATA": METADATA, f"{info}/RECORD": b"b.pyc,,\n"})[0].size is None


@pytest.mark.parametrize(
    ("name", "content", "outside"),
    [
        ("direct_url.json", b'{"url": "file:///src", "dir_info": {}}', URL),
        ("WHEEL", b"Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n", BUILT),
        ("WHEEL", b"Tag: cp311-cp311-manylinux_2_17_x86_64\nTag: cp311-cp311-manylinux2014_x86_64\n", ""),
        ("WHEEL", b"Tag: cp311-cp311-linux_armv7l\n", ""),
        ("WHEEL", b"Tag: py3-none-any\n", ""),
        ("WHEEL", b"", ""),
    ],
)
def test_what_may_be_in_no_index(name: str, content: bytes, outside: str) -> None:
    info = "usr/local/lib/python3.11/site-packages/Some.Package-1.0.dist-info"
    (found,) = installed({f"{info}/METADATA": METADATA, f"{info}/{name}": content})
    assert found.outside == outside


def test_what_a_distribution_brings_of_a_language_is_within_its_package() -> None:
    path = "usr/lib/python3/dist-packages/Some.Package-1.0.dist-info/METADATA"
    status = b"Package: python3-some\nStatus: install ok installed\nVersion: 2\n"
    listing = {"var/lib/dpkg/status": status, "var/lib/dpkg/info/python3-some.list": f"/{path}\n".encode()}
    found = {each.package.type: each for each in installed({path: METADATA, **listing})}
    assert found["pypi"].within == found["deb"].package
    assert installed({path: METADATA, "var/lib/dpkg/status": status})[1].within is None


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
