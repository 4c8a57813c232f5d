"""Packages of a distribution's manager that come from elsewhere than the original base gets its own from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from memlint.dockerfile.installs import Install
from memlint.lint.facts import Step
from memlint.model.ecosystems import DISTRIBUTION

_SOURCES = re.compile(
    r"/etc/(?:apt|apk|yum|dnf|zypp)\b|/usr/share/keyrings|add-apt-repository|apt-key|--add-architecture|config-manager"
    r"|addrepo|\brpm\s+-|\bdpkg\s+(?:-i|--install)|\.(?:deb|rpm|apk)\b|\|\s*(?:sudo\s+)?(?:-\w+\s+)*(?:ba|da)?sh\b"
)
"""What may bring a repository, a key, another architecture, or a script that does."""
_ASKED = frozenset(
    "-t --target-release --default-release -o --option -c --config-file -X --repository --repositories-file"
    " --allow-untrusted --repo --repoid --repofrompath --enablerepo --from --plus-repo --root --installroot".split()
)
"""Options that say where packages are to come from or to go to."""


def foreign_installs(steps: Sequence[Step]) -> Iterator[Install]:
    """The installs that may take some packages from sources which a planned base does not have."""
    touched = False
    for step in steps:
        instruction = step.instruction
        text = "\n".join([instruction.value, *(heredoc.content for heredoc in instruction.heredocs)])
        touched = touched or (instruction.keyword in ("RUN", "COPY", "ADD") and _SOURCES.search(text) is not None)
        for install in step.installs:
            if any(package.ecosystem in DISTRIBUTION for package in install.packages) and (touched or _asks(install)):
                yield install


def _asks(install: Install) -> bool:
    names = {option.partition("=")[0] for option in install.options}
    return bool(names & _ASKED) or any(":" in package.name for package in install.packages)
