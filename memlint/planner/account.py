"""What a fleet holds in page cache before and after a plan: inode by inode, as a comparison of the images counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

import msgspec

from memlint.model.digest import ContentID
from memlint.model.report import Totals
from memlint.planner.atoms import Case
from memlint.planner.grounds import Follower, Member
from memlint.planner.layout import Layout
from memlint.planner.weighing import Measure
from memlint.sharing.view import Visible

Key = Hashable


class Inode(msgspec.Struct, frozen=True, eq=False):
    """A file of one image, and what is one inode with it after the plan. `pulled` are equal where a pull is one; `made`
    says that the image makes the file itself whatever it stands on."""

    member: Member
    path: str
    file: Visible
    key: Key
    pulled: Key
    made: bool = False


def as_it_is(members: Iterable[Member]) -> Iterator[Inode]:
    """The inodes of images that stay as they are."""
    for member in members:
        for path, file in member.files.items():
            yield Inode(member, path, file, now(file), _layer(member, file))


def as_planned(case: Case, layout: Layout, now_is: Mapping[int, Member]) -> Iterator[Inode]:
    """The inodes of a group on its bases. `now_is` are the members as they are, for those that get no base."""
    group = case.group
    for number, member in enumerate(group.members):
        own = case.stays[number]
        bases = layout.path(layout.base_of[number])[::-1]
        if not bases:
            yield from as_it_is([now_is[member.number]])
            continue
        for path, file in member.files.items():
            key: Key = (member.number, path)
            if path not in own:
                atom = case.at[(path, file.file.content), number]
                if case.problem.ground >> atom & 1:
                    key = now(group.files[path])
                else:
                    base = next((base for base in bases if layout.carries[base] >> atom & 1), None)
                    key = key if base is None else (group.members[0].number, "base", base, path)
            yield Inode(member, path, file, key, key, path in own)


def following(follower: Follower, inodes: Sequence[Inode]) -> list[Inode]:
    """The inodes of an image on another one of the fleet: what lies in that one's layers is the same as there."""
    leader = {inode.path: inode for inode in inodes if inode.member.number == follower.leader.number}
    depth = len(follower.leader.image.layers)
    found = []
    for path, file in follower.member.files.items():
        key: Key = (follower.member.number, path)
        pulled, below = key, leader.get(path)
        if below is not None and file.layer < depth and below.file.file.content == file.file.content:
            key, pulled = below.key, below.pulled
        found.append(Inode(follower.member, path, file, key, pulled))
    return found


class _Content:
    """A content in the counting: its weight, and how likely a node has none of it, or nothing of one inode of it."""

    __slots__ = ("absent", "keys", "last", "weight")

    def __init__(self) -> None:
        self.weight, self.absent, self.last = 0, 1.0, -1
        self.keys: dict[Key, float] = {}


def totals(inodes: Iterable[Inode], measure: Measure) -> tuple[Totals, int]:
    """The page cache that these are on a node, and what pulling them takes. Inodes of one image follow each other."""
    contents: defaultdict[ContentID, _Content] = defaultdict(_Content)
    pulled: dict[Key, int] = {}
    weigh, absent = measure.weigh, [1.0 - each for each in measure.present]
    for inode in inodes:
        file, image = inode.file, inode.member.number
        pulled[inode.pulled] = file.file.size
        weight = weigh(inode.member, inode.path, file)
        if weight:
            content = contents[file.file.content]
            content.weight = max(content.weight, weight)
            content.keys[inode.key] = content.keys.get(inode.key, 1.0) * absent[image]
            if content.last != image:
                content.absent, content.last = content.absent * absent[image], image
    return _summed(contents.values()), sum(pulled.values())


def _summed(contents: Iterable[_Content]) -> Totals:
    page_cache = distinct = 0.0
    for content in contents:
        page_cache += content.weight * sum(1.0 - absent for absent in content.keys.values())
        distinct += content.weight * (1.0 - content.absent)
    efficiency = round(distinct / page_cache, 6) if page_cache else 1.0
    return Totals(round(page_cache), round(distinct), round(page_cache) - round(distinct), efficiency)


def counted(members: Iterable[Member], measure: Measure) -> Totals:
    """The page cache that images are as they are."""
    return totals(as_it_is(members), measure)[0]


def added(images: Sequence[Iterable[int]], measure: Measure) -> list[float]:
    """Of inodes of one content, each given as the images that use it: how much of a copy each adds beyond the others
    before it. Their sum is what a node holds of the content more than once."""
    found: list[float] = []
    seen: set[int] = set()
    before = 0.0
    for users in images:
        own = set(users)
        seen |= own
        after = measure.likely(seen)
        found.append(measure.likely(own) - (after - before))
        before = after
    return found


def now(file: Visible) -> Key:
    """The inode as the image has it."""
    return (file.chain_id, file.file.link)


def _layer(member: Member, file: Visible) -> Key:
    return (member.image.layers[file.layer].diff_id, file.file.link)
