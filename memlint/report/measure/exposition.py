"""Prometheus' text format 0.0.4: families of samples → lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_VALUE = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Sample(msgspec.Struct, frozen=True):
    """A value under labels: pairs of a name and any text. None is a value that is not known."""

    value: float | None
    labels: tuple[tuple[str, str], ...] = ()


class Family(msgspec.Struct, frozen=True):
    """A metric with all its samples; `help` is one line."""

    name: str
    help: str
    samples: tuple[Sample, ...]
    kind: Literal["gauge", "counter"] = "gauge"


def exposition(families: Iterable[Family]) -> str:
    """The lines. What is not known is absent, and so is a family of which nothing is known.

    No two samples of a family have the same labels: the last of them is kept.
    """
    lines: list[str] = []
    for family in families:
        known = {_labels(each.labels): each.value for each in family.samples if each.value is not None}
        if known:
            lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
            lines += [f"{family.name}{labels} {_number(value)}" for labels, value in known.items()]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    inside = ",".join(f'{name}="{_text(value)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


def _text(value: str) -> str:
    """A label's value: UTF-8, whatever the kernel said."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8").translate(_VALUE)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))
