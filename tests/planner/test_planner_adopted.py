"""Plans of images that stand on a former plan's bases, as its README says: seen through, kept, and never lost."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
import pytest
from support.elf import library
from support.fleets import loaded
from support.images import Files, Layer, Spec, image
from support.stock import NOTHING, Stock

from memlint.dockerfile.parser import parse_dockerfile
from memlint.layers.limits import Limits
from memlint.lint.places import Origin
from memlint.model.plan import Plan
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.draft import Options
from memlint.planner.planning import plan_images
from memlint.planner.preparing import prepare
from memlint.planner.write import SCRIPT, Written, write
from memlint.planner.write.service import Service
from memlint.sharing.storage import storage_model

PAGES = 400
ROOTFS: Files = {"etc/os-release": b"ID=debian\nVERSION_ID=12\n", "usr/lib/libc.so.6": library("libc", pages=PAGES)}
DEBIAN, NEWER = Layer(ROOTFS, "ADD rootfs"), Layer({**ROOTFS, "etc/motd": b"new"}, "ADD rootfs")


def debs(*names: str, own: tuple[str, ...] = ()) -> Files:
    """What installing packages brings; the database tells of all, the files are those of `own`, if they are named."""
    status = "".join(f"Package: {name}\nStatus: install ok installed\nVersion: 1\n\n" for name in names)
    files: Files = {"var/lib/dpkg/status": status.encode()}
    for name in own or names:
        files[f"var/lib/dpkg/info/{name}.list"] = f"/usr/lib/{name}.so\n".encode()
        files[f"usr/lib/{name}.so"] = library(name, pages=PAGES)
    return files


def installs(*names: str) -> str:
    return f"RUN apt-get update && apt-get install -y {' '.join(names)}"


def ran(text: str) -> str:
    """How a history tells of a RUN, in a base (which has an ARG) or a service."""
    return f"RUN /bin/sh -c {text.removeprefix('RUN ')} # buildkit"


class Planned:
    """A plan of images built from these Dockerfiles, and its files."""

    def __init__(
        self,
        images: Mapping[str, tuple[Spec, str]],
        former: Plan | None = None,
        prefer: str = "strict",
        stock: Stock = NOTHING,
    ) -> None:
        built, indexes = loaded(*(spec for spec, _ in images.values()))
        services = []
        for name, (spec, text) in images.items():
            dockerfile = parse_dockerfile(text, f"{name}/Dockerfile")
            services.append(Service(name, spec.name, f"fleet/{name}", Origin(dockerfile, dockerfile.stages[-1])))
        found = prepare(built, indexes, services, Limits(), stock, former)
        options = Options(
            grounds=found.grounds,
            again=found.again,
            follows=found.follows,
            apart=found.apart,
            standing=found.standing,
            taken=found.taken,
            left_out=found.left_out,
            former=former,
            prefer=prefer,
        )
        model = storage_model("overlay2")
        self.plan = plan_images(built, [1] * len(built), indexes, model, ELF_KINDS, options, found.images)
        called = {spec.name: spec.name.partition(":")[2] for spec, _ in images.values()}
        self.written: Written = write(self.plan, built, indexes, services, found.rewritings, called, found.follows)

    def text(self, name: str) -> str:
        return self.written.files[f"services/{name}/Dockerfile"]

    @property
    def bases(self) -> dict[str, str]:
        """Name → the FROM of each base's Dockerfile."""
        found = {}
        for base in self.written.plan.bases:
            text = self.written.files[f"bases/{base.name}/Dockerfile"]
            (found[base.name],) = re.findall("^FROM (.*)$", text, re.MULTILINE)
        return found

    @property
    def base_of(self) -> dict[str, str | None]:
        return {image.name.rpartition("/")[2].partition(":")[0]: image.base for image in self.plan.images}

    def why(self, name: str) -> str:
        (found,) = [each.why for each in self.plan.left_out if f"/{name}:" in each.what]
        return found


def service(name: str, *layers: Layer, tag: str = "1") -> Spec:
    own = Layer({f"srv/{name}": name.encode()}, f"COPY {name} /srv/ # buildkit")
    return image(f"docker-daemon:fleet/{name}:{tag}", DEBIAN, *layers, own)


