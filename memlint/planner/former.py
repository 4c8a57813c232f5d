"""A former plan: its bases are kept where that costs little, and what became of them is said."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

import msgspec

from memlint.model.image import Image
from memlint.model.plan import Moved, Plan, PlannedBase
from memlint.planner.grounds import Member
from memlint.planner.problem import Problem
from memlint.planner.stability import line_of
from memlint.planner.tree import Node, leaf, over
from memlint.planner.write.service import NAMESPACE

_ALIKE = 0.5
"""How much of two bases is the same where one is the other: the mean of what images and what contents they share."""


class Known:
    """Where a former plan puts images: an image of another tag is another version of the same."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._parents = {base.name: base.parent for base in plan.bases}
        self._of = {line_of(image): image.base for image in plan.images}
        self._of.update((image.ref, image.base) for image in plan.images)

    def knows(self, image: Image) -> bool:
        return image.ref in self._of or line_of(image) in self._of

    def base(self, image: Image) -> str | None:
        """The base that the image stood on; None for one on none, or that is new."""
        return self._of.get(image.ref, self._of.get(line_of(image)))

    def path(self, base: str | None) -> list[str]:
        """A base and those below it, the lowest first."""
        found: list[str] = []
        while base is not None and base not in found:
            found.append(base)
            base = self._parents.get(base)
        return found[::-1]


class Standing(msgspec.Struct, frozen=True):
    """An image whose Dockerfile names a base of the former plan: `installs` are packages that it installs itself,
    `places` are directories that it fills by way of a stage, less what that base has."""

    base: str
    installs: frozenset[str]
    places: tuple[str, ...] = ()


def former_base(former: Plan, source: str) -> list[PlannedBase]:
    """The base of the former plan that a FROM names, and those below it, the lowest first; none where it is another."""
    name = source.removesuffix(":latest")
    bases = {base.name: base for base in former.bases}
    known = Known(former)
    for base in former.bases:
        if name == (base.reference or f"{NAMESPACE}/{base.name}"):
            return [bases[each] for each in known.path(base.name)]
    return []


def lacking(
    former: Plan, standing: Mapping[str, Standing], bases: Sequence[PlannedBase], images: Mapping[str, str]
) -> dict[str, str]:
    """The images that cannot leave their former base for the new one in `images`, and why: their Dockerfile rests on
    what it brings."""
    old, new = ({base.name: base for base in each} for each in (former.bases, bases))
    found = {}
    for ref, stands in standing.items():
        if ref not in images:
            continue
        was, now = _path(old, stands.base), _path(new, images[ref])
        lost = _lost(was, now, stands)
        if lost:
            brings = f"{NAMESPACE}/{stands.base} brings {', '.join(lost[:3])}"
            found[ref] = f"{brings}, which the new base does not, and its Dockerfile neither: it stays there"
    return found


def _lost(was: Sequence[PlannedBase], now: Sequence[PlannedBase], stands: Standing) -> list[str]:
    commands = {command for base in now for command in base.commands}
    packages = {package.name for base in now for package in base.packages} | stands.installs
    paths = {path for base in now for group in base.files for path in group.paths}
    places = tuple(f"{place.rstrip('/')}/" for place in stands.places)
    return [
        *(each for base in was for each in base.commands if each not in commands),
        *(each.name for base in was for each in base.packages if each.root and each.name not in packages),
        *(
            path
            for base in was
            for group in base.files
            for path in group.paths
            if path not in paths and not path.startswith(places)
        ),
    ]


def _path(bases: Mapping[str, PlannedBase], name: str | None) -> list[PlannedBase]:
    found: list[PlannedBase] = []
    while name is not None and name in bases:
        found.append(bases[name])
        name = bases[name].parent
    return found[::-1]


def kept(former: Plan, staying: Mapping[str, str]) -> list[PlannedBase]:
    """The former bases that images stay on, by reference, and those below: as they were, with the files of today."""
    old = {base.name: base for base in former.bases}
    users: dict[str, list[str]] = {}
    for ref, base in staying.items():
        for each in _path(old, base):
            users.setdefault(each.name, []).append(ref)
    return [_as_it_was(base, users[base.name]) for base in former.bases if base.name in users]


def _as_it_was(base: PlannedBase, refs: Sequence[str]) -> PlannedBase:
    files = tuple(msgspec.structs.replace(group, image=refs[0]) for group in base.files)
    return msgspec.structs.replace(base, files=files, images=tuple(refs), page_cache_saved_bytes=0, causes={})


