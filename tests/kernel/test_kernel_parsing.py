"""What the kernel writes in /proc, line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlint.kernel.mappings import Area, MappedName, areas, may_be_nameless, name
from memlint.kernel.memory import parse, together
from memlint.kernel.mounts import Mount, inside, mounts
from memlint.kernel.overlay_options import OverlayOptions, overlay_options

MAPS = b"""\
5589bcab9000-5589bcabb000 r--p 00000000 fe:00 260386                     /usr/bin/head
5589bcabb000-5589bcac1000 r-xp 00002000 fe:00 260386                     /usr/bin/head
5589bd000000-5589bd021000 rw-p 00000000 00:00 0                          [heap]
f7d00000-f7d01000 r-xp 00001000 08:01 7                                  /lib32/odd  name\\012two \n\
7f0000000000-7f0000001000 rw-s 00000000 00:01 99                         /dev/zero (deleted)
7f0000001000-7f0000002000 rw-p 00000000 00:00 0 
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
"""  # noqa: W291


def test_areas_are_mappings_with_a_path() -> None:
    head = b"fe:00 260386                     /usr/bin/head"
    odd = b"08:01 7                                  /lib32/odd  name\\012two "
    zero = b"00:01 99                         /dev/zero (deleted)"
    assert areas(MAPS) == [
        Area(0x5589BCAB9000, 0x5589BCABB000, 0, head),
        Area(0x5589BCABB000, 0x5589BCAC1000, 0x2000, head),
        Area(0xF7D00000, 0xF7D01000, 0x1000, odd),
        Area(0x7F0000000000, 0x7F0000001000, 0, zero, written=True),
    ]
    assert areas(b"") == areas(b"broken\n-\n") == []


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (b"fe:00 260386      /usr/bin/head", MappedName((0xFE, 0), 260386, "/usr/bin/head")),
        (b"08:1f 7   /a  b\\012c ", MappedName((8, 0x1F), 7, "/a  b\nc ")),
        (b"08:01 7   /a (deleted)", MappedName((8, 1), 7, "/a (deleted)")),
        (b"08:01 7   /\xff\\x", MappedName((8, 1), 7, "/\udcff\\x")),
    ],
)
def test_a_file_has_a_name(file: bytes, expected: MappedName) -> None:
    assert name(file) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/memfd:runc (deleted)", True),
        ("/dev/zero (deleted)", True),
        ("/SYSV00000000 (deleted)", True),
        ("/anon_hugepage (deleted)", True),
        ("/usr/bin/head", False),
    ],
)
def test_memory_may_have_a_files_name(path: str, expected: bool) -> None:
    assert may_be_nameless(path) is expected


ROLLUP = b"""\
5618a9462000-7fff9fd7a000 ---p 00000000 00:00 0                          [rollup]
Rss:                1732 kB
Pss:                 240 kB
Pss_Dirty:           108 kB
Pss_Anon:            108 kB
Pss_File:            132 kB
Pss_Shmem:             0 kB
Private_Clean:        40 kB
Private_Dirty:       108 kB
Shared_Hugetlb:     2048 kB
Private_Hugetlb:    4096 kB
Swap:                  4 kB
"""


def test_memory_is_the_kernels_in_bytes() -> None:
    memory = parse(ROLLUP)
    assert (memory.rss_bytes, memory.pss_bytes, memory.uss_bytes) == (1732 * 1024, 240 * 1024, 148 * 1024)
    assert (memory.swap_bytes, memory.pss_file_bytes, memory.pss_anon_bytes) == (4096, 132 * 1024, 108 * 1024)
    assert memory.pss_shmem_bytes == 0
    assert memory.hugetlb_bytes == 6 << 20


def test_old_kernels_part_nothing_and_list_each_mapping() -> None:
    mapping = (
        b"Size: 8 kB\nRss: 4 kB\nPss: 2 kB\nPrivate_Clean: 1 kB\nPrivate_Dirty: 1 kB\nSwap: 0 kB\nVmFlags: rd mr\n"
    )
    memory = parse(mapping * 3)
    assert (memory.rss_bytes, memory.pss_bytes, memory.uss_bytes) == (12288, 6144, 6144)
    assert memory.pss_file_bytes is memory.hugetlb_bytes is None
    assert parse(b"").rss_bytes is None


def test_an_unknown_part_makes_the_sum_unknown() -> None:
    both = together([parse(ROLLUP), parse(b"Rss: 4 kB\nPss: 4 kB\n")])
    assert both.rss_bytes == 1736 * 1024
    assert both.uss_bytes is None
    assert together([]).rss_bytes == 0


MOUNTINFO = b"""\
22 27 0:21 / /proc rw,relatime - proc proc rw
40 27 8:1 /var/lib/x\\134y /mnt/a\\040b rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw,errors=remount-ro
50 27 0:90 / / ro - overlay overlay rw,lowerdir=a\\134\\054b:c,upperdir=u,workdir=w
broken
60 27 0:91 / /x rw - ext4
x 27 0:91 / /x rw - ext4 none rw
61 27 0:91 / /empty rw - tmpfs  rw
"""


def test_mounts_are_known_by_their_number() -> None:
    found = mounts(MOUNTINFO)
    assert sorted(found) == [22, 40, 50, 61]
    assert found[40] == Mount(40, (8, 1), "/var/lib/x\\y", "/mnt/a b", "ext4", b"rw,errors=remount-ro", "/dev/sda1")
    assert inside(found[40], "/mnt/a b/lib/c.so") == "var/lib/x\\y/lib/c.so"
    assert inside(found[40], "/mnt/a bc") is None
    assert inside(found[50], "/usr/lib/c.so") == "usr/lib/c.so"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (b"rw,lowerdir=/a:/b,upperdir=/u,workdir=/w", OverlayOptions("/u", ("/a", "/b"), (), False)),
        (b"ro,lowerdir=/a", OverlayOptions(None, ("/a",), (), False)),
        (
            b"rw,lowerdir=l/AB:l/CD,upperdir=x/diff,workdir=x/work",
            OverlayOptions("x/diff", ("l/AB", "l/CD"), (), False),
        ),
        (
            b"ro,lowerdir=a\\134\\054b:c\\134:d:e\\134\\134f:g\\040h",
            OverlayOptions(None, ("a,b", "c:d", "e\\f", "g h"), (), False),
        ),
        (b"rw,lowerdir=c,upperdir=u\\134\\054p,userxattr", OverlayOptions("u,p", ("c",), (), True)),
        (b"ro,lowerdir=a:b::d1::d2,metacopy=on", OverlayOptions(None, ("a", "b"), ("d1", "d2"), False)),
        (
            b"ro,lowerdir+=/x/a\\054b,lowerdir+=/x/c:d,datadir+=/x/data,metacopy=on",
            OverlayOptions(None, ("/x/a,b", "/x/c:d"), ("/x/data",), False),
        ),
        (b"rw", OverlayOptions(None, (), (), False)),
    ],
)  # as Linux 6.18 wrote them for mounts with such names
def test_layers_of_an_overlay(options: bytes, expected: OverlayOptions) -> None:
    assert overlay_options(options) == expected


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1), min_size=1))
def test_layers_have_whatever_names_directories_have(names: list[str]) -> None:
    given_to_mount = ":".join("".join("\\" + char if char in ":,\\" else char for char in each) for each in names)
    escaped = b"".join(b"\\%03o" % byte if byte in b" \t\n\\," else bytes((byte,)) for byte in given_to_mount.encode())
    assert overlay_options(b"rw,lowerdir=" + escaped).lower == tuple(names)


@given(st.binary())
def test_whatever_stands_there_is_no_accident(text: bytes) -> None:
    areas(text)
    mounts(text)
    overlay_options(text)
    parse(text)
