"""Where pip, uv, npm and gem put packages, as far as a RUN tells."""

from __future__ import annotations

import re
from itertools import pairwise

from memlint import TYPE_CHECKING
from memlint.lint.paths import join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memlint.dockerfile.installs import Install
    from memlint.dockerfile.shell import Command
    from memlint.lint.runtimes import Runtime

_ELSEWHERE = ("--user", "--root", "--python", "-p")
_GLOBAL = ("-g", "--global", "--location=global")


def site_of(install: Install, command: Command, runtime: Runtime | None) -> str | None:
    """The directory that the packages of an install are put into; None where it is not known.

    `runtime` is that of the base, `command` what installs. The version of Python is left out of the path.
    """
    if install.ecosystem == "pypi":
        return _of_python(install, command, runtime)
    if install.manager == "npm":
        return _of_node(install, runtime)
    if install.manager == "gem":
        named = _value(install.options, ("--install-dir", "-i"))
        return join(install.directory, named) if named else "/usr/local/bundle" if _brings(runtime, "ruby") else None
    return None


def _of_python(install: Install, command: Command, runtime: Runtime | None) -> str | None:
    options = install.options
    target = _value(options, ("--target", "-t"))
    if target:
        return join(install.directory, target)
    prefix = _value(options, ("--prefix",))
    if prefix:
        return join(install.directory, f"{prefix}/lib/python/site-packages")
    if any(option.partition("=")[0] in _ELSEWHERE for option in options):
        return None
    if (install.manager == "uv" and "--system" not in options) or runtime is None or not _brings(runtime, "python3"):
        return None
    root = runtime.roots[0]
    program = command.words[command.program].text if command.program is not None else None
    return f"{root}/lib/python/site-packages" if re.fullmatch(rf"({root}/bin/)?[\w.]+", program or "") else None


def _of_node(install: Install, runtime: Runtime | None) -> str | None:
    if any(option in _GLOBAL for option in install.options):
        return f"{runtime.roots[0]}/lib/node_modules" if runtime and _brings(runtime, "node") else None
    return join(install.directory, f"{_value(install.options, ('--prefix', '-C')) or '.'}/node_modules")


def _brings(runtime: Runtime | None, program: str) -> bool:
    return runtime is not None and program in runtime.programs


def _value(options: Sequence[str], names: Sequence[str]) -> str | None:
    """The value of an option: the next word, or what follows its letter or its `=`."""
    for option, following in pairwise((*options, "")):
        for name in names:
            if option == name:
                return following
            if option.startswith(f"{name}=" if name.startswith("--") else name):
                return option.removeprefix(name).removeprefix("=")
    return None
