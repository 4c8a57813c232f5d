"""The JSON keeps the promise of its schema, and the schema is the one that the types give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from support import images
from support.command import FLEET, Memlint

import memlint
from memlint.report.schema import compare_schema

SHIPPED = Path(memlint.__file__).parent / "report" / "schemas" / "compare-1.schema.json"


def shipped() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SHIPPED.read_text("utf-8"))
    return schema


def test_the_shipped_schema_is_the_generated_one() -> None:
    assert shipped() == compare_schema()


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(shipped())


def test_the_fleet_keeps_it(command: Memlint) -> None:
    report = command.report(f"oci:{FLEET}", "--platform", "linux/amd64")
    jsonschema.Draft202012Validator(shipped()).validate(report)
    assert report["schema"] == "memlint.compare/1"


def test_an_image_of_nothing_keeps_it(command: Memlint) -> None:
    images.oci(images.image("x:1", {})).write(command.home / "layout")
    jsonschema.Draft202012Validator(shipped()).validate(command.report("oci:layout"))


PROMISED = {
    "": {"schema", "storage", "images", "totals", "duplicates", "version_skew"},
    "images": {"ref", "platform", "replicas", "layers"},
    "layers": {"diff_id", "chain_id", "created_by", "mappable_bytes"},
    "mappable": {"page_cache_bytes", "distinct_bytes", "duplicate_bytes", "efficiency"},
    "startup": {"page_cache_bytes", "distinct_bytes", "duplicate_bytes", "efficiency"},
    "duplicates": {
        *("content", "size", "mappable_bytes", "copies", "duplicate_bytes", "kind", "soname", "package"),
        *("cause", "placements"),
    },
    "package": {"name", "version", "type"},
    "placements": {"image", "path", "layer", "chain_id", "startup"},
}


def test_what_the_issue_promises_is_there(command: Memlint) -> None:
    report = command.report(f"oci:{FLEET}", "--platform", "linux/amd64")
    duplicate = next(each for each in report["duplicates"] if each["package"])
    image = report["images"][0]
    found = {
        "": report,
        "images": image,
        "layers": image["layers"][0],
        **report["totals"],
        "duplicates": duplicate,
        "package": duplicate["package"],
        "placements": duplicate["placements"][0],
    }
    assert {name: PROMISED[name] - set(found[name]) for name in PROMISED} == {name: set() for name in PROMISED}


def test_placements_point_at_layers(command: Memlint) -> None:
    report = command.report(f"oci:{FLEET}", "--platform", "linux/amd64")
    layers = {image["ref"]: image["layers"] for image in report["images"]}
    for duplicate in report["duplicates"]:
        for placement in duplicate["placements"]:
            assert layers[placement["image"]][placement["layer"]]["chain_id"] == placement["chain_id"]
            assert placement["path"].startswith("/")
