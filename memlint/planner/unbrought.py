"""What an image has beyond its planned base and its own instructions would no longer bring.

apt and dnf bring what a package recommends when they install that package, not when it is there already. And what meets
a choice of needs on the base keeps another one of the choice away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.layer import Installed, Package
from memlint.planner.atoms import Case
from memlint.planner.layout import Layout
from memlint.planner.problem import members


def unbrought(case: Case, layout: Layout, number: int) -> tuple[Package, ...]:
    """The packages that the Dockerfile of a member has to name on its base, sorted.

    What may come along anyway is named rather than lost: to name it changes nothing.
    """
    if layout.base_of[number] < 0:
        return ()
    group, pieces = case.group, case.pieces
    carried = [pieces[at].itself for at in members(layout.carried(number) & ~case.problem.ground)]
    base = [each for each in carried if each is not None and each.package.type in DISTRIBUTION]
    have = {each.package: each for each in group.members[number].packages if each.package.type in DISTRIBUTION}
    ground = [each for each in group.packages if each.package.type in DISTRIBUTION]
    below = {each.package for each in (*ground, *base)}
    own = [each for package, each in have.items() if package not in below]
    # what the base's sources may not have came with what stays as well
    kept = {each.package for at in members(case.problem.images[number]) if (each := pieces[at].kept) is not None}
    image = _Image(own, base, ground)
    found = image.lost(each for each in base if each.package in have)
    return tuple(sorted(package for package in found if package not in kept))


class _Image:
    """The packages that come by the image's own instructions, those of its base, and those of the ground."""

    def __init__(self, own: Sequence[Installed], base: Sequence[Installed], ground: Sequence[Installed]) -> None:
        self._own = own
        self._by_name = _by_name(own)
        self._base, self._ground = frozenset(_by_name(base)), frozenset(_by_name(ground))
        self._sure = self._certain()

    def lost(self, there: Iterable[Installed]) -> frozenset[Package]:
        """What may not come once these are there: what they brought, and what is one of a choice that another may meet
        first; with all that these would have brought."""
        todo = [each for one in there for each in self._meeting(one, (*one.needs, *one.recommends))]
        for one in self._own:
            choices = [choice for choice in (*one.needs, *one.recommends) if self._is_open(one, choice)]
            todo += self._meeting(one, choices)
        todo = [each for each in todo if each.package not in self._sure]
        found: dict[Package, Installed] = {}
        while todo:
            each = todo.pop()
            if each.package in found:
                continue
            found[each.package] = each
            # it is to be installed without what it recommends, and so is what it needs, before all that comes for sure
            for one in self._needed(each):
                todo += [other for other in self._meeting(one, one.recommends) if other.package not in self._sure]
                todo += self._meeting(one, [choice for choice in one.needs if len(choice) > 1])
        return frozenset(found)

    def _is_open(self, one: Installed, choice: Sequence[str]) -> bool:
        """Whether the base may meet it, or several packages of the image do."""
        kind = one.package.type
        if any((kind, name) in self._ground for name in choice):
            return False
        return any((kind, name) in self._base for name in choice) or len(set(self._meeting(one, [choice]))) > 1

    def _certain(self) -> frozenset[Package]:
        """What is asked for, and what that needs without a choice."""
        found: set[Package] = set()
        todo = [each for each in self._own if each.asked]
        while todo:
            each = todo.pop()
            if each.package not in found:
                found.add(each.package)
                todo += self._meeting(each, [choice for choice in each.needs if len(choice) == 1])
        return frozenset(found)

    def _needed(self, package: Installed) -> Iterable[Installed]:
        """The package and all of the image's own that it may need."""
        found: dict[Package, Installed] = {}
        todo = [package]
        while todo:
            each = todo.pop()
            if each.package not in found:
                found[each.package] = each
                todo += self._meeting(each, each.needs)
        return found.values()

    def _meeting(self, one: Installed, choices: Iterable[Sequence[str]]) -> list[Installed]:
        """The image's own that meet choices of a package."""
        kind = one.package.type
        return [each for choice in choices for name in choice for each in self._by_name.get((kind, name), ())]


def _by_name(packages: Iterable[Installed]) -> Mapping[tuple[str, str], Sequence[Installed]]:
    found: defaultdict[tuple[str, str], list[Installed]] = defaultdict(list)
    for each in packages:
        for name in {each.package.name, *each.provides}:
            found[each.package.type, name].append(each)
    return found
