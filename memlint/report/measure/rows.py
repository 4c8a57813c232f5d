"""Measurement → the rows of a table: by container, by image, or by process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from memlint.model.measure import MeasuredContainer, MeasuredImage, Measurement, Memory
from memlint.model.vocabulary import MEASURE_FIGURES
from memlint.report.measure.words import short

FIGURES = ("RSS", "PSS", "USS", "PSS anon", "PSS file", "swap", "hugetlb", "file pages", "duplicate")
"""The headings of MEASURE_FIGURES, in step."""
_RARE = ("hugetlb",)
"""Of no interest where there is nothing."""
PLAIN, UNNAMED = "(no container)", "(unknown)"
_FIELDS = ("rss_bytes", "pss_bytes", "uss_bytes", "pss_anon_bytes", "pss_file_bytes", "swap_bytes", "hugetlb_bytes")


class Row(msgspec.Struct, frozen=True):
    """What a line is about, and its figures, in step with FIGURES; None where one is unknown."""

    names: tuple[str, ...]
    figures: tuple[int | None, ...]


class Grid(msgspec.Struct, frozen=True):
    """Rows in order, and what the first cells of each are. `total` is the last line, None where one row is all."""

    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Row | None


def headings(rows: Sequence[Row]) -> list[str]:
    """Of FIGURES those that may be of interest."""
    return [name for at, name in enumerate(FIGURES) if name not in _RARE or any(row.figures[at] for row in rows)]


def grid(measurement: Measurement, by: str, sort: str) -> Grid:
    """The table by what `by` says, or by process where there is no container; `sort` is one of MEASURE_SORTS."""
    by = by if measurement.containers else "process"
    headings, rows = _BY[by](measurement)
    ordered = sorted(rows, key=lambda row: _order(row, sort))
    plain = _plain(measurement, len(headings)) if by != "process" else []
    everything = [*ordered, *plain]
    return Grid(headings, tuple(everything), _total(measurement, everything, len(headings)))


def _by_container(measurement: Measurement) -> tuple[tuple[str, ...], list[Row]]:
    names = [(each.name or each.id[:12], short(each.image)) for each in measurement.containers]
    rows = [Row(name, _figures(each)) for name, each in zip(names, measurement.containers, strict=True)]
    return ("container", "image"), rows


def _by_image(measurement: Measurement) -> tuple[tuple[str, ...], list[Row]]:
    rows = [
        Row(
            (short(each.image) or UNNAMED, str(each.containers)),
            (*_memory(each), each.file_pages_bytes, each.duplicate_bytes),
        )
        for each in measurement.images
    ]
    return ("image", "containers"), rows


def _by_process(measurement: Measurement) -> tuple[tuple[str, ...], list[Row]]:
    names = {each.id: each.name or each.id[:12] for each in measurement.containers}
    rows = [
        Row(
            (str(each.pid), each.command, names.get(each.container or "", each.container or PLAIN)),
            (*_memory(each), each.file_pages_bytes, None),
        )
        for each in measurement.processes
    ]
    return ("pid", "command", "container"), rows


_BY = {"container": _by_container, "image": _by_image, "process": _by_process}


def _plain(measurement: Measurement, width: int) -> list[Row]:
    """Processes outside of all containers, in one row: whose frames they share is not told by sums."""
    plain = [each for each in measurement.processes if each.container is None]
    names = (PLAIN, *("" for _ in range(width - 1)))
    return [Row(names, (*_sums(map(_memory, plain)), None, None))] if plain else []


def _total(measurement: Measurement, rows: Sequence[Row], width: int) -> Row | None:
    """The last line; none under a single row, nor where no sum is known."""
    totals = measurement.totals
    frames = (totals.file_pages_bytes, totals.duplicate_bytes) if totals else (None, None)
    figures = (*_sums(row.figures[: len(_FIELDS)] for row in rows), *frames)
    known = any(figure is not None for figure in figures)
    return Row(("all", *("" for _ in range(width - 1))), figures) if known and len(rows) > 1 else None


def _figures(measured: MeasuredContainer | MeasuredImage) -> tuple[int | None, ...]:
    return (*_memory(measured), measured.file_pages_bytes, measured.duplicate_bytes)


def _memory(memory: Memory) -> tuple[int | None, ...]:
    return tuple(getattr(memory, field) for field in _FIELDS)


def _sums(rows: Iterable[Sequence[int | None]]) -> tuple[int | None, ...]:
    """Each column's sum, None where a part of it is unknown."""
    return tuple(
        sum(known) if len(known := [part for part in column if part is not None]) == len(column) else None
        for column in zip(*rows, strict=True)
    )


def _order(row: Row, sort: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The greatest first, and what is unknown last; PSS decides between equals, then RSS."""
    if sort == "name":
        return (), row.names
    keys = (MEASURE_FIGURES.index(key) for key in (sort, "pss", "rss"))
    return tuple(-(-1 if row.figures[key] is None else row.figures[key] or 0) for key in keys), row.names
