"""Which images stand on one ground: of the same contents and settings, by a name that still means them."""

from __future__ import annotations

from typing import Any

import pytest
from support.elf import TOOLS, library
from support.fleets import loaded
from support.images import Dir, Files, Layer, Spec, image
from support.stock import NOTHING, Stock

from memlint.dockerfile.parser import parse_dockerfile
from memlint.dockerfile.reference import parse_base
from memlint.layers.limits import Limits
from memlint.lint.places import Origin
from memlint.model.digest import Digest
from memlint.model.image import BaseDigest, BaseImage, Image
from memlint.model.layer import Release
from memlint.model.plan import Plan
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.draft import Options
from memlint.planner.guessing import published
from memlint.planner.planning import plan_images
from memlint.planner.preparing import prepare
from memlint.planner.standing import user_below
from memlint.planner.write.service import Service
from memlint.sharing.storage import storage_model

PAGES = 400
LIBC = library("libc", pages=PAGES)
ROOTFS: Files = {
    **TOOLS,
    "etc/os-release": b"ID=debian\nVERSION_ID=12\n",
    "usr/lib/libc.so.6": LIBC,
    "etc/motd": b"hello",
    "var/log": Dir(),
    "var/cache/ldconfig": Dir(),
}
DEBIAN = Layer(ROOTFS, "ADD rootfs")
SHARED = library("shared", pages=PAGES)
DIGEST = "sha256:" + "a" * 64
REBUILT = Layer(ROOTFS, "ADD rootfs", mtime=1_700_000_000)
"""The same root file system, imported another day."""
NEWER = Layer({**ROOTFS, "etc/motd": b"hello again"}, "ADD rootfs", created="2024-09-01T00:00:00Z")
"""It maps the same files, and is another one."""


def service(name: str, *ground: Layer, text: str = "", **config: Any) -> tuple[Spec, str]:
    """An image on a ground, with a file that all have in a layer of their own; and its Dockerfile but for FROM."""
    own = Layer({"srv/shared.so": SHARED, f"srv/{name}": name.encode()}, "COPY . /srv/ # buildkit")
    return image(name, *ground, own, **config), f"{text}COPY . /srv/\n"


def planned(
    services: dict[str, tuple[Spec, str]], stock: Stock = NOTHING, prefer: str = "strict", **changes: object
) -> Plan:
    """The plan for services by what their FROM names: `debian:12 a`."""
    specs = [spec for spec, _ in services.values()]
    images, indexes = loaded(*specs)
    known = []
    for key, (spec, text) in services.items():
        dockerfile = parse_dockerfile(f"FROM {key.split()[0]}\n{text}", f"{spec.name}/Dockerfile")
        known.append(Service(spec.name, spec.name, spec.name, Origin(dockerfile, dockerfile.stages[-1])))
    found = prepare(images, indexes, known, Limits(), stock)
    options = Options(
        grounds=found.grounds,
        again=found.again,
        apart=found.apart,
        left_out=found.left_out,
        prefer=prefer,
        **changes,  # type: ignore[arg-type]
    )
    model = storage_model("overlay2")
    return plan_images(images, [1] * len(images), indexes, model, ELF_KINDS, options, found.images)


