"""What changes often and what does not: what the images tell of it, and a former plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from memlint.model.image import Image
from memlint.model.plan import Plan, PlannedImage
from memlint.model.units import plural
from memlint.planner.grounds import Member
from memlint.planner.write.service import repository_of
from memlint.sources.reference import DAEMON, DOCKER_ARCHIVE, OCI, OCI_ARCHIVE

Subject = tuple[str, str]
"""A package's type and name; of a file that none owns, "" and its path."""

DAY = 86_400
OFTEN = 90
"""Days: what was seen to change more often than once in so many lies above what changes less."""
STABLE, SELDOM, VOLATILE = range(3)


class Life(msgspec.Struct, frozen=True):
    """What was seen of a package or a file: how often it changed, in images built over how many days; and what."""

    changes: int = 0
    days: int = 0
    seen: str = ""

    @property
    def level(self) -> int:
        """The lower, the lower it is to lie."""
        if not self.changes:
            return STABLE
        return SELDOM if self.days >= OFTEN * self.changes else VOLATILE


UNSEEN = Life()
Lives = Callable[[Subject], Life]


def line_of(image: Image | PlannedImage) -> str:
    """What is the same for all versions of an image: its repository, as far as its reference tells."""
    transport, _, rest = image.ref.partition(":")
    if transport in (DOCKER_ARCHIVE, OCI, OCI_ARCHIVE):
        return repository_of(image.name)
    return repository_of(rest if transport == DAEMON else image.ref)


def built(image: Image) -> int | None:
    """When, in seconds since 1970: the time of its latest layer."""
    return max((layer.created for layer in image.layers if layer.created is not None), default=None)


def lives_of(members: Sequence[Member], former: Plan | None) -> Lives:
    """What images of one distribution and release tell: packages in several versions, files that differ between two
    versions of one image; and what is in another version than in the former plan."""
    versions: defaultdict[Subject, dict[str, None]] = defaultdict(dict)
    times: defaultdict[Subject, list[int]] = defaultdict(list)
    for member in members:
        time = built(member.image)
        for each in member.packages:
            subject = (each.package.type, each.package.name)
            versions[subject].setdefault(each.package.version)
            if time is not None:
                times[subject].append(time)
    files = _changed_files(members)
    was = _former(former) if former is not None else {}

    def life(subject: Subject) -> Life:
        now, (before, changes) = list(versions.get(subject, ())), was.get(subject, ("", 0))
        seen = list(now)
        if before and now and before not in now:
            changes, seen = changes + 1, [before, *now]
        changes = max(changes, len(now) - 1, files.get(subject, 0))
        span = times.get(subject, (0,))
        return Life(changes, (max(span) - min(span)) // DAY, ", ".join(seen) if changes else "")

    return life


def _changed_files(members: Sequence[Member]) -> Mapping[Subject, int]:
    """How often files changed, or went, from one version of an image to the next."""
    lines: defaultdict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in members:
        lines[line_of(member.image), member.image.platform].append(member)
    found: defaultdict[Subject, int] = defaultdict(int)
    for line in lines.values():
        for older, newer in pairwise(sorted(line, key=lambda each: built(each.image) or 0)):
            for path, file in older.files.items():
                after = newer.files.get(path)
                if after is None or after.file.content != file.file.content:
                    found["", path] += 1
    return found


def _former(plan: Plan) -> Mapping[Subject, tuple[str, int]]:
    """Versions, and how often they had changed by then."""
    found: dict[Subject, tuple[str, int]] = {}
    for base in plan.bases:
        for package in base.packages:
            found[package.type, package.name] = (package.version, package.changes)
        for group in base.files:
            found.update((("", path.lstrip("/")), ("", group.changes)) for path in group.paths)
    return found


def told(level: int, named: Iterable[tuple[str, Life]]) -> str:
    """Why something lies in a step of that level."""
    if level == STABLE:
        return "not seen to change"
    often = f"at most once in {OFTEN} days" if level == SELDOM else f"more than once in {OFTEN} days"
    which = ", ".join(f"{name} ({_times(life)})" for name, life in named)
    return f"seen to change {often}: {which}"


def _times(life: Life) -> str:
    times = plural(life.changes, "change")
    return f"{times} in {life.days} day{'s' * (life.days > 1)}" if life.days else times
