"""Images on several builds of one base whose contents differ: on the newest, at a price that is told, or not at all."""

from __future__ import annotations

import pytest
from support.elf import library
from support.fleets import loaded
from support.images import Files, Layer, Spec, image

from memlint.model.plan import Plan
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.draft import Options
from memlint.planner.grounds import Ground
from memlint.planner.planning import plan_images
from memlint.planner.suggestions import PIN
from memlint.sharing.storage import storage_model

PAGES = 300
OLD, NEW = "debian:12@sha256:" + "a" * 64, "debian:12@sha256:" + "b" * 64


def rootfs(ssl: str, created: str, **more: bytes) -> Layer:
    """A build of Debian: libc is the same in all of them, libssl3 is not."""
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n\n"
        for name, version in (("libc6", "1"), ("libssl3", ssl))
    )
    files: Files = {
        "etc/os-release": b"ID=debian\nVERSION_ID=12\n",
        "usr/lib/libc.so.6": library("libc", pages=PAGES),
        "usr/lib/libssl.so.3": library("ssl", text=ssl, pages=PAGES),
        "var/lib/dpkg/status": status.encode(),
        "var/lib/dpkg/info/libc6.list": b"/usr/lib/libc.so.6\n",
        "var/lib/dpkg/info/libssl3.list": b"/usr/lib/libssl.so.3\n",
        **more,
    }
    return Layer(files, "ADD rootfs", created=created)


OLDER = rootfs("3.0.11", "2024-01-01T00:00:00Z")
NEWER = rootfs("3.0.15", "2024-09-01T00:00:00Z")


def service(name: str, ground: Layer, **files: bytes) -> Spec:
    return image(name, ground, Layer({f"srv/{name}.so": library(name, pages=9), **files}, f"COPY {name}"))


def planned(*specs: Spec, sources: dict[str, str] | None = None, **options: object) -> Plan:
    images, indexes = loaded(*specs)
    named = {"a": OLD, "b": OLD, "c": NEW} if sources is None else sources
    grounds = {name: Ground(source, 1) for name, source in named.items()}
    chosen = Options(grounds=grounds, **options)  # type: ignore[arg-type]
    return plan_images(images, [1] * len(images), indexes, storage_model("overlay2"), ELF_KINDS, chosen)


FLEET = (service("a", OLDER), service("b", OLDER), service("c", NEWER))


def test_union_puts_all_on_the_newest_build_and_says_what_changes() -> None:
    plan = planned(*FLEET, prefer="union")
    (base,) = plan.bases
    assert (base.source, base.images, base.packages) == (NEW, ("a", "b", "c"), ())
    assert {each.name: each.updates for each in plan.images} == {
        "a": ("libssl3 3.0.11 → 3.0.15",),
        "b": ("libssl3 3.0.11 → 3.0.15",),
        "c": (),
    }
    # libc and libssl3 once each, instead of each in two builds
    assert plan.before.page_cache_bytes - plan.after.page_cache_bytes == 2 * PAGES * 4096
    assert plan.after.duplicate_bytes == 0


@pytest.mark.parametrize("prefer", ["strict", "balanced"])
def test_other_points_change_no_file_and_tell_the_price(prefer: str) -> None:
    plan = planned(*FLEET, prefer=prefer)
    assert plan.bases == ()
    assert plan.after == plan.before
    assert all(image.updates == () for image in plan.images)
    first = plan.suggestions[0]
    assert (first.kind, first.images, first.saved_bytes) == (PIN, ("a", "b"), 2 * PAGES * 4096)
    assert "2 contents of theirs change (--prefer union)" in first.text


def test_what_a_build_is_counts_not_how_many_stand_on_it() -> None:
    """Newest by the times of the layers; without times the build that most images stand on."""
    timeless = (rootfs("3.0.11", ""), rootfs("3.0.15", ""))
    specs = (service("a", timeless[0]), service("b", timeless[0]), service("c", timeless[1]))
    assert planned(*specs, prefer="union").bases[0].source == OLD


@pytest.mark.parametrize(
    "sources",
    [
        {},
        {"a": OLD, "b": OLD},
        {"a": OLD, "b": OLD, "c": NEW.replace("debian", "python")},
        {"a": OLD, "b": OLD, "c": NEW.replace(":12", ":13")},
    ],
)
def test_bases_that_are_guessed_or_others_stay_apart(sources: dict[str, str]) -> None:
    plan = planned(*FLEET, sources=sources, prefer="union")
    assert plan.after == plan.before
    assert all(image.updates == () for image in plan.images)


def test_what_an_image_made_itself_stays_its_own() -> None:
    """`b` upgraded the library on the older build, and `a` removed it."""
    own = {"usr/lib/libssl.so.3": library("ssl", text="3.0.15", pages=PAGES)}
    gone = library("kept", pages=PAGES)
    older = rootfs("3.0.11", "2024-01-01T00:00:00Z", **{"usr/lib/old.so": gone})
    specs = (service("a", older), service("b", older, **own), service("c", NEWER))
    plan = planned(*specs, prefer="union")
    updates = {each.name: each.updates for each in plan.images}
    assert updates["a"] == ("libssl3 3.0.11 → 3.0.15", "/usr/lib/old.so → gone")
    # its own copy is the newer build's by now
    assert plan.after.duplicate_bytes == 0


def test_limits_hold() -> None:
    assert planned(*FLEET, prefer="union", min_saving=3 * PAGES * 4096).bases == ()
    assert len(planned(*FLEET, prefer="union", max_bases=1).bases) == 1
