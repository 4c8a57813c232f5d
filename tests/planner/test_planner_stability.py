"""What changes often lies above what does not, and what a former plan says is kept."""

from __future__ import annotations

import random
from zlib import crc32

import msgspec
import pytest
from support.elf import library
from support.fleets import loaded
from support.images import Files, Layer, Spec, image
from support.planning import Fleet

from memlint.model.image import Image
from memlint.model.plan import Plan, PlannedBase, PlannedPackage
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.atoms import Case, case_of
from memlint.planner.draft import Options
from memlint.planner.grounds import grouped
from memlint.planner.movable import Made
from memlint.planner.planning import plan_images
from memlint.planner.problem import members
from memlint.planner.stability import DAY, Life, built, lives_of
from memlint.planner.steps import ordered
from memlint.planner.weighing import Measure, mappable
from memlint.sharing.storage import storage_model

GROUND = Layer({"etc/os-release": b"ID=debian\nVERSION_ID=12\n"}, "ADD rootfs")


def debs(versions: dict[str, str], needs: dict[str, str] | None = None) -> Files:
    """These packages, each with a library of 300 pages."""
    files: Files = {}
    status = ""
    for name, version in versions.items():
        depends = f"Depends: {needs[name]}\n" if needs and name in needs else ""
        status += f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n{depends}\n"
        files[f"var/lib/dpkg/info/{name}.list"] = f"/usr/lib/{name}.so\n".encode()
        files[f"usr/lib/{name}.so"] = library(name, text=version, pages=300)
    return {**files, "var/lib/dpkg/status": status.encode()}


def fleet(*specs: Spec, former: Plan | None = None, **options: object) -> Plan:
    images, indexes = loaded(*specs)
    chosen = Options(former=former, **options)  # type: ignore[arg-type]
    return plan_images(images, [1] * len(images), indexes, storage_model("overlay2"), ELF_KINDS, chosen)


def service(name: str, versions: dict[str, str], needs: dict[str, str] | None = None) -> Spec:
    return image(name, GROUND, Layer(debs(versions, needs), f"RUN install {name}", crc32(name.encode()) % 1000))


def step_of(base: PlannedBase, name: str) -> int:
    return next(each.step for each in base.packages if each.name == name)


def test_what_two_versions_of_an_image_have_in_two_versions_lies_above() -> None:
    new = {"lib": "1", "ssl": "2"}
    (base,) = fleet(service("api:1", {"ssl": "1"}), service("api:2", new), service("web:2", new), prefer="strict").bases
    assert (step_of(base, "lib"), step_of(base, "ssl")) == (0, 1)
    assert base.steps[0].why == "not seen to change"
    assert base.steps[1].why == "seen to change more than once in 90 days: ssl (1 change)"


def test_what_needs_something_that_changes_lies_no_lower() -> None:
    new = {"app": "1", "ssl": "2", "lib": "1"}
    needs = {"app": "ssl"}
    specs = (service("a:1", new, needs), service("b:1", new, needs), service("c:1", {"ssl": "1"}))
    (base,) = fleet(*specs, prefer="strict").bases
    assert {each.name: each.step for each in base.packages} == {"lib": 0, "app": 1, "ssl": 1}
    assert base.steps[1].why.endswith("; app need that")


def test_a_step_that_keeps_too_little_below_it_is_none() -> None:
    new = {"ssl": "2", "lib": "1"}
    specs = (service("a:1", new), service("b:1", new), service("c:1", {"ssl": "1"}))
    (base,) = fleet(*specs, prefer="strict", min_saving=300 * 4096 + 1).bases
    assert {each.step for each in base.packages} == {0}


def test_files_that_change_from_version_to_version_lie_above() -> None:
    def version(name: str, text: str, day: int, files: Files) -> Spec:
        tree = {"opt/c/c.so": library("c", text=text, pages=300), **files}
        return image(name, GROUND, Layer(tree, "RUN make", day, f"2024-05-{day:02}T10:00:00Z"))

    stable: Files = {"opt/s/s.so": library("s", pages=300)}
    specs = (version("api:2", "2", 9, stable), version("api:1", "1", 1, {}), version("web:2", "2", 10, stable))
    (base,) = fleet(*specs, prefer="strict").bases
    assert {group.directory: (group.step, group.changes) for group in base.files} == {
        "/opt/s": (0, 0),
        "/opt/c": (1, 1),
    }


def random_levels(case: Case, seed: int) -> dict[tuple[str, str], Life]:
    rng = random.Random(seed)  # noqa: S311
    names = {("deb", f"p{number}") for number in range(10)} | {("", path) for p in case.pieces for path, _ in p.files}
    return {name: Life(rng.choice((0, 0, 1, 3)), rng.choice((0, 50, 400))) for name in sorted(names)}


@pytest.mark.parametrize("seed", range(120))
def test_nothing_lies_below_what_changes_less_unless_it_is_needed(seed: int) -> None:
    made = Fleet(seed)
    for group in grouped(made.images, made.indexes, ELF_KINDS, {}):
        case = case_of(group, Made(), Measure(mappable, [1.0] * len(made.images)))
        lives = random_levels(case, seed)
        own = case.problem.common(range(len(group.members))) & ~case.problem.ground
        order = ordered(case, own, case.problem.ground, lambda subject: lives.get(subject, Life()), 1)  # noqa: B023
        placed = list(order.step_of)
        assert set(placed) == {at for at in members(own) if case.pieces[at].itself or not case.pieces[at].package}
        assert sorted(set(order.step_of.values())) == list(range(len(order.steps)))
        needed = {at: closure(case, at, set(placed)) for at in placed}
        for one in placed:
            assert all(order.step_of[other] <= order.step_of[one] for other in needed[one]), "a need lies above"
            for other in placed:
                if order.step_of[one] > order.step_of[other]:
                    highest = max(order.lives[each].level for each in (one, *needed[one]))
                    assert order.lives[other].level <= highest


