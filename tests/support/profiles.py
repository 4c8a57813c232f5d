"""Profiles of programs that never ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from blake3 import blake3

from memlint.model.digest import ContentID
from memlint.model.profile import SCHEMA, Profile, Ran, Resident, Run, Use


def content(data: bytes) -> ContentID:
    return ContentID(f"blake3:{blake3(data).hexdigest()}")


def profile(
    uses: Mapping[tuple[bytes, bytes], Sequence[Run]], ran: Mapping[tuple[bytes, ...], int], seen: int = 1
) -> Profile:
    """`uses` by program and file, both by their bytes; `ran` by the programs that ran together."""
    found: dict[bytes, list[Use]] = defaultdict(list)
    for (program, file), runs in uses.items():
        found[file].append(Use(content(program), seen, tuple(runs)))
    contents = tuple(Resident(content(file), "library", len(file), tuple(each)) for file, each in found.items())
    together = tuple(Ran(tuple(sorted(map(content, programs))), count) for programs, count in ran.items())
    return Profile(SCHEMA, "measured", 1, contents, together)
