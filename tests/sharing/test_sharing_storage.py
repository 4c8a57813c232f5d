"""Which stores share what, as FACTS has measured it, and the arithmetic of every fleet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import fleets, images
from support.elf import elf

from memlint.errors import UsageError
from memlint.model.report import Totals
from memlint.model.vocabulary import STORAGE
from memlint.sharing.storage import storage_model

LIB = elf("lib", pages=5)
BYTES = 5 * 4096
BASE = images.Layer({"lib.so": LIB}, "ADD rootfs.tar /", mtime=1)
OTHER = images.Layer({"lib.so": LIB}, "ADD rootfs.tar /", mtime=2)
A = images.image("a", BASE, {"a": b"a"})
SAME_CHAIN = images.image("b", BASE, {"b": b"b"})
OTHER_CHAIN = images.image("c", OTHER)

# model → inodes of the file in: two images of one chain, two of different chains, two containers of one image
INODES = {
    "overlay2": (1, 2, 1),
    "containerd-overlayfs": (1, 2, 1),
    "containers-storage-overlay": (1, 2, 1),
    "composefs": (1, 1, 1),
    "erofs-inode-share": (1, 1, 1),
    "hardlinked": (1, 1, 1),
    "vfs": (2, 2, 2),
    "btrfs": (2, 2, 2),
    "zfs": (2, 2, 2),
    "devicemapper": (2, 2, 2),
    "fuse-overlayfs": (2, 2, 2),
}


def test_all_models_are_here() -> None:
    assert list(INODES) == list(STORAGE)


@pytest.mark.parametrize(("model", "inodes"), INODES.items())
def test_inodes(model: str, inodes: tuple[int, int, int]) -> None:
    same = fleets.compared(A, SAME_CHAIN, storage=model)
    other = fleets.compared(A, OTHER_CHAIN, storage=model)
    replicas = fleets.compared(A, storage=model, replicas=[2])
    pages = tuple(report.totals.mappable.page_cache_bytes // BYTES for report in (same, other, replicas))
    assert pages == inodes
    assert [report.totals.mappable.distinct_bytes for report in (same, other, replicas)] == [BYTES] * 3


def test_an_unknown_model() -> None:
    with pytest.raises(UsageError) as caught:
        storage_model("aufs")
    assert all(name in caught.value.hint for name in STORAGE)


def test_replicas_count_where_nothing_is_shared() -> None:
    report = fleets.compared(A, OTHER_CHAIN, storage="vfs", replicas=[3, 2])
    (duplicate,) = report.duplicates
    assert (duplicate.copies, duplicate.duplicate_bytes) == (5, 4 * BYTES)
    assert [image.replicas for image in report.images] == [3, 2]
    assert len(duplicate.placements) == 2


@pytest.mark.parametrize("model", STORAGE)
def test_a_fleet_without_mapped_files(model: str) -> None:
    totals = fleets.compared(images.image("x", {"etc/passwd": b"root"}), storage=model).totals
    assert totals.mappable == totals.startup == Totals(0, 0, 0, 1.0)


POOL = [elf(text, pages=pages) for text, pages in (("a", 1), ("b", 2), ("c", 7))]
TREES = st.dictionaries(
    st.sampled_from(["bin/x", "bin/y", "lib/z", "lib/x"]), st.sampled_from(POOL), min_size=1, max_size=3
)
LAYERS = st.builds(images.Layer, TREES, st.sampled_from(["RUN one", "RUN two"]), st.integers(0, 1))
FLEETS = st.lists(st.tuples(st.lists(LAYERS, max_size=3), st.integers(1, 3)), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(FLEETS, st.sampled_from(list(STORAGE)))
def test_totals_add_up(fleet: list[tuple[list[images.Layer], int]], model: str) -> None:
    specs = [images.image(f"i{number}", *layers, Cmd=["/bin/x"]) for number, (layers, _) in enumerate(fleet)]
    report = fleets.compared(*specs, storage=model, replicas=[count for _, count in fleet])
    for totals in (report.totals.mappable, report.totals.startup):
        assert totals.page_cache_bytes == totals.distinct_bytes + totals.duplicate_bytes
        assert 0 <= totals.efficiency <= 1
        assert (totals.efficiency == 1) == (totals.duplicate_bytes == 0)
    mappable, startup = report.totals.mappable, report.totals.startup
    assert startup.page_cache_bytes <= mappable.page_cache_bytes
    assert startup.distinct_bytes <= mappable.distinct_bytes
    assert sum(each.duplicate_bytes for each in report.duplicates) == mappable.duplicate_bytes
    assert sum(each.duplicate_bytes for each in report.causes) == mappable.duplicate_bytes
    for duplicate in report.duplicates:
        assert sum(duplicate.causes.values()) == duplicate.copies - 1
        assert duplicate.cause == next(iter(duplicate.causes))
        assert duplicate.duplicate_bytes == (duplicate.copies - 1) * duplicate.mappable_bytes
    for image in report.images:
        assert image.mappable_bytes == sum(layer.mappable_bytes for layer in image.layers)


@settings(max_examples=60, deadline=None)
@given(FLEETS)
def test_models_are_ordered(fleet: list[tuple[list[images.Layer], int]]) -> None:
    """By content shares most, by container least; the distinct bytes are the same under all."""
    specs = [images.image(f"i{number}", *layers) for number, (layers, _) in enumerate(fleet)]
    replicas = [count for _, count in fleet]
    by = [
        fleets.compared(*specs, storage=model, replicas=replicas).totals.mappable
        for model in ("composefs", "overlay2", "vfs")
    ]
    assert by[0].page_cache_bytes <= by[1].page_cache_bytes <= by[2].page_cache_bytes
    assert by[0].duplicate_bytes == 0
    assert len({totals.distinct_bytes for totals in by}) == 1


@settings(max_examples=40, deadline=None)
@given(FLEETS)
def test_the_order_of_the_images_does_not_change_the_totals(fleet: list[tuple[list[images.Layer], int]]) -> None:
    specs = [images.image(f"i{number}", *layers) for number, (layers, _) in enumerate(fleet)]
    there, back = fleets.compared(*specs), fleets.compared(*reversed(specs))
    assert there.totals == back.totals
    assert [each.content for each in there.duplicates] == [each.content for each in back.duplicates]
