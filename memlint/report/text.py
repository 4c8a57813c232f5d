"""Report → a page for people: the answer first, then causes, the worst files, and where chains part."""

from __future__ import annotations

from rich.text import Text

from memlint.lint.ruleset import load_rules
from memlint.model.report import ProfileReport, Report, Totals, VersionSkew
from memlint.model.units import human_size, percent, plural
from memlint.report.duplicates import list_duplicates, list_layers, made_by
from memlint.report.sheet import FIGURES, Sheet, cut, printable
from memlint.report.terminal import Terminal
from memlint.report.words import known_of

_WIDE = 100
"""Columns from which on the totals' last figure is named in full."""
_ID = 5
"""Columns that a rule's id takes: where there are fewer, no advice is shown."""
_SKEWS_SHOWN = 5
_UNKNOWN = "–"


def to_text(report: Report, top: int, terminal: Terminal) -> str:
    """The page, for a terminal of that width; at most `top` duplicates are listed."""
    return _Page(report, top, terminal).render()


class _Page:
    """One report on one terminal."""

    def __init__(self, report: Report, top: int, terminal: Terminal) -> None:
        self._report, self._top, self._sheet = report, top, Sheet(terminal)
        self._names = _display_names(report)
        self._rules = {rule.cause or rule.name: rule for rule in load_rules()}

    def render(self) -> str:
        self._headline()
        if self._report.duplicates:
            self._causes()
            self._duplicates()
            self._partings()
        self._skew()
        self._unresolved()
        self._findings()
        return self._sheet.text()

    def _headline(self) -> None:
        report = self._report
        containers = sum(image.replicas for image in report.images)
        count = plural(len(report.images), "image")
        each = "one container each" if containers == len(report.images) else f"{containers} containers"
        expected = "" if report.profile is None else ", and expected by profile"
        potential = f"Potential (static upper bounds, not measured){expected}"
        self._sheet.paragraph(f"{count}, {each}, on {report.storage}.  {potential}:")
        self._sheet.line()
        totals = report.totals
        rows = [self._totals("mappable", totals.mappable), self._totals("at startup", totals.startup)]
        if report.profile is not None:
            rows.append(self._totals("by profile", totals.profile))
        self._sheet.grid(rows, FIGURES)
        self._sheet.line()
        if report.profile is not None:
            self._profile(report.profile, totals.startup)

    def _profile(self, profile: ProfileReport, startup: Totals) -> None:
        """What the third line stands on, and what it lacks."""
        self._sheet.paragraph(
            f"by profile: resident pages that are expected, as {plural(profile.recordings, 'recording')} of running"
            f" containers saw them; {known_of(profile, startup)}."
        )
        if profile.unknown:
            names = ", ".join(self._names[ref][0] for ref in profile.unknown)
            self._sheet.paragraph(f"It has not seen run what these run, and lacks all that they hold: {names}")
        self._sheet.line()

    def _totals(self, basis: str, totals: Totals | None) -> list[Text]:
        """A line; of what is not known, without figures."""
        sizes, efficiency = (_UNKNOWN, _UNKNOWN, _UNKNOWN), _UNKNOWN
        style = ""
        if totals is not None:
            page_cache, distinct, duplicate = totals.page_cache_bytes, totals.distinct_bytes, totals.duplicate_bytes
            sizes = (human_size(page_cache), human_size(distinct), human_size(duplicate))
            efficiency, style = percent(totals.efficiency), "bold red" if duplicate else "bold green"
        named = self._sheet.width >= 80
        return [
            Text(f"{basis}: page cache" if named else basis),
            Text(sizes[0], "bold"),
            Text("= distinct" if named else "="),
            Text(sizes[1]),
            Text("+ duplicate" if named else "+"),
            Text(sizes[2], style),
            Text(f"sharing efficiency {efficiency}" if self._sheet.width >= _WIDE else efficiency),
        ]

    def _causes(self) -> None:
        why = max(len(total.cause) for total in self._report.causes)
        room = self._sheet.width - why - 20
        headings = ("why", "duplicate", "files", cut("what to do", room))
        rows = [
            (total.cause, human_size(total.duplicate_bytes), str(total.files), cut(self._advice(total.cause), room))
            for total in self._report.causes
        ]
        shown = 4 if room >= _ID else 3
        self._sheet.table(headings[:shown], [row[:shown] for row in rows], headings[1:3])
        self._sheet.line()

    def _advice(self, cause: str) -> str:
        rule = self._rules[cause]
        return f"{rule.id}  {rule.remedy}"

    def _duplicates(self) -> None:
        shown = self._report.duplicates[: self._top]
        list_duplicates(self._sheet, self._report, shown, self._names)
        if rest := len(self._report.duplicates) - len(shown):
            self._sheet.line(f"… {rest} more (--all)", indent=2)
        self._sheet.line()
        list_layers(self._sheet, self._report, shown, self._names)

    def _partings(self) -> None:
        self._sheet.line()
        for parting in self._report.partings[:3]:
            self._sheet.line(Text(f"Chains part at layer {parting.layer + 1}:", "bold"))
            for branch in parting.branches[:6]:
                names = ", ".join(self._names[ref][0] for ref in branch.images)
                self._sheet.line(f"{names}:  {made_by(branch.created_by)}", indent=2)

    def _skew(self) -> None:
        skews = self._report.version_skew
        if not skews:
            return
        self._sheet.line()
        self._sheet.line(Text(f"Version skew, no duplicates but close ({self._rules['version-skew'].id}):", "bold"))
        for skew in skews[:_SKEWS_SHOWN]:
            self._sheet.line(self._skewed(skew), indent=2)
        if (rest := len(skews) - _SKEWS_SHOWN) > 0:
            self._sheet.line(f"… {rest} more (--format json)", indent=2)

    def _skewed(self, skew: VersionSkew) -> str:
        parts = []
        for version in skew.versions:
            names = ", ".join(dict.fromkeys(self._names[placement.image][0] for placement in version.placements))
            parts.append(f"{version.package.version if version.package else version.content[7:19]} in {names}")
        return f"{printable(skew.soname)}  " + " · ".join(parts)

    def _findings(self) -> None:
        """The lines of Dockerfiles that answer for what is above, where they are known."""
        found = [(finding, finding.location.span) for finding in self._report.findings]
        placed = [(finding, span) for finding, span in found if span is not None]
        if placed:
            self._sheet.line()
            self._sheet.line(Text("At these lines:", "bold"))
        for finding, span in placed:
            where = printable(f"{finding.location.path}:{span.line}")
            self._sheet.line(f"{where}: {finding.rule} {printable(finding.message)}", indent=2)

    def _unresolved(self) -> None:
        for image in self._report.images:
            if image.startup.missing:
                self._sheet.line()
                missing = printable(", ".join(image.startup.missing))
                name = self._names[image.ref][0]
                self._sheet.line(f"{name}: starts or needs what the image does not have: {missing}")


def _display_names(report: Report) -> dict[str, tuple[str, int]]:
    """Reference → (short name, layers); images whose short names are equal keep their references."""
    short = [image.name.partition(":")[0] for image in report.images]
    full = [image.name for image in report.images]
    names = {}
    for number, image in enumerate(report.images):
        alike = {each.ref for at, each in enumerate(report.images) if short[at] == short[number]}
        same = {each.ref for at, each in enumerate(report.images) if full[at] == full[number]}
        name = short[number] if len(alike) == 1 else full[number] if len(same) == 1 else image.ref
        names[image.ref] = (printable(name), len(image.layers))
    return names
