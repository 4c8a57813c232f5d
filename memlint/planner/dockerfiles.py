"""Shared bases out of Dockerfiles alone: which packages they name on which original base."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from memlint.dockerfile.reference import parse_base
from memlint.lint.places import Origin, chain_of
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.plan import LeftOut
from memlint.model.plan_dockerfiles import SCHEMA, DockerfilesPlan, NamedBase, NamedPackage, NamedService
from memlint.planner.exact import IMAGES_MAX, best_tree
from memlint.planner.foreign import foreign_installs
from memlint.planner.heuristic import good_tree
from memlint.planner.named import TOOLS, brought, named
from memlint.planner.problem import Atom, Problem, bits, members
from memlint.planner.standing import before_user, user_below
from memlint.planner.tree import Limits, Node, limited
from memlint.planner.write.service import unique_names

BASIS = "packages that the Dockerfiles name; what they bring with them, and bytes, are known of images alone"
STRICT, UNION = "strict", "union"


class _Image(msgspec.Struct, frozen=True):
    """What a Dockerfile says: its original base, and the packages that it installs on it."""

    path: str
    source: str
    platform: str
    packages: frozenset[NamedPackage]


def plan_dockerfiles(origins: Sequence[Origin], prefer: str = STRICT, limits: Limits | None = None) -> DockerfilesPlan:
    """The plan. `prefer` union puts on one base what any two of its images install, strict what all of them do."""
    left_out: list[LeftOut] = []
    images: list[_Image] = []
    for origin in origins:
        image, lacking = _read(origin)
        images += [image] if image is not None else []
        left_out += (LeftOut(origin.dockerfile.path, why) for why in lacking)
    by_path = {origin.dockerfile.path: origin for origin in origins}
    bases: list[NamedBase] = []
    for same in _groups(images).values():
        unsure = dict(_unsure(same, by_path)) if len(same) > 1 else {}
        left_out += [LeftOut(path, why) for path, why in unsure.items()]
        group = [image for image in same if image.path not in unsure]
        if len(group) > 1:
            bases += _planned(group, prefer, limits or Limits())
    bases = _named(bases)
    services = tuple(_service(image, bases) for image in images)
    before = sum(len(image.packages) for image in images)
    installed = sum(len(base.packages) for base in bases) + sum(len(service.packages) for service in services)
    distinct = len({(_key(image), package) for image in images for package in image.packages})
    return DockerfilesPlan(SCHEMA, BASIS, prefer, before, installed, distinct, tuple(bases), services, tuple(left_out))


def _read(origin: Origin) -> tuple[_Image | None, list[str]]:
    """What a Dockerfile says, and why this plan cannot tell all that it installs."""
    root = chain_of(origin.dockerfile, origin.stage)[0]
    base = parse_base(root.base) if root.base else None
    if root.base is None or base is None:
        return None, ["its FROM takes a build argument that is not known: give it a default"]
    if base.repository == "scratch":
        return None, ["it begins from scratch, so there is nothing that installs packages"]
    foreign = {id(install): install for install in foreign_installs(origin.steps)}
    system = frozenset(
        NamedPackage(package.ecosystem, package.name, package.version or "")
        for step in origin.steps
        for install in step.installs
        if id(install) not in foreign
        for package in install.packages
        if package.ecosystem in DISTRIBUTION and package.constraint is None and not install.conditional
    )
    found = set(named(origin, root.base, system))
    packages = system.union(each for each in found if isinstance(each, NamedPackage))
    kinds = {each for each in found if isinstance(each, str)}
    kinds.update(
        f"some {install.manager} packages: they may come from sources that a planned base does not have"
        for install in foreign.values()
    )
    image = _Image(origin.dockerfile.path, root.base, root.platform or "", packages)
    return image, sorted(kinds.union(_unknown(origin)))


def _unknown(origin: Origin) -> Iterator[str]:
    """What the words of its installs do not tell."""
    for step in origin.steps:
        for install in step.installs:
            ranged = install.manager not in TOOLS and any(package.constraint for package in install.packages)
            if not install.complete or ranged:
                yield f"some {install.manager} packages: their names, versions or conditions are not known"
            other = install.manager not in TOOLS and any(
                each.ecosystem not in DISTRIBUTION for each in install.packages
            )
            if other or install.files:
                yield f"{install.manager} packages: where they go is seen in images alone"


def _unsure(images: Sequence[_Image], origins: Mapping[str, Origin]) -> Iterator[tuple[str, str]]:
    """The Dockerfiles that run commands as a user whom only their base names, where that need not be root."""
    if user_below(images[0].source, [origins[image.path] for image in images]) is None:
        for image in images:
            before = before_user(origins[image.path])
            if before:
                line = f"line {before[0].span.line} runs as whom {image.source} names, which is not known"
                yield image.path, f"{line}: put a USER above it"


def _key(image: _Image) -> str:
    """Equal for images that may stand on one original base: of one repository and tag, whatever its digest."""
    base = parse_base(image.source)
    return f"{base.repository}:{base.tag or 'latest'} {image.platform}" if base else image.source


def _groups(images: Sequence[_Image]) -> Mapping[str, list[_Image]]:
    found: defaultdict[str, list[_Image]] = defaultdict(list)
    for image in images:
        found[_key(image)].append(image)
    return found


def _planned(images: Sequence[_Image], prefer: str, limits: Limits) -> list[NamedBase]:
    """The bases of images on one original base, parents first; what they are called is not for people yet."""
    sources = Counter(image.source for image in images)
    source = max(sources, key=lambda each: (sources[each], "@" in each, each))
    packages = sorted({package for image in images for package in image.packages})
    numbers = {package: number for number, package in enumerate(packages)}
    sets = [bits(numbers[package] for package in image.packages) for image in images]
    if prefer == UNION:
        shared = _shared(packages, images, source)
        base = Node(tuple(range(len(images))), bits(numbers[each] for each in shared), [])
        return _bases(base, images, packages, source) if shared or len(sources) > 1 else []
    problem = Problem([Atom(1, 1, _needs(source, package, numbers)) for package in packages], sets)
    found = best_tree(problem) if len(images) <= IMAGES_MAX else good_tree(problem)
    # the root stands for the original base: what all have in common is a base like any other
    tree = limited(problem, Node(found.images, 0, [found]), limits)
    if len(sources) > 1:
        tree = Node(found.images, 0, [Node(found.images, 0, tree.children)])
    return [base for child in tree.children if child.is_base for base in _bases(child, images, packages, source)]


def _needs(source: str, package: NamedPackage, numbers: Mapping[NamedPackage, int]) -> tuple[tuple[int, ...], ...]:
    """What brings the program that installs a package lies in the same base or below."""
    bringing = brought(source, package, numbers)
    return () if bringing is None else (tuple(sorted(numbers[each] for each in bringing)),)


def _shared(packages: Sequence[NamedPackage], images: Sequence[_Image], source: str) -> list[NamedPackage]:
    """The packages that two images install, of which no two versions are asked for, and that can be installed there."""
    versions = Counter((package.type, package.name) for package in packages)
    holders = Counter(package for image in images for package in image.packages)
    shared = [each for each in packages if holders[each] > 1 and versions[each.type, each.name] == 1]
    return [each for each in shared if brought(source, each, shared) != frozenset()]


def _bases(root: Node, images: Sequence[_Image], packages: Sequence[NamedPackage], source: str) -> list[NamedBase]:
    """A base for the node and each below it, parents first."""
    found: list[NamedBase] = []
    todo: list[tuple[Node, int, int | None]] = [(root, 0, None)]
    while todo:
        node, held, parent = todo.pop()
        own = [packages[number] for number in members(node.common & ~held)]
        children = [child for child in node.children if child.is_base]
        saved = len(own) * (len(node.images) - 1)
        paths = tuple(images[number].path for number in node.images)
        name = None if parent is None else found[parent].name
        found.append(NamedBase(str(id(node)), name, source, images[0].platform, tuple(own), paths, saved))
        todo += [(child, node.common, len(found) - 1) for child in children]
    return found


def _named(bases: Sequence[NamedBase]) -> list[NamedBase]:
    """Names that people can read, after the original base."""
    names = unique_names([_short(base.source) for base in bases])
    by_old = {base.name: name for base, name in zip(bases, names, strict=True)}
    return [
        msgspec.structs.replace(base, name=by_old[base.name], parent=by_old[base.parent] if base.parent else None)
        for base in bases
    ]


def _short(source: str) -> str:
    base = parse_base(source)
    return f"{base.repository.rpartition('/')[2]}-{base.tag or 'latest'}".replace(".", "-") if base else "base"


def _service(image: _Image, bases: Sequence[NamedBase]) -> NamedService:
    """On the highest base that is meant for it."""
    below = [base for base in bases if image.path in base.dockerfiles]
    held = {package for base in below for package in base.packages}
    return NamedService(
        image.path,
        below[-1].name if below else None,
        tuple(sorted(image.packages - held)),
        tuple(sorted(held - image.packages)),
    )