def text(name: str, *runs: str, on: str = "debian:12") -> str:
    return "\n".join([f"FROM {on}", *runs, f"COPY {name} /srv/", ""])


def first() -> Planned:
    """Two services that each install libx, planned."""
    run = installs("libx")
    images = {
        name: (service(name, Layer(debs("libx"), ran(run), mtime)), text(name, run))
        for mtime, name in enumerate(("a", "b"), 1)
    }
    return Planned(images)


BASE = Layer(debs("libx"), "RUN |1 SOURCE_DATE_EPOCH=1 /bin/sh -c apt-get update && apt-get install -y libx=1", 9)


def adopted(before: Planned, name: str, *layers: Layer, runs: tuple[str, ...] = (), tag: str = "2") -> tuple[Spec, str]:
    """The service as its rewritten Dockerfile builds it on the base, with more instructions and their layers."""
    own = Layer({}, ran(installs("libx")))
    spec = service(name, BASE, own, *layers, tag=tag)
    *lines, last = before.text(name).rstrip("\n").split("\n")
    return spec, "\n".join([*lines, *runs, last, ""])


def test_a_plan_of_what_stands_on_a_plan_is_the_same_plan() -> None:
    before = first()
    (base,) = before.written.plan.bases
    again = Planned({name: adopted(before, name) for name in "ab"}, before.written.plan)
    assert again.plan.moved == ()
    assert again.bases == before.bases == {base.name: "debian:12"}
    assert again.base_of == {"a": base.name, "b": base.name}
    assert f"base {base.reference} bases/{base.name}\n" in again.written.files[SCRIPT]
    for name in "ab":
        assert again.text(name) == before.text(name)
        assert again.written.files[f"services/{name}/Dockerfile.diff"] == ""
    assert again.plan.after == again.plan.before
    third = Planned({name: adopted(again, name, tag="3") for name in "ab"}, again.written.plan)
    assert third.bases == before.bases


def test_what_all_install_since_goes_into_the_base() -> None:
    before = first()
    (base,) = before.written.plan.bases
    run = installs("liby")
    more = {
        name: adopted(before, name, Layer(debs("libx", "liby", own=("liby",)), ran(run), mtime), runs=(run,))
        for mtime, name in enumerate("ab", 11)
    }
    after = Planned(more, before.written.plan)
    (changed,) = after.written.plan.bases
    assert (changed.name, after.bases[changed.name]) == (base.name, "debian:12")
    assert sorted(package.name for package in changed.packages) == ["libx", "liby"]
    assert changed.reference != base.reference
    assert after.text("a").startswith(f"FROM {changed.reference}\n")
    assert [each.kind for each in after.plan.moved] == []


def test_without_the_former_plan_a_planned_base_is_one_from_outside() -> None:
    before = first()
    (base,) = before.written.plan.bases
    run = installs("liby")
    more = {
        name: adopted(before, name, Layer(debs("libx", "liby", own=("liby",)), ran(run), mtime), runs=(run,))
        for mtime, name in enumerate("ab", 11)
    }
    after = Planned(more)
    ((name, source),) = after.bases.items()
    assert source == base.reference
    assert name != base.name


@pytest.mark.parametrize("trimmed", [True, False])
def test_an_image_that_rests_on_its_former_base_does_not_lose_it(trimmed: bool) -> None:
    """`a` shares a library with a new service by now, and libx with none: a base for both would not bring that."""
    before = first()
    (base,) = before.written.plan.bases
    run = installs("liby")
    shared = Layer(debs("libx", "liby", own=("liby",)), ran(run), 11)
    spec, own = adopted(before, "a", shared, runs=(run,))
    if trimmed:
        spec = msgspec_layers(spec, without=2)
        own = own.replace(f"{installs('libx')}\n", "")
    new = service("c", Layer(debs("liby"), ran(run), 12)), text("c", run)
    after = Planned({"a": (spec, own), "c": new}, before.written.plan)
    if trimmed:
        assert after.base_of == {"a": base.name, "c": None}
        assert after.bases == {base.name: "debian:12"}
        assert after.text("a") == own
        assert f"memlint-plan/{base.name} brings libx" in after.why("a")
    else:
        ((name, source),) = after.bases.items()
        assert after.base_of == {"a": name, "c": name}
        assert source == "debian:12"
        assert [package.name for planned in after.plan.bases for package in planned.packages] == ["liby"]


