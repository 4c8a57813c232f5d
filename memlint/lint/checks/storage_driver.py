"""A storage driver that gives each container files of its own."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.lint.compared import Compared
from memlint.model.finding import Hit
from memlint.model.units import human_size, plural


def storage_driver(compared: Compared, *, min_bytes: int) -> Iterator[Hit]:
    """One hit for the node, at its first image, when that costs so many bytes."""
    report = compared.report
    total = next((each for each in report.causes if each.cause == compared.cause), None)
    if total is None or total.duplicate_bytes < min_bytes:
        return
    containers = sum(image.replicas for image in report.images)
    yield Hit(
        location=compared.places.of(report.images[0].ref, 0),
        evidence={
            "storage": report.storage,
            "bytes": total.duplicate_bytes,
            "size": human_size(total.duplicate_bytes),
            "files": total.files,
            "count": plural(total.files, "file"),
            "containers": containers,
        },
    )
