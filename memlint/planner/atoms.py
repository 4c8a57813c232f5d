"""A group of images as a problem: packages, the mapped files that they bring, and files of no package by directory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from memlint.model.digest import ContentID
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.layer import Installed, Package
from memlint.planner.doubts import Doubt
from memlint.planner.grounds import Group
from memlint.planner.movable import PIP, InstalledIn, Made, comes_with, movable
from memlint.planner.problem import Atom, Problem, bits
from memlint.planner.weighing import Measure
from memlint.sharing.view import Visible

_TOOLS = (("python3", "python3-minimal"), PIP)
"""What installs packages of Python, by the names of packages that bring it."""

Inode = tuple[str, ContentID]


class Piece(msgspec.Struct, frozen=True, eq=False):
    """What an atom is: a package itself, or mapped files of one (`package`) or of none, in one directory.

    `kept` is a package that no base can install: its images have it of their own, and clash with another of its name.
    """

    package: Package | None
    directory: str
    files: tuple[Inode, ...]
    itself: Installed | None = None
    kept: Installed | None = None


class Case(msgspec.Struct, frozen=True, eq=False):
    """A group as a problem. `at` says which atom an inode is part of.

    `stays` are by member the paths that it makes itself, whatever it stands on; `kept` says of packages why no base is
    to install them.
    """

    group: Group
    problem: Problem
    pieces: tuple[Piece, ...]
    at: Mapping[tuple[Inode, int], int]
    stays: tuple[frozenset[str], ...] = ()
    kept: Mapping[Package, Doubt] = {}


def case_of(group: Group, made: Made, measure: Measure) -> Case:
    """The problem that a group is."""
    installed, kept, stays = movable(group, made)
    holders: dict[Inode, list[int]] = defaultdict(list)
    files: dict[Inode, Visible] = {}
    weights: dict[Inode, int] = {}
    for number, member in enumerate(group.members):
        for path, file in member.files.items():
            if path in stays[number]:
                continue
            inode = (path, file.file.content)
            holders[inode].append(number)
            files.setdefault(inode, file)
            weights[inode] = max(weights.get(inode, 0), measure.weigh(member, path, file))
    pieces, have = _pieces(group, installed, holders)
    for having in kept.values():
        pieces.append(Piece(None, "", (), kept=next(iter(having.values()))[0]))
        have.append(list(having))
    providers = _providers(pieces)
    clashes = _clashes(pieces, have, providers)
    by_package = {piece.itself.package: at for at, piece in enumerate(pieces) if piece.itself is not None}
    ground = _names(group.packages)
    atoms = []
    for at, piece in enumerate(pieces):
        weight = sum(weights[inode] for inode in piece.files)
        needs = tuple(_needs(piece, by_package, providers, ground))
        atoms.append(Atom(weight, _size(piece, files, by_package, pieces), needs, clashes.get(at, 0)))
    images = [0] * len(group.members)
    at_of: dict[tuple[Inode, int], int] = {}
    for at, piece in enumerate(pieces):
        for image in have[at]:
            images[image] |= 1 << at
            at_of.update(((inode, image), at) for inode in piece.files)
    present = [measure.present[member.number] for member in group.members]
    why = {package: next(iter(having.values()))[1] for package, having in kept.items()}
    return Case(group, Problem(atoms, images, _ground(group, pieces), present), tuple(pieces), at_of, stays, why)


def _pieces(
    group: Group,
    installed: InstalledIn,
    holders: Mapping[Inode, Sequence[int]],
) -> tuple[list[Piece], list[Sequence[int]]]:
    """The atoms' contents, and the images that have each: packages first, then files that the same images have."""
    pieces = [Piece(package, "", (), next(iter(having.values()))) for package, having in installed.items()]
    have: list[Sequence[int]] = [list(having) for having in installed.values()]
    classes: dict[tuple[Package | None, str, bool, tuple[int, ...]], list[Inode]] = defaultdict(list)
    for inode, images in holders.items():
        below = group.files.get(inode[0])
        grounded = below is not None and below.file.content == inode[1]
        for owner, having in _by_owner(inode[0], group, images, installed).items():
            directory = "" if owner is not None else inode[0].rpartition("/")[0]
            classes[owner, directory, grounded, tuple(having)].append(inode)
    for (owner, directory, _, images), inodes in classes.items():
        pieces.append(Piece(owner, directory, tuple(sorted(inodes))))
        have.append(images)
    return pieces, have


