"""What a plan leaves out, and why; and what its figures rest on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from memlint.model.plan import LeftOut
from memlint.model.units import enumerated, human_size, plural
from memlint.planner.atoms import Case
from memlint.planner.draft import Options
from memlint.planner.grounds import Group
from memlint.planner.problem import members
from memlint.planner.write.rigid import Again
from memlint.sharing.storage import StorageModel

IMAGES_MAX = 1500
"""Images of one group that are planned together: the time grows with the square."""
_BY_RUN = "a RUN makes these files whatever lies below: a base can hold what a COPY brings from a stage"


def cut(groups: Sequence[Group]) -> tuple[list[Group], list[Group]]:
    """The groups, each with no more images than can be planned, those that map most; and what was cut off."""
    kept: list[Group] = []
    rest: list[Group] = []
    for group in groups:
        if len(group.members) <= IMAGES_MAX:
            kept.append(group)
            continue
        sizes = {each.number: sum(file.file.mappable_bytes for file in each.files.values()) for each in group.members}
        chosen = set(sorted(sizes, key=lambda number: (-sizes[number], number))[:IMAGES_MAX])
        for groups_of, inside in ((kept, True), (rest, False)):
            members = tuple(each for each in group.members if (each.number in chosen) == inside)
            groups_of.append(msgspec.structs.replace(group, members=members))
    return kept, rest


def without(groups: Sequence[Group], apart: Mapping[str, str]) -> tuple[list[Group], list[Group]]:
    """The groups without images that are to stay as they are, and these."""
    kept: list[Group] = []
    rest: list[Group] = []
    for group in groups:
        for found, inside in ((kept, False), (rest, True)):
            members = tuple(each for each in group.members if (each.image.ref in apart) == inside)
            if members:
                found.append(msgspec.structs.replace(group, members=members))
    return kept, rest


def nothing_helps(storage: StorageModel) -> LeftOut:
    """Of a store whose sharing does not depend on layers."""
    if storage.per_container:
        why = f"on {storage.name} no two containers share a page, not even those of one image, so no base changes it"
    else:
        why = f"on {storage.name} equal files share their pages whatever their layers are, so no base changes it"
    return LeftOut("bases", why)


def left_out(
    groups: Sequence[Group],
    rest: Sequence[Group],
    apart: Mapping[str, str],
    unnamed: Mapping[str, str],
    based: Collection[str],
) -> tuple[LeftOut, ...]:
    """What the reader has to know of what is not there.

    `apart` are images with the reason why they stay; `unnamed` are those whose base no FROM can name; `based` are those
    that get a base after all.
    """
    found = [LeftOut(plural(len(group.members), "image"), _too_many(group)) for group in rest]
    found += [LeftOut(ref, why) for ref, why in (*apart.items(), *unnamed.items())]
    for group in groups:
        if len(group.members) == 1 and group.members[0].image.ref not in (*unnamed, *based):
            found.append(LeftOut(group.members[0].image.ref, _alone(group, groups)))
    unpackaged = [
        member.image.name for group in groups for member in group.members if not member.packages and member.files
    ]
    if unpackaged:
        found.append(
            LeftOut(f"packages of {enumerated(unpackaged)}", "there is no package database: only files can be shared")
        )
    return tuple(found)


def _alone(group: Group, groups: Sequence[Group]) -> str:
    if len(groups) == 1:
        return "there is no other image to share with"
    where = f"{group.release.name} {group.release.version}".strip() if group.release else "no distribution"
    system = f"({where}, {group.platform})"
    if any(
        other.platform == group.platform and other.release == group.release for other in groups if other is not group
    ):
        base = f"its base {group.source}" if group.source else "its base"
        return f"no other image has the contents and settings of {base} {system}"
    return f"no other image has the same base content {system}"


def kept_packages(cases: Sequence[Case]) -> Iterator[LeftOut]:
    """The packages that several images of a group have, and that no base is to install."""
    found: defaultdict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for case in cases:
        for at, piece in enumerate(case.pieces):
            holders = list(members(case.problem.holders[at]))
            doubt = case.kept.get(piece.kept.package) if piece.kept is not None else None
            if piece.kept is not None and doubt is not None and doubt.why and len(holders) > 1:
                name = f"{piece.kept.package.name} {piece.kept.package.version}"
                found[doubt.why][name].update((case.group.members[each].image.name, None) for each in holders)
    for why, packages in found.items():
        images = dict.fromkeys(image for names in packages.values() for image in names)
        yield LeftOut(f"{enumerated(list(packages))} of {enumerated(list(images))}", why)


def refused_files(cases: Sequence[Case], again: Mapping[str, Again]) -> Iterator[LeftOut]:
    """The files that several images of a group have, and that an instruction makes anew in each of them."""
    for case in cases:
        inodes: defaultdict[tuple[str, object], list[tuple[str, str, int]]] = defaultdict(list)
        for member, stays in zip(case.group.members, case.stays, strict=True):
            own = again.get(member.image.ref, Again())
            for path in stays & member.files.keys():
                file = member.files[path]
                why = own.refused.get(path) or (_BY_RUN if path in own.by_run and file.package not in case.kept else "")
                if why:
                    inodes[path, file.file.content].append((why, member.image.name, file.file.mappable_bytes))
        found: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for having in inodes.values():
            for why, name, size in having if len(having) > 1 else ():
                found[why].append((name, size))
        for why, copies in sorted(found.items()):
            images, size = sorted({name for name, _ in copies}), sum(size for _, size in copies)
            yield LeftOut(f"{human_size(size)} of {enumerated(images)}", why)


def _too_many(group: Group) -> str:
    return f"more than {IMAGES_MAX} images on {group.source} are not planned together: these map least; plan them apart"


def notes(groups: Sequence[Group], replicas: Sequence[int], storage: StorageModel, options: Options) -> Iterator[str]:
    """What the figures rest on and the reader may not expect."""
    guessed: defaultdict[str, list[str]] = defaultdict(list)
    for group in groups:
        for member in group.members:
            if member.image.ref not in options.grounds and member.ground is not None and group.source:
                guessed[group.source].append(member.image.name)
    for source, names in guessed.items():
        which = enumerated(names)
        yield (
            f"{source} is guessed from os-release for {which}, whose lowest layer counts as their original base: name"
            " their Dockerfiles to have it right"
        )
    if max(replicas) > 1 and options.nodes == 1:
        yield (
            f"containers of one image share their pages on {storage.name}, so --replicas changes nothing on one node:"
            " --nodes N spreads them"
        )
