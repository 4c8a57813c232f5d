"""From a blob as it is stored to a tar that its digests vouch for."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import threading
import zlib
from collections.abc import Callable, Iterator

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from tars import END, header, member, noise

from memlint.errors import LayerError
from memlint.layers import stream
from memlint.layers.archive import index_tar
from memlint.layers.limits import MIB, Limits
from memlint.layers.stream import BLOCK, Promised, TarBlocks, codec_of
from memlint.model.digest import Digest

NOISE = noise(3 * MIB + 77)
PLAIN = member(b"noise", NOISE) + header(b"d/", flag=b"5") + END
TEXT = member(b"text", b"the same again " * 40_000) + END


def _digest(data: bytes, algorithm: str = "sha256") -> Digest:
    return Digest(f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}")


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, 1)


def _gzip_extra(data: bytes) -> bytes:
    """With FEXTRA, FNAME, FCOMMENT and FHCRC set."""
    head = b"\x1f\x8b\x08\x1e" + bytes(6) + struct.pack("<H", 6) + b"AB\x02\0xy" + b"name\0" + b"comment\0"
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return (
        head
        + struct.pack("<H", zlib.crc32(head) & 0xFFFF)
        + packer.compress(data)
        + packer.flush()
        + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    )


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(data)


SKIPPABLE = b"\x53\x2a\x4d\x18" + struct.pack("<I", 700) + b"s" * 700
HALF = len(PLAIN) // 2 + 3
STORED = {
    "plain": PLAIN,
    "gzip": _gzip(PLAIN),
    "gzip of several members": _gzip(PLAIN[:5]) + _gzip(PLAIN[5:HALF]) + _gzip(PLAIN[HALF:]),
    "gzip with empty members": _gzip(b"") + _gzip(PLAIN[:HALF]) + _gzip(b"") + _gzip(PLAIN[HALF:]) + _gzip(b""),
    "gzip padded with zeros": _gzip(PLAIN) + bytes(4096),
    "gzip of several members, one with all header fields": _gzip_extra(PLAIN[:HALF]) + _gzip_extra(PLAIN[HALF:]),
    "gzip, stored": gzip.compress(PLAIN, 0),
    "zstd": _zstd(PLAIN),
    "zstd of several frames": _zstd(PLAIN[:9]) + _zstd(PLAIN[9:HALF]) + _zstd(PLAIN[HALF:]),
    "zstd with empty frames": _zstd(b"") + _zstd(PLAIN) + _zstd(b""),
    "zstd with skippable frames": SKIPPABLE + _zstd(PLAIN[:HALF]) + SKIPPABLE + _zstd(PLAIN[HALF:]) + SKIPPABLE,
    "zstd with a checksum and no size": zstandard.ZstdCompressor(
        write_checksum=True, write_content_size=False
    ).compress(PLAIN),
}


class Dribble(io.RawIOBase):
    """A reader that gives less than it is asked for, as sockets do."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data, self._most, self._at = data, most, 0

    def read(self, size: int = -1, /) -> bytes:
        count = min(self._most, size if size >= 0 else self._most)
        part = self._data[self._at : self._at + count]
        self._at += len(part)
        return part

    def readinto(self, target: memoryview, /) -> int:  # type: ignore[override]
        part = self.read(len(target))
        target[: len(part)] = part
        return len(part)


@pytest.fixture(autouse=True)
def _all_threads_end() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def _tar(stored: bytes, promised: Promised | None = None, limits: Limits | None = None) -> bytes:
    with TarBlocks(io.BytesIO(stored), limits or Limits(), promised or Promised()) as blocks:
        data = b"".join(bytes(block) for block in blocks)
        blocks.verify()
    return data


@pytest.mark.parametrize("said", [True, False], ids=["size known", "size unknown"])
@pytest.mark.parametrize("stored", STORED.values(), ids=list(STORED))
def test_every_encoding_gives_the_same_tar(stored: bytes, said: bool) -> None:
    promised = Promised(len(stored) if said else None, _digest(stored), _digest(PLAIN))
    assert _tar(stored, promised) == PLAIN