def _by_owner(
    path: str, group: Group, images: Iterable[int], installed: InstalledIn
) -> dict[Package | None, list[int]]:
    """The package whose installation brings the file, and to which of these images; None where it comes by itself."""
    found: dict[Package | None, list[int]] = {}
    for image in images:
        file = group.members[image].files[path]
        owner = file.package if comes_with(path, file, image, installed) else None
        found.setdefault(owner, []).append(image)
    return found


def _size(
    piece: Piece, files: Mapping[Inode, Visible], by_package: Mapping[Package, int], pieces: Sequence[Piece]
) -> int:
    """What it takes on disk: of a package as its database says, where that says nothing by its mapped files."""
    if piece.itself is not None:
        return piece.itself.size or 0
    own = pieces[by_package[piece.package]].itself if piece.package is not None else None
    return sum(files[inode].file.size for inode in piece.files) if own is None or own.size is None else 0


def _names(packages: Iterable[Installed]) -> frozenset[str]:
    return frozenset(each.package.name for each in packages)


def _needs(
    piece: Piece,
    by_package: Mapping[Package, int],
    providers: Mapping[tuple[str, str], Sequence[int]],
    ground: frozenset[str],
) -> Iterable[tuple[int, ...]]:
    if piece.kept is not None:
        # a choice of nothing: it is in no base, and neither is what needs it
        yield ()
        return
    if piece.itself is None:
        if piece.package is not None:
            yield (by_package[piece.package],)
        return
    kind, own = piece.itself.package.type, by_package[piece.itself.package]
    for choice in piece.itself.needs:
        found = {at for name in choice for at in providers.get((kind, name), ())}
        if found and own not in found:
            yield tuple(sorted(found))
    for tool in _TOOLS if kind == "pypi" and piece.itself.package.name not in ground else ():
        found = {at for name in tool for other in DISTRIBUTION for at in providers.get((other, name), ())}
        if found and not any(name in ground for name in tool):
            yield tuple(sorted(found))


def _providers(pieces: Sequence[Piece]) -> dict[tuple[str, str], list[int]]:
    """Which packages go by a name."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, piece in enumerate(pieces):
        each = piece.itself or piece.kept
        if each is not None:
            for name in {each.package.name, *each.provides}:
                found[each.package.type, name].append(at)
    return found


def _clashes(
    pieces: Sequence[Piece], have: Sequence[Sequence[int]], providers: Mapping[tuple[str, str], Sequence[int]]
) -> dict[int, int]:
    """Atoms that exclude each other: two versions of a package, or one that is kept, two contents of a path, and
    packages that say so themselves."""
    rivals: dict[tuple[str, str], dict[object, list[int]]] = defaultdict(lambda: defaultdict(list))
    for at, piece in enumerate(pieces):
        each = piece.itself or piece.kept
        if each is not None:
            way = (each.package.version, piece.kept is None)
            rivals[each.package.type, each.package.name][way].append(at)
        for path, content in piece.files:
            rivals["", path][content].append(at)
    found: dict[int, int] = defaultdict(int)
    for ways in rivals.values():
        if len(ways) > 1:
            everyone = bits(at for same in ways.values() for at in same)
            for same in ways.values():
                for at in same:
                    found[at] |= everyone & ~bits(same)
    for at, other in _excluded(pieces, providers):
        # what an image has both of can lie side by side, whatever the names
        if not set(have[at]).intersection(have[other]):
            found[at] |= 1 << other
            found[other] |= 1 << at
    return found


def _excluded(pieces: Sequence[Piece], providers: Mapping[tuple[str, str], Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Packages, each with another one that it says cannot be installed beside it."""
    for at, piece in enumerate(pieces):
        each = piece.itself or piece.kept
        if each is not None:
            for name in each.conflicts:
                yield from ((at, other) for other in providers.get((each.package.type, name), ()) if other != at)


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
