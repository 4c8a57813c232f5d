"""What of a group's images bases can hold: packages that they can install, and files that images do not make anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.layer import Installed, Package
from memlint.planner.doubts import SITE_PACKAGES, Doubt, Doubts
from memlint.planner.grounds import Group
from memlint.planner.guessing import SCRATCH
from memlint.planner.write.rigid import Again
from memlint.sharing.view import Visible

PIP = ("python3-pip", "py3-pip", "pip")
"""The packages that bring pip."""
_NO_PIP = "no base of theirs has pip"
_NO_MANAGER = "they stand on nothing that could install packages"

InstalledIn = Mapping[Package, Mapping[int, Installed]]
"""Packages that a base can install, by the numbers of the images that have them."""
KeptIn = Mapping[Package, Mapping[int, tuple[Installed, Doubt]]]
"""Packages that no base is to install, and why."""


class Made(msgspec.Struct, frozen=True):
    """What images make themselves whatever they stand on, by reference: files, and packages that no base can be trusted
    to install as they are."""

    again: Mapping[str, Again] = {}
    doubts: Mapping[str, Doubts] = {}


def movable(group: Group, made: Made) -> tuple[InstalledIn, KeptIn, tuple[frozenset[str], ...]]:
    """The packages that a base can install, those that it cannot or is not to, and by member the paths that it makes
    itself whatever it stands on."""
    installed, kept = _installed(group, made.doubts)
    stays = tuple(_stays(group, number, made, installed, kept) for number in range(len(group.members)))
    return installed, kept, stays


_Found = dict[Package, dict[int, Installed]]
_Kept = dict[Package, dict[int, tuple[Installed, Doubt]]]


def _installed(group: Group, doubts: Mapping[str, Doubts]) -> tuple[_Found, _Kept]:
    """The packages that a base can install, and those that it cannot or is not to, each with its images."""
    found: _Found = {}
    kept: _Kept = {}
    for number, member in enumerate(group.members):
        own = doubts.get(member.image.ref, {})
        for each in member.packages:
            if not _is_of_system(each):
                continue
            doubt = own.get(each.package)
            if doubt is not None:
                kept.setdefault(each.package, {}).setdefault(number, (each, doubt))
            else:
                found.setdefault(each.package, {}).setdefault(number, each)
    _dispel(found, kept)
    ground = {each.package for each in group.packages}
    impossible = _impossible(group, found)
    for package in [each for each in found if each.type in impossible and each not in ground]:
        doubt = Doubt(impossible[package.type])
        kept.setdefault(package, {}).update((number, (each, doubt)) for number, each in found.pop(package).items())
    return found, kept


def _is_of_system(each: Installed) -> bool:
    """Whether it lies where a package manager puts it by itself. npm makes what is there once more."""
    if each.package.type == "pypi":
        return each.within is None and SITE_PACKAGES.fullmatch(each.database) is not None
    return each.package.type != "npm"


def _dispel(found: _Found, kept: _Kept) -> None:
    """What another image of the group has without a doubt comes from where all of them get their packages.

    Not so where it brought what stays in doubt: on a base that has the one, nothing would bring the other.
    """
    moved: list[tuple[Installed, int, Doubt]] = []
    for package in [each for each in kept if each in found]:
        for number, (each, doubt) in list(kept[package].items()):
            if not doubt.settled:
                found[package][number] = each
                del kept[package][number]
                moved.append((each, number, doubt))
    while True:
        along = {
            (number, each.package.type, name)
            for having in kept.values()
            for number, (each, _) in having.items()
            if not each.asked
            for name in (each.package.name, *each.provides)
        }
        back = [
            one for one in moved if any((one[1], one[0].package.type, name) in along for name in _recommended(one[0]))
        ]
        if not back:
            break
        for each, number, doubt in back:
            kept[each.package][number] = (each, doubt)
            del found[each.package][number]
        moved = [one for one in moved if one not in back]
    for package in [each for each, having in kept.items() if not having]:
        del kept[package]


def _recommended(package: Installed) -> Iterator[str]:
    return (name for choice in package.recommends for name in choice)


def _impossible(group: Group, found: Iterable[Package]) -> Mapping[str, str]:
    """The types of packages that no base on this ground can install, and why."""
    if group.source == SCRATCH:
        return dict.fromkeys((*DISTRIBUTION, "pypi"), _NO_MANAGER)
    names = {each.package.name for each in group.packages} | {each.name for each in found if each.type in DISTRIBUTION}
    return {} if names.intersection(PIP) else {"pypi": _NO_PIP}


def _stays(group: Group, number: int, made: Made, installed: InstalledIn, kept: KeptIn) -> frozenset[str]:
    """The paths that a member makes itself whatever it stands on."""
    member = group.members[number]
    ref, files = member.image.ref, member.files
    again = made.again.get(ref, Again())
    found = set(again.stays)
    for path in again.by_run:
        if path in files and not comes_with(path, files[path], number, installed):
            found.add(path)
    for path, file in files.items():
        having = kept.get(file.package, {}) if file.package is not None else {}
        if number in having and not having[number][1].as_files and _placed(path, having[number][0]):
            found.add(path)
    return frozenset(found)


def comes_with(path: str, file: Visible, number: int, installed: InstalledIn) -> bool:
    """Whether installing its package brings the file to this image."""
    own = installed.get(file.package, {}).get(number) if file.package is not None else None
    return own is not None and _placed(path, own)


def _placed(path: str, package: Installed) -> bool:
    """Whether the file belongs to this copy of the package: others may lie in virtual environments."""
    return package.package.type in DISTRIBUTION or path.startswith(_place(package.database))


def _place(database: str) -> str:
    """The directory that a package of Python lies in, of the file in its .dist-info that describes it."""
    return database.rpartition("/")[0].rpartition("/")[0] + "/"
