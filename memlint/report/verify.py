"""Verification → a page for people: totals side by side, then what was predicted wrongly, and what was not seen."""

from __future__ import annotations

from rich.text import Text

from memlint.model.units import human_size, plural
from memlint.model.verify import NOT_SHARED, Contradiction, Verification
from memlint.report.sheet import Sheet, keep_end, printable
from memlint.report.terminal import Terminal
from memlint.report.words import known_of

_NAMES = {"mappable": "mappable", "startup": "at startup", "profile": "by profile"}
_SHARERS_SHOWN = 6


def to_text(found: Verification, top: int, terminal: Terminal) -> str:
    """The page; at most `top` contradictions are listed."""
    sheet = Sheet(terminal)
    containers = sum(len(image.containers) for image in found.images)
    count = plural(len(found.images), "image")
    sheet.wrapped(f"{plural(containers, 'container')} of {count}, predicted for {found.storage}, and measured:")
    sheet.line()
    _totals(sheet, found)
    _files(sheet, found)
    for contradiction in found.contradictions[:top]:
        _contradiction(sheet, contradiction)
    if (rest := len(found.contradictions) - top) > 0:
        sheet.line(f"… {rest} more (--format json)", 2)
    _lacking(sheet, found)
    return sheet.text()


def _totals(sheet: Sheet, found: Verification) -> None:
    rows: list[list[Text | str]] = []
    for each in found.predicted:
        figures = (each.totals.page_cache_bytes, each.totals.distinct_bytes, each.totals.duplicate_bytes)
        ratio = "–" if each.ratio is None else f"{each.ratio:.2f}"
        rows.append([_NAMES[each.basis], *map(human_size, figures), ratio])
    measured = found.measured
    figures = (measured.file_pages_bytes, measured.distinct_bytes, measured.duplicate_bytes)
    rows.append([Text("measured", "bold"), *(Text(human_size(each), "bold") for each in figures), ""])
    right = ("page cache", "distinct", "duplicate", "of measured")
    sheet.table(("", *right), rows, right)
    if found.profile is not None:
        startup = next(each.totals for each in found.predicted if each.basis == "startup")
        known = known_of(found.profile, startup)
        sheet.wrapped(f"by profile: as {plural(found.profile.recordings, 'recording')} saw it; {known}.")
    sheet.line()


def _files(sheet: Sheet, found: Verification) -> None:
    agreement = found.agreement
    several = agreement.shared + agreement.apart + agreement.undecided + len(found.contradictions)
    if not several:
        sheet.wrapped("No file is mapped by several containers, so that there was no sharing to predict.")
        return
    sheet.wrapped(
        f"File by file: {agreement.shared} shared as predicted, {agreement.apart} apart as predicted,"
        f" {len(found.contradictions)} otherwise than predicted"
        + (f", {agreement.undecided} without a page in common to tell by" if agreement.undecided else "")
        + "."
    )


def _contradiction(sheet: Sheet, found: Contradiction) -> None:
    what = (
        "predicted to be shared, and is not" if found.verdict == NOT_SHARED else "shared, and was not predicted to be"
    )
    path = keep_end(printable(found.sharers[0].path), max(sheet.width - 12, 8))
    head = Text(f"{human_size(found.bytes):>9}", "bold red").append(f"  {path}", "not bold default")
    sheet.line()
    sheet.line(head)
    sheet.wrapped(what + (f": {printable(found.reason)}" if found.reason else ""), 11)
    shown = found.sharers[:_SHARERS_SHOWN]
    for each in shown:
        sheet.line(f"inode {each.inode}  {printable(each.name or each.container[:12])} ({printable(each.image)})", 11)
    if more := len(found.sharers) - len(shown):
        sheet.line(f"… {more} more", 11)


def _lacking(sheet: Sheet, found: Verification) -> None:
    """What the answer is not about."""
    if found.not_running:
        sheet.line()
        sheet.wrapped(f"No container runs of: {printable(', '.join(found.not_running))}")
    if found.profile is not None and found.profile.unknown:
        sheet.line()
        names = printable(", ".join(found.profile.unknown))
        sheet.wrapped(f"The profile has not seen run what these run, and lacks all that they hold: {names}")
    for each in found.unseen:
        sheet.line()
        sheet.wrapped(printable(f"Not seen: {each.what}: {each.reason}" + (f" ({each.hint})" if each.hint else "")))
