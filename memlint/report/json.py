"""Values → JSON, versioned by `schema`; the JSON Schemas lie in `schemas/` and are generated from the same types."""

from __future__ import annotations

import msgspec


def to_json(value: object) -> str:
    """Indented JSON with a final newline; equal values give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
