"""Predicted against seen: made-up sights of containers of small images."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support import fleets, images
from support.elf import library, program
from support.profiles import content, profile
from support.sights import Maps, Runs, sight

from memlint.errors import SourceError
from memlint.kernel.matching import candidates
from memlint.kernel.residency import Container
from memlint.kernel.verifying import verify_images
from memlint.model.image import Image, Process
from memlint.model.measure import Held
from memlint.model.profile import Profile
from memlint.model.verify import NOT_SHARED, SHARED_ANYWAY, Verification
from memlint.model.vocabulary import ELF_KINDS
from memlint.sharing.resident import known
from memlint.sharing.storage import storage_model

PAGE = 4096
LIBC, APP = library("libc.so.6", pages=16), program("app", "libc.so.6")
BASE: images.Tree = {
    "lib64/ld-linux-x86-64.so.2": library("ld-linux-x86-64.so.2"),
    "lib/libc.so.6": LIBC,
    "bin/app": APP,
}
ONE = images.image("one", BASE, {"etc/one": b"1"}, Cmd=["app"])
TWO = images.image("two:2.0", BASE, {"etc/two": b"2"}, Cmd=["app"])
OTHER = images.image("other", {**BASE, "etc/other": b"3"}, Cmd=["app"])
"""The first two have a layer in common, and so one inode of each file of it; the third one has inodes of its own."""


def libc(inode: int, frames: range, held: Held = "lower", path: str = "/lib/libc.so.6") -> Maps:
    return Maps(path, content(LIBC), inode, dict(enumerate(frames)), held=held)


def runs(name: str, image: str, mapped: Maps, storage: str | None = "overlay2") -> Runs:
    return Runs(name, image, content(APP), (mapped,), storage)


def verified(
    specs: Sequence[images.Spec], *containers: Runs, storage: str = "overlay2", seen: Profile | None = None
) -> Verification:
    found, indexes = fleets.loaded(*specs)
    recorded = None if seen is None else known(seen)
    return verify_images(found, indexes, storage_model(storage), ELF_KINDS, sight(containers), recorded)


def test_shared_and_apart_as_predicted() -> None:
    found = verified(
        [ONE, TWO, OTHER],
        runs("a", "one", libc(1, range(100, 104))),
        runs("b", "docker.io/library/two:2.0", libc(1, range(100, 106))),
        runs("c", "other:latest", libc(2, range(200, 204))),
    )
    assert found.contradictions == ()
    assert (found.agreement.shared, found.agreement.apart, found.agreement.undecided) == (1, 0, 0)
    measured = found.measured
    assert (measured.file_pages_bytes, measured.distinct_bytes, measured.duplicate_bytes) == (
        10 * PAGE,
        6 * PAGE,
        4 * PAGE,
    )
    assert [each.containers for each in found.images] == [("a",), ("b",), ("c",)]
    assert found.not_running == ()


def test_apart_as_predicted() -> None:
    found = verified(
        [ONE, OTHER], runs("a", "one", libc(1, range(100, 104))), runs("c", "other", libc(2, range(200, 204)))
    )
    assert (found.agreement.shared, found.agreement.apart) == (0, 1)


@pytest.mark.parametrize(
    ("held", "storage", "reason"),
    [
        ("upper", "overlay2", "copied up in b"),
        ("deleted", "overlay2", "deleted since b mapped it"),
        ("lower", "vfs", "the store of these containers is overlay2, vfs"),
        ("lower", None, "the store of these containers is overlay2"),
    ],
)
def test_predicted_and_not_seen(held: Held, storage: str | None, reason: str) -> None:
    found = verified(
        [ONE, TWO],
        runs("a", "one", libc(1, range(100, 104))),
        runs("b", "two:2.0", libc(2, range(200, 204), held), storage),
    )
    (wrong,) = found.contradictions
    assert (wrong.verdict, wrong.bytes, wrong.reason) == (NOT_SHARED, 4 * PAGE, reason)
    assert [(each.container, each.path, each.inode) for each in wrong.sharers] == [
        ("a", "/lib/libc.so.6", 1),
        ("b", "/lib/libc.so.6", 2),
    ]
    assert found.agreement.shared == 0


def test_seen_and_not_predicted() -> None:
    found = verified(
        [ONE, OTHER],
        runs("a", "one", libc(1, range(100, 104)), "composefs"),
        runs("c", "other", libc(1, range(100, 104)), "composefs"),
    )
    (wrong,) = found.contradictions
    assert (wrong.verdict, wrong.bytes) == (SHARED_ANYWAY, 4 * PAGE)
    assert wrong.reason == "the store of these containers is composefs"


def test_frames_are_the_judge_and_inode_numbers_are_not() -> None:
    """A btrfs snapshot has the device and inode of its origin, and none of its pages."""
    containers = [
        runs(name, "one", libc(1, range(first, first + 4)), "btrfs") for name, first in (("a", 100), ("b", 200))
    ]
    assert verified([ONE], *containers, storage="btrfs").contradictions == ()
    assert [each.verdict for each in verified([ONE], *containers).contradictions] == [NOT_SHARED]


def test_without_a_common_page_nothing_is_proven() -> None:
    one = Maps("/lib/libc.so.6", content(LIBC), 1, {0: 100})
    two = Maps("/lib/libc.so.6", content(LIBC), 2, {5: 200})
    found = verified([ONE, OTHER], runs("a", "one", one), runs("c", "other", two))
    assert (found.contradictions, found.agreement.undecided) == ((), 1)


def test_an_image_by_its_id_is_found_by_content() -> None:
    found = verified([ONE], runs("a", "sha256:" + 64 * "a", libc(1, range(100, 104))))
    assert found.images[0].containers == ("a",)


def test_an_id_that_may_be_of_two_images_is_of_none() -> None:
    with pytest.raises(SourceError, match=r"no container of one, two:2\.0 runs here"):
        verified([ONE, TWO], runs("a", "sha256:" + 64 * "a", libc(1, range(100, 104))))


def test_a_container_of_another_build_is_said() -> None:
    foreign = Maps("/lib/libc.so.6", content(b"another"), 9, {0: 900})
    found = verified([ONE], runs("a", "one", libc(1, range(100, 104))), runs("b", "one", foreign))
    assert found.images[0].containers == ("a",)
    assert [each.what for each in found.unseen] == ["container b"]


def test_images_without_a_container_are_named() -> None:
    found = verified([ONE, OTHER], runs("a", "one", libc(1, range(100, 104))))
    assert found.not_running == ("other",)
    assert [each.name for each in found.images] == ["one"]


def test_each_basis_is_held_against_what_was_measured() -> None:
    seen = profile({(APP, LIBC): [(0, 8, 1)]}, {(APP,): 1})
    containers = runs("a", "one", libc(1, range(100, 104))), runs("c", "other", libc(2, range(200, 204)))
    found = verified([ONE, OTHER], *containers, seen=seen)
    bases = {each.basis: (each.totals.duplicate_bytes, each.ratio) for each in found.predicted}
    assert bases["profile"] == (8 * PAGE, 2.0)
    assert bases["mappable"] == bases["startup"] == ((16 + 1 + 1) * PAGE, 4.5)
    assert [each.basis for each in verified([ONE, OTHER], *containers).predicted] == ["mappable", "startup"]


def test_replicas_are_the_containers_that_run() -> None:
    containers = [runs(name, "one", libc(n, range(n * 100, n * 100 + 4)), "vfs") for n, name in enumerate("abc", 1)]
    found = verified([ONE], *containers, storage="vfs")
    assert found.contradictions == ()
    assert found.measured.duplicate_bytes == 8 * PAGE
    assert found.predicted[0].totals.duplicate_bytes == 2 * (16 + 1 + 1) * PAGE


@pytest.mark.parametrize(
    ("ref", "name", "container", "same"),
    [
        ("docker-daemon:team/web", "web", "team/web", True),
        ("docker-daemon:team/web", "web", "team/web:latest", True),
        ("team/web:1", "web:1", "docker.io/team/web:1", True),
        ("docker-daemon:team/web", "web", "others/web", False),
        ("docker-daemon:web:1", "web:1", "web:2", False),
        ("web", "web", "docker.io/library/web:latest", True),
        ("localhost:5000/web", "web", "localhost:5000/web:latest", True),
        ("oci:fleet:web", "web", "registry/team/web", True),
        ("oci:fleet", "web:1", "team/web:1", True),
        ("oci:fleet", "web:1", "team/web", False),
        ("web", "web", "", False),
    ],
)
def test_which_names_are_one(ref: str, name: str, container: str, same: bool) -> None:
    image = Image(ref, name, "linux/amd64", Process(), ())
    running = Container("c", "c", container or "another", "docker", None, "/", ())
    assert candidates([running], [image]) == (["c"] if same else [])
