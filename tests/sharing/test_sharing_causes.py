"""Why bytes lie in RAM twice, from fleets that were built for each cause."""

from __future__ import annotations

import pytest
from support import fleets, images
from support.command import FLEET
from support.elf import elf

from memlint import compare
from memlint.model.report import Report

LIB = elf("lib", soname="liba.so.1", pages=3)
TOOL = elf("tool", pages=2)
PATH = "usr/lib/liba.so.1"
INSTALLED: images.Tree = {PATH: LIB, **images.dpkg("liba1", "1.0", PATH)}


def layer(created_by: str, tree: images.Tree, mtime: int = 0) -> images.Layer:
    return images.Layer(tree, created_by, mtime)


BASE = layer("ADD rootfs.tar /", {"bin/tool": TOOL})
DRIFTED = layer("ADD rootfs.tar /", {"bin/tool": TOOL}, mtime=1)
INSTALL = layer("RUN apt-get install liba1", INSTALLED)
AGAIN = layer("RUN apt-get install liba1 libb1", INSTALLED, mtime=2)
NEXT_DAY = layer("RUN apt-get install liba1", INSTALLED, mtime=3)
CHMOD = layer("RUN chmod -R a+rX /usr", {PATH: LIB}, mtime=4)
COPY_A, COPY_B = layer("COPY a /", {"a": b"a"}), layer("COPY b /", {"b": b"b"})


def why(report: Report) -> dict[str, dict[str, int]]:
    """Path of a duplicate's first placement → causes."""
    return {duplicate.placements[0].path: duplicate.causes for duplicate in report.duplicates}


CASES: dict[str, tuple[list[images.Spec], dict[str, dict[str, int]]]] = {
    "base drift": (
        [images.image("a", BASE, COPY_A), images.image("b", DRIFTED, COPY_B)],
        {"/bin/tool": {"base drift": 1}},
    ),
    "base drift of three": (
        [images.image("a", BASE), images.image("b", DRIFTED), images.image("c", layer("ADD x", BASE.tree, 9))],
        {"/bin/tool": {"base drift": 2}},
    ),
    "same layer, other parent": (
        [images.image("a", BASE, COPY_A, INSTALL), images.image("b", BASE, COPY_B, INSTALL)],
        {f"/{PATH}": {"same layer, other parent": 1}},
    ),
    "same layer, other parent, on another base": (
        [images.image("a", BASE, INSTALL), images.image("b", layer("FROM x", {"x": b"x"}), INSTALL)],
        {f"/{PATH}": {"same layer, other parent": 1}},
    ),
    "reinstalled": (
        [images.image("a", BASE, INSTALL), images.image("b", BASE, AGAIN)],
        {f"/{PATH}": {"reinstalled": 1}},
    ),
    "reinstalled on different bases": (
        [images.image("a", BASE, INSTALL), images.image("b", layer("FROM x", {"x": b"x"}), AGAIN)],
        {f"/{PATH}": {"reinstalled": 1}},
    ),
    "squashed with its base": (
        [images.image("a", BASE, INSTALL), images.image("b", layer("", {**BASE.tree, **INSTALLED}, 6))],
        {"/bin/tool": {"base drift": 1}, f"/{PATH}": {"base drift": 1}},
    ),
    "squashed down to its base": (
        [images.image("a", BASE, INSTALL, COPY_A), images.image("b", BASE, layer("", {**INSTALLED, **COPY_B.tree}, 6))],
        {f"/{PATH}": {"reinstalled": 1}},
    ),
    "rebuilt": (
        [images.image("a", BASE, INSTALL), images.image("b", BASE, NEXT_DAY)],
        {f"/{PATH}": {"rebuilt": 1}},
    ),
    "rebuilt after a rebuilt one": (
        [
            images.image("a", BASE, layer("RUN one", {"one": b"1"}), INSTALL),
            images.image("b", BASE, layer("RUN one", {"one": b"1"}, 5), NEXT_DAY),
        ],
        {f"/{PATH}": {"rebuilt": 1}},
    ),
    "copied up in one of two": (
        [images.image("a", BASE, INSTALL), images.image("b", BASE, INSTALL, CHMOD)],
        {f"/{PATH}": {"copied up": 1}},
    ),
    "copied up twice": (
        [
            images.image("a", BASE, INSTALL, CHMOD),
            images.image("b", BASE, INSTALL, layer("RUN touch", {PATH: LIB}, 6)),
        ],
        {f"/{PATH}": {"copied up": 1}},
    ),
    "copied up alone is no duplicate": ([images.image("a", BASE, INSTALL, CHMOD)], {}),
    "copied up from a base that drifted": (
        [images.image("a", BASE, layer("RUN chmod", {"bin/tool": TOOL}, 7)), images.image("b", DRIFTED)],
        {"/bin/tool": {"base drift": 1}},
    ),
    "an upgrade of what the base has is no copy": (
        [
            images.image("a", BASE, layer("RUN upgrade", {"bin/tool": LIB})),
            images.image("b", BASE, layer("RUN upgrade all", {"bin/tool": LIB}, 8)),
        ],
        {"/bin/tool": {"reinstalled": 1}},
    ),
    "vendored": (
        [images.image("a", BASE, layer("COPY vendor /srv", {"srv/tool": TOOL}))],
        {"/bin/tool": {"vendored": 1}},
    ),
    "vendored in the same layer": (
        [images.image("a", layer("RUN pip install", {"a/lib.so": LIB, "b/lib.so": LIB}))],
        {"/a/lib.so": {"vendored": 1}},
    ),
    "base drift and vendored": (
        [
            images.image("a", BASE),
            images.image("b", DRIFTED, layer("COPY vendor /srv", {"srv/tool": TOOL})),
        ],
        {"/bin/tool": {"base drift": 1, "vendored": 1}},
    ),
    "other parent and copied up": (
        [
            images.image("a", BASE, COPY_A, INSTALL),
            images.image("b", BASE, COPY_B, INSTALL),
            images.image("c", BASE, COPY_B, INSTALL, CHMOD),
        ],
        {f"/{PATH}": {"copied up": 1, "same layer, other parent": 1}},
    ),
    "no duplicate on one chain": (
        [images.image("a", BASE, INSTALL, COPY_A), images.image("b", BASE, INSTALL, COPY_B)],
        {},
    ),
}


