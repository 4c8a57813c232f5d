"""The JSON Schemas of the JSON outputs and of the configuration, generated from the types that are written and read.

`python -m memlint.report.schema` writes them into `schemas/`; a test compares.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from memlint.config import Settings, Value
from memlint.lint.ruleset import Rule, kinds_of, load_check, load_rules
from memlint.model.lint import SCHEMA as LINT_SCHEMA
from memlint.model.lint import LintReport
from memlint.model.measure import SCHEMA as MEASURE_SCHEMA
from memlint.model.measure import Measurement
from memlint.model.nodes import SCHEMA as NODES_SCHEMA
from memlint.model.nodes import Nodes
from memlint.model.plan import SCHEMA as PLAN_SCHEMA
from memlint.model.plan import Plan
from memlint.model.plan_check import SCHEMA as CHECK_SCHEMA
from memlint.model.plan_check import Check
from memlint.model.plan_dockerfiles import SCHEMA as DOCKERFILES_SCHEMA
from memlint.model.plan_dockerfiles import DockerfilesPlan
from memlint.model.profile import SCHEMA as PROFILE_SCHEMA
from memlint.model.profile import Profile
from memlint.model.report import SCHEMA, Report
from memlint.model.verify import SCHEMA as VERIFY_SCHEMA
from memlint.model.verify import Verification

SCHEMAS = Path(__file__).parent / "schemas"
SCHEMA_FILE = SCHEMAS / "compare-1.schema.json"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """All of them, by file name."""
    return {
        SCHEMA_FILE.name: compare_schema(),
        "lint-1.schema.json": lint_schema(),
        "measure-1.schema.json": measure_schema(),
        "nodes-1.schema.json": nodes_schema(),
        "plan-1.schema.json": plan_schema(),
        "plan-check-1.schema.json": check_schema(),
        "plan-dockerfiles-1.schema.json": dockerfiles_schema(),
        "profile-1.schema.json": profile_schema(),
        "verify-1.schema.json": verify_schema(),
        "config.schema.json": config_schema(),
    }


def compare_schema() -> dict[str, Any]:
    """The schema of `memlint.compare/1`, draft 2020-12."""
    return _schema(Report, SCHEMA, {"schema": {"const": SCHEMA}})


def lint_schema() -> dict[str, Any]:
    """The schema of `memlint.lint/1`."""
    return _schema(LintReport, LINT_SCHEMA, {"schema": {"const": LINT_SCHEMA}})


def nodes_schema() -> dict[str, Any]:
    """The schema of `memlint.nodes/1`."""
    return _schema(Nodes, NODES_SCHEMA, {"schema": {"const": NODES_SCHEMA}})


def measure_schema() -> dict[str, Any]:
    """The schema of `memlint.measure/1`."""
    return _schema(Measurement, MEASURE_SCHEMA, {"schema": {"const": MEASURE_SCHEMA}})


def plan_schema() -> dict[str, Any]:
    """The schema of `memlint.plan/1`."""
    return _schema(Plan, PLAN_SCHEMA, {"schema": {"const": PLAN_SCHEMA}})


def check_schema() -> dict[str, Any]:
    """The schema of `memlint.plan-check/1`."""
    return _schema(Check, CHECK_SCHEMA, {"schema": {"const": CHECK_SCHEMA}})


def dockerfiles_schema() -> dict[str, Any]:
    """The schema of `memlint.plan-dockerfiles/1`."""
    return _schema(DockerfilesPlan, DOCKERFILES_SCHEMA, {"schema": {"const": DOCKERFILES_SCHEMA}})


def profile_schema() -> dict[str, Any]:
    """The schema of `memlint.profile/1`, a file that is written and read."""
    return _schema(Profile, PROFILE_SCHEMA, {"schema": {"const": PROFILE_SCHEMA}})


def verify_schema() -> dict[str, Any]:
    """The schema of `memlint.verify/1`."""
    return _schema(Verification, VERIFY_SCHEMA, {"schema": {"const": VERIFY_SCHEMA}})


def config_schema() -> dict[str, Any]:
    """The schema of `memlint.toml`, and of `[tool.memlint]` in `pyproject.toml`.

    It knows the thresholds of memlint's own rules; those of users' rules may be any.
    """
    schema = _schema(Settings, "memlint.toml", {})
    definitions = schema["$defs"]
    rules = load_rules()
    known = {rule.id: _rule_schema(rule) for rule in rules}
    by_name = {name: {"$ref": f"#/$defs/{rule.id}"} for rule in rules for name in (rule.id, rule.name)}
    table = {"$ref": "#/$defs/Rules"}
    schema["properties"]["rule"] = definitions["PathSettings"]["properties"]["rule"] = table
    definitions["Rules"] = {
        "description": "Settings of rules, by id or name.",
        "type": "object",
        "properties": by_name,
        "additionalProperties": {"$ref": "#/$defs/RuleSettings"},
    }
    return {**schema, "$defs": dict(sorted({**definitions, **known}.items()))}


def _rule_schema(rule: Rule) -> dict[str, Any]:
    """What the settings of one rule may be, more exactly than those of any rule."""
    kinds = kinds_of(load_check(rule, f"{rule.id}.toml")) if rule.check else {}
    thresholds = {
        "type": "object",
        "properties": {
            key: {**msgspec.json.schema(kind.type), "default": _json(rule.thresholds[key])}
            for key, kind in kinds.items()
        },
        "additionalProperties": False,
    }
    severity = {"$ref": "#/$defs/RuleSettings/properties/severity"}
    return {
        "title": rule.name,
        "description": rule.title,
        "type": "object",
        "properties": {"severity": severity, "thresholds": thresholds},
        "additionalProperties": False,
    }


def _json(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


def _schema(kind: type, title: str, fixed: dict[str, Any]) -> dict[str, Any]:
    (_, components) = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    definitions = _dedented(components)
    top = definitions.pop(kind.__name__)
    return {
        "$schema": _DRAFT,
        "title": title,
        **{key: value for key, value in top.items() if key not in ("title", "properties")},
        "properties": {**top["properties"], **fixed},
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


def _write() -> None:
    SCHEMAS.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (SCHEMAS / name).write_text(json.dumps(schema, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    _write()
