"""Which packages a container sees, out of the databases of all layers."""

from __future__ import annotations

from support import images
from support.fleets import loaded
from support.images import Dir, Files, Gone

from memlint.model.layer import Release
from memlint.sharing.packages import packages_of, release_of

DIST = "app/x-1.dist-info/METADATA"
STATUS = "var/lib/dpkg/status"


def status(*names: str) -> Files:
    text = "\n".join(f"Package: {name}\nStatus: install ok installed\nVersion: 1\n" for name in names)
    return {STATUS: text.encode()}


def names(*layers: images.Tree) -> list[str]:
    (image,), indexes = loaded(images.image("x", *layers))
    return [each.package.name for each in packages_of(image, indexes)]


def test_the_topmost_database_of_a_distribution_holds() -> None:
    assert names(status("a", "b"), {}, status("a", "c")) == ["a", "c"]
    assert names(status("a"), {STATUS: Gone()}) == []


def test_a_language_s_packages_add_up_unless_hidden() -> None:
    below: Files = {DIST: b"Name: x\nVersion: 1\n"}
    assert names(below, {"srv/y-2.dist-info/METADATA": b"Name: y\nVersion: 2\n"}) == ["x", "y"]
    assert names(below, {DIST: Gone()}) == []
    assert names(below, {"app": Gone()}) == []
    assert names(below, {"app": Dir(opaque=True)}) == []
    assert names(below, {"app": b"a file"}) == []


def test_the_topmost_release_holds() -> None:
    (image,), indexes = loaded(images.image("x", {"usr/lib/os-release": b"ID=debian\nVERSION_ID=11\n"}, {}))
    assert release_of(image.layers, indexes) == Release("debian", "11")
    (image,), indexes = loaded(images.image("x", {"etc/os-release": b"ID=a\n"}, {"etc/os-release": b"ID=b\n"}))
    assert release_of(image.layers, indexes) == Release("b", "")
    (image,), indexes = loaded(images.image("x", {}))
    assert release_of(image.layers, indexes) is None
