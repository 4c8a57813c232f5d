"""What images stand on before any planned base: which of them can stand on one, and on whose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from memlint.dockerfile.reference import parse_base
from memlint.model.digest import ChainID, DiffID
from memlint.model.image import Image, Layer, Settings
from memlint.model.layer import Installed, LayerIndex, Release
from memlint.planner.alike import Alike
from memlint.planner.guessing import SCRATCH, published
from memlint.sharing.packages import packages_of, release_of
from memlint.sharing.startup import Startup, startup_set
from memlint.sharing.view import EMPTY, View, Visible, merge_views

UNKNOWN = ""
"""The reference of a base that nothing names."""


class Ground(msgspec.Struct, frozen=True):
    """What an image's Dockerfile starts from: the reference in its FROM, and how many layers that has.

    - `settings`: those of its config, as far as they show: an image hides those of the names in `hidden`, or of a kind
      (`Env`, `Label`) in it; all of them where that is None.
    - `user`: whom its config names, "" for root; None where that is not known.
    - `now`: whether the reference means these layers; None where nothing tells.
    """

    source: str
    layers: int
    settings: Settings = ()
    hidden: frozenset[str] | None = None
    user: str | None = ""
    now: bool | None = None

    def shows(self) -> dict[str, str]:
        """The settings by name that do not lie hidden."""
        return {name: value for name, value in self.settings if not self.hides(name)}

    def hides(self, name: str) -> bool:
        return self.hidden is None or name in self.hidden or name.partition(" ")[0] in self.hidden


class Member(msgspec.Struct, frozen=True, eq=False):
    """An image, with what it shows. `files` are its mapped files by path, one path for each inode."""

    number: int
    image: Image
    files: Mapping[str, Visible]
    startup: Startup
    packages: tuple[Installed, ...]
    ground: ChainID | None
    stands: Ground
    release: Release | None

    @property
    def source(self) -> str:
        return self.stands.source


class Group(msgspec.Struct, frozen=True, eq=False):
    """Images that can stand on one ground: its contents and settings are the same for all of them.

    `files` and `packages` are those of the ground; `drifted` says that it exists as several chains, of which `ground`
    is the one that most images have. `updates` say of images what they get in another version, where they are to
    stand on another build of their base than they do.
    """

    members: tuple[Member, ...]
    ground: Ground
    files: Mapping[str, Visible]
    packages: frozenset[Installed]
    drifted: bool
    chain: ChainID | None = None
    updates: Mapping[str, tuple[str, ...]] = {}

    @property
    def source(self) -> str:
        return self.ground.source

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


class _Grounded(msgspec.Struct, frozen=True, eq=False):
    """An image, and what its ground shows."""

    member: Member
    files: Mapping[str, Visible]
    packages: frozenset[Installed]

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.member.image.layers[: self.member.stands.layers]

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal where the grounds need not be compared."""
        stands = self.member.stands
        return (self.member.ground, stands.source, stands.settings, stands.hidden)


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


def members_of(
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    kinds: Collection[str],
    grounds: Mapping[str, Ground],
) -> list[Member]:
    """The images with what they show; `grounds` are those that Dockerfiles name, by image."""
    return [each.member for each in _grounded(images, indexes, kinds, grounds)]


def grouped(
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    kinds: Collection[str],
    grounds: Mapping[str, Ground],
    alike: Alike | None = None,
) -> list[Group]:
    """The images in groups, in the order of their first members. `alike` says of other chains whether they are one."""
    buckets: defaultdict[object, list[_Grounded]] = defaultdict(list)
    for each in _grounded(images, indexes, kinds, grounds):
        shown = frozenset((path, file.file.content) for path, file in each.files.items())
        names = frozenset(installed.package for installed in each.packages)
        buckets[each.member.image.platform, each.member.release, shown, names].append(each)
    same = alike or Alike(indexes)
    groups = [_group(found) for bucket in buckets.values() for found in _parted(bucket, same)]
    return sorted(groups, key=lambda group: group.members[0].number)


