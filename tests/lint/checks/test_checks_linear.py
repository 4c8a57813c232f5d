"""The effort of a check grows with the length of a Dockerfile, not with its square."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
from support.linting import RULES, repository

from memlint.lint.ruleset import Rule, load_check, thresholds_for

SIZES = (60, 120, 240)
MOST = 2.2
"""How many times the lines of Python twice as long a file may take."""


def lines(count: int, line: str) -> str:
    return "".join(line.replace("@", str(number)) for number in range(count))


def chain(count: int, commands: str, base: str = "debian:12") -> str:
    return f"FROM {base}\nRUN a \\\n" + lines(count, f" && {commands} \\\n") + " && b\n"


BUILT = "COPY --from=a/b:1 /bin/x"
LONG: dict[str, Callable[[int], str]] = {
    "installs in one RUN": lambda n: chain(n, "apt-get install -y a", "x:1"),
    "installs and removals in one RUN": lambda n: chain(n, "apt-get install -y a@ && apt-get purge -y a@ b@"),
    "upgrades in one RUN": lambda n: chain(n, "apt-get upgrade -y"),
    "modes of the base in one RUN": lambda n: chain(n, "chmod 755 /usr/bin/x@"),
    "copies in one RUN": lambda n: chain(n, "cp /usr/bin/a@ /opt/ && rm /opt/b@"),
    "UPX in one RUN": lambda n: chain(n, "upx /x@"),
    "UPX in a stage, and copies of it": lambda n: (
        chain(n, "upx -o /x@ /y", "a AS b") + "FROM scratch\n" + lines(n, "COPY --from=b /z@ /\n")
    ),
    "COPY and chmod": lambda n: "FROM debian:12\n" + lines(n, f"{BUILT} /usr/bin/x@\nRUN chmod 755 /usr/bin/x@\n"),
    "COPYs, then chmods": lambda n: (
        "FROM debian:12\n" + lines(n, f"{BUILT} /usr/bin/x@\n") + lines(n, "RUN chmod 755 /usr/bin/x@\n")
    ),
    "COPYs, then chowns of directories": lambda n: (
        "FROM debian:12\n" + lines(n, f"{BUILT} /a@/x\n") + lines(n, "RUN chown -R a /b@\n")
    ),
    "COPYs, then chmods by patterns": lambda n: (
        "FROM debian:12\n" + lines(n, f"{BUILT} /a/x@\n") + lines(n, "RUN chmod 755 /a/y@*\n")
    ),
    "COPYs of a long stage": lambda n: (
        "FROM debian:12 AS b\n" + lines(n, "RUN true\n") + "FROM debian:12\n" + lines(n, "COPY --from=b /x /bin/x@\n")
    ),
    "COPYs of many stages": lambda n: (
        lines(n, "FROM debian:12 AS s@\nRUN true\n") + "FROM debian:12\n" + lines(n, "COPY --from=s@ /a /b\n")
    ),
    "programs made, then chmods": lambda n: (
        "FROM debian:12\n" + lines(n, "RUN curl -o /bin/x@ https://a.example/x\n") + lines(n, "RUN chmod 1 /bin/y@\n")
    ),
    "pip, then chowns": lambda n: (
        "FROM python:3\n" + lines(n, "RUN pip install numpy\n") + lines(n, "RUN chown -R a /usr/local\n")
    ),
    "ARGs, then installs": lambda n: (
        "FROM debian:12\n" + lines(n, "ARG GIT_SHA@\n") + lines(n, "RUN apt-get install -y a\n")
    ),
    "ARGs in ENVs, then RUNs": lambda n: (
        "FROM debian:12\n" + lines(n, "ARG GIT_SHA@\nENV A@=$GIT_SHA@\n") + lines(n, "RUN echo $A@\n")
    ),
    "contexts, then installs": lambda n: (
        "FROM debian:12\nWORKDIR /srv\n" + lines(n, "COPY . .\n") + lines(n, "RUN apt-get install -y a\n")
    ),
    "contexts that installs need": lambda n: (
        "FROM debian:12\n" + lines(n, "COPY . /etc/apt\n") + lines(n, "RUN apt-get install -y a\n")
    ),
    "COPYs, and scripts that a start calls": lambda n: (
        "FROM debian:12\nWORKDIR /a\n" + lines(n, "COPY f@ d@/\n") + "CMD " + lines(n, "./s@.sh x ; ") + "true\n"
    ),
    "COPYs, and a start that calls one script": lambda n: (
        "FROM debian:12\n" + lines(n, "COPY f@ /d@/\n") + "COPY s.sh /bin/\nCMD " + lines(n, "s.sh x ; ") + "true\n"
    ),
    "volumes, and a start that gives away directories": lambda n: (
        "FROM debian:12\n" + lines(n, "VOLUME /v@\n") + "CMD " + lines(n, "chown -R a /w@ ; ") + "true\n"
    ),
    "lists installed, and again at the start": lambda n: (
        "FROM debian:12\n" + lines(n, "RUN pip install -r l@\n") + "CMD " + lines(n, "pip install -r m@ ; ") + "true\n"
    ),
    "projects installed, and others at the start": lambda n: (
        "FROM debian:12\nCOPY . /a\nWORKDIR /a\n" + lines(n, "RUN npm ci\n") + "CMD " + lines(n, "yarn ; ") + "true\n"
    ),
    "systems copied": lambda n: (
        "FROM debian:12 AS b\n" + lines(n, "RUN true\n") + "FROM scratch\n" + lines(n, "COPY --from=b /usr /usr\n")
    ),
}
CHECKS = (
    *("base-copied-up", "own-file-copied-up", "copied-library", "upx", "upgrade", "copy-above-install"),
    *("build-argument-above-install", "flattened-base", "start-copies-up"),
)


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many lines of memlint run."""
    count = [0]

    def entered(frame: FrameType, event: str, argument: object) -> Any:
        return ran if "memlint" in frame.f_code.co_filename else None

    def ran(frame: FrameType, event: str, argument: object) -> Any:
        count[0] += event == "line"
        return ran

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        yield count
    finally:
        sys.settrace(before)