@pytest.mark.parametrize(("specs", "expected"), CASES.values(), ids=CASES)
def test_cause(specs: list[images.Spec], expected: dict[str, dict[str, int]]) -> None:
    assert why(fleets.compared(*specs)) == expected
    assert {frozenset(causes.items()) for causes in why(fleets.compared(*reversed(specs))).values()} == {
        frozenset(causes.items()) for causes in expected.values()
    }


@pytest.mark.parametrize("spec", [images.image("a", BASE), images.image("a", BASE, INSTALL, CHMOD)], ids=str)
def test_replicas_are_twice_there_for_the_storage_driver(spec: images.Spec) -> None:
    report = fleets.compared(spec, storage="vfs", replicas=[3])
    assert {tuple(causes.items()) for causes in why(report).values()} == {(("storage driver", 2),)}


def test_a_chain_of_one_image_is_twice_there_for_the_storage_driver() -> None:
    specs = [images.image("a", BASE, COPY_A), images.image("b", BASE, COPY_B)]
    assert why(fleets.compared(*specs, storage="btrfs")) == {"/bin/tool": {"storage driver": 1}}


def test_the_driver_and_the_base_both_have_their_share() -> None:
    specs = [images.image("a", BASE), images.image("b", DRIFTED)]
    report = fleets.compared(*specs, storage="vfs", replicas=[2, 2])
    assert why(report) == {"/bin/tool": {"storage driver": 2, "base drift": 1}}


@pytest.mark.parametrize("storage", ["composefs", "erofs-inode-share", "hardlinked"])
@pytest.mark.parametrize(("specs", "_"), CASES.values(), ids=CASES)
def test_no_cause_where_content_is_shared(specs: list[images.Spec], _: object, storage: str) -> None:
    assert fleets.compared(*specs, storage=storage).duplicates == ()


def test_version_skew_is_no_duplicate() -> None:
    newer = elf("newer", soname="liba.so.1", pages=4)
    other_machine = elf("other", soname="liba.so.1", machine=183)
    report = fleets.compared(
        images.image("a", {PATH: LIB, **images.dpkg("liba1", "1.0", PATH)}),
        images.image("b", {PATH: newer, **images.dpkg("liba1", "1.1", PATH)}),
        images.image("c", {PATH: other_machine}),
    )
    assert report.duplicates == ()
    (skew,) = report.version_skew
    assert skew.soname == "liba.so.1"
    assert [version.package.version for version in skew.versions if version.package] == ["1.0", "1.1"]
    assert [[placement.image for placement in version.placements] for version in skew.versions] == [["a"], ["b"]]


def test_where_chains_part() -> None:
    report = fleets.compared(
        images.image("a", BASE, INSTALL, COPY_A),
        images.image("b", BASE, INSTALL, COPY_B),
        images.image("c", BASE, AGAIN),
    )
    assert [(parting.layer, [branch.images for branch in parting.branches]) for parting in report.partings] == [
        (1, [("a", "b"), ("c",)]),
        (2, [("a",), ("b",)]),
    ]
    assert report.partings[0].branches[1].created_by == AGAIN.created_by


FIXTURE = {
    "libcrypto.so.3": {"reinstalled": 1},
    "libssl.so.3": {"reinstalled": 1},
    "libc.so.6": {"base drift": 1},
    "libz.so.1": {"base drift": 1, "vendored": 1},
    "libmimalloc.so.2": {"copied up": 1, "same layer, other parent": 1},
    "libexpat.so.1": {"rebuilt": 1},
}


def test_the_fixture_has_what_was_built_into_it() -> None:
    report = compare([f"oci:{FLEET}"], platform="linux/amd64")
    found = {duplicate.soname: duplicate.causes for duplicate in report.duplicates}
    assert {soname: found.get(soname) for soname in FIXTURE} == FIXTURE
    assert [skew.soname for skew in report.version_skew] == ["libexpat.so.1"]
    assert all(duplicate.package for duplicate in report.duplicates if duplicate.soname != "libmimalloc.so.2")


@pytest.mark.parametrize("specs", [case[0] for case in CASES.values()], ids=CASES)
def test_each_placement_says_why_it_is_an_inode_of_its_own(specs: list[images.Spec]) -> None:
    for duplicate in fleets.compared(*specs).duplicates:
        said = [placement.cause for placement in duplicate.placements]
        assert None in said
        assert {cause for cause in said if cause is not None} == set(duplicate.causes)
