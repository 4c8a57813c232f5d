"""What running containers were seen to keep resident: a basis to price images by.

Holds no name of a host, container, image or path: contents, and what programs use of them.
"""

from __future__ import annotations

import msgspec

from memlint.model.digest import ContentID

SCHEMA = "memlint.profile/1"
PROFILE_PAGE = 4096
"""Bytes of a page in a profile, also of hosts whose pages are larger."""

Run = tuple[int, int, int]
"""Consecutive pages of a file: the first, how many, and in how many containers each of them was resident."""


class Use(msgspec.Struct, frozen=True):
    """What the processes of one program keep resident of a content.

    `program` is the content of the executable. `seen` counts containers that ran it and had the file, whether they
    mapped it or not; `runs` are ascending and do not overlap, and no count in them is above `seen`.
    """

    program: ContentID
    seen: int
    runs: tuple[Run, ...]


class Resident(msgspec.Struct, frozen=True):
    """A content of which pages were resident."""

    content: ContentID
    kind: str
    size: int
    uses: tuple[Use, ...]


class Ran(msgspec.Struct, frozen=True):
    """Programs that ran together in a container, and in how many containers just these did."""

    programs: tuple[ContentID, ...]
    seen: int


class Profile(msgspec.Struct, frozen=True):
    """Residency recorded in `recordings` looks at hosts. All parts are sorted: equal knowledge is equal values."""

    schema: str
    basis: str
    recordings: int
    contents: tuple[Resident, ...]
    ran: tuple[Ran, ...]
