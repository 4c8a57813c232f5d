"""A plan against the images that were built to it. The JSON output is this, field by field; units are bytes."""

from __future__ import annotations

import msgspec

from memlint.model.report import Totals

SCHEMA = "memlint.plan-check/1"


class Built(msgspec.Struct, frozen=True):
    """What a plan's directory says about its build: image's reference → what it is built as, None where it is not.

    `variants` are what follows the tag, of those that have any. The others are how the plan was counted.
    """

    images: dict[str, str | None]
    basis: str
    storage: str
    replicas: dict[str, int]
    kinds: tuple[str, ...]
    nodes: int = 1
    variants: dict[str, str] = {}


class CheckedBase(msgspec.Struct, frozen=True):
    """A planned base, and whether all its images stand on one chain that reaches above the original base."""

    name: str
    images: tuple[str, ...]
    shared_layers: int
    met: bool


class Check(msgspec.Struct, frozen=True):
    """What was predicted and what is. `saved` are page cache bytes, potential as in the plan."""

    schema: str
    basis: str
    storage: str
    images: int
    before: Totals
    predicted: Totals
    now: Totals
    predicted_saved_bytes: int
    saved_bytes: int
    bases: tuple[CheckedBase, ...]
    met: bool
