"""What images would keep resident by a profile: its pages, laid over the inodes that the images have."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import exp, lgamma, prod

import msgspec

from memlint.model.digest import ContentID
from memlint.model.profile import PROFILE_PAGE, Profile, Use
from memlint.model.report import ProfileReport, Totals
from memlint.sharing.startup import SHELLS, Startup
from memlint.sharing.view import View, Visible

Absent = tuple[tuple[int, int, float], ...]
"""Runs of pages: the first, the one behind the last, and how likely none of them is resident. Others are absent."""
Programs = frozenset[ContentID]
Users = Mapping[ContentID, int]
"""The programs that map an inode, and in how many containers each."""


class Known(msgspec.Struct, frozen=True, eq=False):
    """A profile, ready to be asked: content → program → its use of it; and what programs ran together."""

    profile: Profile
    uses: Mapping[ContentID, Mapping[ContentID, Use]]

    def pages(self, content: ContentID, users: Users) -> Absent:
        """What of an inode of this content these programs keep, each whatever the others do."""
        uses = self.uses.get(content, {})
        return together([absent(uses[program], count) for program, count in users.items() if program in uses])


def known(profile: Profile) -> Known:
    """The profile by content and program."""
    uses: dict[ContentID, dict[ContentID, Use]] = defaultdict(dict)
    for resident in profile.contents:
        for use in resident.uses:
            uses[resident.content][use.program] = use
    return Known(profile, uses)


def absent(use: Use, containers: int) -> Absent:
    """The pages that none of so many containers of a program keeps, as if drawn from those that were seen.

    Starts of one program differ, so two of them keep more together than one. Drawing without putting back
    (hypergeometric) is the one estimate of that without bias; of more than were seen, all of these tell what there is
    to know.
    """
    drawn = min(containers, use.seen)
    return tuple((first, first + length, _none(use.seen, count, drawn)) for first, length, count in use.runs)


def _none(seen: int, having: int, drawn: int) -> float:
    """C(seen − having, drawn) / C(seen, drawn)."""
    others = seen - having
    if others < drawn:
        return 0.0
    return exp(lgamma(others + 1) - lgamma(others - drawn + 1) - lgamma(seen + 1) + lgamma(seen - drawn + 1))


def together(each: Sequence[Absent]) -> Absent:
    """Where nothing of several is resident, each whatever the others do."""
    if len(each) < 2:
        return each[0] if each else ()
    starts: dict[int, list[float]] = defaultdict(list)
    ends: dict[int, list[float]] = defaultdict(list)
    for first, end, absent in (run for runs in each for run in runs):
        starts[first].append(absent)
        ends[end].append(absent)
    places = sorted({*starts, *ends})
    found = []
    active: list[float] = []
    for place, following in zip(places, [*places[1:], places[-1]] if places else [], strict=True):
        for absent in ends[place]:
            active.remove(absent)
        active += starts[place]
        if active:
            found.append((place, following, prod(active)))
    return tuple(found)


def expected(absent: Absent) -> float:
    """How many pages are resident."""
    return sum((end - first) * (1.0 - none) for first, end, none in absent)


class Priced(msgspec.Struct, frozen=True):
    """What all inodes of one content are expected to keep, and the distinct pages of that, in bytes."""

    page_cache: float
    distinct: float

    @property
    def duplicate_bytes(self) -> int:
        return round(self.page_cache - self.distinct)


def priced(content: ContentID, inodes: Sequence[Users], known: Known) -> Priced:
    """Inodes of one content, each with the programs of all containers that share it."""
    everyone: Counter[ContentID] = Counter()
    for users in inodes:
        everyone.update(users)
    page_cache = sum(expected(known.pages(content, users)) for users in inodes)
    return Priced(PROFILE_PAGE * page_cache, PROFILE_PAGE * expected(known.pages(content, everyone)))


def summed(prices: Iterable[Priced]) -> Totals:
    """The totals of all contents."""
    each = list(prices)
    page_cache, distinct = round(sum(one.page_cache for one in each)), round(sum(one.distinct for one in each))
    return Totals(page_cache, distinct, page_cache - distinct, round(distinct / page_cache, 6) if page_cache else 1.0)


def reported(known: Known, started: Mapping[ContentID, int], unknown: Iterable[str]) -> ProfileReport:
    """How far a profile goes for a fleet. `started` are the contents that starting maps, with their mappable bytes."""
    total = sum(started.values())
    covered = sum(size for content, size in started.items() if content in known.uses)
    return ProfileReport(
        known.profile.basis,
        known.profile.recordings,
        round(covered / total, 6) if total else 1.0,
        tuple(unknown),
    )


def programs_of(view: View, startup: Startup, known: Known) -> Programs:
    """The programs that a container of an image runs, as far as the profile knows them; none where it does not.

    The most usual of what ran together with a program that the image starts. Where the profile has seen none of these
    run (a script started others, and ended), what lies highest in the image of all that it can run.
    """
    layers = _layers(view)
    possible = [ran for ran in known.profile.ran if all(program in layers for program in ran.programs)]
    nodes = [view.nodes.get(path.removeprefix("/")) for path in startup.programs]
    started = {node.file.content for node in nodes if isinstance(node, Visible)}
    if likely := [ran for ran in possible if not started.isdisjoint(ran.programs)]:
        return frozenset(max(likely, key=lambda ran: (len(started.intersection(ran.programs)), ran.seen)).programs)
    if possible and startup.programs and posixpath.basename(startup.programs[-1]) in SHELLS:
        return frozenset(max(possible, key=lambda ran: (max(layers[each] for each in ran.programs), ran.seen)).programs)
    return frozenset()


def _layers(view: View) -> dict[ContentID, int]:
    """The visible contents, and the highest layer of each."""
    found: dict[ContentID, int] = {}
    for _, file in view.files():
        content = file.file.content
        found[content] = max(file.layer, found.get(content, 0))
    return found
