"""Packages of languages that a Dockerfile names: which of them a base can install, and why others cannot be in one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.reference import parse_base
from memlint.lint.places import Origin, chain_of
from memlint.model.plan_dockerfiles import NamedPackage
from memlint.sources.inherited import plain_user

if TYPE_CHECKING:
    from memlint.dockerfile.installs import Install

_ELSEWHERE = ("venv", "conda", "PIP_", "PYTHONUSERBASE", "npm_config_", "NPM_CONFIG_", ".npmrc", "pip.conf")
"""Words of a Dockerfile that may lead an install to another place, or to other packages of that name."""


class Tool(msgspec.Struct, frozen=True):
    """What installs packages of a language for all: the images that have it, the packages of distributions that bring
    it, the options that say so (one at least, unless there are none), and options that change nothing."""

    repositories: frozenset[str]
    packages: frozenset[str]
    asked: frozenset[str]
    harmless: frozenset[str]


TOOLS: Mapping[str, Tool] = {
    "pip": Tool(
        frozenset({"python", "pypy"}),
        frozenset({"python3-pip", "py3-pip"}),
        frozenset(),
        frozenset(
            "--no-cache-dir -q --quiet --disable-pip-version-check --no-input --break-system-packages --no-compile"
            " --root-user-action=ignore --root-user-action ignore".split()
        ),
    ),
    "npm": Tool(
        frozenset({"node"}),
        frozenset({"npm"}),
        frozenset({"-g", "--global"}),
        frozenset("-q --quiet --silent --no-audit --no-fund --no-update-notifier".split()),
    ),
}
_TYPES = {"pypi": "pip", "npm": "npm"}


def brought(source: str, package: NamedPackage, others: Collection[NamedPackage]) -> frozenset[NamedPackage] | None:
    """Which of the others bring what installs a package; None where the original base has it itself."""
    tool = TOOLS.get(_TYPES.get(package.type, ""))
    base = parse_base(source)
    if tool is None or (base is not None and base.repository.rpartition("/")[2] in tool.repositories):
        return None
    return frozenset(each for each in others if each.name in tool.packages and each.type not in _TYPES)


def named(origin: Origin, source: str, system: Collection[NamedPackage]) -> Iterator[NamedPackage | str]:
    """Each package that a base can install in the place of the Dockerfile, or the reason why some cannot be there.

    `system` are the packages of the distribution that it installs.
    """
    text = "\n".join(step.instruction.value for step in origin.steps)
    elsewhere = next((word for word in _ELSEWHERE if word in text), None)
    for install, user in _installs(origin):
        manager, why = install.manager, _why_not(install, user, elsewhere)
        for package in install.packages:
            found = NamedPackage(package.ecosystem, package.name, package.version or "")
            if why is None and not package.version:
                yield f"{manager} packages: which version some become is seen in images alone"
            elif why is None and brought(source, found, system) == frozenset():
                yield f"{manager} packages: what brings {manager} itself is not known"
            else:
                yield found if why is None else f"{manager} packages: {why}"


def _installs(origin: Origin) -> Iterator[tuple[Install, str]]:
    """The installs of such packages, each with the user that runs it as far as the Dockerfile says."""
    user = ""
    for stage in chain_of(origin.dockerfile, origin.stage):
        for instruction in stage.instructions:
            if instruction.keyword == "USER":
                user = instruction.value.strip()
            step = origin.step_of(instruction)
            if step is not None:
                yield from ((install, user) for install in step.installs if install.manager in TOOLS)


def _why_not(install: Install, user: str, elsewhere: str | None) -> str | None:
    """Why what an install brings may go elsewhere than a base's install puts it; None where it does not."""
    tool, options = TOOLS[install.manager], set(install.options)
    if plain_user(user):
        return f"they are installed by the user {user}"
    if elsewhere is not None:
        return f"{elsewhere} in the Dockerfile may lead them elsewhere"
    if install.conditional:
        return "they are installed on conditions"
    if tool.asked and not options & tool.asked:
        return "they go into a directory of their own"
    other = sorted(options - tool.asked - tool.harmless)
    return f"{other[0]} may change what they are or where they go" if other else None
