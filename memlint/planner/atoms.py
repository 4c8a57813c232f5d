"""A group of images as a problem: packages, the mapped files that they bring, and files of no package by directory."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from memlint.model.digest import ContentID
from memlint.model.layer import Installed, Package
from memlint.planner.grounds import Group
from memlint.planner.problem import Atom, Problem, bits
from memlint.planner.weighing import Measure
from memlint.sharing.view import Visible

_SYSTEM = re.compile(
    r"(?:usr/(?:local/)?)?lib/(?:python3[^/]*/(?:site|dist)-packages/[^/]+/[^/]+"
    r"|node_modules/(?:@[^/]+/)?[^/]+/package\.json)"
)
"""Where `pip install` and `npm install --global` put packages: what lies elsewhere was put there as files."""
_TOOLS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "pypi": (("python3", "python3-minimal"), ("python3-pip", "py3-pip", "pip")),
    "npm": (("nodejs", "node"), ("npm",)),
}
"""What installs packages of a type, where the images have it."""

Inode = tuple[str, ContentID]


class Piece(msgspec.Struct, frozen=True, eq=False):
    """What an atom is: a package itself, or mapped files of one (`package`) or of none, in one directory."""

    package: Package | None
    directory: str
    files: tuple[Inode, ...]
    itself: Installed | None = None


class Case(msgspec.Struct, frozen=True, eq=False):
    """A group as a problem. `at` says which atom an inode is part of."""

    group: Group
    problem: Problem
    pieces: tuple[Piece, ...]
    at: Mapping[tuple[Inode, int], int]


def case_of(group: Group, stays: Mapping[str, frozenset[str]], measure: Measure) -> Case:
    """The problem that a group is.

    `stays` are, by reference, the files that an image makes itself whatever it stands on: no base can hold them.
    """
    installed = _installed(group)
    holders: dict[Inode, list[int]] = defaultdict(list)
    files: dict[Inode, Visible] = {}
    weights: dict[Inode, int] = {}
    for number, member in enumerate(group.members):
        own = stays.get(member.image.ref, frozenset())
        for path, file in member.files.items():
            if path in own:
                continue
            inode = (path, file.file.content)
            holders[inode].append(number)
            files.setdefault(inode, file)
            weights[inode] = max(weights.get(inode, 0), measure.weigh(member, path, file))
    pieces, have = _pieces(group, installed, holders, files)
    clashes = _clashes(pieces)
    by_package = {piece.itself.package: at for at, piece in enumerate(pieces) if piece.itself is not None}
    providers = _providers(pieces)
    atoms = []
    for at, piece in enumerate(pieces):
        weight = sum(weights[inode] for inode in piece.files)
        atoms.append(Atom(weight, _size(piece, files), tuple(_needs(piece, by_package, providers)), clashes.get(at, 0)))
    images = [0] * len(group.members)
    at_of: dict[tuple[Inode, int], int] = {}
    for at, piece in enumerate(pieces):
        for image in have[at]:
            images[image] |= 1 << at
            at_of.update(((inode, image), at) for inode in piece.files)
    present = [measure.present[member.number] for member in group.members]
    return Case(group, Problem(atoms, images, _ground(group, pieces), present), tuple(pieces), at_of)


def _installed(group: Group) -> dict[Package, dict[int, Installed]]:
    """The packages that an instruction can install, and in which images they are."""
    found: dict[Package, dict[int, Installed]] = {}
    for number, member in enumerate(group.members):
        for each in member.packages:
            if each.package.type not in _TOOLS or _SYSTEM.fullmatch(each.database):
                found.setdefault(each.package, {}).setdefault(number, each)
    return found


def _pieces(
    group: Group,
    installed: Mapping[Package, Mapping[int, Installed]],
    holders: Mapping[Inode, Sequence[int]],
    files: Mapping[Inode, Visible],
) -> tuple[list[Piece], list[Sequence[int]]]:
    """The atoms' contents, and the images that have each: packages first, then files that the same images have."""
    pieces = [Piece(package, "", (), next(iter(having.values()))) for package, having in installed.items()]
    have: list[Sequence[int]] = [list(having) for having in installed.values()]
    classes: dict[tuple[Package | None, str, bool, tuple[int, ...]], list[Inode]] = defaultdict(list)
    for inode, images in holders.items():
        owner = _owner(inode, files[inode], installed, images)
        below = group.files.get(inode[0])
        grounded = below is not None and below.file.content == inode[1]
        directory = "" if owner is not None else inode[0].rpartition("/")[0]
        classes[owner, directory, grounded, tuple(images)].append(inode)
    for (owner, directory, _, images), inodes in classes.items():
        pieces.append(Piece(owner, directory, tuple(sorted(inodes))))
        have.append(images)
    return pieces, have


