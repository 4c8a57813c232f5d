"""On its planned base an image ends up with the packages that it has today, whatever apt was told to bring."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping

import pytest
from support.elf import library
from support.fleets import loaded
from support.images import Files, Layer, Spec, image

from memlint.model.plan import Plan
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.draft import Options
from memlint.planner.planning import plan_images
from memlint.sharing.storage import storage_model

Choices = list[list[str]]


class World:
    """Packages with what they need and recommend; of a choice, apt takes the first unless one is there."""

    def __init__(self, needs: Mapping[str, Choices], recommends: Mapping[str, Choices]) -> None:
        self.needs, self.recommends = needs, recommends

    def install(self, there: Collection[str], names: Iterable[str], *, recommends: bool) -> set[str]:
        """What is there after `apt-get install NAMES`, which looks at what these need once all of them are chosen."""
        todo = [name for name in names if name not in there]
        found = {*there, *todo}
        while todo:
            name = todo.pop(0)
            for choice in [*self.needs.get(name, []), *(self.recommends.get(name, []) if recommends else [])]:
                if not found.intersection(choice):
                    found.add(choice[0])
                    todo.append(choice[0])
        return found

    def image(self, name: str, asked: list[str], *, recommends: bool) -> tuple[Spec, set[str]]:
        have = self.install(["libc"], asked, recommends=recommends)
        tree = self.database(have)
        states = "".join(f"Package: {each}\nAuto-Installed: 1\n\n" for each in sorted(have - set(asked) - {"libc"}))
        tree |= {f"usr/lib/{each}.so": library(each, pages=300) for each in have}
        tree["var/lib/apt/extended_states"] = states.encode()
        ground = {"etc/os-release": b"ID=debian\nVERSION_ID=12\n", **self.database(["libc"])}
        command = f"RUN /bin/sh -c apt-get install -y {' '.join(asked)}"
        return image(name, Layer(ground, "ADD rootfs"), Layer(tree, command, ord(name))), have

    def database(self, names: Iterable[str]) -> Files:
        text = ""
        files: Files = {}
        for name in sorted(names):
            needs, more = (
                ", ".join(" | ".join(choice) for choice in found.get(name, []))
                for found in (self.needs, self.recommends)
            )
            fields = f"Depends: {needs}\n" * bool(needs) + f"Recommends: {more}\n" * bool(more)
            text += f"Package: {name}\nStatus: install ok installed\nVersion: 1\nInstalled-Size: 1300\n{fields}\n"
            files[f"var/lib/dpkg/info/{name}.list"] = f"/usr/lib/{name}.so\n".encode()
        return {**files, "var/lib/dpkg/status": text.encode()}


def planned(specs: list[Spec], prefer: str) -> Plan:
    images, indexes = loaded(*specs)
    options = Options(prefer=prefer, min_saving=1)
    return plan_images(images, [1] * len(images), indexes, storage_model("overlay2"), ELF_KINDS, options)


def carried(plan: Plan, name: str | None) -> set[str]:
    """The packages of a base and those below it."""
    bases = {base.name: base for base in plan.bases}
    found: set[str] = set()
    while name is not None:
        found |= {package.name for package in bases[name].packages}
        name = bases[name].parent
    return found


def built(world: World, plan: Plan, name: str | None) -> set[str]:
    """What is in a base once the packages that are asked for were installed, base by base."""
    bases = {base.name: base for base in plan.bases}
    if name is None:
        return {"libc"}
    below = built(world, plan, bases[name].parent)
    return world.install(below, [each.name for each in bases[name].packages if each.root], recommends=False)


def test_what_only_a_recommendation_brought_is_named() -> None:
    """Of what is there, apt brings no recommendation; what the recommended one needs comes with it."""
    world = World({"curl": [["libcurl"]], "ca": [["openssl"]]}, {"libcurl": [["ca"]], "openssl": [["less"]]})
    specs = [world.image("a", ["curl"], recommends=True)[0], world.image("b", ["curl"], recommends=False)[0]]
    plan = planned(specs, "strict")
    assert carried(plan, plan.images[0].base) == {"curl", "libcurl"}
    assert [[each.name for each in image.installs] for image in plan.images] == [["ca", "less"], []]


def test_what_the_image_names_itself_is_not_named_again() -> None:
    world = World({"curl": [["libcurl"]], "tool": [["ca"]]}, {"libcurl": [["ca"]]})
    for asked in (["ca", "curl"], ["curl", "tool"]):
        specs = [world.image("a", asked, recommends=True)[0], world.image("b", ["curl"], recommends=False)[0]]
        assert [image.installs for image in planned(specs, "strict").images] == [(), ()]


def test_what_meets_a_choice_keeps_no_other_one_away() -> None:
    """On a base with `postfix`, nothing would bring `exim`, which is there today."""
    world = World({"mailx": [["exim", "postfix"]]}, {})
    one = [["postfix", "mailx"], ["postfix"]]
    specs = [
        *(world.image(name, asked, recommends=True)[0] for name, asked in zip("ab", one, strict=True)),
        world.image("c", ["mailx"], recommends=True)[0],
    ]
    plan = planned(specs, "union")
    by_ref = {image.ref: image for image in plan.images}
    assert "postfix" in carried(plan, by_ref["c"].base)
    if "exim" not in carried(plan, by_ref["c"].base):
        assert [each.name for each in by_ref["c"].installs] == ["exim"]


@pytest.mark.parametrize("seed", range(150))
def test_every_image_keeps_its_packages(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    names = [f"p{number}" for number in range(rng.randint(2, 12))]

    def choices(often: float) -> dict[str, Choices]:
        return {
            name: [
                rng.sample(names[:at], min(at, rng.choice((1, 1, 1, 2))))
                for _ in range(2)
                if at and rng.random() < often
            ]
            for at, name in enumerate(names)
        }

    world = World(choices(0.4), choices(0.4))
    asked = {name: rng.sample(names, rng.randint(1, min(3, len(names)))) for name in "abcde"[: rng.randint(2, 5)]}
    told = {name: rng.random() < 0.5 for name in asked}
    made = {name: world.image(name, its, recommends=told[name]) for name, its in asked.items()}
    for prefer in ("strict", "union"):
        plan = planned([spec for spec, _ in made.values()], prefer)
        for planned_image in plan.images:
            name, base = planned_image.ref, built(world, plan, planned_image.base)
            assert base == {"libc", *carried(plan, planned_image.base)}
            there = world.install(base, [each.name for each in planned_image.installs], recommends=False)
            after = world.install(there, asked[name], recommends=told[name])
            before = made[name][1]
            assert before <= after, (prefer, name, before - after)
            assert after - before <= base - before, (prefer, name, after - before)
            assert prefer == "union" or after == before
