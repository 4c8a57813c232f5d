"""Report → JSON, versioned by `schema`; the JSON Schema lies in `schemas/` and is generated from the same types."""

from __future__ import annotations

import msgspec

from memlint.model.measure import Measurement
from memlint.model.nodes import Nodes
from memlint.model.plan import Plan
from memlint.model.report import Report
from memlint.model.verify import Verification


def to_json(report: Report | Measurement | Nodes | Verification) -> str:
    """Indented JSON with a final newline; equal reports give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def plan_to_json(plan: Plan) -> str:
    """A plan, in the same way."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2).decode() + "\n"
