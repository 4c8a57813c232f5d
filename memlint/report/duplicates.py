"""A report's worst duplicates: each with its size, why it lies there twice and where, and what made these layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from memlint.model.layer import Package
from memlint.model.report import Duplicate, Placement, Report
from memlint.model.units import human_size
from memlint.report.sheet import Sheet, cut, keep_end, printable
from memlint.sharing.history import instruction

_WIDE = 100
"""Columns from which on a file and its layers fit on one line."""

Names = Mapping[str, tuple[str, int]]
"""By an image's reference its short name, and how many layers it has."""


def list_duplicates(sheet: Sheet, report: Report, shown: Sequence[Duplicate], names: Names) -> None:
    """A line each where there is room for it, else three."""
    if sheet.width >= _WIDE:
        _wide(sheet, shown, names, by_profile=report.profile is not None)
    else:
        _narrow(sheet, shown, names)


def list_layers(sheet: Sheet, report: Report, shown: Sequence[Duplicate], names: Names) -> None:
    """The instruction behind each layer that these duplicates name."""
    created = {image.ref: [layer.created_by for layer in image.layers] for image in report.images}
    lines: dict[str, tuple[str, str]] = {}
    for duplicate in shown:
        for placement in duplicate.placements:
            label = _place([placement], names)
            lines.setdefault(placement.chain_id, (label, made_by(created[placement.image][placement.layer])))
    widest = max(len("layer"), *(len(label) for label, _ in lines.values()))
    rows = [(label, cut(text, sheet.width - widest - 2)) for label, text in lines.values()]
    sheet.table(("layer", "made by"), rows, ())


def made_by(created_by: str) -> str:
    """A history entry as the Dockerfile would have it, on one line."""
    return printable(instruction(created_by)) or "(the history does not say)"


def _wide(sheet: Sheet, shown: Sequence[Duplicate], names: Names, *, by_profile: bool) -> None:
    headings = ("duplicate", *(("by profile",) if by_profile else ()), "copies, why", "file", "package", "layers")
    found = [
        (
            f"{duplicate.copies} × {_why(duplicate)}",
            printable(duplicate.placements[0].path),
            _package(duplicate.package),
            _places(duplicate.placements, names),
        )
        for duplicate in shown
    ]
    widest = [max(len(row[column]) for row in found) for column in range(4)]
    room = sheet.width - max(len("copies, why"), widest[0]) - (29 if by_profile else 17)
    package, places = min(widest[2], room // 4), min(widest[3], room * 2 // 5)
    file = max(min(widest[1], room - package - places), len("file"))
    rows = []
    for duplicate, (copies, path, owner, layers) in zip(shown, found, strict=True):
        known = "–" if duplicate.profile_bytes is None else human_size(duplicate.profile_bytes)
        sizes = (Text(human_size(duplicate.duplicate_bytes), "bold"), *((known,) if by_profile else ()))
        # a path that is cut leaves room: the columns stay where they are
        rows.append((*sizes, copies, keep_end(path, file).ljust(file), cut(owner, package), cut(layers, places)))
    sheet.table(headings, rows, ("duplicate", "by profile"))


def _narrow(sheet: Sheet, shown: Sequence[Duplicate], names: Names) -> None:
    for duplicate in shown:
        path = keep_end(printable(duplicate.placements[0].path), sheet.width - 18)
        head = Text(f"{human_size(duplicate.duplicate_bytes):>9}", "bold")
        head.append(f"  {duplicate.copies} ×  {path}", "not bold")
        sheet.line(head, indent=1)
        known = duplicate.profile_bytes
        resident = "" if known is None else f"{human_size(known)} by profile · "
        sheet.line(f"{resident}{_why(duplicate)} · {_package(duplicate.package)}", indent=12)
        sheet.line(_places(duplicate.placements, names), indent=12)


def _places(placements: Iterable[Placement], names: Names) -> str:
    """Each inode's layer by the first image that shows it; `+2` says how many more images share it."""
    inodes: dict[tuple[str, str], list[Placement]] = {}
    for placement in placements:
        inodes.setdefault((placement.chain_id, placement.path), []).append(placement)
    return " · ".join(_place(same, names) for same in inodes.values())


def _place(same: Sequence[Placement], names: Names) -> str:
    name, depth = names[same[0].image]
    others = len({placement.image for placement in same}) - 1
    return f"{name} {same[0].layer + 1}/{depth}" + (f" +{others}" if others else "")


def _why(duplicate: Duplicate) -> str:
    others = len(duplicate.causes) - 1
    return duplicate.cause + (f" +{others}" if others else "")


def _package(package: Package | None) -> str:
    return printable(f"{package.name} {package.version}") if package else "(no package)"
