"""What a rule found, and where."""

from __future__ import annotations

from typing import Literal

import msgspec

from memlint.model.dockerfile import Span

Severity = Literal["error", "warning", "info", "style"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info", "style")
"""From the worst down."""


class Location(msgspec.Struct, frozen=True, gc=False):
    """A place in a file, or an image as a whole (`path` is its reference then, and `span` None)."""

    path: str
    span: Span | None = None


class Related(msgspec.Struct, frozen=True, gc=False):
    """Another place that the finding speaks of, and what is there."""

    location: Location
    message: str


class Edit(msgspec.Struct, frozen=True, gc=False):
    """Replaces what `span` covers of the finding's file by `text`; an empty span inserts."""

    span: Span
    text: str


class Fix(msgspec.Struct, frozen=True, gc=False):
    """A mechanical repair. A safe one changes no file of the image; others need `--unsafe-fixes`."""

    edits: tuple[Edit, ...]
    safe: bool
    description: str


class Hit(msgspec.Struct, frozen=True, gc=False):
    """What a check reports; the engine makes a Finding of it with what the rule's file says.

    `evidence` fills the rule's message template and is printed as JSON; its values are for people and programs.
    `anchor` is where a look at all files tells of it: a call for some of them may tell of it at one of those.
    """

    location: Location
    evidence: dict[str, str | int]
    related: tuple[Related, ...] = ()
    suggestion: str | None = None
    fix: Fix | None = None
    anchor: Location | None = None


class Finding(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One finding, complete. `fingerprint` stays when lines above it move.

    `anchor` is there when a call for all files tells of it at another place: its fingerprint and the comments that
    suppress it are those of that place.
    """

    rule: str
    name: str
    severity: Severity
    message: str
    location: Location
    related: tuple[Related, ...]
    evidence: dict[str, str | int]
    suggestion: str | None
    fix: Fix | None
    fingerprint: str
    anchor: Location | None = None
