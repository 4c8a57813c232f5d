"""Archives of images that pass by once, as `docker save` streams them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Mapping

import pytest
import zstandard
from support.elf import library
from tars import END, header, member, pax

from memlint.errors import LayerError
from memlint.layers import passing
from memlint.layers.archive import index_tar
from memlint.layers.limits import Limits
from memlint.layers.passing import index_passing
from memlint.layers.stream import Promised
from memlint.model.digest import DiffID, Digest
from memlint.model.layer import LayerIndex

LAYERS = [
    member(b"usr/lib/liba.so.1", library("liba.so.1", pages=2)) + END,
    member(b"usr/lib/libb.so.1", library("libb.so.1", pages=1500)) + END,  # large enough for threads of its own
    bytes(1024),
]


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


DIFF_IDS = [DiffID(Digest(f"sha256:{_digest(layer)}")) for layer in LAYERS]
EXPECTED = {i.diff_id: i for i in (index_tar(io.BytesIO(layer), Limits(), Promised()) for layer in LAYERS)}
CONFIG = json.dumps({"os": "linux", "rootfs": {"type": "layers", "diff_ids": DIFF_IDS}}).encode()


def _save(files: Mapping[str, bytes]) -> bytes:
    entries = [header(b"blobs/", flag=b"5")]
    for path, data in files.items():
        name = path.encode()
        entries.append(member(name, data) if len(name) <= 100 else pax((b"path", name)) + member(name[:100], data))
    return b"".join(entries) + END


def _old() -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for number, layer in enumerate(LAYERS):
        files |= {f"{number:064x}/VERSION": b"1.0", f"{number:064x}/json": b"{}", f"{number:064x}/layer.tar": layer}
    manifest = [{"Config": "c.json", "RepoTags": ["a:b"], "Layers": [name for name in files if "layer" in name]}]
    return {**files, "c.json": CONFIG, "manifest.json": json.dumps(manifest).encode(), "repositories": b"{}"}


def _new(pack: str) -> dict[str, bytes]:
    codecs: dict[str, Callable[[bytes], bytes]] = {"plain": bytes, "gzip": gzip.compress, "zstd": _zstd}
    packed = codecs[pack]
    blobs = [*(packed(layer) for layer in LAYERS), CONFIG]
    return {**{f"blobs/sha256/{_digest(blob)}": blob for blob in blobs}, "manifest.json": b"[]", "oci-layout": b"{}"}


def _pass(archive: bytes, known: set[DiffID] | None = None) -> tuple[dict[DiffID, LayerIndex], dict[str, bytes]]:
    kept: dict[DiffID, LayerIndex] = {}

    def keep(index: LayerIndex) -> None:
        assert index.diff_id not in kept
        kept[index.diff_id] = index

    documents = index_passing(io.BytesIO(archive), Limits(), lambda diff_id: diff_id in (known or ()), keep)
    return kept, documents


@pytest.mark.parametrize("whole", [bytes, gzip.compress, _zstd])
@pytest.mark.parametrize(
    "files", [_old(), _new("plain"), _new("gzip"), _new("zstd")], ids=["old", "plain", "gzip", "zstd"]
)
def test_layers_and_documents_are_told_apart(files: dict[str, bytes], whole: Callable[[bytes], bytes]) -> None:
    kept, documents = _pass(whole(_save(files)))
    assert kept == EXPECTED
    assert documents["manifest.json"] == files["manifest.json"]
    assert CONFIG in documents.values()
    assert not set(documents.values()) & set(LAYERS)


def test_known_layers_are_passed_over() -> None:
    kept, _ = _pass(_save(_new("plain")), {DIFF_IDS[1]})
    assert set(kept) == {DIFF_IDS[0], DIFF_IDS[2]}


def test_links_to_layers_are_passed_over() -> None:
    """The old layout links layers that are there already."""
    link = header(b"f" * 64 + b"/layer.tar", flag=b"2", link=b"../0/layer.tar")
    kept, documents = _pass(link + _save(_old()))
    assert kept == EXPECTED
    assert "f" * 64 + "/layer.tar" not in documents


def test_blobs_must_match_their_name() -> None:
    files = {f"blobs/sha256/{'0' * 64}": LAYERS[0]}
    with pytest.raises(LayerError, match=f"layer blobs/sha256/{'0' * 64}: the blob's digest is sha256:"):
        _pass(_save(files))


@pytest.mark.parametrize("cut", [700, 9000, 3 << 20])
@pytest.mark.parametrize("layout", ["old", "new"])
def test_cut_short(layout: str, cut: int) -> None:
    archive = _save(_old() if layout == "old" else _new("plain"))
    with pytest.raises(LayerError, match=r"before the end of a file|within a tar header") as caught:
        _pass(archive[:cut])
    assert "\n" not in caught.value.message


def test_documents_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "DOCUMENT_MAX", 5000)
    monkeypatch.setattr(passing, "DOCUMENTS_MAX", 20_000)
    assert len(_pass(_save({f"{n}": b"{}" * 2000 for n in range(4)}))[1]) == 4
    with pytest.raises(LayerError, match="too many small files"):
        _pass(_save({f"{n}": b"{}" * 2000 for n in range(5)}))
    with pytest.raises(LayerError, match="too many small files"):
        _pass(_save({f"{n}/{'long' * 500}": b"" for n in range(20)}))
    with pytest.raises(LayerError, match="too many for a manifest"):
        _pass(_save({"manifest.json": b" " * 5001}))
    assert _pass(_save({"README": b" " * 5001}))[1] == {}


def test_json_is_no_layer_whatever_it_holds() -> None:
    assert _pass(_save({"a.json": LAYERS[0]})) == ({}, {"a.json": LAYERS[0]})


@pytest.mark.parametrize(
    "archive",
    [b"", b"not a tar" * 100, b"\x1f\x8b", gzip.compress(b"x" * 600)],
    ids=["empty", "text", "magic alone", "gzip of text"],
)
def test_not_an_archive(archive: bytes) -> None:
    if archive:
        with pytest.raises(LayerError):
            _pass(archive)
    else:
        assert _pass(archive) == ({}, {})
