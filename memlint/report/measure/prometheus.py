"""Measurement → Prometheus' metrics: by node, container and image. Files are not labels: there are too many of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from memlint import __version__
from memlint.model.measure import MeasuredContainer, MeasuredImage, Measurement, is_whole
from memlint.report.measure.exposition import Family, Sample, exposition

_MEMORY = (
    (
        "rss_bytes",
        "Resident set size: the sum over processes, in which a page that n of them map counts n times.",
        "rss_bytes",
    ),
    (
        "pss_bytes",
        "Proportional set size: each page divided by the number of processes that map it.",
        "pss_bytes",
    ),
    ("pss_anon_bytes", "The part of PSS that is anonymous memory.", "pss_anon_bytes"),
    ("pss_file_bytes", "The part of PSS that is pages of files.", "pss_file_bytes"),
    ("pss_shmem_bytes", "The part of PSS that is shared memory and tmpfs.", "pss_shmem_bytes"),
    ("uss_bytes", "Unique set size: pages that one process alone maps.", "uss_bytes"),
    ("swap_bytes", "Pages in swap, as smaps_rollup has them.", "swap_bytes"),
    (
        "hugetlb_bytes",
        "Pages of hugetlbfs and MAP_HUGETLB, the sum over processes; no other figure has them.",
        "hugetlb_bytes",
    ),
    ("file_pages_bytes", "Mapped file pages, each frame once.", "file_pages_bytes"),
    (
        "duplicate_file_bytes",
        "File pages whose content another frame among what was looked at holds, too; both sides count theirs.",
        "duplicate_bytes",
    ),
)
_EFFICIENCY = "sharing_efficiency_ratio"
_TOTALS = (
    ("file_pages_bytes", "Mapped file pages of all that was looked at, each frame once.", "file_pages_bytes"),
    ("distinct_file_bytes", "Mapped file pages of distinct content.", "distinct_bytes"),
    ("duplicate_file_bytes", "Mapped file pages beyond the first of each content.", "duplicate_bytes"),
    (_EFFICIENCY, "Distinct divided by all mapped file pages, 0 to 1.", "efficiency"),
)
_UNDUPLICATED = "The part of the mapped file pages whose content no other frame among what was looked at holds, 0 to 1."

Measured = MeasuredContainer | MeasuredImage
Labels = tuple[tuple[str, str], ...]


def to_prometheus(measurement: Measurement, seen_at: float) -> str:
    """The metrics in text format 0.0.4; `seen_at` is when, in seconds since the epoch."""
    return exposition(families(measurement, seen_at))


def families(measurement: Measurement, seen_at: float) -> Iterator[Family]:
    """All metrics. A figure that could not be seen has no sample, and a family without samples is not written."""
    yield from _node(measurement)
    yield from _of("container", [(each, _container(each)) for each in measurement.containers])
    yield from _container_facts(measurement)
    images = sorted(measurement.images, key=lambda each: each.image)
    yield from _of("image", [(each, (("image", each.image),)) for each in images])
    counted = tuple(Sample(each.containers, (("image", each.image),)) for each in images)
    yield Family("memlint_image_containers", "Running containers of the image that were looked at.", counted)
    yield from _stores(measurement)
    yield from _look(measurement, seen_at)


def _node(measurement: Measurement) -> Iterator[Family]:
    gauge, totals = partial(_gauge, "memlint_node"), measurement.totals
    for name, text, field in _TOTALS:
        yield gauge(name, text, getattr(totals, field) if totals else None)
    yield gauge(
        "duplicate_files", "Contents that several frames hold.", len(measurement.duplicates) if totals else None
    )
    told = not any(each.containers for each in measurement.unseen)
    counted = len(measurement.containers) if told else None
    yield gauge("containers", "Running containers that were looked at.", counted)


def _of(what: str, measured: Sequence[tuple[Measured, Labels]]) -> Iterator[Family]:
    for name, text, field in _MEMORY:
        samples = tuple(Sample(getattr(each, field), labels) for each, labels in measured)
        yield Family(f"memlint_{what}_{name}", text, samples)
    ratios = tuple(Sample(_unduplicated(each), labels) for each, labels in measured)
    yield Family(f"memlint_{what}_{_EFFICIENCY}", _UNDUPLICATED, ratios)


def _unduplicated(measured: Measured) -> float | None:
    pages, duplicate = measured.file_pages_bytes, measured.duplicate_bytes
    if pages is None or duplicate is None:
        return None
    return 1 - duplicate / pages if pages else 1.0


def _container(container: MeasuredContainer) -> Labels:
    """What every figure of a container is told by; `memlint_container_info` has the rest."""
    return ("id", container.id), ("name", container.name), ("image", container.image)


def _container_facts(measurement: Measurement) -> Iterator[Family]:
    labels = {each.id: _container(each) for each in measurement.containers}
    more = [
        (*labels[each.id], ("runtime", each.runtime), ("storage", each.storage or ""), ("cgroup", each.cgroup))
        for each in measurement.containers
    ]
    yield Family(
        "memlint_container_info", "A container that runs; the value is 1.", tuple(Sample(1, each) for each in more)
    )
    processes = tuple(Sample(len(each.pids), labels[each.id]) for each in measurement.containers)
    yield Family("memlint_container_processes", "Processes of the container.", processes)
    sizes = {each.id: None if each.file_pages_bytes is None else 0 for each in measurement.containers}
    for file in measurement.copied_up:
        sizes[file.container] = (sizes.get(file.container) or 0) + file.file_pages_bytes
    copied = tuple(Sample(sizes[key], each) for key, each in labels.items())
    yield Family("memlint_container_copied_up_bytes", "File pages mapped from the container's own directory.", copied)


def _stores(measurement: Measurement) -> Iterator[Family]:
    told = [
        (each, (("engine", each.engine), ("driver", each.driver), ("root", each.root))) for each in measurement.stores
    ]
    info = tuple(
        Sample(
            1,
            (*labels, ("backing", each.backing), ("storage", each.storage or ""), ("shared_by", each.shared_by or "")),
        )
        for each, labels in told
    )
    yield Family("memlint_store_info", "A container engine's store; the value is 1.", info)
    warnings = tuple(Sample(len(each.warnings), labels) for each, labels in told)
    yield Family("memlint_store_warnings", "Warnings about the store, which memlint measure spells out.", warnings)


def _look(measurement: Measurement, seen_at: float) -> Iterator[Family]:
    it, gauge = measurement.cost, partial(_gauge, "memlint_measure")
    unseen, narrowed = measurement.unseen, int(measurement.narrowed)
    yield gauge("timestamp_seconds", "When the last look ended, since the epoch.", seen_at)
    yield gauge("duration_seconds", "What the last look took.", it.wall_seconds)
    yield gauge("cpu_seconds", "What the last look took of CPU time.", it.cpu_seconds)
    yield gauge("mappings", "Mappings that the last look read.", it.mappings)
    yield gauge("pages", "Pages that the last look read.", it.pages)
    yield gauge("sampled_ratio", "The part of the processes that was looked into page by page, 0 to 1.", it.sampled)
    yield gauge("unseen", "What the last look could not see, which memlint measure spells out.", len(unseen))
    yield gauge(
        "whole",
        "1 if no frame of what was to be looked at is known to be missing from the totals, else 0.",
        int(is_whole(measurement)),
    )
    yield gauge("narrowed", "1 if only some containers, cgroups or processes were asked for, else 0.", narrowed)
    kernel = (("release", measurement.kernel.release), ("machine", measurement.kernel.machine))
    yield Family("memlint_kernel_info", "The kernel that was asked; the value is 1.", (Sample(1, kernel),))
    yield Family(
        "memlint_build_info", "The version of memlint; the value is 1.", (Sample(1, (("version", __version__),)),)
    )


def _gauge(prefix: str, name: str, text: str, value: float | None) -> Family:
    return Family(f"{prefix}_{name}", text, (Sample(value),))
