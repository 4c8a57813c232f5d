"""What images stand on before any planned base: which of them can stand on one, and on whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec

from memlint.model.digest import ChainID, DiffID
from memlint.model.image import Image
from memlint.model.layer import Installed, LayerIndex, Release
from memlint.sharing.packages import packages_of, release_of
from memlint.sharing.startup import Startup, startup_set
from memlint.sharing.view import EMPTY, View, Visible, merge_views

SCRATCH = "scratch"


class Ground(msgspec.Struct, frozen=True):
    """What an image's Dockerfile starts from: the reference in its FROM, and how many layers that has."""

    source: str
    layers: int


class Member(msgspec.Struct, frozen=True, eq=False):
    """An image, with what it shows. `files` are its mapped files by path, one path for each inode."""

    number: int
    image: Image
    files: Mapping[str, Visible]
    startup: Startup
    packages: tuple[Installed, ...]
    ground: ChainID | None
    source: str
    release: Release | None


class Group(msgspec.Struct, frozen=True, eq=False):
    """Images that can stand on one ground: what it shows is the same for all of them.

    `files` and `packages` are those of the ground; `drifted` says that it exists as several chains, of which `source`
    names the one that most images have. `updates` say of images what they get in another version, where they are to
    stand on another build of their base than they do.
    """

    members: tuple[Member, ...]
    source: str
    files: Mapping[str, Visible]
    packages: frozenset[Installed]
    drifted: bool
    updates: Mapping[str, tuple[str, ...]] = {}

    @property
    def platform(self) -> str:
        return self.members[0].image.platform

    @property
    def release(self) -> Release | None:
        return self.members[0].release


class Follower(msgspec.Struct, frozen=True, eq=False):
    """An image whose Dockerfile stands on another image of the fleet."""

    member: Member
    leader: Member


def led(groups: Sequence[Group], follows: Mapping[str, str]) -> tuple[list[Group], list[Follower]]:
    """The groups without the images that follow others, and these, each after the one that it stands on."""
    members = {member.image.ref: member for group in groups for member in group.members}
    pairs = [(ref, follows[ref]) for ref in members if follows.get(ref) in members]
    pairs.sort(key=lambda pair: _hops(pair[0], follows))
    followers = [Follower(members[ref], members[leader]) for ref, leader in pairs]
    following = {follower.member.number for follower in followers}
    rest = []
    for group in groups:
        kept = tuple(member for member in group.members if member.number not in following)
        if kept:
            rest.append(msgspec.structs.replace(group, members=kept))
    return rest, followers


def _hops(ref: str, follows: Mapping[str, str]) -> int:
    hops = 0
    while ref in follows and hops <= len(follows):
        ref, hops = follows[ref], hops + 1
    return hops


def grouped(
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    kinds: Collection[str],
    grounds: Mapping[str, Ground],
) -> list[Group]:
    """The images in groups, in the order of their first members."""
    views = merge_views(images, indexes)
    packages: dict[ChainID, tuple[Installed, ...]] = {}
    groups: dict[object, list[tuple[Member, dict[str, Visible], frozenset[Installed]]]] = {}
    for number, image in enumerate(images):
        depth = _depth(image, indexes, grounds.get(image.ref))
        ground = image.layers[depth - 1].chain_id if depth else None
        release = release_of(image.layers, indexes)
        member = Member(
            number,
            image,
            _inodes(_view(views, image), kinds),
            startup_set(_view(views, image), image.process),
            packages_of(image, indexes),
            ground,
            grounds[image.ref].source if image.ref in grounds else _guessed(release, depth),
            release,
        )
        below = _inodes(views[ground], kinds) if ground is not None else {}
        if ground is not None and ground not in packages:
            packages[ground] = packages_of(_cut(image, depth), indexes)
        installed = frozenset(packages[ground] if ground is not None else ())
        shown = frozenset((path, file.file.content) for path, file in below.items())
        names = frozenset(each.package for each in installed)
        key = (image.platform, release, shown, names)
        groups.setdefault(key, []).append((member, below, installed))
    return [_group(found) for found in groups.values()]


def _group(found: Sequence[tuple[Member, dict[str, Visible], frozenset[Installed]]]) -> Group:
    counts = Counter(member.ground for member, _, _ in found)
    most = max(counts, key=lambda ground: counts[ground])
    chosen, files, packages = next(each for each in found if each[0].ground == most)
    return Group(tuple(member for member, _, _ in found), chosen.source, files, packages, len(counts) > 1)


def _depth(image: Image, indexes: Mapping[DiffID, LayerIndex], ground: Ground | None) -> int:
    """How many layers come from below the Dockerfile; unless it is known, the lowest, if a distribution is in it."""
    if ground is not None:
        return min(ground.layers, len(image.layers))
    return 1 if image.layers and indexes[image.layers[0].diff_id].release is not None else 0


def _guessed(release: Release | None, depth: int) -> str:
    if release is None or not depth:
        return SCRATCH
    version = ".".join(release.version.split(".")[:2]) if release.name == "alpine" else release.version
    return f"{release.name}:{version or 'latest'}"


def _cut(image: Image, depth: int) -> Image:
    return msgspec.structs.replace(image, layers=image.layers[:depth])


def _view(views: Mapping[ChainID, View], image: Image) -> View:
    return views[image.layers[-1].chain_id] if image.layers else EMPTY


def _inodes(view: View, kinds: Collection[str]) -> dict[str, Visible]:
    """The mapped files, of several hard links the first."""
    seen: set[tuple[ChainID, str]] = set()
    found = {}
    for path, file in view.files():
        place = (file.chain_id, file.file.link)
        if file.file.kind in kinds and place not in seen:
            seen.add(place)
            found[path] = file
    return found
