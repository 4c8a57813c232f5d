"""Measurement → a page for people: the totals first, then who holds what, the worst files, and what was not seen."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.text import Text

from memlint.model.measure import CopiedUp, MeasuredDuplicate, MeasuredPlacement, MeasuredTotals, Measurement, is_whole
from memlint.model.units import human_size, percent
from memlint.report.measure.rows import FIGURES, grid, headings
from memlint.report.measure.words import cost, headline, short, store, unseen, warnings
from memlint.report.sheet import Sheet, cut, keep_end, printable
from memlint.report.terminal import Terminal

_WIDE = 100
"""Columns from which on a file and those who map it fit on one line."""
_NAME = 12
"""Columns that a name should have, with the gap behind it, before all figures have theirs."""
_GIVING_WAY = ("hugetlb", "swap", "file pages", "PSS file", "PSS anon", "RSS", "USS")
"""The figures that have no column where there is too little room, the first to go first."""
_UNKNOWN = "–"
_IMAGES_SHOWN = 4
_DAEMONS = ("docker", "podman")


def to_text(measurement: Measurement, terminal: Terminal, *, top: int, by: str, sort: str) -> str:
    """The page; `top` lines of each table are shown. `by` and `sort` are of `memlint.model.vocabulary`."""
    sheet = Sheet(terminal)
    _headline(sheet, measurement)
    if by != "file":
        _grid(sheet, measurement, by, sort, top)
    _duplicates(sheet, measurement, top)
    _copied_up(sheet, measurement.copied_up, top)
    _cached(sheet, measurement, top)
    if measurement.containers or not measurement.processes:
        _stores(sheet, measurement)
    _unseen(sheet, measurement, top)
    _end(sheet, measurement)
    return sheet.text()


def _headline(sheet: Sheet, measurement: Measurement) -> None:
    sheet.wrapped(printable(headline(measurement)))
    if measurement.totals is not None and measurement.processes:
        sheet.line()
        sheet.table([""] * 7, [_totals(measurement.totals, sheet.width)], ())
    sheet.line()


def _totals(totals: MeasuredTotals, width: int) -> list[Text | str]:
    wide = width >= _WIDE
    return [
        "file pages" if width >= 60 else "",
        Text(human_size(totals.file_pages_bytes), "bold"),
        "= distinct" if width >= 60 else "=",
        human_size(totals.distinct_bytes),
        "+ duplicate" if width >= 60 else "+",
        Text(human_size(totals.duplicate_bytes), "bold red" if totals.duplicate_bytes else "bold green"),
        f"sharing efficiency {percent(totals.efficiency)}" if wide else percent(totals.efficiency),
    ]


def _grid(sheet: Sheet, measurement: Measurement, by: str, sort: str, top: int) -> None:
    table = grid(measurement, by, sort)
    if not table.rows:
        return
    wanted = [FIGURES.index(name) for name in headings(table.rows)]
    known = [at for at in wanted if any(row.figures[at] is not None for row in table.rows)]
    shown = table.rows[:top]
    lines = [*shown, *([table.total] if table.total else [])]
    needed = _needed([table.headings, *(row.names for row in lines)])
    sizes = {FIGURES[at]: [_size(row.figures[at]) for row in lines] for at in known}
    columns = _columns(sizes, sheet.width - min(_taken(needed), _NAME * len(needed)))
    widths = _widths(needed, sheet.width - _taken(_column_widths(columns)))
    rows: list[list[Text | str]] = []
    for at, row in enumerate(lines):
        style = "bold" if row is table.total else ""
        names = [Text(cut(printable(name), width), style) for name, width in zip(row.names, widths, strict=True)]
        rows.append([*names, *(Text(cells[at], _style(name, style)) for name, cells in columns.items())])
    sheet.table([*table.headings, *columns], rows, [*columns, "pid", "containers"])
    _more(sheet, len(table.rows) - len(shown))
    sheet.line()


def _columns(sizes: Mapping[str, Sequence[str]], room: int) -> dict[str, Sequence[str]]:
    """The figures that have a column each."""
    kept = dict(sizes)
    for name in _GIVING_WAY:
        if _taken(_column_widths(kept)) > room:
            kept.pop(name, None)
    return kept


def _column_widths(columns: Mapping[str, Sequence[str]]) -> list[int]:
    return [max(map(len, (name, *cells))) for name, cells in columns.items()]


def _taken(widths: Sequence[int]) -> int:
    """What columns take, with the gaps behind them."""
    return sum(widths) + 2 * len(widths)


def _needed(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(cell_len(printable(name)) for name in column) for column in zip(*rows, strict=True)]


def _widths(needed: Sequence[int], room: int) -> list[int]:
    """The room of the names' columns: what they need, and the longest gives way first."""
    widths = list(needed)
    while _taken(widths) > max(room, 16):
        widths[widths.index(max(widths))] -= 1
    return widths