def msgspec_layers(spec: Spec, without: int) -> Spec:
    from dataclasses import replace

    return replace(spec, layers=tuple(layer for at, layer in enumerate(spec.layers) if at != without))


def test_an_image_alone_on_its_former_base_stays_there() -> None:
    before = first()
    (base,) = before.written.plan.bases
    other = service("c", Layer(debs("liby"), ran(installs("liby")))), text("c", installs("liby"))
    after = Planned({"a": adopted(before, "a"), "c": other}, before.written.plan)
    assert after.bases == {base.name: "debian:12"}
    assert after.base_of == {"a": base.name, "c": None}
    assert after.text("a").startswith(f"FROM {base.reference}\n")


def test_a_plan_that_does_not_say_how_many_layers_a_base_has_moves_nothing() -> None:
    before = first()
    bases = tuple(msgspec.structs.replace(base, layers=0) for base in before.written.plan.bases)
    former = msgspec.structs.replace(before.written.plan, bases=bases)
    after = Planned({name: adopted(before, name) for name in "ab"}, former)
    assert after.bases == before.bases
    assert "is not what the former plan says" in after.why("a")


def test_commands_of_a_former_base_stay_in_it() -> None:
    before = first()
    bases = tuple(
        msgspec.structs.replace(base, layers=2, commands=("chmod 700 /usr/lib/libx.so",))
        for base in before.written.plan.bases
    )
    former = msgspec.structs.replace(before.written.plan, bases=bases)
    chmod = Layer({"usr/lib/libx.so": library("libx", pages=PAGES)}, "RUN chmod 700 /usr/lib/libx.so", 10)
    images = {}
    for name in "ab":
        spec, own = adopted(before, name)
        lower, upper = spec.layers[:2], spec.layers[2:]
        images[name] = (image(spec.name, *lower, chmod, *upper), own)
    after = Planned(images, former)
    (base,) = after.written.plan.bases
    assert "\nRUN chmod 700 /usr/lib/libx.so\n" in after.written.files[f"bases/{base.name}/Dockerfile"]
    assert set(after.base_of.values()) == {base.name}


def test_a_base_that_was_built_again_on_another_ground_is_not_pinned_to_the_old_one() -> None:
    before = first()
    pinned = f"debian:12@sha256:{'a' * 64}"
    bases = tuple(msgspec.structs.replace(base, source=pinned) for base in before.written.plan.bases)
    former = msgspec.structs.replace(before.written.plan, bases=bases)
    run = installs("liby")
    for ground, source in ((DEBIAN, pinned), (NEWER, "debian:12")):
        images = {}
        for mtime, name in enumerate("ab", 11):
            more = Layer(debs("libx", "liby", own=("liby",)), ran(run), mtime)
            spec, own = adopted(before, name, more, runs=(run,))
            images[name] = (image(spec.name, ground, *spec.layers[1:]), own)
        after = Planned(images, former)
        assert list(after.bases.values()) == [source]


def test_an_image_on_the_build_of_another_follows_it_still() -> None:
    """The plan calls that by a name of its own."""
    run = installs("libx")
    layer = Layer(debs("libx"), ran(run), 1)
    leader = service("api", layer)
    cron = image("docker-daemon:fleet/cron:1", *leader.layers, Layer({"srv/cron": b"c"}, "COPY cron /srv/ # buildkit"))
    web = service("web", Layer(debs("libx"), ran(run), 2)), text("web", run)
    before = Planned(
        {"api": (leader, text("api", run)), "cron": (cron, "FROM fleet/api:1\nCOPY cron /srv/\n"), "web": web}
    )
    assert re.match("FROM memlint-plan/service-api:[0-9a-f]{12}\n", before.text("cron"))
    spec, own = adopted(before, "api")
    again = image("docker-daemon:fleet/cron:2", *spec.layers, Layer({"srv/cron": b"c"}, "COPY cron /srv/ # buildkit"))
    images = {"api": (spec, own), "cron": (again, before.text("cron")), "web": adopted(before, "web")}
    after = Planned(images, before.written.plan)
    assert after.plan.moved == ()
    assert set(after.base_of.values()) == set(before.bases)
    assert after.text("cron") == before.text("cron")
