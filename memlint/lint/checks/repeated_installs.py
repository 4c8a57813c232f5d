"""The same packages, installed on the same base by several Dockerfiles among other things."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from itertools import combinations, islice

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.bases import reference_of, text_of
from memlint.lint.chains import base_key, digest
from memlint.lint.fleet import each_place, fleets, related, teller, where
from memlint.lint.proposal import base_with
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.finding import Hit
from memlint.model.units import enumerated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.built import Built
    from memlint.lint.chains import FirstInstall, Link
    from memlint.lint.contents import Listed
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images
    from memlint.model.finding import Location

_PACKAGES_NAMED = 5
_COMPARED = 100
"""Images on one base of which each is compared with each; the others are only looked at for what these have."""


class Installed(msgspec.Struct, frozen=True, eq=False):
    """What an image installs: the packages by name and version, each with a digest of the layer that it lies in.

    Digests are equal for layers that may be one, as far as texts tell. `listed` says how each package is installed,
    `first` is the first install, and `above` a digest of the chain that it lies on.
    """

    layers: dict[str, bytes]
    listed: dict[str, Listed]
    first: FirstInstall | None
    above: bytes


def repeated_installs(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per group of Dockerfiles, at one of them; equal installs as a whole are the business of other checks."""
    for fleet in fleets(repository, all_files=all_files):
        bases: dict[str, list[Built]] = defaultdict(list)
        for built in fleet:
            bases[base_key(built)].append(built)
        for group in bases.values():
            if len(group) >= min_images:
                yield from _Group(group, min_images).hits()


def _installed(built: Built) -> Installed:
    """The packages in the image: those of other stages come by COPY, which is done for those of languages alone."""
    content = built.content
    chain = _chain(content.links)
    before = content.links[: content.first.start] if content.first else ()
    installed = Installed({}, {}, content.first, digest(*(link.text for link in before)))
    for listed in content.packages:
        layer = chain.get(listed.place[0])
        here = listed.ecosystem == "pypi" or (listed.ecosystem in DISTRIBUTION and layer is not None)
        name = _name(listed)
        if here and not listed.conditional and not listed.index and name not in installed.layers:
            installed.layers[name] = digest(layer or built.path, listed.path or "")
            installed.listed[name] = listed
    return installed


def _chain(links: Sequence[Link]) -> dict[int, bytes]:
    """Line → a digest of the image's chain up to the instruction there."""
    lines: dict[int, bytes] = {}
    chain = b""
    for link in links:
        chain = digest(chain, link.text)
        lines.update(dict.fromkeys(range(link.span.line, link.span.end_line + 1), chain))
    return lines


def _name(listed: Listed) -> str:
    separator = "==" if listed.ecosystem == "pypi" else "="
    return listed.name + (f"{separator}{listed.version}" if listed.version else "")


class _Group:
    """Images on one base. Of each is kept which packages it has, of few more: there may be thousands."""

    def __init__(self, group: Sequence[Built], min_images: int) -> None:
        self._min_images = min_images
        self._users: dict[str, list[int]] = defaultdict(list)
        self._images: dict[int, Built] = {}
        self._compared: dict[int, Installed] = {}
        self._pairs: dict[tuple[int, int], frozenset[str]] = {}
        for number, built in enumerate(group):
            layers = _installed(built).layers
            if layers:
                self._images[number] = built
            for name in layers:
                self._users[name].append(number)

    def hits(self) -> Iterator[Hit]:
        """The packages that most images have in common, time after time, until nothing is left."""
        while len(self._images) >= self._min_images:
            self._compare()
            common, numbers = self._best()
            if not common or len(numbers) < self._min_images:
                return
            images = [self._images.pop(number) for number in numbers]
            apart = each_place(images, partial(_place, common[0]))
            if len(apart) >= self._min_images:
                yield _hit(common, apart)

    def _compare(self) -> None:
        """Look at the first of the images that are left; what is known of pairs of them stays."""
        first = dict(islice(self._images.items(), _COMPARED))
        known = {number: installed for number, installed in self._compared.items() if number in first}
        self._compared = {number: known.get(number) or _installed(built) for number, built in first.items()}
        equal = {common: common for common in self._pairs.values()}  # of very many pairs few differ
        pairs: dict[tuple[int, int], frozenset[str]] = {}
        for pair in combinations(self._compared, 2):
            common = self._pairs.get(pair)
            if common is None:
                common = _in_common(*(self._compared[number] for number in pair))
            pairs[pair] = equal.setdefault(common, common)
        self._pairs = pairs

    def _best(self) -> tuple[list[str], list[int]]:
        """The packages that two differing images have in common, and all that install them, where that is most."""
        best: tuple[list[str], list[int]] = ([], [])
        worth = 0
        for common in dict.fromkeys(filter(None, self._pairs.values())):
            if len(common) * (min(len(self._users[name]) for name in common) - 1) > worth:
                numbers = self._having(common)
                if (value := len(common) * (len(numbers) - 1)) > worth:
                    worth, best = value, (sorted(common), numbers)
        return best

    def _having(self, packages: frozenset[str]) -> list[int]:
        """The images that have all of the packages."""
        first, *others = sorted((self._users[name] for name in packages), key=len)
        return sorted(set(first).intersection(self._images, *others))


def _in_common(one: Installed, other: Installed) -> frozenset[str]:
    """The packages of both that might be in one layer, and are not."""
    return frozenset(name for name in one.layers.keys() & other.layers.keys() if _apart(name, one, other))


def _apart(name: str, one: Installed, other: Installed) -> bool:
    """Whether a package is in two layers, and no other check says how the two come to be one."""
    if one.layers[name] == other.layers[name]:
        return False
    a, b = one.first, other.first
    if a is None or b is None or a.packages != b.packages or name not in a.names:
        return True
    return one.above != other.above and not (a.movable and b.movable)


def _hit(common: Sequence[str], members: list[Built]) -> Hit:
    paths = list(dict.fromkeys(built.path for built in members))
    anchor, built = members[0], members.pop(teller(members))
    first = _installed(built)
    return Hit(
        location=_place(common[0], built),
        evidence={
            "packages": enumerated(common, _PACKAGES_NAMED),
            "number": len(common),
            "base": text_of(built.base),
            "count": len(members) + 1,
            "where": where(_named(common[0], members[0]), len(members)),
        },
        related=related((_named(common[0], other), "the same packages on the same base") for other in members),
        suggestion=base_with(reference_of(built.base), _by_manager(common, first), paths),
        anchor=_place(common[0], anchor),
    )


def _place(package: str, built: Built) -> Location:
    """What installs a package."""
    return _installed(built).listed[package].installed(built.path)


def _named(package: str, built: Built) -> Location:
    """What names a package."""
    return _installed(built).listed[package].named(built.path)


def _by_manager(common: Sequence[str], installed: Installed) -> dict[str, list[str]]:
    managers: dict[str, list[str]] = defaultdict(list)
    for name in common:
        managers[installed.listed[name].manager].append(name)
    return managers
