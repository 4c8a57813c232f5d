"""Packages of a distribution's manager that come from elsewhere than the original base gets its own from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from memlint.dockerfile.installs import Install
from memlint.lint.facts import Step
from memlint.model.ecosystems import DISTRIBUTION
from memlint.planner.repositories import ADDING, FILES, OPTIONS

_TOUCHING = re.compile(
    r"/etc/(?:apt|apk|yum|dnf|zypp)\b|/usr/share/keyrings|--add-architecture|\brpm\s+-|\|\s*(?:sudo\s+)?(?:-\w+\s+)*(?:ba|da)?sh\b"
)
"""What may bring keys, settings or another architecture, or is a script that may do anything."""
_TOUCHES = (_TOUCHING, *(pattern for kind in DISTRIBUTION for pattern in (ADDING[kind], FILES[kind])))
_ASKED = frozenset(
    "-t --target-release --default-release -o --option -c --config-file --from --root --installroot".split()
).union(*(OPTIONS[kind] for kind in DISTRIBUTION))
"""Options that say where packages are to come from or to go to."""


def foreign_installs(steps: Sequence[Step]) -> Iterator[Install]:
    """The installs that may take some packages from sources which a planned base does not have."""
    touched = False
    for step in steps:
        instruction = step.instruction
        text = "\n".join([instruction.value, *(heredoc.content for heredoc in instruction.heredocs)])
        touched = touched or (instruction.keyword in ("RUN", "COPY", "ADD") and _touches(text))
        for install in step.installs:
            if any(package.ecosystem in DISTRIBUTION for package in install.packages) and (touched or _asks(install)):
                yield install


def _touches(text: str) -> bool:
    return any(pattern.search(text) for pattern in _TOUCHES)


def _asks(install: Install) -> bool:
    names = {option.partition("=")[0] for option in install.options}
    return bool(names & _ASKED) or any(":" in package.name for package in install.packages)
