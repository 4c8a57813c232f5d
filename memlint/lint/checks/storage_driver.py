"""A storage driver that gives each container files of its own."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.lint.compared import Compared, sized
from memlint.lint.thresholds import Bytes
from memlint.model.finding import Hit
from memlint.model.units import plural


def storage_driver(compared: Compared, *, min_bytes: Bytes) -> Iterator[Hit]:
    """One hit for the node, at its first image, when that costs so many bytes."""
    report = compared.report
    total = next((each for each in report.causes if each.cause == compared.cause), None)
    found = [(each.causes.get(compared.cause or "", 0), each) for each in report.duplicates]
    size = sum(copies * each.copy_bytes for copies, each in found)
    if total is None or size < min_bytes:
        return
    known = {each.profile_bytes is not None for copies, each in found if copies}
    containers = sum(image.replicas for image in report.images)
    yield Hit(
        location=compared.places.of(report.images[0].ref, 0),
        evidence={
            "storage": report.storage,
            "bytes": size,
            "size": sized(compared.report, size, known),
            "files": total.files,
            "count": plural(total.files, "file"),
            "containers": containers,
        },
    )
