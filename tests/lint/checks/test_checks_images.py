"""The rules of compared images, on fleets that were built for each."""

from __future__ import annotations

import pytest
from support import fleets, images
from support.elf import elf, library, program
from support.linting import RULES, config, repository

from memlint.config import RuleSettings
from memlint.lint.images import judge
from memlint.lint.places import Places
from memlint.lint.selection import active_rules
from memlint.model.finding import Finding
from memlint.model.report import Report

LIB = elf("lib", soname="liba.so.1", pages=40)
PATH = "usr/lib/liba.so.1"
INSTALLED: images.Tree = {PATH: LIB, **images.dpkg("liba1", "1.0", PATH)}


def layer(created_by: str, tree: images.Tree, mtime: int = 0) -> images.Layer:
    return images.Layer(tree, created_by, mtime)


BASE = layer("ADD rootfs.tar /", {"bin/tool": elf("tool", pages=30)})
INSTALL = layer("RUN apt-get install liba1", INSTALLED)
AGAIN = layer("RUN apt-get install liba1 libb1", INSTALLED, mtime=2)


def found(report: Report, **settings: object) -> list[Finding]:
    rules = active_rules(RULES, config(**settings), "/repo", images=True)
    return judge(report, Places(report, {}), rules, repository({}))


def told(*specs: images.Spec, storage: str = "overlay2", replicas: tuple[int, ...] = ()) -> list[tuple[str, str]]:
    """(rule, image) of what is found."""
    report = fleets.compared(*specs, storage=storage, replicas=replicas)
    return [(each.rule, each.location.path) for each in found(report)]


CASES: dict[str, tuple[list[images.Spec], list[tuple[str, str]]]] = {
    "base drift": (
        [images.image("a", BASE), images.image("b", layer("ADD x", BASE.tree, 9))],
        [("ML201", "b")],
    ),
    "same layer, other parent": (
        [images.image("a", BASE, {"x": b"x"}, INSTALL), images.image("b", BASE, {"y": b"y"}, INSTALL)],
        [("ML202", "b")],
    ),
    "reinstalled": ([images.image("a", BASE, INSTALL), images.image("b", BASE, AGAIN)], [("ML203", "b")]),
    "copied up": (
        [images.image("a", BASE, INSTALL, layer("RUN chmod", {PATH: LIB}, 4)), images.image("b", BASE, INSTALL)],
        [("ML204", "a")],
    ),
    "rebuilt": (
        [images.image("a", BASE, INSTALL), images.image("b", BASE, layer(INSTALL.created_by, INSTALLED, 3))],
        [("ML205", "b")],
    ),
    "vendored": ([images.image("a", BASE, INSTALL, {"opt/liba.so.1": LIB})], [("ML206", "a")]),
    "in three": (
        [images.image("a", BASE, INSTALL), images.image("b", BASE, AGAIN), images.image("c", BASE, AGAIN)],
        [("ML203", "b")],
    ),
    "nothing": ([images.image("a", BASE, INSTALL), images.image("b", BASE, INSTALL)], []),
    "too little": ([images.image("a", {"x": elf("x")}), images.image("b", layer("ADD b", {"x": elf("x")}, 1))], []),
}


@pytest.mark.parametrize(("specs", "expected"), CASES.values(), ids=CASES)
def test_causes(specs: list[images.Spec], expected: list[tuple[str, str]]) -> None:
    assert told(*specs) == expected


def test_a_layer_answers_for_all_that_it_brings() -> None:
    more = {**INSTALLED, "usr/lib/libb.so.1": elf("b", soname="libb.so.1", pages=50)}
    report = fleets.compared(
        images.image("a", BASE, layer("RUN a", more)), images.image("b", BASE, {"x": b"x"}, layer("RUN b", more, 1))
    )
    (finding,) = found(report)
    assert finding.evidence["bytes"] == report.totals.mappable.duplicate_bytes == 90 * 4096
    assert (finding.evidence["layer"], finding.evidence["count"], finding.evidence["file"]) == (
        3,
        "2 files",
        "/usr/lib/libb.so.1",
    )
    assert [(each.location.path, each.message) for each in finding.related] == [("a", "layer 2 of a")]