def _style(figure: str, style: str) -> str:
    return style or ("red" if figure == "duplicate" else "")


def _size(size: int | None) -> str:
    return _UNKNOWN if size is None else human_size(size)


def _duplicates(sheet: Sheet, measurement: Measurement, top: int) -> None:
    shown = measurement.duplicates[:top]
    if not shown:
        return
    if sheet.width >= _WIDE:
        _wide(sheet, shown)
    else:
        _narrow(sheet, shown)
    _more(sheet, len(measurement.duplicates) - len(shown))
    sheet.line()


def _wide(sheet: Sheet, shown: Sequence[MeasuredDuplicate]) -> None:
    why = [_copies(duplicate) for duplicate in shown]
    room = sheet.width - max(len("copies"), *map(len, why)) - 25
    paths = [printable(duplicate.placements[0].path) for duplicate in shown]
    packages = [_package(duplicate) for duplicate in shown]
    holders = [_mapped_by(duplicate.placements) for duplicate in shown]
    mapped = min(max(len("mapped by"), *map(cell_len, holders)), room * 2 // 5)
    need = max(len("file"), *map(cell_len, paths))
    spare = max(room // 5, room - mapped - min(need, room // 2) - 4)
    package = min(max(len("package"), *map(cell_len, packages)), spare) if any(packages) else 0
    path = min(need, room - mapped - package - (4 if package else 2))
    headings = ["duplicate", "copies", "frames", "file", *(["package"] if package else []), "mapped by"]
    rows: list[list[Text | str]] = []
    for at, duplicate in enumerate(shown):
        owner: list[Text | str] = [_fitting(packages[at], package)] if package else []
        rows.append([
            Text(human_size(duplicate.duplicate_bytes), "bold"),
            why[at],
            str(duplicate.frames),
            keep_end(paths[at], path),
            *owner,
            cut(holders[at], room - path - package - 2 * len(owner) - 2),
        ])  # fmt: skip
    sheet.table(headings, rows, ("duplicate", "frames"))


def _narrow(sheet: Sheet, shown: Sequence[MeasuredDuplicate]) -> None:
    for duplicate in shown:
        head = Text(f"{human_size(duplicate.duplicate_bytes):>9}", "bold")
        path = keep_end(printable(duplicate.placements[0].path), sheet.width - 18)
        head.append(f"  {duplicate.copies} ×  {path}", "not bold")
        sheet.line(head, indent=1)
        facts = [f"{duplicate.frames} frames", duplicate.cause or "", _package(duplicate)]
        sheet.line(" · ".join(fact for fact in facts if fact), indent=12)
        sheet.line(_mapped_by(duplicate.placements), indent=12)


def _copies(duplicate: MeasuredDuplicate) -> str:
    """How many, and why; of those that lie apart for several reasons, how many were copied up."""
    if duplicate.cause is None:
        return str(duplicate.copies)
    up = len({each.real or each.container for each in duplicate.placements if each.held == "upper"})
    return f"{duplicate.copies} ({up} {duplicate.cause})" if up else f"{duplicate.copies} × {duplicate.cause}"


def _package(duplicate: MeasuredDuplicate) -> str:
    package = duplicate.package
    return printable(f"{package.name} {package.version}") if package else ""


def _fitting(package: str, width: int) -> str:
    """A package with its version, or without where there is no room for both."""
    return package if cell_len(package) <= width else cut(package.partition(" ")[0], width)


def _mapped_by(placements: Sequence[MeasuredPlacement]) -> str:
    """Each file that holds pages by the first container that maps it; `+2` says how many more share it."""
    holders: dict[str, dict[str, str]] = {}
    for placement in placements:
        names = holders.setdefault(placement.real or f"{placement.container}:{placement.path}", {})
        names.setdefault(placement.container, placement.name or placement.container[:12] or "(no container)")
    labels = Counter(_first(list(names.values())) for names in holders.values())
    return " · ".join(label if count == 1 else f"{label} ({count} ×)" for label, count in labels.items())


def _first(names: Sequence[str]) -> str:
    return printable(names[0]) + (f" +{len(names) - 1}" if len(names) > 1 else "")


def _copied_up(sheet: Sheet, found: Sequence[CopiedUp], top: int) -> None:
    if not found:
        return
    sheet.line(Text("Copied up, or written at run time: mapped from the container's own directory:", "bold"))
    worst = sorted(found, key=lambda each: -each.file_pages_bytes)[:top]
    for each in worst:
        below = "  the same bytes lie below" if each.same_content_below else ""
        name = printable(each.name or each.container[:12])
        path = keep_end(printable(each.path), max(sheet.width - cell_len(name) - len(below) - 16, 12))
        sheet.line(f"{human_size(each.file_pages_bytes):>9}  {name}  {path}{below}", indent=1)
    _more(sheet, len(found) - len(worst))
    sheet.line()


def _cached(sheet: Sheet, measurement: Measurement, top: int) -> None:
    """Files with more in the page cache than processes map."""
    found = sorted(measurement.cached, key=lambda each: each.mapped_bytes - each.cached_bytes)
    if not found:
        return
    rows = [
        [human_size(each.cached_bytes), human_size(each.mapped_bytes), keep_end(printable(each.real), sheet.width - 24)]
        for each in found[:top]
    ]
    sheet.table(("cached", "mapped", "file"), rows, ("cached", "mapped"))
    _more(sheet, len(found) - len(rows))
    sheet.line()


def _stores(sheet: Sheet, measurement: Measurement) -> None:
    own, common = warnings(measurement.stores)
    for each, said in own:
        sheet.wrapped(printable(f"Store:  {store(each)}"))
        for warning in said:
            sheet.wrapped(printable(f"warning: {warning}"), 8)
    for warning in common:
        sheet.wrapped(printable(f"warning: {warning}"), 8)


def _unseen(sheet: Sheet, measurement: Measurement, top: int) -> None:
    lines = unseen(measurement)
    if lines:
        sheet.line(Text("Not seen:", "bold yellow"))
    for line in lines[:top]:
        sheet.wrapped(printable(line), 2)
    _more(sheet, len(lines) - top)


def _end(sheet: Sheet, measurement: Measurement) -> None:
    if not is_whole(measurement) and measurement.totals is not None:
        sheet.wrapped("The totals are of what was seen; what is missing can only add to the file pages.")
    sheet.wrapped(cost(measurement))
    images = _images(measurement)
    if images:
        named = " ".join(shlex.quote(printable(image)) for image in images)
        sheet.wrapped(
            f"Next:  memlint compare {named}   says which layers and instructions; memlint plan, what to share"
        )


def _images(measurement: Measurement) -> list[str]:
    """Those in the worst duplicates that `memlint compare` can ask a daemon for."""
    asked = {each.id for each in measurement.containers if each.runtime in _DAEMONS}
    placements = [placement for duplicate in measurement.duplicates for placement in duplicate.placements]
    images = (short(each.image) for each in placements if _is_name(each.image) and each.container in asked)
    return list(dict.fromkeys(images))[:_IMAGES_SHOWN]


def _is_name(image: str) -> bool:
    """No option: what is suggested will be run as it stands."""
    return bool(image) and not image.startswith("-") and image.isprintable()


def _more(sheet: Sheet, rest: int) -> None:
    if rest > 0:
        sheet.line(f"… {rest} more (--top, or --format json)", indent=2)
