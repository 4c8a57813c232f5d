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
from memlint.sharing.view import Visible

Key = Hashable


class Inode(msgspec.Struct, frozen=True, eq=False):
    """A file of one image, and what is one inode with it after the plan. `pulled` are equal where a pull is one."""

    member: Member
    path: str
    file: Visible
    key: Key
    pulled: Key

    @property
    def startup(self) -> bool:
        return self.path in self.member.startup.paths


def as_it_is(members: Iterable[Member]) -> Iterator[Inode]:
    """The inodes of images that stay as they are."""
    for member in members:
        for path, file in member.files.items():
            yield Inode(member, path, file, now(file), _layer(member, file))


def as_planned(
    case: Case, layout: Layout, stays: Mapping[str, frozenset[str]], now_is: Mapping[int, Member]
) -> Iterator[Inode]:
    """The inodes of a group on its bases. `stays` are the files that an image makes itself, whatever it stands on.

    `now_is` are the members as they are, for those that get no base.
    """
    group = case.group
    for number, member in enumerate(group.members):
        own = stays.get(member.image.ref, frozenset())
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
            yield Inode(member, path, file, key, key)


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


def totals(inodes: Sequence[Inode], *, startup: bool) -> tuple[Totals, int]:
    """The page cache that these are, and what pulling them takes."""
    contents: dict[ContentID, dict[Key, int]] = defaultdict(dict)
    pulled: dict[Key, int] = {}
    for inode in inodes:
        pulled[inode.pulled] = inode.file.file.size
        if not startup or inode.startup:
            contents[inode.file.file.content][inode.key] = inode.file.file.mappable_bytes
    page_cache = sum(sum(keys.values()) for keys in contents.values())
    distinct = sum(next(iter(keys.values())) for keys in contents.values())
    efficiency = round(distinct / page_cache, 6) if page_cache else 1.0
    return Totals(page_cache, distinct, page_cache - distinct, efficiency), sum(pulled.values())


def now(file: Visible) -> Key:
    """The inode as the image has it."""
    return (file.chain_id, file.file.link)


def _layer(member: Member, file: Visible) -> Key:
    return (member.image.layers[file.layer].diff_id, file.file.link)