def bases(plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    return [(base.source, base.images) for base in plan.bases]


def why(plan: Plan, name: str) -> str:
    (found,) = [each.why for each in plan.left_out if each.what == name]
    return found


def base_image(*layers: Layer, **config: Any) -> Image:
    (found,), _ = loaded(image("base", *layers, **config))
    return found


COMPANY = Layer({"etc/company/ca.crt": b"cert"}, "COPY ca.crt /etc/company/")
COMPANY_CONFIG: dict[str, Any] = {"Env": ["COMPANY_CA=/etc/company/ca.crt"], "User": "app", "Entrypoint": ["/entry"]}


# Contents


def test_a_base_with_other_files_stays_its_own() -> None:
    plan = planned(
        {
            "debian:12 a": service("a", DEBIAN),
            "debian:12 b": service("b", DEBIAN),
            "company/base:1": service("pay", DEBIAN, COMPANY),
        }
    )
    assert bases(plan) == [("debian:12", ("a", "b"))]
    assert "no other image has the contents and settings of its base company/base:1" in why(plan, "pay")


def test_images_on_it_share_a_base_of_their_own() -> None:
    plan = planned(
        {
            "debian:12": service("a", DEBIAN),
            "company/base:1 b": service("b", DEBIAN, COMPANY),
            "company/base:1 c": service("c", DEBIAN, COMPANY),
        }
    )
    assert bases(plan) == [("company/base:1", ("b", "c"))]


def test_a_slim_build_of_the_same_programs_is_another_ground() -> None:
    slim = Layer({path: data for path, data in ROOTFS.items() if path != "etc/motd"}, "ADD rootfs")
    plan = planned(
        {
            "debian:12": service("a", DEBIAN),
            "debian:12-slim b": service("b", slim),
            "debian:12-slim c": service("c", slim),
        }
    )
    assert bases(plan) == [("debian:12-slim", ("b", "c"))]


@pytest.mark.parametrize(
    ("entry", "one"),
    [
        ({"var/log/dpkg.log": b"2024-01-01"}, True),
        ({"var/cache/ldconfig/aux-cache": b"inodes"}, True),
        ({"etc/machine-id": b"0123"}, True),
        ({"etc/motd": b"hello again"}, False),
        ({"etc/motd": b"hello", "opt/new": b"file"}, False),
    ],
)
def test_builds_that_differ_in_times_and_leavings_alone_are_one(entry: Files, one: bool) -> None:
    other = Layer({**ROOTFS, **entry}, "ADD rootfs", mtime=1_700_000_000)
    found = planned({"debian:12 a": service("a", DEBIAN), "debian:12 b": service("b", other)})
    assert [base.images for base in found.bases] == ([("a", "b")] if one else [])
    assert (found.after.page_cache_bytes < found.before.page_cache_bytes) == one


# Settings


def test_a_base_that_only_sets_something_is_another_ground() -> None:
    """It has no layer of its own: the chains are one, and what images on it inherit is not."""
    plan = planned(
        {
            "debian:12 a": service("a", DEBIAN),
            "debian:12 b": service("b", DEBIAN),
            "company/base:1": service("pay", DEBIAN, **COMPANY_CONFIG),
        }
    )
    assert bases(plan) == [("debian:12", ("a", "b"))]


@pytest.mark.parametrize(
    ("config", "text", "one"),
    [
        ({}, "", True),
        ({"Env": ["A=1"]}, "ENV A=1\n", True),
        ({"Env": ["A=1"]}, "", False),
        ({"User": "app"}, "USER app\n", True),
        ({"User": "app"}, "", False),
        ({"Entrypoint": ["/x"]}, "", False),
        ({"Cmd": ["x"]}, 'ENTRYPOINT ["/y"]\n', True),
        ({"ExposedPorts": {"80/tcp": {}}}, "", False),
        ({"Labels": {"commit": "abc"}}, "", True),
    ],
)
def test_builds_of_one_tag_are_compared_by_what_shows(config: dict[str, Any], text: str, one: bool) -> None:
    """What an image sets itself hides what its base sets; labels are given to builds from outside."""
    plan = planned(
        {"debian:12 a": service("a", DEBIAN), "debian:12 b": service("b", REBUILT, text=text, **config)},
    )
    assert [base.images for base in plan.bases] == ([("a", "b")] if one else [])


@pytest.mark.parametrize(
    ("config", "one"), [({}, True), ({"Cmd": ["bash"]}, False), ({"Env": ["A=1"]}, False), ({"User": "app"}, False)]
)
def test_bases_of_two_names_are_one_where_both_are_known_to_be_the_same(config: dict[str, Any], one: bool) -> None:
    stock = Stock({"debian:12": base_image(DEBIAN), "mirror/debian:12": base_image(REBUILT, **config)})
    services = {
        "debian:12": service("a", DEBIAN, text="CMD a\n"),
        "mirror/debian:12": service("b", REBUILT, text="CMD b\n"),
    }
    assert [base.images for base in planned(services, stock).bases] == ([("a", "b")] if one else [])
    assert planned(services).bases == (), "what nobody knows is not taken for granted"


def test_tags_of_one_repository_on_one_chain_are_one_image() -> None:
    plan = planned({"debian:12": service("a", DEBIAN), "debian:bookworm": service("b", DEBIAN)})
    assert [base.images for base in plan.bases] == [("a", "b")]


def test_an_argument_that_is_not_known_is_no_base_to_rewrite() -> None:
    images = {"debian:12 a": service("a", DEBIAN), "debian:12 b": service("b", DEBIAN), "${BASE}": service("c", DEBIAN)}
    plan = planned(images)
    assert bases(plan) == [("debian:12", ("a", "b"))]
    assert "the FROM in c/Dockerfile:1 takes a build argument that is not known" in why(plan, "c")
    assert [image.base for image in plan.images][2] is None


# What a tag means


def on_two_builds() -> dict[str, tuple[Spec, str]]:
    pairs = {"a": DEBIAN, "b": DEBIAN, "c": NEWER, "d": NEWER}
    return {f"debian:12 {name}": service(name, layer) for name, layer in pairs.items()}


@pytest.mark.parametrize(
    ("stock", "planned_on", "left"),
    [
        # nothing tells what the tag means: the newest build, by its time
        (NOTHING, ("c", "d"), ("a", "b")),
        (Stock({"debian:12": base_image(NEWER)}), ("c", "d"), ("a", "b")),
        (Stock({"debian:12": base_image(DEBIAN)}), ("a", "b"), ("c", "d")),
        (Stock({"debian:12": base_image(COMPANY)}), (), ("a", "b", "c", "d")),
    ],
)
@pytest.mark.parametrize("prefer", ["strict", "balanced"])
def test_a_tag_means_one_build(stock: Stock, planned_on: tuple[str, ...], left: tuple[str, ...], prefer: str) -> None:
    plan = planned(on_two_builds(), stock, prefer)
    assert bases(plan) == ([("debian:12", planned_on)] if planned_on else [])
    assert {image.name for image in plan.images if not image.rebuilt} == set(left)
    assert all("debian:12" in why(plan, name) and "build it again" in why(plan, name) for name in left)


@pytest.mark.parametrize("stock", [NOTHING, Stock({"debian:12": base_image(DEBIAN)})])
def test_union_puts_all_on_the_build_that_it_means(stock: Stock) -> None:
    plan = planned(on_two_builds(), stock, "union")
    assert bases(plan) == [("debian:12", ("a", "b", "c", "d"))]
    assert plan.left_out[:1] == () or all("package database" in each.why for each in plan.left_out)
    assert all(image.rebuilt for image in plan.images)


def test_union_puts_none_on_a_build_that_it_no_longer_means() -> None:
    plan = planned(on_two_builds(), Stock({"debian:12": base_image(COMPANY)}), "union")
    assert plan.bases == ()
    assert plan.after == plan.before


def test_what_union_would_save_beyond_the_budgets_is_said_to_be_that() -> None:
    plan = planned(on_two_builds())
    assert plan.suggestions[0].images == ("a", "b")
    balanced = planned(on_two_builds(), prefer="balanced")
    assert "would put images on another build of their base (--prefer union)" in balanced.reason


def test_digests_that_a_builder_knows_are_pinned() -> None:
    """Both builds can be named then, also the one whose tag is gone."""
    now = BaseImage(base_image(NEWER), (f"docker.io/library/debian@{DIGEST}", "other/debian@sha256:" + "c" * 64))
    older = "sha256:" + "b" * 64
    stock = Stock({"debian:12": now}, {"debian": (older, base_image(DEBIAN))})
    plan = planned(on_two_builds(), stock)
    assert bases(plan) == [(f"debian:12@{older}", ("a", "b")), (f"debian:12@{DIGEST}", ("c", "d"))]
    assert all(image.rebuilt for image in plan.images)


def test_digests_that_dockerfiles_or_manifests_name_are_pinned() -> None:
    pinned = {f"debian:12@{DIGEST} {name}": service(name, DEBIAN) for name in "ab"}
    assert bases(planned(pinned, Stock({"debian:12": base_image(NEWER)}))) == [(f"debian:12@{DIGEST}", ("a", "b"))]
    (first, second), indexes = loaded(service("a", DEBIAN)[0], service("b", DEBIAN)[0])
    for name, expected in (("docker.io/library/debian:12", f"debian:12@{DIGEST}"), ("node:22", "debian:12")):
        noted = [replaced(each, BaseDigest(Digest(DIGEST), name)) for each in (first, second)]
        dockerfile = parse_dockerfile("FROM debian:12\nCOPY . /srv/\n", "Dockerfile")
        known = [Service(each.ref, each.ref, each.ref, Origin(dockerfile, dockerfile.stages[-1])) for each in noted]
        found = prepare(noted, indexes, known, Limits(), NOTHING)
        assert {ground.source for ground in found.grounds.values()} == {expected}


def test_a_digest_that_names_another_build_by_now_is_not_built_on() -> None:
    """The Dockerfile was changed since the images were built."""
    source = f"debian:12@{DIGEST}"
    plan = planned({f"{source} {name}": service(name, DEBIAN) for name in "ab"}, Stock({source: base_image(NEWER)}))
    assert plan.bases == ()
    assert f"{source} is another build than the one it stands on" in why(plan, "a")


def replaced(found: Image, base: BaseDigest) -> Image:
    from msgspec.structs import replace

    return replace(found, base=base)


def test_a_build_of_another_platform_tells_nothing() -> None:
    (arm,), _ = loaded(image("debian:12", NEWER, platform="linux/arm64"))
    plan = planned({f"debian:12 {name}": service(name, DEBIAN) for name in "ab"}, Stock({"debian:12": arm}))
    assert bases(plan) == [("debian:12", ("a", "b"))]


# The user


@pytest.mark.parametrize(
    ("config", "history", "text", "user"),
    [
        ({}, None, "", ""),
        ({"User": "app"}, None, "", "app"),
        ({"User": "web"}, ("USER app", "USER root", "USER web"), "USER root\nUSER web\n", "app"),
        ({"User": "web"}, ("USER web",), "USER web\n", ""),
        ({"User": "web"}, None, "USER web\n", None),
        ({"User": "web"}, None, "RUN apt-get install -y x\nUSER web\n", ""),
    ],
)
def test_the_user_of_a_base(
    config: dict[str, Any], history: tuple[str, ...] | None, text: str, user: str | None
) -> None:
    services = {f"debian:12 {name}": service(name, DEBIAN, text=text, history=history, **config) for name in ("a", "b")}
    if "RUN" in text:
        for key, (spec, own) in services.items():
            ran = Layer({}, "RUN /bin/sh -c apt-get install -y x # buildkit")
            services[key] = (image(spec.name, spec.layers[0], ran, spec.layers[1], **spec.config), own)
    (base,) = planned(services).bases
    assert base.user == user
    stock = Stock({"debian:12": base_image(DEBIAN, User="known")})
    assert planned(services, stock).bases[0].user == "known"


def test_commands_that_run_as_nobody_knows_whom_keep_an_image_apart() -> None:
    made = Layer({}, "RUN /bin/sh -c make # buildkit")
    (spec, _), text = service("a", DEBIAN), "RUN make\nUSER web\nCOPY . /srv/\n"
    first = (image("a", spec.layers[0], made, spec.layers[1], User="web"), text)
    services = {"debian:12 a": first, "debian:12 b": service("b", DEBIAN), "debian:12 c": service("c", DEBIAN)}
    plan = planned(services)
    assert bases(plan) == [("debian:12", ("b", "c"))]
    assert "a/Dockerfile:2 is run so: put a USER above it" in why(plan, "a")


@pytest.mark.parametrize(
    ("source", "texts", "user"),
    [
        ("debian:12", ["RUN x"], ""),
        ("python:3.12", ["RUN x"], ""),
        ("rockylinux/rockylinux:9", ["RUN x"], ""),
        ("jenkins/jenkins:lts", ["USER root\nRUN apt-get install -y x"], None),
        ("jenkins/jenkins:lts", ["USER root\nRUN apt-get install -y x", "RUN apt-get install -y x"], ""),
        ("mirror.example/python:3.12", ["RUN true"], None),
    ],
)
def test_the_user_of_a_base_that_only_dockerfiles_tell_of(source: str, texts: list[str], user: str | None) -> None:
    origins = []
    for text in texts:
        dockerfile = parse_dockerfile(f"FROM {source}\n{text}\n", "Dockerfile")
        origins.append(Origin(dockerfile, dockerfile.stages[-1]))
    assert user_below(source, origins) == user


# Names that are guessed


@pytest.mark.parametrize(
    ("name", "version", "reference"),
    [
        ("debian", "12", "debian:12"),
        ("debian", "", "debian:sid"),
        ("ubuntu", "24.04", "ubuntu:24.04"),
        ("alpine", "3.20.3", "alpine:3.20"),
        ("alpine", "3.21.0_alpha20240923", "alpine:edge"),
        ("amzn", "2023", "amazonlinux:2023"),
        ("fedora", "40", "fedora:40"),
        ("rocky", "9.3", "rockylinux/rockylinux:9"),
        ("almalinux", "9.4", "almalinux:9.4"),
        ("ol", "9.3", "oraclelinux:9"),
        ("rhel", "9.4", "redhat/ubi9:9.4"),
        ("centos", "9", "quay.io/centos/centos:stream9"),
        ("centos", "7", "centos:7"),
        ("opensuse-leap", "15.5", "opensuse/leap:15.5"),
        ("opensuse-tumbleweed", "20240901", "opensuse/tumbleweed:latest"),
        ("photon", "5.0", "photon:5.0"),
        ("azurelinux", "3.0", "mcr.microsoft.com/azurelinux/base/core:3.0"),
        ("mariner", "2.0.20240628", "mcr.microsoft.com/cbl-mariner/base/core:2.0"),
        ("wolfi", "20230201", "cgr.dev/chainguard/wolfi-base:latest"),
    ],
)
def test_distributions_go_by_the_names_that_they_are_published_under(name: str, version: str, reference: str) -> None:
    found = published(Release(name, version))
    assert found == reference
    base = parse_base(reference)
    assert base is not None
    assert base.family == name


def test_a_distribution_that_is_not_known_has_no_name_to_guess() -> None:
    own = Layer({**ROOTFS, "etc/os-release": b"ID=company-linux\nVERSION_ID=3\n"}, "ADD rootfs")
    images, indexes = loaded(service("a", own)[0], service("b", own)[0])
    plan = plan_images(images, [1, 1], indexes, storage_model("overlay2"), ELF_KINDS, Options())
    assert plan.bases == ()
    assert "os-release tells of company-linux alone, so its base has no name here" in why(plan, "a")
    named = {"company/linux:3 a": service("a", own), "company/linux:3 b": service("b", own)}
    assert bases(planned(named)) == [("company/linux:3", ("a", "b"))]