def test_the_layers_of_a_cause_add_up_to_it() -> None:
    specs = [images.image(name, BASE, layer(f"RUN {name}", INSTALLED, at)) for at, name in enumerate("abcd")]
    report = fleets.compared(*specs)
    findings = [each for each in found(report) if each.rule == "ML203"]
    assert sum(int(each.evidence["bytes"]) for each in findings) == report.causes[0].duplicate_bytes


def test_a_limit_can_be_moved() -> None:
    report = fleets.compared(images.image("a", BASE, INSTALL), images.image("b", BASE, AGAIN))
    assert found(report, rule={"ML203": RuleSettings(thresholds={"min_bytes": 10**9})}) == []
    assert found(report, ignore=("reinstalled",)) == []


def test_a_driver_that_shares_nothing_is_told_once() -> None:
    fleet = [images.image("a", BASE, INSTALL), images.image("b", BASE, INSTALL)]
    assert told(*fleet, storage="vfs", replicas=(2, 3)) == [("ML207", "a")]
    assert told(*fleet, storage="overlay2", replicas=(2, 3)) == []


def skewed(name: str, version: str, *more: images.Layer, text: str = "") -> images.Spec:
    tree = {PATH: elf(version + text, soname="liba.so.1", pages=40), **images.dpkg("liba1", version, PATH)}
    return images.image(name, BASE, layer(f"RUN install {version}", tree), *more)


def test_version_skew_is_told_of_the_few() -> None:
    report = fleets.compared(skewed("a", "1.0"), skewed("b", "1.1"), skewed("c", "1.1"))
    (finding,) = found(report)
    assert (finding.rule, finding.location.path) == ("ML208", "a")
    assert finding.evidence["package"] == "liba1 1.0, not liba1 1.1"


def test_two_builds_in_one_image_are_no_skew() -> None:
    both = skewed("a", "1.0", layer("COPY", {"opt/liba.so.1": elf("1.1", soname="liba.so.1", pages=40)}))
    assert told(both) == []


MUSL = {"lib/ld-musl-x86_64.so.1": library("libc.musl"), "bin/sh": elf("sh", interp="/lib/ld-musl-x86_64.so.1")}
GLIBC = {"lib64/ld-linux-x86-64.so.2": library("ld-linux"), "bin/sh": program("sh")}


def test_libc_families() -> None:
    glibc = [images.image(name, GLIBC, {name: b"x"}) for name in "ab"]
    musl = [images.image(name, MUSL, {name: b"x"}) for name in "cd"]
    static = images.image("s", {"bin/s": elf("s", program=True)})
    assert told(*glibc, static) == []
    (finding,) = found(fleets.compared(*glibc, musl[0]))
    assert (finding.rule, finding.location.path, finding.evidence["libc"]) == ("ML211", "c", "musl")
    assert told(*glibc, *musl) == [("ML211", "c")]  # both are on one base


def test_builds_for_another_libc_are_no_skew() -> None:
    glibc = images.image("a", GLIBC, {PATH: elf("1", soname="liba.so.1", pages=40)})
    musl = images.image("b", MUSL, {PATH: elf("2", soname="liba.so.1", pages=40)})
    assert told(glibc, musl) == [("ML211", "b")]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (elf("UPX!", program=True, pages=2), "ML209"),
        (elf("a", soname="libt.so.1", textrel=True, pages=2), "ML210"),
        (elf("a", program=True), None),
    ],
)
def test_files_that_nobody_shares(data: bytes, rule: str | None) -> None:
    specs = [images.image("a", BASE, {"srv/app": data}), images.image("b", BASE)]
    assert told(*specs) == ([(rule, "a")] if rule else [])
