"""Which image of several platforms is meant."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from support import images

from memlint import MemlintError, compare
from memlint.errors import SourceError, UsageError
from memlint.sources.platform import choose, expect, normalise

MANY = ["linux/amd64", "linux/arm64", "linux/arm/v6", "linux/arm/v7", "linux/s390x", "windows/amd64"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/amd64", "linux/amd64"),
        ("Linux/AMD64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/aarch64", "linux/arm64/v8"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/armv6l", "linux/arm/v6"),
        ("linux/i386", "linux/386"),
    ],
)
def test_names_are_gos(text: str, expected: str) -> None:
    assert normalise(text) == expected
    assert normalise(expected) == expected


@pytest.mark.parametrize("text", ["amd64", "", "/", "linux/", "linux//v7", "linux/arm/v7/x"])
def test_no_platform(text: str) -> None:
    with pytest.raises(UsageError, match="is no platform"):
        normalise(text)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_the_wanted_one(wanted: str, expected: str) -> None:
    assert MANY[choose(MANY, wanted, "web")] == expected


@pytest.mark.parametrize(
    ("machine", "expected"),
    [("x86_64", "linux/amd64"), ("aarch64", "linux/arm64"), ("armv7l", "linux/arm/v7"), ("s390x", "linux/s390x")],
)
def test_by_default_this_machines(monkeypatch: pytest.MonkeyPatch, machine: str, expected: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert MANY[choose(MANY, None, "web")] == expected


def test_the_only_one_is_taken_unless_another_is_wanted() -> None:
    assert choose(["linux/s390x"], None, "web") == 0
    with pytest.raises(SourceError, match="web: has no image for linux/amd64"):
        choose(["linux/s390x"], "linux/amd64", "web")


def test_the_refusal_names_what_there_is() -> None:
    with pytest.raises(SourceError) as caught:
        choose(MANY, "linux/riscv64", "web")
    assert all(each in caught.value.hint for each in MANY)


@pytest.mark.parametrize("odd", ["", "linux", "linux/a/b/c"])
def test_an_index_that_says_nonsense_does_not_hide_the_others(odd: str) -> None:
    assert choose([odd, "linux/amd64"], "linux/amd64", "web") == 1


def test_expect() -> None:
    expect("linux/arm64", "linux/arm64/v8", "web")
    expect("linux/s390x", None, "web")
    with pytest.raises(SourceError, match="web: is for linux/s390x, not for linux/amd64"):
        expect("linux/s390x", "linux/amd64", "web")


def test_a_single_image_of_another_platform(tmp_path: Path) -> None:
    spec = images.image("web:1", {"a": b"a"}, platform="linux/s390x")
    layout = images.oci(spec).write(tmp_path / "layout")
    archive = images.write_tar(images.docker_old(spec), tmp_path / "old.tar")
    for reference in (f"oci:{layout}", f"docker-archive:{archive}"):
        assert compare([reference]).images[0].platform == "linux/s390x"
        with pytest.raises(MemlintError, match=r"is for linux/s390x, not for linux/amd64"):
            compare([reference], platform="linux/amd64")


def specs(*platforms: str) -> list[images.Spec]:
    return [images.image(each, {"name": each.encode()}, platform=each) for each in platforms]


@pytest.mark.parametrize("nested", [False, True])
def test_an_index_of_several_platforms(tmp_path: Path, nested: bool) -> None:
    layout = images.Layout()
    members = [
        images.for_platform(layout.manifest(spec), spec.platform) for spec in specs("linux/amd64", "linux/arm64")
    ]
    members += [images.attestation(layout, members[0])]
    index = layout.index(*members)
    layout.name(layout.index(index) if nested else index, "web:1")
    layout.write(tmp_path)
    for wanted in ("linux/amd64", "linux/arm64"):
        (found,) = compare([f"oci:{tmp_path}"], platform=wanted).images
        assert (found.platform, found.name) == (wanted, "web:1")
    with pytest.raises(MemlintError) as caught:
        compare([f"oci:{tmp_path}:web:1"], platform="linux/s390x")
    assert caught.value.hint.endswith("linux/amd64, linux/arm64")


def test_manifests_of_one_name_are_one_image_of_several_platforms(tmp_path: Path) -> None:
    layout = images.Layout()
    for spec in specs("linux/amd64", "linux/arm64"):
        layout.name(images.for_platform(layout.manifest(spec), spec.platform), "web:1")
    layout.write(tmp_path)
    for reference in (f"oci:{tmp_path}", f"oci:{tmp_path}:web:1"):
        (found,) = compare([reference], platform="linux/arm64").images
        assert found.platform == "linux/arm64"


def test_manifests_without_names_are_one_image_of_several_platforms(tmp_path: Path) -> None:
    layout = images.Layout()
    for spec in specs("linux/amd64", "linux/arm64"):
        layout.name(images.for_platform(layout.manifest(spec), spec.platform), None)
    layout.write(tmp_path)
    (found,) = compare([f"oci:{tmp_path}"], platform="linux/arm64").images
    assert found.platform == "linux/arm64"


def test_the_index_is_believed_where_the_config_lacks_the_variant(tmp_path: Path) -> None:
    """Old builders left it out of the config."""
    layout = images.Layout()
    spec = images.image("web", {"a": b"a"}, platform="linux/arm")
    layout.name(layout.index(images.for_platform(layout.manifest(spec), "linux/arm/v6")), "web:1")
    layout.write(tmp_path)
    (found,) = compare([f"oci:{tmp_path}"], platform="linux/arm/v6").images
    assert found.name == "web:1"


def test_a_manifest_without_platform_is_asked_for_its_config(tmp_path: Path) -> None:
    layout = images.Layout()
    layout.name(layout.index(*(layout.manifest(spec) for spec in specs("linux/amd64", "linux/arm64"))), "web:1")
    layout.write(tmp_path)
    (found,) = compare([f"oci:{tmp_path}"], platform="linux/arm64").images
    assert found.platform == "linux/arm64"