def effort(text: str) -> int:
    """The lines of Python that the checks of one file take, all that they ask for included."""
    files = repository({"Dockerfile": text})
    dockerfile = files.dockerfile("Dockerfile")
    chosen = [rule for rule in RULES if rule.name in CHECKS]
    assert len(chosen) == len(CHECKS)
    checks = ready(chosen)
    with counted() as count:
        for check, given in checks:
            list(check(dockerfile, files, **given))
    return count[0]


def effort_across(text: str) -> int:
    """The lines of Python that the checks of a repository take for two images that are built alike."""
    files = repository({"a/Dockerfile": text, "b/Dockerfile": text})
    checks = ready([rule for rule in RULES if rule.scope == "repository" and rule.check])
    with counted() as count:
        for check, given in checks:
            list(check(files, **given))
    return count[0]


def ready(rules: Sequence[Rule]) -> list[tuple[Any, dict[str, Any]]]:
    checks = [load_check(rule, rule.id) for rule in rules]
    return [(check, thresholds_for(check, rule.thresholds, rule.id)) for check, rule in zip(checks, rules, strict=True)]


@pytest.mark.parametrize("make", LONG.values(), ids=LONG)
def test_twice_the_length_takes_twice_the_effort(make: Callable[[int], str]) -> None:
    small, middle, large = (effort(make(size)) for size in SIZES)
    assert middle < MOST * small
    assert large < MOST * middle


ALIKE: dict[str, Callable[[int], str]] = {
    "installs": lambda n: "FROM debian:12\n" + lines(n, "RUN apt-get install -y libpq5 x@\n"),
    "installs by ONBUILD": lambda n: (
        "FROM debian:12 AS a\n" + lines(n, "ONBUILD RUN apt-get install -y libpq5 x@\n") + "FROM a\nRUN true\n"
    ),
    "variables, and an install": lambda n: (
        "FROM debian:12\n" + lines(n, "ENV A@=$B@\n") + "RUN apt-get install -y libpq5\n"
    ),
    "copies of programs": lambda n: "FROM debian:12\n" + lines(n, f"{BUILT}@ /usr/bin/x@\n"),
    "stages": lambda n: (
        "FROM debian:12 AS s\n"
        + lines(n, "RUN apt-get install -y x@\n")
        + "FROM debian:12\n"
        + lines(n, "COPY --from=s /usr/lib/x@ /opt/\n")
    ),
}


@pytest.mark.parametrize("make", ALIKE.values(), ids=ALIKE)
def test_twice_the_length_of_two_images_takes_twice_the_effort(make: Callable[[int], str]) -> None:
    small, large = (effort_across(make(size)) for size in (480, 960))
    assert large < 2.1 * small
