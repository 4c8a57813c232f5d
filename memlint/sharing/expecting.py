"""What a profile expects of a fleet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from memlint.model.digest import ContentID
from memlint.model.report import ProfileReport, Totals
from memlint.sharing.members import Inodes, Member, Place
from memlint.sharing.resident import Known, Priced, Users, priced, reported, summed


class Expectation:
    """The prices of a fleet's contents by a profile."""

    def __init__(self, members: Sequence[Member], contents: Mapping[ContentID, Inodes], known: Known) -> None:
        self._members, self._known = members, known
        self._prices = {
            content: priced(content, self._users(inodes), known)
            for content, inodes in contents.items()
            if content in known.uses
        }

    def totals(self) -> Totals | None:
        """All contents that the profile knows; None where it has seen run what none of the images runs."""
        return summed(self._prices.values()) if any(member.programs for member in self._members) else None

    def of(self, content: ContentID, inodes: Inodes) -> Priced | None:
        """One content; None where the profile has not seen run what an image that has it runs."""
        if not all(self._members[copy.member].programs for same in inodes.values() for copy in same):
            return None
        return self._prices.get(content, Priced(0, 0))

    def report(self) -> ProfileReport:
        """How far the profile goes."""
        started = {
            file.file.content: file.file.mappable_bytes
            for member in self._members
            for path, file in member.files
            if path in member.startup.paths
        }
        return reported(self._known, started, (each.image.ref for each in self._members if not each.programs))

    def _users(self, inodes: Inodes) -> list[Users]:
        """The programs that map each inode. Of several in one image, what starts maps its own, or one."""
        places: dict[int, dict[Place, bool]] = defaultdict(dict)
        for copy in (copy for same in inodes.values() for copy in same):
            found = places[copy.member]
            found[copy.place] = copy.startup or found.get(copy.place, False)
        mapped = {member: _mapped(found) for member, found in places.items()}
        users: list[Users] = []
        for same in inodes.values():
            containers = {copy.member: copy.containers for copy in same if copy.place in mapped[copy.member]}
            count: Counter[ContentID] = Counter()
            for member, replicas in containers.items():
                count.update(dict.fromkeys(self._members[member].programs, replicas))
            users.append(count)
        return users


def _mapped(places: Mapping[Place, bool]) -> set[Place]:
    return {place for place, startup in places.items() if startup} or {next(iter(places))}
