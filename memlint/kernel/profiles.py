"""Profile files."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from memlint.errors import UsageError
from memlint.kernel.recording import merge
from memlint.model.profile import PROFILE_PAGE, SCHEMA, Profile, Resident, Run
from memlint.sources.document import Kind, damaged, read_document

PROFILE = Kind(Profile, SCHEMA, "profile", "record another one with `memlint measure --record FILE`")
"""A node with a thousand programs takes a tenth of the bytes that a document may have."""
_MOST = 1 << 48
"""Containers: no float is less exact for as many."""


def read_profiles(paths: Sequence[str]) -> Profile:
    """The files as one profile. UsageError for the first that is none, or of another version."""
    return merge([read_profile(path) for path in paths])


def read_profile(path: str) -> Profile:
    """A file's profile. UsageError where it is none, or of another version."""
    profile = read_document(path, PROFILE)
    if (fault := _fault(profile)) is not None:
        raise damaged(path, PROFILE, fault)
    return profile


def encode_profile(profile: Profile) -> bytes:
    """The content of its file; equal profiles give equal bytes. UsageError for one that could not be read again."""
    content = msgspec.json.encode(profile) + b"\n"
    fault = "it is too long" if len(content) > PROFILE.max_bytes else _fault(profile)
    if fault is not None:
        raise UsageError(
            f"nothing was recorded, as nobody could read the profile then: {fault}", "record into another file"
        )
    return content


def _fault(profile: Profile) -> str | None:
    """What no recording could have written, as far as counting relies on it."""
    if profile.recordings < 1:
        return "it says that nothing was recorded"
    for resident in profile.contents:
        if not all(_ascending(use.runs, use.seen, _pages(resident)) for use in resident.uses):
            return f"the pages of {resident.content[:40]!r} contradict each other"
    return "a set of programs was never seen" if any(ran.seen < 1 for ran in profile.ran) else None


def _pages(resident: Resident) -> int:
    return -(-resident.size // PROFILE_PAGE)


def _ascending(runs: Sequence[Run], seen: int, pages: int) -> bool:
    end = 0
    for first, length, count in runs:
        if first < end or length < 1 or not 1 <= count <= seen:
            return False
        end = first + length
    return end <= pages and 1 <= seen <= _MOST