@pytest.mark.parametrize("algorithms", [("sha512", "sha256"), ("sha256", "sha512"), ("sha512", "sha512")])
@pytest.mark.parametrize("stored", [PLAIN, STORED["gzip"]], ids=["plain", "gzip"])
def test_other_registered_digests(stored: bytes, algorithms: tuple[str, str]) -> None:
    blob, diff = algorithms
    assert _tar(stored, Promised(None, _digest(stored, blob), _digest(PLAIN, diff))) == PLAIN
    with pytest.raises(LayerError, match="blob's digest"):
        _tar(stored, Promised(None, _digest(b"", blob), _digest(PLAIN, diff)))
    with pytest.raises(LayerError, match="diff ID"):
        _tar(stored, Promised(None, _digest(stored, blob), _digest(b"", diff)))


@pytest.mark.parametrize("most", [3, 4093, 70_000])
@pytest.mark.parametrize("name", ["plain", "gzip of several members", "zstd of several frames"])
def test_readers_that_give_less_than_asked(name: str, most: int) -> None:
    stored = STORED[name]
    promised = Promised(None, _digest(stored), _digest(PLAIN))
    with TarBlocks(Dribble(stored, most), Limits(), promised) as blocks:
        assert b"".join(bytes(block) for block in blocks) == PLAIN
        blocks.verify()


@pytest.mark.parametrize("length", [0, 1, 512, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK])
def test_blocks_are_whole_but_for_the_last(length: int) -> None:
    data = (NOISE * 2)[:length]
    with TarBlocks(io.BytesIO(data), Limits(), Promised()) as blocks:
        lengths = [len(block) for block in blocks]
        assert blocks.verify() == _digest(data)
    assert sum(lengths) == length
    assert all(each == BLOCK for each in lengths[:-1])


BROKEN = {
    "gzip cut in its trailer": STORED["gzip"][:-3],
    "gzip cut in the middle": STORED["gzip"][: BLOCK + 5],
    "gzip cut in its header": STORED["gzip"][:7],
    "gzip of several members, cut": STORED["gzip of several members"][:-100],
    "gzip with a flipped bit": bytes(STORED["gzip"][: 2 * BLOCK]) + b"\0\0\0\0" + STORED["gzip"][2 * BLOCK + 4 :],
    "gzip with a wrong checksum": STORED["gzip"][:-8] + b"\0\0\0\0" + STORED["gzip"][-4:],
    "zstd cut at its end": STORED["zstd"][:-3],
    "zstd cut in the middle": STORED["zstd"][: BLOCK + 5],
    "zstd cut in its header": STORED["zstd"][:5],
    "zstd with a wrong checksum": STORED["zstd with a checksum and no size"][:-1] + b"\0",
    "plain, cut": PLAIN[:-700_000],
}


@pytest.mark.parametrize("said", [True, False], ids=["size known", "size unknown"])
@pytest.mark.parametrize("stored", BROKEN.values(), ids=list(BROKEN))
def test_damage_is_found_by_the_diff_id_or_before(stored: bytes, said: bool) -> None:
    with pytest.raises(LayerError) as caught:
        index_tar(io.BytesIO(stored), Limits(), Promised(len(stored) if said else None, None, _digest(PLAIN)))
    assert "save, pull" in caught.value.hint


@pytest.mark.parametrize(
    ("promised", "message"),
    [
        (Promised(digest=_digest(b"")), "the blob's digest is sha256:"),
        (Promised(diff_id=_digest(b"")), "diff ID is sha256:"),
        (Promised(size=1), "the blob has [0-9]+ bytes, its descriptor says 1"),
        (Promised(size=1 << 30), "its descriptor says 1073741824"),
    ],
)
@pytest.mark.parametrize("stored", [PLAIN, STORED["gzip"], STORED["zstd"]], ids=["plain", "gzip", "zstd"])
def test_what_was_promised_must_hold(stored: bytes, promised: Promised, message: str) -> None:
    with pytest.raises(LayerError, match=message):
        index_tar(io.BytesIO(stored), Limits(), promised)


