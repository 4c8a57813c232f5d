"""COPY instructions whose files a planned base has already: only what differs is copied.

A COPY makes new inodes even where the base holds the same bytes under the same path. So its files go to a stage of
their own first, on the planned base, where those that equal the base's in bytes, mode and owner are dropped; the image
gets the rest. What is built so is the same image, whatever the sources have become by then.
"""

from __future__ import annotations

import posixpath

import msgspec

from memlint.lint.facts import Step
from memlint.model.dockerfile import Dockerfile, Instruction, Stage
from memlint.planner.write.words import copy_words
from memlint.sharing.view import View

COPY_STAGE = "memlint-copy-"
"""What the names of such stages begin with."""
_PLACE = "/.memlint"
_SAME = '[ ! -L "$b" ] && cmp -s "$f" "$b" && [ "$(stat -c %a:%u:%g "$f")" = "$(stat -c %a:%u:%g "$b")" ] && rm "$f"'
# Python compares the time of a source with the one that its compiled form remembers: such pairs stay together
_PROGRAM = (
    f"cd {_PLACE} && find . -type f ! -name '*.py' ! -name '*.pyc'"
    f""" -exec sh -c 'for f; do b="${{f#.}}"; {_SAME}; done; true' sh {{}} +"""
)
_PROGRAMS = ("sh", "find", "cmp", "stat", "rm")
_DIRECTORIES = ("usr/bin", "bin", "usr/sbin", "sbin", "usr/local/bin")
_NOT_ALIKE = frozenset({"chown", "chmod", "link", "parents", "exclude", "keep-git-dir", "checksum"})


class Staged(msgspec.Struct, frozen=True):
    """A COPY through a stage: `stage` are the lines of that stage, `instruction` is what the COPY becomes."""

    stage: str
    instruction: str


class Refused(msgspec.Struct, frozen=True):
    """A COPY that stays as it is."""

    why: str


def staged_copy(step: Step, dockerfile: Dockerfile, base: str, number: int, paths: frozenset[str]) -> Staged | Refused:
    """The COPY by way of a stage on `base`; `paths` are the files that its layer has, without a leading slash."""
    instruction, escape = step.instruction, step.escape
    if instruction.keyword != "COPY":
        return Refused(f"{instruction.keyword} makes the files itself, so the base's are overwritten")
    if instruction.heredocs:
        return Refused("its files are written in the Dockerfile itself")
    unlike = [flag.name for flag in instruction.flags if flag.name in _NOT_ALIKE]
    if unlike:
        return Refused(f"--{unlike[0]} makes the files unlike those of the base")
    target = _target(step, paths)
    words = [step.expanded(word.text) for word in instruction.words[:-1]]
    if target is None or None in words:
        return Refused("its words hold variables that are not known here")
    numbered = numbered_reference(dockerfile, stage_with(instruction, dockerfile))
    if numbered is not None:
        return Refused(f"line {numbered.span.line} calls a stage by its number: give the stage a name")
    directory, name = target
    flags = "".join(f"--{flag.name}={flag.value} " for flag in instruction.flags)
    stage = f"{COPY_STAGE}{number}"
    place = posixpath.join(_PLACE, directory.lstrip("/"), "")
    return Staged(
        f"FROM {base} AS {stage}\n"
        "USER 0\n"
        f"COPY {flags}{copy_words([*map(str, words), place + name], escape)}\n"
        f"RUN {msgspec.json.encode(['/bin/sh', '-c', _PROGRAM]).decode()}\n",
        f"COPY --from={stage} {copy_words([place, posixpath.join(directory, '')], escape)}",
    )


def lacking(ground: View) -> Refused | None:
    """Why no COPY can be staged on this original base: it has not all of the programs that the stage runs."""
    if all(any(f"{directory}/{name}" in ground.nodes for directory in _DIRECTORIES) for name in _PROGRAMS):
        return None
    return Refused("the original base lacks some of sh, find, cmp, stat and rm, which tell what a base has already")


def numbered_reference(dockerfile: Dockerfile, stage: Stage) -> Instruction | None:
    """An instruction that calls this stage or a later one by its number, which a stage put before it would change."""
    for instruction in dockerfile.instructions:
        for flag in instruction.flags:
            fields = flag.value.split(",") if flag.name == "mount" else [f"from={flag.value}"]
            if flag.name not in ("from", "mount"):
                continue
            for field in fields:
                key, _, value = field.partition("=")
                if key == "from" and value.isdecimal() and int(value) >= stage.index:
                    return instruction
    return None


def stage_with(instruction: Instruction, dockerfile: Dockerfile) -> Stage:
    """The stage that an instruction of the Dockerfile is in."""
    return next(stage for stage in dockerfile.stages if any(each is instruction for each in stage.instructions))


def _target(step: Step, paths: frozenset[str]) -> tuple[str, str] | None:
    """The directory that the COPY fills, and the name of the file where it is a single one."""
    last = step.expanded(step.instruction.words[-1].text)
    if not last or (step.directory is None and not last.startswith("/")):
        return None
    place = posixpath.normpath(posixpath.join(step.directory or "/", last))
    if place.lstrip("/") in paths:
        return posixpath.dirname(place), posixpath.basename(place)
    return place, ""
