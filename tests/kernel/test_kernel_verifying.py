"""Predicted against seen: made-up sights of containers of small images."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from support import fleets, images
from support.elf import library, program
from support.profiles import content, profile
from support.sights import Maps, Runs, sight

from memlint.errors import SourceError
from memlint.kernel.containers.interface import Origin
from memlint.kernel.matching import Provenance, Standing, chosen
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
    specs: Sequence[images.Spec],
    *containers: Runs,
    storage: str = "overlay2",
    seen: Profile | None = None,
    provenance: Provenance = Provenance(),  # noqa: B008 - a frozen value
) -> Verification:
    found, indexes = fleets.loaded(*specs)
    found = [msgspec.structs.replace(image, ids=(_id(image.name),)) for image in found]
    recorded = None if seen is None else known(seen)
    where = msgspec.structs.replace(provenance, asked=frozenset(image.ref for image in found))
    return verify_images(found, indexes, storage_model(storage), ELF_KINDS, sight(containers), recorded, where)


def _id(name: str) -> str:
    return images.digest(name.encode())


def chain(spec: images.Spec) -> str:
    (image,), _ = fleets.loaded(spec)
    return image.layers[-1].chain_id


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
        ("lower", "vfs", "the store of b is vfs"),
        ("lower", "overlay2", None),
        ("lower", None, None),
    ],
)
def test_predicted_and_not_seen(held: Held, storage: str | None, reason: str | None) -> None:
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
    assert wrong.reason == "the store of a, c is composefs"


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
        ("oci:fleet:team/web:latest", "web", "registry/team/web", True),
        ("oci:./web", "web", "registry/team/web", True),
        ("oci:fleet", "web:1", "team/web:1", True),
        ("oci:fleet", "web:1", "team/web", False),
        ("web", "web", "", False),
    ],
)
def test_which_names_are_one(ref: str, name: str, container: str, same: bool) -> None:
    image = Image(ref, name, "linux/amd64", Process(), ())
    running = Container("c", "c", container or "another", "docker", None, "/", ())
    asked = frozenset() if ref.startswith("oci:") else frozenset([ref])
    assert chosen([running], [image], Provenance(asked=asked)) == (([running], []) if same else ([], []))


ID_ONE, ID_TWO, ID_OLD = (images.digest(name) for name in (b"one", b"two:2.0", b"old"))
BY_DAEMON = frozenset(["one"])


@pytest.mark.parametrize(
    ("image", "origin", "listed", "standing"),
    [
        # the image's ID decides, whatever the container calls it
        ("one", Origin(ID_ONE), None, "of"),
        ("renamed", Origin(ID_ONE.removeprefix("sha256:")), None, "of"),
        (ID_ONE, Origin(ID_ONE), None, "of"),
        ("one", Origin(ID_OLD), None, "another build"),
        ("others/one", Origin(ID_OLD), None, "none"),
        (ID_OLD, Origin(ID_OLD), None, "none"),
        # else its chain, for images of that name
        ("one", Origin(chain=chain(ONE)), None, "of"),
        ("one", Origin(chain=chain(OTHER)), None, "another build"),
        ("another", Origin(chain=chain(ONE)), None, "none"),
        ("", Origin(chain=chain(ONE)), None, "of"),
        # else only what it maps can tell
        ("one", Origin(), None, "perhaps"),
        (ID_OLD, Origin(), None, "perhaps"),
        ("another", Origin(), None, "none"),
        # where the image is a daemon's, its own list decides
        ("one", Origin(), {"c": ID_ONE}, "of"),
        ("one", Origin(ID_ONE), {"c": ID_OLD}, "another build"),
        (ID_OLD, Origin(), {"c": ID_OLD}, "none"),
        ("one", Origin(ID_ONE), {}, "none"),
        ("one", Origin(chain=chain(ONE)), {"c": ID_OLD}, "of"),
    ],
)
def test_what_tells_the_image_of_a_container(
    image: str, origin: Origin, listed: dict[str, str] | None, standing: Standing
) -> None:
    (found,), _ = fleets.loaded(ONE)
    found = msgspec.structs.replace(found, ids=(ID_ONE,))
    provenance = Provenance({"c": origin}, BY_DAEMON, listed)
    running = Container("c", "c", image, "docker", None, "/", ())
    assert provenance.standing(running, found) == standing


def test_an_old_build_that_maps_the_same_files_is_not_the_image() -> None:
    """The tag moved to a build of the same software on another chain; one container of the old build is left."""
    old = runs("old", "one", libc(2, range(200, 204)))
    new = runs("new", "one", libc(1, range(100, 104)))
    provenance = Provenance({"old": Origin(ID_OLD), "new": Origin(ID_ONE)})
    found = verified([ONE], old, new, provenance=provenance)
    assert found.contradictions == ()
    assert found.images[0].containers == ("new",)
    (unseen,) = found.unseen
    assert (unseen.what, unseen.totals) == ("container old", True)
    with pytest.raises(SourceError, match="no container of one as it is now runs here: other builds run in old"):
        verified([ONE], old, provenance=provenance)


def test_of_two_images_that_one_id_has_the_name_is_meant() -> None:
    again = images.image("again", BASE, {"etc/one": b"1"}, Cmd=["app"])
    found, indexes = fleets.loaded(again, ONE)
    found = [msgspec.structs.replace(image, ids=(ID_ONE,)) for image in found]
    seen = sight([runs("a", "one", libc(1, range(100, 104)))])
    provenance = Provenance({"a": Origin(ID_ONE)})
    result = verify_images(found, indexes, storage_model("overlay2"), ELF_KINDS, seen, None, provenance)
    assert [each.ref for each in result.images] == ["one"]


def test_stores_that_share_nothing_with_each_other_are_not_held_against_one_prediction() -> None:
    containers = runs("a", "one", libc(1, range(100, 104))), runs("b", "one", libc(2, range(200, 204)))
    apart = {name: Origin(ID_ONE, store=f"/{name}") for name in "ab"}
    with pytest.raises(SourceError, match="run in 2 stores, which share no page with each other: /a: a; /b: b"):
        verified([ONE], *containers, provenance=Provenance(apart))
    assert len(verified([ONE], *containers, provenance=Provenance({"a": apart["a"]})).contradictions) == 1
