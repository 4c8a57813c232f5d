"""Profile files."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from memlint.errors import ProfileError
from memlint.kernel.recording import merge
from memlint.model.profile import SCHEMA, Profile, Resident, Run

MAX_BYTES = 256 * 2**20
"""Of a file; a node with a thousand programs takes a tenth of it."""
_PAGE = 4096
_AGAIN = "record another one with `memlint measure --record FILE`"


class _Versioned(msgspec.Struct):
    schema: str


def read_profiles(paths: Sequence[str]) -> Profile:
    """The files as one profile. ProfileError for the first that is none, or of another version."""
    return merge([read_profile(path) for path in paths])


def read_profile(path: str) -> Profile:
    """A file's profile. ProfileError where it is none, or of another version."""
    data = _read(path)
    try:
        schema = msgspec.json.decode(data, type=_Versioned).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProfileError(f"{path}: is no profile ({error})", _AGAIN) from error
    if schema != SCHEMA:
        raise ProfileError(f"{path}: is {schema[:80]!r}, and this memlint reads {SCHEMA!r}", _AGAIN)
    try:
        profile = msgspec.json.decode(data, type=Profile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProfileError(f"{path}: is damaged ({error})", _AGAIN) from error
    if (fault := _fault(profile)) is not None:
        raise ProfileError(f"{path}: is damaged ({fault})", _AGAIN)
    return profile


def encode_profile(profile: Profile) -> bytes:
    """The content of its file; equal profiles give equal bytes."""
    return msgspec.json.encode(profile) + b"\n"


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read ({error.strerror})", _AGAIN) from error
    if len(data) > MAX_BYTES:
        raise ProfileError(f"{path}: is larger than a profile can be ({MAX_BYTES >> 20} MiB)", _AGAIN)
    return data


def _fault(profile: Profile) -> str | None:
    """What no recording could have written, as far as counting relies on it."""
    if profile.recordings < 1:
        return "it says that nothing was recorded"
    for resident in profile.contents:
        if not all(_ascending(use.runs, use.seen, _pages(resident)) for use in resident.uses):
            return f"the pages of {resident.content[:40]!r} contradict each other"
    return "a set of programs was never seen" if any(ran.seen < 1 for ran in profile.ran) else None


def _pages(resident: Resident) -> int:
    return -(-resident.size // _PAGE)


def _ascending(runs: Sequence[Run], seen: int, pages: int) -> bool:
    end = 0
    for first, length, count in runs:
        if first < end or length < 1 or not 1 <= count <= seen:
            return False
        end = first + length
    return end <= pages and seen >= 1