def former_tree(problem: Problem, members: Sequence[Member], known: Known) -> Node:
    """The former bases over the images that there are now, each holding what these have in common.

    A new image goes up the tree as long as it has all that a base holds. The root is the ground.
    """
    inside: dict[str, list[int]] = {}
    paths = {at: known.path(known.base(member.image)) for at, member in enumerate(members)}
    for at, path in paths.items():
        for base in path:
            inside.setdefault(base, []).append(at)
    new = [at for at, member in enumerate(members) if not known.knows(member.image)]
    for at in new:
        paths[at] = _way_up(problem, at, inside, known)
    found = _over(problem, list(range(len(members))), paths, 0)
    return Node(found.images, problem.ground, found.children)


def _way_up(problem: Problem, image: int, inside: Mapping[str, Sequence[int]], known: Known) -> list[str]:
    """The path to the base that holds most of what the image has, and nothing else."""
    held = {base: problem.common(images) for base, images in inside.items()}
    fitting = [base for base, atoms in held.items() if not atoms & ~problem.images[image] & ~problem.ground]
    best = max(fitting, key=lambda base: (problem.weigh(held[base]), len(known.path(base))), default=None)
    return known.path(best)


def _over(problem: Problem, images: Sequence[int], paths: Mapping[int, Sequence[str]], depth: int) -> Node:
    """The node over images whose paths are the same up to this depth."""
    ways: dict[str, list[int]] = {}
    children = []
    for image in images:
        if len(paths[image]) > depth:
            ways.setdefault(paths[image][depth], []).append(image)
        else:
            children.append(leaf(problem, image))
    children += [_over(problem, way, paths, depth + 1) for way in ways.values()]
    return over(problem, children)


def renamed(
    bases: Sequence[PlannedBase], images: Sequence[Image], former: Plan, others: Iterable[str] = ()
) -> dict[str, str]:
    """Name → the name it had, of the bases that were there before; of the rest, a name that none of those has.

    `others` are names that belong to bases which are none of these.
    """
    reserved = set(others)
    lines = {each.ref: line_of(each) for each in former.images} | {each.ref: line_of(each) for each in images}
    scores = sorted(
        (
            (_likeness(base, old, lines), at, base.name, old.name)
            for base in bases
            for at, old in enumerate(former.bases)
        ),
        key=lambda each: (-each[0], each[1]),
    )
    found: dict[str, str] = {}
    for score, _, name, old in scores:
        if score >= _ALIKE and name not in found and old not in reserved and old not in found.values():
            found[name] = old
    taken = {base.name for base in former.bases} | reserved
    for base in bases:
        if base.name not in found:
            found[base.name] = free(base.name, taken)
            taken.add(found[base.name])
    return found


def free(name: str, taken: Container[str]) -> str:
    """The name, with a number where it is taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def _likeness(one: PlannedBase, other: PlannedBase, lines: Mapping[str, str]) -> float:
    if one.platform != other.platform:
        return 0.0
    left, right = ((lines.get(ref, ref) for ref in base.images) for base in (one, other))
    return (_shared(left, right) + _shared(_holds(one), _holds(other))) / 2


def _holds(base: PlannedBase) -> Iterator[tuple[str, str]]:
    yield from ((package.type, package.name) for package in base.packages)
    yield from (("", path) for group in base.files for path in group.paths)


def _shared(one: Iterable[object], other: Iterable[object]) -> float:
    left, right = set(one), set(other)
    return len(left & right) / len(left | right) if left or right else 1.0


def with_names(bases: Sequence[PlannedBase], names: Mapping[str, str]) -> list[PlannedBase]:
    """The bases under other names."""
    return [
        msgspec.structs.replace(base, name=names[base.name], parent=names[base.parent] if base.parent else None)
        for base in bases
    ]


def moved(
    former: Plan, bases: Sequence[PlannedBase], images: Sequence[Image], base_of: Callable[[int], str | None]
) -> Iterator[Moved]:
    """What is not as it was: bases, images on other ones, packages in other versions or other places."""
    known = Known(former)
    before, after = ({base.name: base for base in each} for each in (former.bases, bases))
    yield from (Moved("base", name, name, None) for name in before if name not in after)
    yield from (Moved("base", name, None, name) for name in after if name not in before)
    for number, image in enumerate(images):
        was, now = known.base(image), base_of(number)
        if not known.knows(image):
            yield Moved("new image", image.ref, None, now)
        elif was != now:
            yield Moved("image", image.ref, was, now)
    for name in after:
        if name in before:
            yield from _packages_moved(before[name], after[name])


def _packages_moved(before: PlannedBase, after: PlannedBase) -> Iterator[Moved]:
    old = {(package.type, package.name): package for package in before.packages}
    for package in after.packages:
        was = old.get((package.type, package.name))
        if was is not None and was.version != package.version:
            step = f"{package.version}, now in step {package.step + 1} of {len(after.steps)}"
            yield Moved("package", f"{package.name} in {after.name}", was.version, step)
