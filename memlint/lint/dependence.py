"""What RUNs need of the files that a COPY above them put into the image, or do to them."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.lint.installing import READ_BY_MANAGERS
from memlint.lint.paths import is_below, join
from memlint.lint.reached import files_named_by, meets, reached, redirected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.lint.facts import Step
    from memlint.lint.image import Copy

_PREPARES = frozenset(
    (
        *("addgroup", "adduser", "apk", "apt", "apt-get", "dnf", "echo", "groupadd", "microdnf", "mkdir", "rm", "set"),
        *("update-ca-certificates", "useradd", "yum", "zypper"),
    )
)
"""Commands that read and write nothing of the build context when their words name no path of it."""
_NO_LAYER = frozenset(("ENV", "ARG", "LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "STOPSIGNAL"))
_OF_THE_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/media", "/mnt", "/proc", "/run", "/sbin", "/sys"),
    *("/usr", "/var"),
)
"""Where packages put files, and programs look for them."""
_SOUGHT_BY = (
    "PATH",
    "HOME",
    "ENV",
    "BASH_ENV",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "APT_CONFIG",
    "GNUPGHOME",
    "SSL_CERT_FILE",
)
"""Variables that tell programs where to look."""
_REGISTERS = frozenset(("add-apt-repository", "apt-key", "gpg", "rpm", "rpmkeys", "trust"))
"""These tell package managers of a source or a key."""
_LOOKS_IN = frozenset(("-f", "--find-links", "--no-index"))
"""Options of pip and uv with which packages come from a directory."""


def is_independent(step: Step, copy: Copy) -> bool:
    """Whether an image is the same with the copy after the step as with the copy before it, as far as words tell."""
    keyword = step.instruction.keyword
    if copy.target is None or not _is_own(copy.target):
        return False
    if keyword in _NO_LAYER:
        return keyword not in ("ENV", "ARG") or "$" not in _written(copy)
    if keyword != "RUN" or not all(prepares(placed.command.name) for placed in step.commands or ()):
        return False
    paths = reached(step)
    if paths is None or any(meets(path, copy.target) for path in paths):
        return False
    return not any(_is_sought(name, step, copy.target) for name in _SOUGHT_BY)


def needing_nothing(
    runs: Iterable[tuple[Step, Sequence[Install]]], target: str | None
) -> Iterator[tuple[Step, Install]]:
    """Of the installs of RUNs below a copy to `target`, those that do not evidently need what it copies.

    One needs it whose words name it, and so do all after a command that gives some of it to package managers.
    """
    if target is not None and target.startswith(READ_BY_MANAGERS):
        return
    for step, installs in runs:
        counted = {(install.span.line, install.span.column): install for install in installs}
        if target is not None and _redirects_to_managers(step, target):
            return
        for placed in step.commands or ():
            install = counted.get((placed.span.line, placed.span.column)) if counted else None
            paths = list(files_named_by(placed.command, step))
            named = target is not None and any(is_below(path, target) for path in paths)
            if install is not None and not _names_more_than_lists(install, paths, target):
                yield step, install
            elif named and (placed.command.name in _REGISTERS or any(map(_is_read_by_managers, paths))):
                return


def is_in_the_way(step: Step, installs: Sequence[Install], copy: Copy) -> bool:
    """Whether a RUN that stands between the copy and an install, or is that install, is known to need the copy."""
    if step.instruction.keyword != "RUN":
        return False
    if not installs:
        return not is_independent(step, copy)
    lists = {join(install.directory, file) for install in installs for file in install.files}
    return copy.target is not None and any(
        is_below(path, copy.target) and path not in lists for path in reached(step) or ()
    )


def _is_own(directory: str) -> bool:
    """Whether packages put nothing there, and programs look for nothing there."""
    if directory in ("/", "/home", "/opt"):
        return False
    return not any(is_below(directory, top) for top in _OF_THE_SYSTEM) or directory.startswith("/usr/src/")


def prepares(name: str | None) -> bool:
    """Whether a command of that name does what its words say, whatever else is there."""
    return name is not None and name in _PREPARES


def _written(copy: Copy) -> str:
    return copy.instruction.value + "".join(flag.value for flag in copy.instruction.flags)


def _is_sought(variable: str, step: Step, target: str) -> bool:
    """Whether a variable that the Dockerfile sets may have programs look into the target."""
    if variable not in step.environment:
        return False
    value = step.environment[variable]
    return value is None or any(is_below(part, target) for part in value.split(":"))


def _names_more_than_lists(install: Install, paths: Iterable[str], target: str | None) -> bool:
    """Whether an install names files of the target other than its lists of packages."""
    if not _LOOKS_IN.isdisjoint(option.partition("=")[0] for option in install.options if install.ecosystem == "pypi"):
        return True
    lists = {join(install.directory, file) for file in install.files}
    return target is not None and any(is_below(path, target) and path not in lists for path in paths)


def _redirects_to_managers(step: Step, target: str) -> bool:
    """Whether a RUN redirects to what package managers read, and names some of the target."""
    if not any(path is not None and _is_read_by_managers(path) for path in redirected(step)):
        return False
    return any(is_below(path, target) for path in reached(step) or ())


def _is_read_by_managers(path: str) -> bool:
    return path.startswith(READ_BY_MANAGERS)
