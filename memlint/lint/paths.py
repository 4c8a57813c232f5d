"""What a path inside an image tells of the file there: a program or library, a script, mere data."""

from __future__ import annotations

import re
from posixpath import basename, dirname, normpath

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM_DIRECTORIES = frozenset(("bin", "sbin", "libexec"))
_SYSTEM = (
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec"),
)
_MULTIARCH = frozenset(f"{usr}lib/{cpu}-linux-gnu" for usr in ("/", "/usr/") for cpu in ("x86_64", "aarch64"))
_LIBRARY_ENDINGS = (".so", ".node", ".jsa", ".pyd")
_PROGRAM_ENDINGS = frozenset(("exe", "bin", "node", "so"))
_SCRIPTS = frozenset(
    (
        *("activate", "configure", "entrypoint", "gradlew", "healthcheck", "init", "install", "mvnw", "permissions"),
        *("run", "setup", "start", "startup", "wait"),
    )
)
"""Parts of names that scripts have."""
_KNOWN_SCRIPTS = frozenset(
    (
        *("acme", "bundle", "certbot-auto", "composer", "drush", "gem", "gradle", "kubectx", "kubens", "lein", "mvn"),
        *("npm", "npx", "nvm", "phpunit", "pip", "pip3", "pnpm", "rails", "sbt", "speedtest-cli", "tfenv", "wg-quick"),
        *("wp", "yarn", "yarnpkg", "youtube-dl", "yt-dlp"),
    )
)
"""Programs that come as a script or as an archive of scripts, whatever their names look like."""
_DATA = frozenset(
    (
        *("assets", "cache", "certs", "conf", "conf.d", "config", "data", "dist", "doc", "docs", "etc", "fonts"),
        *("htdocs", "html", "include", "licenses", "log", "logs", "man", "media", "migrations", "node_modules"),
        *("plugins", "public", "share", "ssl", "static", "temp", "templates", "tmp", "webapps", "work", "www"),
    )
)
"""Directories that hold no programs; of what npm installs only little is native."""
_DEEPEST = 64


def join(directory: str | None, path: str) -> str | None:
    """The absolute, normalised form of `path`; None where the directory is not known."""
    if path.startswith("/"):
        return "/" + normpath(path).lstrip("/")
    return None if directory is None else "/" + normpath(f"{directory}/{path}").lstrip("/")


def is_below(path: str, directory: str) -> bool:
    """Whether a path is that directory or lies in it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def directories(path: str) -> Iterator[str]:
    """A path, and the directories that it lies in, from the next one up; no more than anybody has."""
    yield path
    for _ in range(_DEEPEST):
        if path in ("/", ""):
            return
        path = dirname(path)
        yield path


def is_library(path: str) -> bool:
    """A shared library, a native module or a class archive, by its name."""
    name = basename(path)
    return name.endswith(_LIBRARY_ENDINGS) or ".so." in name


def is_program(path: str) -> bool:
    """A library, or a program in a directory of programs: by its name neither a script nor data."""
    return is_library(path) or (basename(dirname(path)) in _PROGRAM_DIRECTORIES and looks_binary(path))


def looks_binary(path: str) -> bool:
    """A name that programs have: no ending of a script, of data or of an archive, and no usual name of a script."""
    name = basename(path).lower()
    stem, dot, ending = name.rpartition(".")
    if dot and stem and not ending.isdigit() and ending not in _PROGRAM_ENDINGS:
        return False  # python3.11 is a program
    if not name or "*" in name or name in _KNOWN_SCRIPTS:
        return False
    return _SCRIPTS.isdisjoint(re.split(r"[-_.]", name))


def is_system_file(path: str) -> bool:
    """A file where the base and the packages of its distribution put programs and libraries."""
    return any(is_below(path, top) for top in _SYSTEM)


def holds_system_programs(directory: str) -> bool:
    """A directory that holds programs or libraries in any base: `/`, `/usr`, `/usr/bin`, `/lib`, …"""
    return directory in ("/", "/usr") or directory in _SYSTEM or directory in _MULTIARCH


def is_data(path: str) -> bool:
    """A path through a directory that by its name holds no programs."""
    return any(part in _DATA for part in path.split("/"))
