"""Lists of packages that Dockerfiles name, and that ask other indexes than pip does by itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from posixpath import basename

from memlint.planner.repositories import LISTED_INDEX
from memlint.planner.write.service import Service

_MOST = 1 << 20
"""Bytes of a list that are read."""


def listed(services: Iterable[Service], directory: str) -> Mapping[str, str]:
    """Image → such a list, as far as its build context, seen from the plan's `directory`, has it."""
    found = {}
    for service in services:
        # the plan's directory need not be there yet
        context = os.path.normpath(os.path.join(os.path.realpath(directory), service.context))
        for name in _lists(service):
            places = (os.path.normpath(place) for place in _places(service, name))
            if any(_asks(os.path.join(context, place)) for place in places if not place.startswith("..")):
                found[service.ref] = name
    return found


def _lists(service: Service) -> Iterator[str]:
    for step in service.origin.steps:
        for install in step.installs:
            if install.ecosystem == "pypi":
                yield from install.files


def _places(service: Service, name: str) -> Iterator[str]:
    """Where in the context the list may lie: by its own path or name, or where a COPY takes one of that name."""
    yield name.lstrip("/")
    yield basename(name)
    for step in service.origin.steps:
        if step.instruction.keyword in ("COPY", "ADD"):
            yield from (
                word.text.lstrip("/") for word in step.instruction.words[:-1] if basename(word.text) == basename(name)
            )


def _asks(path: str) -> bool:
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return LISTED_INDEX.search(file.read(_MOST)) is not None
    except (OSError, ValueError):
        return False  # what cannot be read says nothing
