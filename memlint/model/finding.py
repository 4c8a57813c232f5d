"""What a rule found, and where."""

from __future__ import annotations

from typing import Literal

import msgspec

from memlint.model.dockerfile import Span

Severity = Literal["error", "warning", "info", "style"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info", "style")
"""From the worst down."""


class Location(msgspec.Struct, frozen=True):
    """A place in a file, or an image as a whole (`path` is its reference then, and `span` None)."""

    path: str
    span: Span | None = None


class Related(msgspec.Struct, frozen=True):
    """Another place that the finding speaks of, and what is there."""

    location: Location
    message: str


class Edit(msgspec.Struct, frozen=True):
    """Replaces what `span` covers of the finding's file by `text`; an empty span inserts."""

    span: Span
    text: str


class Fix(msgspec.Struct, frozen=True):
    """A mechanical repair. A safe one changes no file of the image; others need `--unsafe-fixes`."""

    edits: tuple[Edit, ...]
    safe: bool
    description: str


class Hit(msgspec.Struct, frozen=True):
    """What a check reports; the engine makes a Finding of it with what the rule's file says.

    `evidence` fills the rule's message template and is printed as JSON; its values are for people and programs.
    """

    location: Location
    evidence: dict[str, str | int]
    related: tuple[Related, ...] = ()
    suggestion: str | None = None
    fix: Fix | None = None


class Finding(msgspec.Struct, frozen=True):
    """One finding, complete. `fingerprint` stays when lines above it move."""

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