def _grounded(
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    kinds: Collection[str],
    grounds: Mapping[str, Ground],
) -> list[_Grounded]:
    views = merge_views(images, indexes)
    packages: dict[ChainID, tuple[Installed, ...]] = {}
    found = []
    for number, image in enumerate(images):
        release = release_of(image.layers, indexes)
        stands = _ground(image, indexes, grounds.get(image.ref), release)
        chain = image.layers[stands.layers - 1].chain_id if stands.layers else None
        view = _view(views, image)
        startup = startup_set(view, image.process)
        own = packages_of(image, indexes)
        member = Member(number, image, _inodes(view, kinds), startup, own, chain, stands, release)
        if chain is not None and chain not in packages:
            packages[chain] = packages_of(_cut(image, stands.layers), indexes)
        below = _inodes(views[chain], kinds) if chain is not None else {}
        found.append(_Grounded(member, below, frozenset(packages[chain] if chain is not None else ())))
    return found


def _parted(bucket: Sequence[_Grounded], alike: Alike) -> list[list[_Grounded]]:
    """Those whose grounds are one. Each must agree with every other: what one hides, two others may show unlike."""
    classes: list[list[_Grounded]] = []
    kinds: list[dict[tuple[object, ...], _Grounded]] = []
    place: dict[tuple[object, ...], int] = {}
    for each in bucket:
        at = place.get(each.kind)
        if at is None:
            fitting = (at for at, known in enumerate(kinds) if all(_one(each, one, alike) for one in known.values()))
            at = place[each.kind] = next(fitting, len(classes))
            if at == len(classes):
                classes.append([])
                kinds.append({})
            kinds[at][each.kind] = each
        classes[at].append(each)
    return classes


def _one(one: _Grounded, other: _Grounded, alike: Alike) -> bool:
    """Whether a build on the one ground gives what one on the other does."""
    left, right = one.member.stands, other.member.stands
    if left.hidden or left.hidden is None or right.hidden or right.hidden is None:
        chains = one.member.ground == other.member.ground
        if not same_name(left.source, right.source, any_tag=chains):
            return False
    if {name: value for name, value in left.shows().items() if not right.hides(name)} != {
        name: value for name, value in right.shows().items() if not left.hides(name)
    }:
        return False
    return one.member.ground == other.member.ground or alike(one.layers, other.layers)


def same_name(one: str, other: str, *, any_tag: bool = False) -> bool:
    """Whether two references name one repository and tag, whatever their digests are."""
    left, right = parse_base(one), parse_base(other)
    if left is None or right is None:
        return one == other
    return left.repository == right.repository and (any_tag or (left.tag or "latest") == (right.tag or "latest"))


def _group(found: Sequence[_Grounded]) -> Group:
    """Of several builds, one that a FROM can name, and of these the one that most stand on."""
    builds: defaultdict[tuple[ChainID | None, str], list[_Grounded]] = defaultdict(list)
    for each in found:
        builds[each.member.ground, each.member.source].append(each)
    chosen = max(builds.values(), key=lambda build: (build[0].member.stands.now is not False, len(build)))[0]
    stands = chosen.member.stands
    users = [each.member.stands.user for each in found if each.member.stands.user is not None]
    ground = msgspec.structs.replace(stands, user=users[0] if stands.user is None and users else stands.user)
    chains = {each.member.ground for each in found}
    members = tuple(each.member for each in found)
    return Group(members, ground, chosen.files, chosen.packages, len(chains) > 1, chosen.member.ground)


def _ground(
    image: Image, indexes: Mapping[DiffID, LayerIndex], ground: Ground | None, release: Release | None
) -> Ground:
    """What is known, else the lowest layer, if a distribution is in it, by the name that this is published as."""
    if ground is not None:
        return msgspec.structs.replace(ground, layers=min(ground.layers, len(image.layers)))
    depth = 1 if image.layers and indexes[image.layers[0].diff_id].release is not None else 0
    source = published(release) if depth else SCRATCH
    return Ground(UNKNOWN if source is None else source, depth)


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