def test_bytes_behind_the_stream_are_part_of_the_blob() -> None:
    stored = STORED["gzip"] + bytes(100)
    with pytest.raises(LayerError, match="blob's digest"):
        _tar(stored, Promised(digest=_digest(STORED["gzip"])))


def test_large_windows_only_by_leave() -> None:
    """`zstd --long=31` asks for 2 GiB of memory."""
    packer = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=31)
    ).compressobj()
    stored = packer.compress(TEXT) + packer.flush()
    with pytest.raises(LayerError, match="more memory") as caught:
        _tar(stored)
    assert "--max-window" in caught.value.hint
    assert _tar(stored, limits=Limits(max_window=1 << 31)) == TEXT


@pytest.mark.parametrize(("stored", "name"), [(lzma.compress(TEXT), "xz"), (bz2.compress(TEXT), "bzip2")])
def test_foreign_compression_is_named(stored: bytes, name: str) -> None:
    with pytest.raises(LayerError, match=f"compressed with {name}") as caught:
        _tar(stored)
    assert "skopeo" in caught.value.hint


@pytest.mark.parametrize("pack", [_gzip, _zstd])
def test_bombs(pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    stored = pack(bytes(8 * MIB))
    assert len(_tar(stored)) == 8 * MIB, "short runs of zeros are honest"
    with pytest.raises(LayerError, match="more than 7340032 bytes"):
        _tar(stored, limits=Limits(max_layer_bytes=7 * MIB))
    monkeypatch.setattr(stream, "RATIO_FLOOR", 2 * MIB)
    with pytest.raises(LayerError, match="more than 100:1"):
        _tar(stored, limits=Limits(max_ratio=100))
    assert len(_tar(stored, limits=Limits(max_ratio=100_000))) == 8 * MIB


def test_a_plain_tar_has_no_ratio_but_a_total() -> None:
    with pytest.raises(LayerError, match="uncompressed"):
        _tar(PLAIN, limits=Limits(max_layer_bytes=2 * MIB))


@pytest.mark.parametrize("stored", [PLAIN * 3, _gzip(PLAIN * 3), _zstd(PLAIN * 3)], ids=["plain", "gzip", "zstd"])
def test_leaving_early_ends_the_threads(stored: bytes) -> None:
    """The fixture looks whether any is left."""
    with TarBlocks(io.BytesIO(stored), Limits(), Promised()) as blocks:
        next(iter(blocks))
    with TarBlocks(io.BytesIO(stored), Limits(), Promised()):
        """Nothing is asked for."""


@pytest.mark.parametrize("pack", [bytes, _gzip, _zstd])
def test_an_early_error_ends_the_threads(pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(LayerError, match="checksum"):
        index_tar(io.BytesIO(pack(b"no tar" + NOISE * 3)), Limits(), Promised())


def test_a_reader_that_fails_is_heard_once() -> None:
    class Failing(Dribble):
        def read(self, size: int = -1, /) -> bytes:
            if self._at > BLOCK:
                raise TimeoutError("the network is gone")
            return super().read(size)

    with pytest.raises(LayerError, match="the network is gone"):
        index_tar(Failing(_gzip(PLAIN), 70_000), Limits(), Promised())


@pytest.mark.parametrize(
    ("start", "codec"),
    [
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (SKIPPABLE, "zstd"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"", None),
        (b"\x1f", None),
        (PLAIN[:512], None),
        (b"\x60\x2a\x4d\x18", None),
    ],
)
def test_codec_of(start: bytes, codec: str | None) -> None:
    assert codec_of(start) == codec


@settings(max_examples=60, deadline=None)
@given(data=st.data(), name=st.sampled_from(["gzip", "zstd"]))
def test_no_damage_passes_for_the_layer(data: st.DataObject, name: str) -> None:
    stored = bytearray((_gzip if name == "gzip" else _zstd)(TEXT))
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = _tar(bytes(stored), Promised(diff_id=_digest(TEXT)), Limits(max_layer_bytes=1 << 24))
    except LayerError:
        return
    assert found == TEXT  # a bit that says nothing, such as a time in the header
