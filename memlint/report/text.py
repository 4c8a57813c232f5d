"""Report → a page for people: the answer first, then causes, the worst files, and where chains part."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from memlint.lint.ruleset import Rule, load_rules
from memlint.model.layer import Package
from memlint.model.report import Duplicate, Placement, ProfileReport, Report, Totals, VersionSkew
from memlint.model.units import human_size, percent, plural
from memlint.report.terminal import Terminal, console_for
from memlint.sharing.history import instruction

_WIDE = 100
"""Columns from which on a file and its layers fit on one line."""
_SKEWS_SHOWN = 5


def to_text(report: Report, top: int, terminal: Terminal) -> str:
    """The page, for a terminal of that width; at most `top` duplicates are listed."""
    return _Page(report, top, terminal).render()


class _Page:
    """One report on one terminal."""

    def __init__(self, report: Report, top: int, terminal: Terminal) -> None:
        self._report, self._top, self._width = report, top, terminal.width
        self._names = _display_names(report)
        self._rules = {rule.cause or rule.name: rule for rule in load_rules()}
        self._out = io.StringIO()
        self._console = console_for(terminal, self._out)

    def render(self) -> str:
        self._headline()
        if self._report.duplicates:
            self._causes()
            self._duplicates()
            self._partings()
        self._skew()
        self._unresolved()
        self._findings()
        return "".join(line.rstrip() + "\n" for line in self._out.getvalue().split("\n")[:-1])

    def _line(self, text: Text | str = "", indent: int = 0) -> None:
        line = Text(" " * indent).append_text(text if isinstance(text, Text) else Text(text))
        line.truncate(self._width, overflow="ellipsis")
        self._console.print(line)

    def _paragraph(self, text: str) -> None:
        self._console.print(Text(text))

    def _headline(self) -> None:
        report = self._report
        containers = sum(image.replicas for image in report.images)
        count = plural(len(report.images), "image")
        each = "one container each" if containers == len(report.images) else f"{containers} containers"
        expected = "" if report.profile is None else ", and expected by profile"
        potential = f"Potential (static upper bounds, not measured){expected}"
        self._paragraph(f"{count}, {each}, on {report.storage}.  {potential}:")
        self._line()
        table = _table()
        table.show_header = False
        for justify in ("left", "right", "left", "right", "left", "right", "right"):
            table.add_column(justify=justify)
        for basis, totals in (("mappable", report.totals.mappable), ("at startup", report.totals.startup)):
            table.add_row(*self._totals(basis, totals))
        if report.totals.profile is not None:
            table.add_row(*self._totals("by profile", report.totals.profile))
        self._console.print(table)
        self._line()
        if report.profile is not None:
            self._profile(report.profile)

    def _profile(self, profile: ProfileReport) -> None:
        """What the third line stands on, and what it lacks."""
        self._paragraph(
            f"by profile: resident pages that are expected, as {plural(profile.recordings, 'recording')} of running"
            f" containers saw them; {percent(profile.coverage)} of what starting these images maps is known to it."
        )
        if profile.unknown:
            names = ", ".join(self._names[ref][0] for ref in profile.unknown)
            self._paragraph(f"It has not seen run what these run, and lacks all that they hold: {names}")
        self._line()

    def _totals(self, basis: str, totals: Totals) -> list[Text]:
        style = "bold red" if totals.duplicate_bytes else "bold green"
        last = (
            f"sharing efficiency {percent(totals.efficiency)}" if self._width >= _WIDE else percent(totals.efficiency)
        )
        named = self._width >= 80
        return [
            Text(f"{basis}: page cache" if named else basis),
            Text(human_size(totals.page_cache_bytes), "bold"),
            Text("= distinct" if named else "="),
            Text(human_size(totals.distinct_bytes)),
            Text("+ duplicate" if named else "+"),
            Text(human_size(totals.duplicate_bytes), style),
            Text(last),
        ]

    def _causes(self) -> None:
        why = max(len(total.cause) for total in self._report.causes)
        table = _table()
        table.add_column("why", width=why)
        table.add_column("duplicate", justify="right", width=9)
        table.add_column("files", justify="right", width=5)
        table.add_column("what to do")
        for total in self._report.causes:
            advice = _cut(_advice(self._rules[total.cause]), self._width - why - 20)
            table.add_row(total.cause, human_size(total.duplicate_bytes), str(total.files), advice)
        self._console.print(table)
        self._line()

    def _duplicates(self) -> None:
        shown = self._report.duplicates[: self._top]
        if self._width >= _WIDE:
            self._wide(shown)
        else:
            self._narrow(shown)
        if rest := len(self._report.duplicates) - len(shown):
            self._line(f"… {rest} more (--all)", indent=2)
        self._line()
        self._layers(shown)

    def _wide(self, shown: Sequence[Duplicate]) -> None:
        rows = [
            (
                human_size(duplicate.duplicate_bytes),
                "–" if duplicate.profile_bytes is None else human_size(duplicate.profile_bytes),
                f"{duplicate.copies} × {_why(duplicate)}",
                _printable(duplicate.placements[0].path),
                _package(duplicate.package),
                self._places(duplicate.placements),
            )
            for duplicate in shown
        ]
        profiled = self._report.profile is not None
        why = max(len("copies, why"), *(len(row[2]) for row in rows))
        room = self._width - why - 17 - 12 * profiled
        package = min(max(len(row[4]) for row in rows), room // 4)
        places = min(max(len(row[5]) for row in rows), room * 2 // 5)
        table = _table()
        file = min(max(len(row[3]) for row in rows), room - package - places)
        table.add_column("duplicate", justify="right", width=9)
        if profiled:
            table.add_column("by profile", justify="right", width=10)
        table.add_column("copies, why", width=why)
        table.add_column("file", width=max(file, 4))
        table.add_column("package", width=max(package, 7))
        table.add_column("layers")
        for size, resident, copies, path, owner, layers in rows:
            table.add_row(
                *([Text(size, "bold"), resident] if profiled else [Text(size, "bold")]),
                *(copies, _keep_end(path, file), _cut(owner, package), _cut(layers, places)),
            )
        self._console.print(table)

    def _narrow(self, shown: Sequence[Duplicate]) -> None:
        for duplicate in shown:
            head = Text(f"{human_size(duplicate.duplicate_bytes):>9}", "bold")
            head.append(
                f"  {duplicate.copies} ×  {_keep_end(_printable(duplicate.placements[0].path), self._width - 18)}",
                "not bold",
            )
            self._line(head, indent=1)
            known = duplicate.profile_bytes
            resident = "" if known is None else f"{human_size(known)} by profile · "
            self._line(f"{resident}{_why(duplicate)} · {_package(duplicate.package)}", indent=12)
            self._line(self._places(duplicate.placements), indent=12)

    def _places(self, placements: Iterable[Placement]) -> str:
        """Each inode's layer by the first image that shows it; `+2` says how many more images share it."""
        inodes: dict[tuple[str, str], list[Placement]] = {}
        for placement in placements:
            inodes.setdefault((placement.chain_id, placement.path), []).append(placement)
        return " · ".join(self._place(same) for same in inodes.values())

    def _place(self, same: Sequence[Placement]) -> str:
        name, depth = self._names[same[0].image]
        others = len({placement.image for placement in same}) - 1
        return f"{name} {same[0].layer + 1}/{depth}" + (f" +{others}" if others else "")

    def _layers(self, shown: Sequence[Duplicate]) -> None:
        """The instruction behind each layer that the list names."""
        created = {image.ref: [layer.created_by for layer in image.layers] for image in self._report.images}
        lines: dict[str, tuple[str, str]] = {}
        for duplicate in shown:
            for placement in duplicate.placements:
                label = self._place([placement])
                lines.setdefault(placement.chain_id, (label, _made_by(created[placement.image][placement.layer])))
        table = _table()
        widest = max(len("layer"), *(len(label) for label, _ in lines.values()))
        table.add_column("layer", width=widest)
        table.add_column("made by")
        for label, text in lines.values():
            table.add_row(label, _cut(text, self._width - widest - 2))
        self._console.print(table)

    def _partings(self) -> None:
        self._line()
        for parting in self._report.partings[:3]:
            self._line(Text(f"Chains part at layer {parting.layer + 1}:", "bold"))
            for branch in parting.branches[:6]:
                names = ", ".join(self._names[ref][0] for ref in branch.images)
                self._line(f"{names}:  {_made_by(branch.created_by)}", indent=2)

    def _skew(self) -> None:
        skews = self._report.version_skew
        if not skews:
            return
        self._line()
        self._line(Text(f"Version skew, no duplicates but close ({self._rules['version-skew'].id}):", "bold"))
        for skew in skews[:_SKEWS_SHOWN]:
            self._line(self._skewed(skew), indent=2)
        if (rest := len(skews) - _SKEWS_SHOWN) > 0:
            self._line(f"… {rest} more (--format json)", indent=2)

    def _skewed(self, skew: VersionSkew) -> str:
        parts = []
        for version in skew.versions:
            names = ", ".join(dict.fromkeys(self._names[placement.image][0] for placement in version.placements))
            parts.append(f"{version.package.version if version.package else version.content[7:19]} in {names}")
        return f"{_printable(skew.soname)}  " + " · ".join(parts)

    def _findings(self) -> None:
        """The lines of Dockerfiles that answer for what is above, where they are known."""
        found = [(finding, finding.location.span) for finding in self._report.findings]
        placed = [(finding, span) for finding, span in found if span is not None]
        if placed:
            self._line()
            self._line(Text("At these lines:", "bold"))
        for finding, span in placed:
            where = _printable(f"{finding.location.path}:{span.line}")
            self._line(f"{where}: {finding.rule} {_printable(finding.message)}", indent=2)

    def _unresolved(self) -> None:
        for image in self._report.images:
            if image.startup.missing:
                self._line()
                missing = _printable(", ".join(image.startup.missing))
                self._line(f"{self._names[image.ref][0]}: starts or needs what the image does not have: {missing}")


