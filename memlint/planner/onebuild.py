"""Several builds of one original base: which of them a FROM can name, and all images on one of them.

A tag means one build at a time. Images on others that no digest is known of stay as they are, or stand on the build
that the tag means, as a rebuild with a fresh pull would put them. That changes files, so it is no part of what is
strict: union takes it where it saves, other points say what it would save and cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from memlint.dockerfile.reference import parse_base
from memlint.model.layer import Installed
from memlint.planner.grounds import UNKNOWN, Ground, Group, Member
from memlint.planner.guessing import SCRATCH
from memlint.sharing.view import Visible

_MOST = 1000
"""Changes of an image that are told."""


def nameless(groups: Sequence[Group]) -> Iterator[tuple[Group, str]]:
    """The groups whose ground no FROM can name, and why: a base on it would be built on something else."""
    builds: defaultdict[object, list[Group]] = defaultdict(list)
    for group in groups:
        base = parse_base(group.source)
        if group.source == UNKNOWN:
            release = group.release.name if group.release is not None else "no distribution"
            yield group, f"os-release tells of {release} alone, so its base has no name here: name its Dockerfile"
        elif group.ground.now is False and base is not None and base.digest is not None:
            yield group, f"{group.source} is another build than the one it stands on: build it again"
        elif base is not None and base.digest is None and group.source != SCRATCH:
            builds[group.platform, base.repository, base.tag or "latest"].append(group)
    for same in builds.values():
        newest = max(same, key=_newness)
        for group in same:
            if group.ground.now is False:
                means = f"{group.source} means another build by now than the one it stands on, whose digest is not"
                yield group, f"{means} known: build it again, or name that digest in its FROM{_union(same)}"
            elif group is not newest:
                older = f"it stands on an older build of {group.source} than other images, whose digest is not known"
                yield group, f"{older}: build it again, or name that digest in its FROM{_union(same)}"


def _union(same: Sequence[Group]) -> str:
    there = len(same) > 1 and all(group.ground.hidden is not None for group in same)
    return " (--prefer union puts it on the newest)" if there and _any_named(same) else ""


def _any_named(groups: Sequence[Group]) -> bool:
    return any(group.ground.now is not False for group in groups)


def on_one_build(groups: Sequence[Group], known: Collection[str]) -> list[tuple[tuple[Group, ...], Group]]:
    """The groups whose Dockerfiles name one repository and tag, each with the group that they are on its newest.

    `known` are the images whose FROM is known: what is guessed is not rewritten.
    """
    alike: defaultdict[object, list[Group]] = defaultdict(list)
    for group in groups:
        base = parse_base(group.source)
        if base is not None and all(member.image.ref in known for member in group.members):
            alike[group.platform, group.release, base.repository, base.tag].append(group)
    return [
        (tuple(same), _merged(same))
        for same in alike.values()
        if len(same) > 1 and same[0].members[0].ground and _any_named(same)
    ]


def _merged(groups: Sequence[Group]) -> Group:
    newest = max(groups, key=_newness)
    members: list[Member] = []
    updates: dict[str, tuple[str, ...]] = {}
    for group in groups:
        for member in group.members:
            members.append(member if group is newest else _rebased(member, group, newest))
            if group is not newest:
                changes = [*_changes(member, members[-1]), *_settings(group.ground, newest.ground)]
                updates[member.image.ref] = tuple(changes[:_MOST])
    members.sort(key=lambda member: member.number)
    return msgspec.structs.replace(newest, members=tuple(members), drifted=True, updates=updates)


def _newness(group: Group) -> tuple[object, ...]:
    """What a tag means now is the newest; where that is not known, what was made last, or most stand on."""
    return (group.ground.now is not False, group.ground.now is True, _time(group), len(group.members), group.source)


def _time(group: Group) -> int:
    """When the original base was made: the time of its topmost layer; 0 where no history tells."""
    times = [0]
    for member in group.members:
        for layer in member.image.layers:
            times.append(layer.created or 0)
            if layer.chain_id == member.ground:
                break
        else:
            times.append(0)
    return max(times)


def _rebased(member: Member, old: Group, new: Group) -> Member:
    """The image as a build on the other ground makes it: its own layers stay as they are."""
    depth = next(at for at, layer in enumerate(member.image.layers) if layer.chain_id == member.ground) + 1
    own = {path: file for path, file in member.files.items() if file.layer >= depth}
    kept = {path: file for path, file in new.files.items() if path in member.files or path not in old.files}
    files: Mapping[str, Visible] = {**kept, **own}
    return msgspec.structs.replace(
        member, files=files, packages=_packages(member, old, new), ground=new.chain, stands=new.ground
    )


def _packages(member: Member, old: Group, new: Group) -> tuple[Installed, ...]:
    own = [each for each in member.packages if each not in old.packages]
    names = {(each.package.type, each.package.name) for each in own}
    below = [each for each in new.packages if (each.package.type, each.package.name) not in names]
    return tuple(sorted((*own, *below), key=lambda each: (each.package, each.database)))


def _changes(before: Member, after: Member) -> Iterator[str]:
    """What an image has in another version, or no more."""
    old, new = (
        {(each.package.type, each.package.name): each.package.version for each in member.packages}
        for member in (before, after)
    )
    for key in sorted(old):
        if new.get(key) != old[key]:
            yield f"{key[1]} {old[key]} → {new.get(key, 'gone')}"
    lost = sorted(path for path in before.files if path not in after.files)
    yield from (f"/{path} → gone" for path in lost)
    changed = {
        path
        for path, file in before.files.items()
        if path in after.files and after.files[path].file.content != file.file.content
    }
    unpackaged = sorted(path for path in changed if before.files[path].package is None or old == new)
    yield from (f"/{path} → other content" for path in unpackaged)


def _settings(before: Ground, after: Ground) -> Iterator[str]:
    """What the builds set unlike, as far as both show it."""
    old, new = before.shows(), after.shows()
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name) and not before.hides(name) and not after.hides(name):
            yield f"{name} {old.get(name, 'unset')} → {new.get(name, 'unset')}"
