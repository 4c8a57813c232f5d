"""What says where package managers get packages from: files of an image, and words of its instructions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

SETTINGS: Mapping[str, re.Pattern[str]] = {
    "deb": re.compile(r"etc/apt/(?:sources\.list|preferences)(?:\.d/.+)?"),
    "apk": re.compile(r"etc/apk/repositories(?:\.d/.+)?"),
    "rpm": re.compile(r"etc/(?:yum\.repos\.d|zypp/repos\.d|dnf/modules\.d)/.+"),
    "pypi": re.compile(
        r"etc/(?:pip\.conf|xdg/pip/.+|uv/.+)|(?:usr/local|opt/[^/]+)/pip\.conf"
        r"|(?:root|home/[^/]+)/(?:\.pip/.+|\.config/(?:pip|uv)/.+|\.netrc)"
    ),
}
"""The files, by the type of the packages."""

ADDING: Mapping[str, re.Pattern[str]] = {
    "deb": re.compile(
        r"sources\.list|/etc/apt/preferences|add-apt-repository|apt-add-repository|apt-key|extrepo|deb\.nodesource"
    ),
    "apk": re.compile(r"/etc/apk/repositories|setup-apkrepos"),
    "rpm": re.compile(
        r"yum\.repos\.d|config-manager|\bcopr\b|\bmodule\s+(?:-y\s+)?enable|\baddrepo\b|zypper\s+(?:-\S+\s+)*ar\b"
        r"|rpm\.nodesource"
    ),
    "pypi": re.compile(
        r"\b(?:PIP|UV)_(?:DEFAULT_|EXTRA_)?INDEX(?:_URL)?\b|\b(?:PIP|UV)_(?:FIND_LINKS|NO_INDEX|CONFIG_FILE)\b"
        r"|\bpip\.(?:conf|ini)\b|\buv\.toml\b|\.netrc\b"
    ),
}
"""What names sources for the installs that follow, in an instruction or a variable."""

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "deb": (),
    "apk": ("-X", "--repository", "--repositories-file", "--allow-untrusted"),
    "rpm": (
        *("--repo", "--repoid", "--repofrompath", "--enablerepo", "--enable-repo", "--from-repo", "--plus-repo"),
        *("--plus-content",),
    ),
    "pypi": (),
}
"""Options that name sources for one command, or take what no key of the image vouches for; pip's: INDEX_OPTION."""


def _mentioned(adding: re.Pattern[str], options: Iterable[str]) -> re.Pattern[str]:
    words = (rf"{each}\b" if each.startswith("--") else rf"\s{each}\s" for each in options)
    return re.compile("|".join((adding.pattern, *words)))


MENTIONED: Mapping[str, re.Pattern[str]] = {kind: _mentioned(ADDING[kind], OPTIONS[kind]) for kind in ADDING}
"""What names sources in any way."""

FILES: Mapping[str, re.Pattern[str]] = {
    "deb": re.compile(r"\.deb\b|\bdpkg\s+(?:-\S+\s+)*(?:-i|--install)\b|\bgdebi\b"),
    "apk": re.compile(r"\.apk\b"),
    "rpm": re.compile(r"\.rpm\b|\brpm\s+(?:-\S+\s+)*-\w*[iUF]"),
}
"""What installs a package from a file."""

INDEX_OPTION = re.compile(
    r"--(?:extra-index-url|index-url|index|default-index|find-links|no-index|config-file)(?==|\Z)|-[if]"
)
"""An option of pip or uv by which one install asks other indexes."""
LISTED_INDEX = re.compile(rb"^\s*(?:-i|-f|--(?:extra-)?index-url|--find-links|--no-index)\b", re.MULTILINE)
"""The line by which a list of requirements asks them."""
