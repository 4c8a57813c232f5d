"""The sentences about a measurement that text and Markdown have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from memlint.model.measure import Measurement, Store
from memlint.model.units import enumerated, percent, plural

_DIGEST = 64
"""Hex digits of a sha256."""
_NOTHING = "No container runs on this host, or none that this user may see."
_NOTHING_ASKED = (
    "Nothing that was asked for has memory: threads of the kernel and processes that are ending have none. Ask for"
    " processes of which `ps -eo pid,rss,comm` shows an RSS, or for containers that `memlint measure` lists."
)


def headline(measurement: Measurement) -> str:
    """What was looked at, and on what basis."""
    containers, plain = measurement.containers, [each for each in measurement.processes if each.container is None]
    if not containers and not plain:
        return _NOTHING_ASKED if measurement.narrowed else _NOTHING
    images = len({each.image for each in containers if each.image})
    of = f" of {plural(images, 'image')}" if images else ""
    inside = "" if plain else f", {_processes(len(measurement.processes))}"
    seen = [f"{plural(len(containers), 'container')}{of}{inside}"] if containers else []
    seen += [_processes(len(plain))] if plain else []
    return f"{' and '.join(seen)}{_stores(measurement)}.  {_basis(measurement)}"


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"


def _stores(measurement: Measurement) -> str:
    names = list(dict.fromkeys(f"{each.engine} {each.driver}" for each in measurement.stores))
    names = names if measurement.containers else []
    return f", on {', '.join(names)}" if names else ""


def _basis(measurement: Measurement) -> str:
    if measurement.totals is None:
        return "Page frames could not be seen, so what is duplicate is not known."
    if measurement.cost.sampled < 1:
        part = percent(measurement.cost.sampled)
        return f"Measured from the page frames of {part} of the processes:"
    return "Measured from page frames:"


def store(it: Store) -> str:
    """An engine's store, what it shares, and which of its options bear on that."""
    shares = {None: "memlint does not know what it shares", "container": "containers share no page"}
    what = shares.get(it.shared_by, f"files of one {it.shared_by} share pages")
    options = "".join(f", {name}={value}" for name, value in it.options.items())
    backing = f" on {it.backing}" if it.backing else ""
    return f"{it.engine} {it.driver}{backing} at {it.root}: {what}{options}"


def warnings(stores: Sequence[Store]) -> tuple[list[tuple[Store, list[str]]], list[str]]:
    """Each store with the warnings about it alone, and the warnings that several have in common, without details."""
    heads = Counter(head for it in stores for head in {_head(warning) for warning in it.warnings})
    own = [(it, [warning for warning in it.warnings if heads[_head(warning)] == 1]) for it in stores]
    return own, [f"{head} ({count} stores)" for head, count in heads.items() if count > 1]


def _head(warning: str) -> str:
    return warning.partition(":")[0]


def short(image: str) -> str:
    """An image's name, or as much of its digest as tells it apart."""
    algorithm, _, digest = image.partition(":")
    return f"{algorithm}:{digest[:12]}" if algorithm == "sha256" and len(digest) == _DIGEST else image


def unseen(measurement: Measurement) -> list[str]:
    """A line for each reason: what of it there is, and what to do about it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in measurement.unseen:
        groups.setdefault((each.reason, each.hint), []).append(each.what)
    lines = []
    for (reason, hint), what in groups.items():
        lines.append(f"{enumerated(what)}: {reason}" + (f" ({hint})" if hint else ""))
    return lines


def cost(measurement: Measurement) -> str:
    """What looking took itself."""
    it = measurement.cost
    return (
        f"Looking took {it.wall_seconds:.2f} s ({it.cpu_seconds:.2f} s of CPU): "
        f"{plural(it.mappings, 'mapping')}, {plural(it.pages, 'page')}."
    )
