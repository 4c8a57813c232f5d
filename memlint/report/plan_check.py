"""What became of a plan, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from memlint.model.plan_check import Check
from memlint.model.report import Totals
from memlint.model.units import enumerated, human_size, percent, plural
from memlint.report.sheet import printable


def to_text(check: Check) -> str:
    """A table of before, predicted and now, and the bases."""
    reached = (
        f" ({percent(check.saved_bytes / check.predicted_saved_bytes)})" if check.predicted_saved_bytes > 0 else ""
    )
    lines = [
        f"{plural(check.images, 'image')} built to the plan, on {check.storage}.  Potential ({check.basis}):",
        "",
        "            page cache    distinct   duplicate",
        _row("before", check.before),
        _row("predicted", check.predicted),
        _row("now", check.now),
        "",
        f"saved {human_size(check.saved_bytes)} of {human_size(check.predicted_saved_bytes)} predicted{reached}",
    ]
    lines += [
        f"{base.name}: its {plural(len(base.images), 'image')} share {plural(base.shared_layers, 'layer')},"
        f" {'as planned' if base.met else 'fewer than planned: not all were built on one build of it'}"
        for base in check.bases
    ]
    lines += _packages(check) + _again(check)
    return "\n".join([*lines, ""])


def missed(check: Check) -> tuple[str, str]:
    """What a plan that was not met is short of, and what to do."""
    parted = [base.name for base in check.bases if not base.met]
    lost = [image.ref for image in check.packages or () if image.lost]
    if parted:
        return _SAVES, f"images of {_listed(parted)} stand on other builds than one: build all with build.sh"
    if lost:
        said = f"memlint: {_listed(lost)} lost packages"
        return said, "name in their Dockerfiles what they are to have: on a base that has it, a manager brings no more"
    if check.again:
        first = check.again[0]
        where = f"{first.what} in {first.image}, which {first.base} has already"
        return _SAVES, f"their own instructions make again what is in the bases, most of it {where}"
    return _SAVES, "the images hold other files than those that were planned for: plan them again"


_SAVES = "memlint: the images do not save what was planned"
_SHOWN = 5
_listed = partial(enumerated, most=_SHOWN)


def _packages(check: Check) -> list[str]:
    if check.packages is None:
        return ["packages: the plan does not say what the images had"]
    lines = []
    for image in check.packages:
        parts = [
            ("lost", [f"{each.name} {each.version}" for each in image.lost]),
            (
                "has others",
                [f"{each.name} {_versions(each.before)} → {_versions(each.after)}" for each in image.changed],
            ),
            ("has new", [f"{each.name} {each.version}" for each in image.new]),
        ]
        lines += [f"{printable(image.ref)}: {verb} {printable(_listed(names))}" for verb, names in parts if names]
    return lines or ["packages: every image has those that it had"]


def _again(check: Check) -> list[str]:
    lines = [
        f"{each.base} has {printable(each.what)}: {printable(each.image)} makes {human_size(each.bytes)} of it again"
        for each in check.again[:_SHOWN]
    ]
    more = len(check.again) - _SHOWN
    return [*lines, f"… {more} more in --format json"] if more > 0 else lines


def _versions(versions: Sequence[str]) -> str:
    return ", ".join(versions)


def _row(name: str, totals: Totals) -> str:
    sizes = (totals.page_cache_bytes, totals.distinct_bytes, totals.duplicate_bytes)
    return f"{name:<10}" + "".join(f"{human_size(size):>12}" for size in sizes)
