"""The JSON Schema of the JSON output, generated from the types that are printed.

`python -m memlint.report.schema` writes it into `schemas/`; a test compares.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from memlint.model.report import SCHEMA, Report

SCHEMA_FILE = Path(__file__).parent / "schemas" / "compare-1.schema.json"


def compare_schema() -> dict[str, Any]:
    """The schema of `memlint.compare/1`, draft 2020-12."""
    (_, components) = msgspec.json.schema_components([Report], ref_template="#/$defs/{name}")
    definitions = _dedented(components)
    report = definitions.pop("Report")
    properties = {**report["properties"], "schema": {"const": SCHEMA}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        **{key: value for key, value in report.items() if key not in ("title", "properties")},
        "properties": properties,
        "$defs": dict(sorted(definitions.items())),
    }


def _dedented(value: Any) -> Any:
    """Descriptions are docstrings, whose indentation Python strips itself from 3.13 on."""
    if isinstance(value, dict):
        return {
            key: inspect.cleandoc(inner) if key == "description" and isinstance(inner, str) else _dedented(inner)
            for key, inner in value.items()
        }
    return [_dedented(inner) for inner in value] if isinstance(value, (list, tuple)) else value


if __name__ == "__main__":
    SCHEMA_FILE.parent.mkdir(exist_ok=True)
    SCHEMA_FILE.write_text(json.dumps(compare_schema(), indent=2) + "\n", "utf-8")
