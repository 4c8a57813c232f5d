"""What was predicted of images against what their running containers hold. The JSON of `memlint verify`; bytes."""

from __future__ import annotations

import msgspec

from memlint.model.digest import ContentID
from memlint.model.measure import MeasuredTotals, Unseen
from memlint.model.report import ProfileReport, Totals

SCHEMA = "memlint.verify/1"

NOT_SHARED, SHARED_ANYWAY = "not shared", "shared anyway"
"""Predicted and not seen; seen and not predicted."""


class Verified(msgspec.Struct, frozen=True):
    """An image, and the containers of it that run here, by ID."""

    ref: str
    name: str
    containers: tuple[str, ...]


class Prediction(msgspec.Struct, frozen=True):
    """A basis, what it predicts for the containers that run, and its duplicate bytes over those measured.

    `ratio` is None where nothing duplicate was measured.
    """

    basis: str
    totals: Totals
    ratio: float | None


class Sharer(msgspec.Struct, frozen=True):
    """A container that maps a file, and which of the file's inodes there it maps, counted from 1 for each file."""

    container: str
    name: str
    image: str
    path: str
    inode: int


class Contradiction(msgspec.Struct, frozen=True):
    """A file of which the storage model says something else than the page frames do.

    `verdict` is "not shared" (predicted, not seen) or "shared anyway" (seen, not predicted); `reason` says why, where
    that can be seen. `bytes` are those that are held more, or less, often than predicted.
    """

    content: ContentID
    verdict: str
    bytes: int
    reason: str | None
    sharers: tuple[Sharer, ...]


class Agreement(msgspec.Struct, frozen=True):
    """Files of several containers, by what was seen of them.

    `shared` as predicted, and `apart` as predicted; `undecided`: no page in common by which to tell.
    """

    shared: int
    apart: int
    undecided: int


class Verification(msgspec.Struct, frozen=True):
    """Predicted against measured. `measured` counts files that the images show, of the kinds that were compared."""

    schema: str
    basis: str
    storage: str
    kinds: tuple[str, ...]
    images: tuple[Verified, ...]
    not_running: tuple[str, ...]
    measured: MeasuredTotals
    predicted: tuple[Prediction, ...]
    agreement: Agreement
    contradictions: tuple[Contradiction, ...]
    unseen: tuple[Unseen, ...]
    profile: ProfileReport | None = None
