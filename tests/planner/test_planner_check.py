"""What is built to a plan, held against what was before."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.elf import library
from support.fleets import loaded
from support.images import Content, Files, Layer, Spec, image
from support.planning import Fleet, page_cache

from memlint.model.plan import Plan
from memlint.model.plan_check import Built, Check
from memlint.model.report import Totals
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.check import check
from memlint.planner.draft import Options
from memlint.planner.inventory import inventory_of
from memlint.planner.planning import held_now, plan_images
from memlint.report.plan_check import missed, to_text
from memlint.sharing.storage import storage_model

PAGES = 300
OVERLAY = storage_model("overlay2")
RELEASE: Files = {"etc/os-release": b"ID=debian\nVERSION_ID=12\n"}


def debs(*new: str, **versions: str) -> Files:
    """What installing `new` brings, the database of all of them included."""
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n\n" for name, version in versions.items()
    )
    files: dict[str, Content] = {"var/lib/dpkg/status": status.encode()}
    for name in versions:
        files[f"var/lib/dpkg/info/{name}.list"] = f"/usr/lib/{name}.so\n".encode()
    return {**files, **{f"usr/lib/{name}.so": library(name, pages=PAGES) for name in new}}


GROUND = Layer({**RELEASE, **debs("libc", libc="1")}, "ADD rootfs")
BASE = Layer(debs("app", libc="1", app="1"), "RUN base")


def before() -> tuple[Plan, Built]:
    """Two images that install the same, one of them something more; and what was planned for them."""
    specs = [
        image("a", GROUND, Layer(debs("app", libc="1", app="1"), "RUN a", 1)),
        image("b", GROUND, Layer(debs("app", "more", libc="1", app="1", more="1"), "RUN b", 2)),
    ]
    images, indexes = loaded(*specs)
    plan = plan_images(images, [1, 1], indexes, OVERLAY, ELF_KINDS, Options(prefer="strict"))
    built = Built({}, "mappable", "overlay2", {}, ELF_KINDS, inventory=inventory_of(images, indexes))
    return plan, built


def judged(*specs: Spec, noted: bool = True) -> Check:
    plan, built = before()
    images, indexes = loaded(*specs)
    now = held_now(images, [1, 1], indexes, OVERLAY, ELF_KINDS, Options())
    return check(plan, built if noted else Built({}, "mappable", "overlay2", {}, ELF_KINDS), images, indexes, now)


def rebuilt(*own: Mapping[str, Content]) -> list[Spec]:
    return [image(name, GROUND, BASE, Layer(tree, f"RUN {name}")) for name, tree in zip("ab", own, strict=True)]


MORE = debs("more", libc="1", app="1", more="1")


def test_as_planned() -> None:
    found = judged(*rebuilt({"srv/a": b""}, MORE))
    assert found.met
    assert (found.packages, found.again) == ((), ())
    assert "every image has those that it had" in to_text(found)


def test_a_lost_package_fails() -> None:
    found = judged(*rebuilt({"srv/a": b""}, {"srv/b": b""}))
    assert found.saved_bytes > found.predicted_saved_bytes
    assert not found.met
    (b,) = found.packages or ()
    assert (b.ref, [each.name for each in b.lost]) == ("b", ["more"])
    assert "b: lost more 1" in to_text(found)
    assert "b lost packages" in missed(found)[0]


def test_other_versions_and_new_packages_are_told() -> None:
    found = judged(*rebuilt({"srv/a": b""}, debs("more", libc="1", app="2", more="1", new="3")))
    assert found.met
    text = to_text(found)
    assert "b: has others app 1 → 2" in text
    assert "b: has new new 3" in text


def test_what_is_made_again_is_named() -> None:
    again = Layer({**debs("app", libc="1", app="1"), "srv/x": b""}, "RUN install it once more")
    specs = rebuilt({"srv/a": b""}, MORE)
    found = judged(image("a", *specs[0].layers, again), specs[1])
    assert not found.met
    assert [(each.image, each.what, each.bytes) for each in found.again] == [("a", "app", PAGES * 4096)]
    assert "app in a, which debian-12-app has already" in missed(found)[1]


def test_images_on_two_builds_of_a_base() -> None:
    specs = rebuilt({"srv/a": b""}, MORE)
    other = image("b", GROUND, Layer(BASE.tree, BASE.created_by, 7), *specs[1].layers[2:])
    found = judged(specs[0], other)
    assert not found.met
    assert "debian-12-app stand on other builds than one" in missed(found)[1]
    assert found.again == ()


def test_a_plan_that_does_not_say_what_was() -> None:
    found = judged(*rebuilt({"srv/a": b""}, {"srv/b": b""}), noted=False)
    assert found.packages is None
    assert "does not say what the images had" in to_text(found)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_built_of_a_plan_alone_has_all_that_was(seed: int) -> None:
    fleet = Fleet(seed)
    for prefer in ("strict", "union"):
        plan = fleet.plan(prefer=prefer, min_saving=1)
        images, indexes = loaded(*fleet.built(plan))
        built = Built({}, "mappable", "overlay2", {}, ELF_KINDS, inventory=inventory_of(fleet.images, fleet.indexes))
        size = page_cache(images, indexes)
        found = check(plan, built, images, indexes, Totals(size, size, 0, 1.0))
        assert found.packages is not None
        assert not any(image.lost or image.changed for image in found.packages)
        assert prefer == "union" or not any(image.new for image in found.packages)
