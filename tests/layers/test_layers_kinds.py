"""Files that are mapped whole are told by their content; what merely resembles them is not."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlint.layers.kinds import may_be_whole, whole_file_bytes, whole_file_kind


def _pe(pe: int = 0x80, magic: int = 0x20B, cli: tuple[int, int] = (0x2008, 72), signature: bytes = b"PE\0\0") -> bytes:
    """The front of a Windows program: DOS stub, PE header, data directories."""
    data = bytearray(512)
    data[:2] = b"MZ"
    struct.pack_into("<I", data, 60, pe)
    at = pe + 24 + (112 if magic == 0x20B else 96) + 14 * 8
    for offset, part in ((pe, signature), (pe + 24, struct.pack("<H", magic)), (at, struct.pack("<II", *cli))):
        if offset + len(part) <= len(data):
            data[offset : offset + len(part)] = part
    return bytes(data)


KINDS = {
    "jvm-modules": b"\xda\xda\xfe\xca\0\0\1\0",
    "jvm-modules, big endian": b"\xca\xfe\xda\xda\0\0\1\0",
    "jvm-cds": b"\xa2\xba\x0b\xf0" + bytes(8),
    "jvm-cds, dynamic": b"\xf0\x0b\xba\xa2" + bytes(8),
    "locale-archive": b"\x09\x01\x02\xde" + bytes(8),
    "locale-archive, big endian": b"\xde\x02\x01\x09" + bytes(8),
    "gguf": b"GGUF\3\0\0\0",
    "icu": b"\x20\x00\xda\x27\x14\0\0\0\0\0\2\0CmnD\1\0\0\0",
    "icu, with a copyright": b"\x70\x00\xda\x27\x14\0\0\0\0\0\2\0CmnD\1\0\0\0",
    "icu, big endian": b"\x00\x80\xda\x27\x00\x14\0\0\1\0\2\0CmnD\1\0\0\0",
    "safetensors": (30).to_bytes(8, "little") + b'{"__metadata__":{"format":"pt"}}',
    "dotnet": _pe(),
    "dotnet, 32 bit": _pe(magic=0x10B),
    "dotnet, longer stub": _pe(pe=0x100),
}
NEAR = {
    "empty": b"",
    "text with a brace at offset 8": b'let x = {"a": 1, "b": 2}',
    "a length that the file has not": (1000).to_bytes(8, "little") + b'{"a":1}',
    "no length": bytes(8) + b'{"a":1}',
    "JSON": b'{"a": {"b": 1}}',
    "Java class": b"\xca\xfe\xba\xbe\0\0\0\x3d",
    "ICU's own resource": b"\x20\x00\xda\x27\x14\0\0\0\0\0\2\0ResB\1\0\0\0",
    "ggml before GGUF": b"ggjt\1\0\0\0",
    "DOS program": b"MZ" + bytes(510),
    "Windows program without CLI header": _pe(cli=(0, 0)),
    "CLI header without length": _pe(cli=(0x2008, 0)),
    "not PE behind MZ": _pe(signature=b"NE\0\0"),
    "PE of a third kind": _pe(magic=0x107),
    "PE header behind the front": _pe(pe=0x1F0),
    "PE header far away": _pe(pe=0xFFFFFFFF),
    "MZ alone": b"MZ",
    "cut inside the directories": _pe()[:300],
}


@pytest.mark.parametrize(("name", "front"), KINDS.items(), ids=list(KINDS))
def test_kinds(name: str, front: bytes) -> None:
    assert may_be_whole(front[:16])
    assert whole_file_kind(front, 512) == name.partition(",")[0]


@pytest.mark.parametrize("front", NEAR.values(), ids=list(NEAR))
def test_near_misses(front: bytes) -> None:
    assert whole_file_kind(front, 512) is None


@given(
    front=st.sampled_from([*KINDS.values(), *NEAR.values()]),
    at=st.integers(0, 40),
    value=st.binary(max_size=4),
    size=st.integers(0, 1 << 40),
)
def test_the_quick_look_misses_nothing(front: bytes, at: int, value: bytes, size: int) -> None:
    changed = front[:at] + value + front[at + len(value) :]
    if whole_file_kind(changed, size):
        assert may_be_whole(changed[:16])


def test_the_quick_look_sorts_out_most_files() -> None:
    texts = (
        b"<?xml version=1.0?",
        b"import os, sys\n\n\n",
        b"/* a comment  */\n",
        b"PK\3\4" + bytes(12),
        b"0123456789abcdef",
    )
    assert not any(may_be_whole(text[:16]) for text in texts)


@pytest.mark.parametrize(("size", "pages"), [(0, 0), (1, 1), (4096, 1), (4097, 2), (10**12, 244140625)])
def test_whole_file_bytes(size: int, pages: int) -> None:
    assert whole_file_bytes(size) == pages * 4096
