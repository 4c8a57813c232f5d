"""A base's packages as the instructions that install them, and files that no package owns as COPY."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from posixpath import dirname

import msgspec

from memlint.model.plan import PlannedFiles, PlannedPackage
from memlint.planner.write.words import copy_words, exactly

_LOGS = "/var/log/apt/*.log /var/log/apt/*.xz /var/log/dpkg.log /var/log/alternatives.log"
_CLEAN_APT = f"rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache {_LOGS}"
_CLEAN_RPM = "rm -rf /var/cache/dnf /var/cache/yum /var/cache/ldconfig/aux-cache /var/log/dnf* /var/log/hawkey.log"
_RPM = "$(command -v dnf || command -v microdnf || command -v yum)"
_PLAIN = re.compile(r"[\w.+:=@/,-][\w.+:=@/,~-]*", re.ASCII)

WHOLE = ("pypi",)
"""Types of which images know all that they need: indexes keep old versions, so each can be named by its own."""
ORDER = ("deb", "apk", "rpm", "pypi", "npm")
"""The distribution's packages come first: the others need them."""

NOTES = {
    "deb": "apt archives keep only the newest version of a package: where one is gone, plan again or take its =… away",
    "apk": "Alpine keeps only the newest version of a package: where one is gone, plan again or take its =… away",
    "rpm": "repositories may drop old versions: where one is gone, plan again or take the version away",
}


def install_lines(packages: Iterable[PlannedPackage], whole: Collection[str] = ()) -> list[str]:
    """The RUN instructions for these packages, those asked for with their versions; what they need comes by itself.

    Of types that are `whole` the packages are all that there are: each is named, and nothing else comes.
    """
    by_type: dict[str, list[PlannedPackage]] = {}
    for package in packages:
        by_type.setdefault(package.type, []).append(package)
    lines: list[str] = []
    for kind in ORDER:
        own = by_type.get(kind, ())
        asked = [package for package in own if package.root or kind in whole]
        if asked:
            lines += _comment(kind, [] if kind in whole else own) + _run(kind, asked, whole)
    return lines


def install_line(packages: Iterable[PlannedPackage]) -> str:
    """The RUN instructions for these packages, each on one line without an end; whatever their versions are by then."""
    named = (msgspec.structs.replace(package, version="") for package in packages)
    lines = (line.strip() for line in install_lines(named))
    return " ".join(line.removesuffix("\\").rstrip() for line in lines)


def copy_lines(files: Iterable[PlannedFiles], sources: dict[str, str | None]) -> list[str]:
    """`COPY --from` for each directory; `sources` says by image what a build calls it."""
    lines: list[str] = []
    for group in files:
        source = sources.get(group.image)
        if source is None:
            continue
        for directory, paths in _by_directory(group.paths).items():
            words = [*map(exactly, paths), f"{directory.rstrip('/')}/"]
            lines.append(f"COPY --from={source} {copy_words(words)}")
    return lines


def _comment(kind: str, packages: Sequence[PlannedPackage]) -> list[str]:
    pulled = sorted(f"{package.name} {package.version}".strip() for package in packages if not package.root)
    pinned = any(package.version for package in packages if package.root)
    lines = [f"# {NOTES[kind]}."] if kind in NOTES and pinned else []
    if pulled:
        lines += wrapped(f"These bring with them: {', '.join(pulled)}.")
    return lines


def _run(kind: str, packages: Sequence[PlannedPackage], whole: Collection[str]) -> list[str]:
    if kind == "deb":
        words = [_pinned(package, "=") for package in packages]
        before = ["apt-get update", "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"]
        return _chain(before, words, [_CLEAN_APT])
    if kind == "apk":
        return _chain(["apk add --no-cache"], [_pinned(each, "=") for each in packages], [])
    if kind == "rpm":
        words = [_pinned(package, "-") for package in packages]
        return _chain([f"{_RPM} install -y --setopt=install_weak_deps=0"], words, [f"{_RPM} clean all", _CLEAN_RPM])
    if kind == "pypi":
        words = [_pinned(package, "==") for package in packages]
        options = " --no-deps" if kind in whole else ""
        return _chain([f"PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install --no-cache-dir{options}"], words, [])
    words = [_pinned(package, "@") for package in packages]
    return _chain(["npm install --global"], words, ["npm cache clean --force"])


def _pinned(package: PlannedPackage, sign: str) -> str:
    """The package in its version, where that is known."""
    return f"{package.name}{sign}{package.version}" if package.version else package.name


def _chain(before: Sequence[str], words: Sequence[str], after: Sequence[str]) -> list[str]:
    """`RUN a \\ && b word \\ word \\ && c`, a word a line: it is read in differences."""
    lines = [f"RUN {before[0]}", *(f" && {command}" for command in before[1:])]
    lines += [f"      {_quoted(word)}" for word in sorted(words)]
    lines += [f" && {command}" for command in after]
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _quoted(word: str) -> str:
    """A word for the shell; a ~ means something at its start alone."""
    return word if _PLAIN.fullmatch(word) else shlex.quote(word)


def _by_directory(paths: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(paths):
        absolute = f"/{path.lstrip('/')}"
        found.setdefault(dirname(absolute), []).append(absolute)
    return found


def wrapped(text: str) -> list[str]:
    """A comment; names in it come from strangers, and a line of theirs is none of the file's."""
    import textwrap

    text = "".join(char if char.isprintable() else "?" for char in text)
    return textwrap.wrap(text, 110, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)