def _made_by(created_by: str) -> str:
    """A history entry as the Dockerfile would have it, on one line."""
    return _printable(instruction(created_by)) or "(the history does not say)"


def _display_names(report: Report) -> dict[str, tuple[str, int]]:
    """Reference → (short name, layers); images whose short names are equal keep their references."""
    short = [image.name.partition(":")[0] for image in report.images]
    full = [image.name for image in report.images]
    names = {}
    for number, image in enumerate(report.images):
        alike = {each.ref for at, each in enumerate(report.images) if short[at] == short[number]}
        same = {each.ref for at, each in enumerate(report.images) if full[at] == full[number]}
        name = short[number] if len(alike) == 1 else full[number] if len(same) == 1 else image.ref
        names[image.ref] = (_printable(name), len(image.layers))
    return names


def _why(duplicate: Duplicate) -> str:
    others = len(duplicate.causes) - 1
    return duplicate.cause + (f" +{others}" if others else "")


def _advice(rule: Rule) -> str:
    return f"{rule.id}  {rule.remedy}"


def _package(package: Package | None) -> str:
    return _printable(f"{package.name} {package.version}") if package else "(no package)"


def _keep_end(text: str, width: int) -> str:
    """A path cut at its start, between two directories where that loses little."""
    if len(text) <= width:
        return text
    end = text[-max(width - 1, 1) :]
    slash = end.find("/")
    return "…" + (end[slash:] if 0 <= slash < width // 3 else end)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _printable(text: str) -> str:
    """Names come from strangers; nothing in them may steer the terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _table() -> Table:
    return Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