def closure(case: Case, atom: int, placed: set[int]) -> set[int]:
    found, todo = {atom}, [atom]
    while todo:
        for choice in case.problem.atoms[todo.pop()].needs:
            new = set(choice) & placed - found
            found |= new
            todo += new
    return found - {atom}


def test_the_time_that_was_seen_counts() -> None:
    assert Life(0, 0).level < Life(1, 400).level < Life(5, 400).level == Life(1, 0).level
    (first, second), indexes = loaded(service("api:1", {"x": "1"}), service("api:2", {"x": "2"}))

    def at(made: Image, day: int) -> Image:
        layers = tuple(msgspec.structs.replace(layer, created=day * DAY) for layer in made.layers)
        return msgspec.structs.replace(made, layers=layers)

    images = [at(first, 20_000), at(second, 20_200)]
    found = [each for group in grouped(images, indexes, ELF_KINDS, {}) for each in group.members]
    assert built(images[1]) == 20_200 * DAY
    assert lives_of(found, None)(("deb", "x")) == Life(1, 200, "1, 2")


# Former plans


def three(ssl: str, tag: str = "1") -> list[Spec]:
    packages = {"lib": "1", "ssl": ssl}
    return [service(f"{name}:{tag}", packages) for name in ("a", "b")] + [service(f"c:{tag}", {"lib": "1"})]


def test_what_changed_since_goes_up_and_is_said() -> None:
    before = fleet(*three("1"), prefer="strict")
    assert before.moved == ()
    after = fleet(*three("2", "2"), former=before, prefer="strict")
    assert [base.name for base in after.bases] == [base.name for base in before.bases]
    (change,) = [each for each in after.moved if each.kind == "package"]
    assert change.what.startswith("ssl in ")
    assert (change.before, change.after) == ("1", "2, now in step 1 of 1")
    assert {package.name: package.changes for base in after.bases for package in base.packages} == {"lib": 0, "ssl": 1}
    again = fleet(*three("3", "3"), former=after, prefer="strict")
    assert {package.name: package.changes for base in again.bases for package in base.packages} == {"lib": 0, "ssl": 2}
    same = fleet(*three("2", "2"), former=after, prefer="strict")
    assert same.moved == ()
    assert same.bases == after.bases


def test_two_packages_of_one_base_part_once_one_has_changed() -> None:
    def specs(ssl: str) -> list[Spec]:
        return [service(f"{name}:{ssl}", {"lib": "1", "ssl": ssl}) for name in "ab"]

    before = fleet(*specs("1"))
    assert len(before.bases[0].steps) == 1
    (base,) = fleet(*specs("2"), former=before).bases
    assert (step_of(base, "lib"), step_of(base, "ssl")) == (0, 1)
    assert base.name == before.bases[0].name


def test_membership_stays_where_another_would_save_little_more() -> None:
    def specs(more: int) -> list[Spec]:
        """`api` shares one file with `web` and one with `job`; they differ a little in size."""
        left, right = library("left", pages=600), library("right", pages=600 + more)
        return [
            image("api", GROUND, {"opt/left.so": left, "srv/right.so": right}),
            image("web", GROUND, {"opt/left.so": left}),
            image("job", GROUND, {"srv/right.so": right}),
        ]

    before = fleet(*specs(-10), prefer="strict")
    assert [base.images for base in before.bases] == [("api", "web")]
    assert [base.images for base in fleet(*specs(10), prefer="strict").bases] == [("api", "job")]
    kept = fleet(*specs(10), prefer="strict", former=before)
    assert [base.images for base in kept.bases] == [("api", "web")]
    assert kept.moved == ()
    far = fleet(*specs(200), prefer="strict", former=before)
    assert [base.images for base in far.bases] == [("api", "job")]
    assert {(each.kind, each.what) for each in far.moved} >= {("image", "web"), ("image", "job")}


def test_a_new_image_goes_up_the_old_tree() -> None:
    before = fleet(*three("1"), prefer="strict")
    after = fleet(*three("1"), service("d:1", {"lib": "1", "ssl": "1"}), former=before, prefer="strict")
    base_of = {each.name: each.base for each in after.images}
    assert base_of["d:1"] == base_of["a:1"]
    assert [(each.kind, each.what) for each in after.moved] == [("new image", "d:1")]


@pytest.mark.parametrize("seed", range(60))
def test_a_plan_after_itself_is_itself(seed: int) -> None:
    made = Fleet(seed)
    first = made.plan(min_saving=1)
    again = made.plan(min_saving=1, former=first)
    assert [(base.name, base.images) for base in again.bases] == [(base.name, base.images) for base in first.bases]
    assert [each.base for each in again.images] == [each.base for each in first.images]
    sizes = [point.page_cache_bytes for point in again.points]
    assert sizes == sorted(sizes, reverse=True)
    assert again.moved == ()


def test_roots_are_those_of_a_step() -> None:
    """What a package of a higher step would bring is asked for where it lies."""
    new = {"app": "2", "lib": "1"}
    specs = (service("a:1", new, {"app": "lib"}), service("b:1", new, {"app": "lib"}), service("c:1", {"app": "1"}))
    (base,) = fleet(*specs, prefer="strict").bases
    assert base.packages == (
        PlannedPackage("lib", "1", "deb", root=True, size=300 * 4096, step=0),
        PlannedPackage("app", "2", "deb", root=True, size=300 * 4096, step=1, changes=1),
    )