def _owner(
    inode: Inode, file: Visible, installed: Mapping[Package, Mapping[int, Installed]], images: Iterable[int]
) -> Package | None:
    """The package whose installation brings the file to all these images."""
    package = file.package
    if package is None or package not in installed:
        return None
    if package.type in _TOOLS and not inode[0].startswith(_place(next(iter(installed[package].values())).database)):
        return None
    return package if all(image in installed[package] for image in images) else None


def _place(database: str) -> str:
    """The directory that a package's files lie in, of the file that describes it."""
    above = database.rpartition("/")[0]
    return above if database.endswith("/package.json") else above.rpartition("/")[0]


def _size(piece: Piece, files: Mapping[Inode, Visible]) -> int:
    """What it takes on disk: of a package as its database says, else by its mapped files."""
    own = sum(files[inode].file.size for inode in piece.files)
    if piece.itself is not None:
        return piece.itself.size or 0
    return own if piece.package is None or piece.package.type in _TOOLS else 0


def _needs(
    piece: Piece, by_package: Mapping[Package, int], providers: Mapping[tuple[str, str], Sequence[int]]
) -> Iterable[tuple[int, ...]]:
    if piece.itself is None:
        if piece.package is not None:
            yield (by_package[piece.package],)
        return
    kind, own = piece.itself.package.type, by_package[piece.itself.package]
    for choice in piece.itself.needs:
        found = {at for name in choice for at in providers.get((kind, name), ())}
        if found and own not in found:
            yield tuple(sorted(found))
    for choice in _TOOLS.get(kind, ()):
        found = {
            at for name in choice for other in ("deb", "apk", "rpm", "pypi") for at in providers.get((other, name), ())
        }
        if found and own not in found:
            yield tuple(sorted(found))


def _providers(pieces: Sequence[Piece]) -> dict[tuple[str, str], list[int]]:
    """Which packages go by a name."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, piece in enumerate(pieces):
        if piece.itself is not None:
            for name in {piece.itself.package.name, *piece.itself.provides}:
                found[piece.itself.package.type, name].append(at)
    return found


def _clashes(pieces: Sequence[Piece]) -> dict[int, int]:
    """Atoms that exclude each other: two versions of a package, two contents of a path."""
    rivals: dict[tuple[str, str], dict[object, list[int]]] = defaultdict(lambda: defaultdict(list))
    for at, piece in enumerate(pieces):
        if piece.itself is not None:
            package = piece.itself.package
            rivals[package.type, package.name][package.version].append(at)
        for path, content in piece.files:
            rivals["", path][content].append(at)
    found: dict[int, int] = defaultdict(int)
    for ways in rivals.values():
        if len(ways) > 1:
            everyone = bits(at for same in ways.values() for at in same)
            for same in ways.values():
                for at in same:
                    found[at] |= everyone & ~bits(same)
    return found


def _ground(group: Group, pieces: Sequence[Piece]) -> int:
    packages = {each.package for each in group.packages}
    return bits(
        at
        for at, piece in enumerate(pieces)
        if (piece.itself is not None and piece.itself.package in packages)
        or (piece.files and all(_grounded(group, inode) for inode in piece.files))
    )


def _grounded(group: Group, inode: Inode) -> bool:
    below = group.files.get(inode[0])
    return below is not None and below.file.content == inode[1]
