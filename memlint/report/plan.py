"""Plan → a page for people: what it saves, which bases, the frontier, what stays, and what helps without a base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from memlint.model.finding import Location
from memlint.model.plan import Plan, PlannedBase, PlannedPackage, Point
from memlint.model.report import Totals
from memlint.model.units import human_size, percent, plural
from memlint.report.sheet import FIGURES, Sheet, printable
from memlint.report.terminal import Terminal

_WIDE = 80
"""Columns from which on figures are named in full."""
_PACKAGES, _IMAGES, _SUGGESTIONS, _LEFT_OUT, _MOVED = 6, 6, 5, 5, 10


def to_text(plan: Plan, terminal: Terminal, *, everything: bool = False) -> str:
    """The page, for a terminal of that width; `everything` cuts no list."""
    return _Page(plan, terminal, everything=everything).render()


class _Page:
    """One plan on one terminal."""

    def __init__(self, plan: Plan, terminal: Terminal, *, everything: bool) -> None:
        self._plan, self._everything, self._sheet = plan, everything, Sheet(terminal)
        self._names = {image.ref: printable(image.name) for image in plan.images}

    def render(self) -> str:
        self._headline()
        self._suggestions()
        self._bases()
        self._updates()
        self._installs()
        self._moved()
        self._frontier()
        self._remaining()
        self._left_out()
        self._notes()
        return self._sheet.text()

    def _headline(self) -> None:
        plan = self._plan
        saved = plan.before.page_cache_bytes - plan.after.page_cache_bytes
        count = plural(len(plan.images), "image")
        basis = plan.basis.split(":")[0]
        where = plan.storage if plan.nodes == 1 else f"each of {plan.nodes} nodes with {plan.storage}, in the mean"
        if plan.bases:
            bases = "base" if len(plan.bases) == 1 else "bases"
            text = f"{count}, {len(plan.bases)} shared {bases}: {human_size(saved)} less page cache on {where}"
        else:
            text = f"{count} on {where}: no shared base would save page cache"
        self._sheet.wrapped(f"{text}  ({basis}).")
        shown = [("now", plan.before), ("planned", plan.after)] if plan.bases else [("now", plan.before)]
        self._sheet.line()
        self._sheet.grid([self._totals(name, totals) for name, totals in shown], FIGURES)
        self._sheet.line()
        self._sheet.wrapped(f"{plan.chosen}: {plan.reason}.")
        if plan.optimum_bytes is not None and plan.bases:
            strict = next(point for point in plan.points if point.name == "strict")
            over = strict.page_cache_bytes - plan.optimum_bytes
            gap = f"{human_size(over)} above" if over > 0 else "as good as"
            self._sheet.wrapped(f"The strict bases are {gap} the best there are.")

    def _totals(self, name: str, totals: Totals) -> list[Text | str]:
        wide = self._sheet.width >= _WIDE
        return [
            name,
            Text(human_size(totals.page_cache_bytes), "bold"),
            "= distinct" if wide else "=",
            human_size(totals.distinct_bytes),
            "+ duplicate" if wide else "+",
            Text(human_size(totals.duplicate_bytes), "bold red" if totals.duplicate_bytes else "bold green"),
            percent(totals.efficiency),
        ]

    def _suggestions(self) -> None:
        found = self._plan.suggestions
        if not found:
            return
        self._sheet.line()
        self._sheet.line(Text("Without a new base (what these save may be the same bytes):", "bold"))
        for each in found[: self._most(_SUGGESTIONS, len(found))]:
            where = f" ({printable(_place(each.location))})" if each.location is not None else ""
            self._sheet.wrapped(f"{human_size(each.saved_bytes):>9}  {each.kind}: {printable(each.text)}{where}", 1)
        self._more(len(found), _SUGGESTIONS)

    def _bases(self) -> None:
        for base in self._plan.bases:
            self._sheet.line()
            self._base(base)

    def _base(self, base: PlannedBase) -> None:
        head = Text(base.name, "bold")
        saved = base.page_cache_saved_bytes
        does = f"saves {human_size(saved)}" if saved else "keeps shared what its images share today"
        head.append(f"  {does}", "not bold")
        self._sheet.line(head)
        self._sheet.wrapped(f"FROM     {printable(base.parent or base.source)}  ({base.platform})", 2)
        roots = [package for package in base.packages if package.root]
        if roots:
            named = [f"{printable(each.name)} {printable(each.version)}" for each in _by_size(roots)]
            brought = len(base.packages) - len(roots)
            more = f" (they bring {plural(brought, 'package')} more)" if brought else ""
            self._sheet.wrapped(f"installs {self._list(named, _PACKAGES)}{more}", 2)
        for group in base.files[: self._most(_PACKAGES, len(base.files))]:
            files = plural(len(group.paths), "file")
            where = printable(group.directory)
            self._sheet.wrapped(f"takes    {files} of {where} from {self._names.get(group.image, group.image)}", 2)
        self._more(len(base.files), _PACKAGES)
        for number, step in enumerate(base.steps if len(base.steps) > 1 else ()):
            self._sheet.wrapped(f"step {number + 1}   {human_size(step.bytes)} {printable(step.why)}", 2)
        self._sheet.wrapped(f"serves   {self._list([self._names.get(ref, ref) for ref in base.images], _IMAGES)}", 2)
        if base.causes:
            why = ", ".join(f"{cause} {human_size(size)}" for cause, size in base.causes.items())
            self._sheet.wrapped(f"ends     {why}", 2)

    def _updates(self) -> None:
        """What changes in images that are to stand on another build of their original base."""
        found = [image for image in self._plan.images if image.updates]
        if not found:
            return
        self._sheet.line()
        self._sheet.line(Text("On the newest build of their base, these change:", "bold"))
        for image in found[: self._most(_IMAGES, len(found))]:
            self._sheet.wrapped(f"{printable(image.name)}: {printable(self._list(image.updates, _PACKAGES))}", 2)
        self._more(len(found), _IMAGES)

    def _installs(self) -> None:
        """What images have to name on their bases."""
        found = [image for image in self._plan.images if image.installs]
        if not found:
            return
        self._sheet.line()
        self._sheet.line(Text("To be named in Dockerfiles, for on these bases nothing else would bring it:", "bold"))
        for image in found[: self._most(_IMAGES, len(found))]:
            names = self._list([each.name for each in image.installs], _PACKAGES)
            self._sheet.wrapped(f"{printable(image.name)}: {printable(names)}", 2)
        self._more(len(found), _IMAGES)

    def _moved(self) -> None:
        """What is not as the former plan had it."""
        found = self._plan.moved
        if not found:
            return
        self._sheet.line()
        self._sheet.line(Text("Since the former plan:", "bold"))
        for each in found[: self._most(_MOVED, len(found))]:
            what = printable(self._names.get(each.what, each.what))
            change = f"{each.before or 'none'} → {each.after or 'none'}"
            self._sheet.wrapped(f"{each.kind} {what}: {printable(change)}", 2)
        self._more(len(found), _MOVED)

    def _frontier(self) -> None:
        plan = self._plan
        if not plan.bases and len({point.page_cache_bytes for point in plan.points}) == 1:
            return
        self._sheet.line()
        headings = ("point", "page cache", "duplicate", "extra", "bases", "pull")
        shown = len(headings) if self._sheet.width >= _WIDE else 4
        now = plan.before
        rows = [
            [Text("as it is"), *_sizes(now.page_cache_bytes, now.duplicate_bytes)],
            *(self._row(point) for point in plan.points),
            [Text("ideal"), *_sizes(plan.ideal_bytes, 0)],
        ]
        self._sheet.table(headings[:shown], [row[:shown] for row in rows], headings[1:])
        self._sheet.wrapped("extra: the most that an image gets and did not have.")
        if shown == len(headings):
            self._sheet.wrapped("pull: the mapped files of all images, each layer's once, uncompressed.")

    def _row(self, point: Point) -> list[Text]:
        most = max(point.extra_bytes.values(), default=0)
        name = f"{point.name} ←" if point.name == self._plan.chosen else point.name
        cells = (
            name,
            human_size(point.page_cache_bytes),
            human_size(point.duplicate_bytes),
            human_size(most),
            str(point.bases),
            human_size(point.pull_bytes),
        )
        return [Text(cell, "bold" if point.name == self._plan.chosen else "") for cell in cells]

    def _remaining(self) -> None:
        """Why bytes stay duplicate, over all images; each image's own are in the JSON."""
        why: Counter[str] = Counter()
        whose: dict[str, list[str]] = {}
        for image in self._plan.images:
            for each in image.remaining:
                why[each.why] += each.duplicate_bytes
                whose.setdefault(each.why, []).append(self._names[image.ref])
        if not why or not self._plan.bases:
            return
        self._sheet.line()
        self._sheet.line(Text("What stays duplicate:", "bold"))
        for reason, size in why.most_common():
            self._sheet.wrapped(f"{human_size(size):>9}  {reason} ({self._list(whose[reason], _IMAGES)})", 1)

    def _left_out(self) -> None:
        found = self._plan.left_out
        if not found:
            return
        self._sheet.line()
        self._sheet.line(Text("Left out:", "bold"))
        for each in found[: self._most(_LEFT_OUT, len(found))]:
            self._sheet.wrapped(f"{printable(self._names.get(each.what, each.what))}: {printable(each.why)}", 2)
        self._more(len(found), _LEFT_OUT)

    def _notes(self) -> None:
        if self._plan.notes:
            self._sheet.line()
        for note in self._plan.notes:
            self._sheet.wrapped(f"Note: {printable(note)}.")

    def _most(self, most: int, count: int) -> int:
        return count if self._everything else most

    def _more(self, count: int, most: int) -> None:
        if count > most and not self._everything:
            self._sheet.line(f"… {count - most} more (--all)", 2)

    def _list(self, names: Sequence[str], most: int) -> str:
        shown = ", ".join(names[: self._most(most, len(names))])
        rest = len(names) - most
        return shown if rest <= 0 or self._everything else f"{shown} and {rest} more"


def _place(location: Location) -> str:
    return location.path if location.span is None else f"{location.path}:{location.span.line}"


def _sizes(*sizes: int) -> list[Text]:
    return [Text(human_size(size)) for size in sizes]


def _by_size(packages: Sequence[PlannedPackage]) -> list[PlannedPackage]:
    return sorted(packages, key=lambda each: (-each.size, each.name))
