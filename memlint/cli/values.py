"""What the values of options may be: each function reads one, and argparse says what is wrong with it."""

from __future__ import annotations

import argparse
import re

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_SIZE = r"(?i)(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\Z"


def size(text: str) -> int:
    """Bytes out of `50MB`, `1.5 GiB` or `4096`; units are decimal without an i."""
    match = re.match(_SIZE, text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 50MB, 1.5GiB or a number of bytes")
    return int(float(match[1]) * _UNITS[(match[2] or "").lower()])


def whole_number(text: str) -> int:
    """A number from 1."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def ratio(text: str) -> float:
    """`0.9` or `90%`."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no ratio between 0 and 1")
    return value


def part(text: str) -> float:
    """A ratio above 0."""
    value = ratio(text)
    if not value:
        raise argparse.ArgumentTypeError(f"{text!r} leaves nothing: give a ratio above 0, for example 0.2")
    return value


def seconds(text: str) -> float:
    """A time above 0."""
    try:
        value = float(text.removesuffix("s"))
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def image_path(text: str) -> tuple[str, str]:
    """`IMAGE=PATH`."""
    name, _, path = text.partition("=")
    if not name or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form IMAGE=PATH")
    return name, path
