from __future__ import annotations

import pytest
from layer_files import owners

from memlint.layers.packages import Databases
from memlint.model.layer import Package

STATUS = b"""\
Package: libc6
Status: install ok installed
Priority: optional
Section: libs
Installed-Size: 13000
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9+deb12u10
Replaces: libc6-amd64
Depends: libgcc-s1, libcrypt1
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab
Description: GNU C Library: Shared libraries
 Contains the standard libraries that are used by nearly all programs on
 the system.
 Version: no field, but a line of the description
Homepage: https://www.gnu.org/software/libc/libc.html

Package: bash
Essential: yes
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b8

Package: openssl
Status: install ok installed
Architecture: amd64
Version: 3.0.17-1~deb12u2
"""
LIBC_LIST = b"""\
/.
/lib
/lib/x86_64-linux-gnu
/lib/x86_64-linux-gnu/libc.so.6
/lib64
/lib64/ld-linux-x86-64.so.2
/usr
/usr/share/doc/libc6/copyright
"""
LAYER = {
    "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/info/libc6:amd64.list": LIBC_LIST,
    "var/lib/dpkg/info/bash.list": b"/.\n/bin\n/bin/bash\n/usr/bin/bashbug\n",
}
LIBC = Package("libc6", "2.36-9+deb12u10", "deb")
BASH = Package("bash", "5.2.15-2+b8", "deb")


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("lib/x86_64-linux-gnu/libc.so.6", LIBC),
        ("usr/lib/x86_64-linux-gnu/libc.so.6", LIBC),
        ("usr/lib64/ld-linux-x86-64.so.2", LIBC),
        ("usr/share/doc/libc6/copyright", LIBC),
        ("share/doc/libc6/copyright", None),
        ("usr/bin/bash", BASH),
        ("bin/bashbug", BASH),
        ("opt/bash", None),
        ("usr/bin/openssl", None),
    ],
)
def test_a_listed_file_has_the_version_of_status_in_either_spelling(path: str, package: Package | None) -> None:
    assert owners(LAYER, [path]).get(path) == package


def test_the_spelling_of_the_list_is_preferred() -> None:
    assert owners(LAYER, ["bin/bash", "usr/bin/bash"]) == {"bin/bash": BASH}


def test_the_order_of_the_files_does_not_matter() -> None:
    paths = ["usr/bin/bash", "usr/lib/x86_64-linux-gnu/libc.so.6"]
    backwards = dict(reversed(list(LAYER.items())))
    assert owners(backwards, paths) == owners(LAYER, paths) == dict(zip(paths, (BASH, LIBC), strict=True))


def test_each_architecture_has_its_own_version() -> None:
    status = b"""\
Package: libz
Architecture: amd64
Version: 1

Package: libz
Architecture: i386
Version: 2
"""
    files = {
        "var/lib/dpkg/status": status,
        "var/lib/dpkg/info/libz:i386.list": b"/usr/lib/i386-linux-gnu/libz.so.1\n",
        "var/lib/dpkg/info/libz:amd64.list": b"/usr/lib/x86_64-linux-gnu/libz.so.1\n",
    }
    assert owners(files, ["usr/lib/i386-linux-gnu/libz.so.1", "usr/lib/x86_64-linux-gnu/libz.so.1"]) == {
        "usr/lib/i386-linux-gnu/libz.so.1": Package("libz", "2", "deb"),
        "usr/lib/x86_64-linux-gnu/libz.so.1": Package("libz", "1", "deb"),
    }


def test_distroless_names_a_package_per_file() -> None:
    files = {
        "var/lib/dpkg/status.d/libssl3": b"Package: libssl3\nArchitecture: amd64\nVersion: 3.0.17-1\n",
        "var/lib/dpkg/status.d/libssl3.md5sums": (
            b"7d1b8f5d2b6d5a1f8a1c2d1b3e5f6a7b  usr/lib/x86_64-linux-gnu/libssl.so.3\n"
        ),
        "var/lib/dpkg/status.d/netbase": b"Package: netbase\nVersion: 6.4\n",
    }
    path = "usr/lib/x86_64-linux-gnu/libssl.so.3"
    assert owners(files, [path, "etc/services"]) == {path: Package("libssl3", "3.0.17-1", "deb")}


@pytest.mark.parametrize(
    "status",
    [
        b"",
        b"Package: bash\n",
        b"Package: bash\nVersion:\n",
        b"Package: bash\n\nVersion: 1\n",
        b"Package: bash\nVersion: 1\x1b[31m\n",
        b"Package: bash\nVersion: " + b"1" * 300,
    ],
)
def test_a_package_without_a_credible_version_owns_nothing(status: bytes) -> None:
    assert owners(LAYER | {"var/lib/dpkg/status": status}, ["bin/bash"]) == {}


def test_bytes_that_are_no_utf8_are_escaped() -> None:
    files = LAYER | {"var/lib/dpkg/status": b"Package: bash\nVersion: 1\xff\n"}
    assert owners(files, ["bin/bash"]) == {"bin/bash": Package("bash", "1\\xff", "deb")}


def test_a_file_that_comes_again_replaces_the_former() -> None:
    databases = Databases()
    for version in (b"1", b"2"):
        status = b"Package: bash\nVersion: %s\n" % version
        databases.add("var/lib/dpkg/status", len(status), iter([status]))
    databases.add("var/lib/dpkg/info/bash.list", 10, iter([b"/bin/", b"bash\n"]))
    assert databases.owners({"bin/bash"}) == {"bin/bash": Package("bash", "2", "deb")}
