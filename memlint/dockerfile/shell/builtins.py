"""What the shell's own commands do to its variables and its directory."""

from __future__ import annotations

import posixpath
import re

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell.state import DIRECTORY, EVERYTHING
from memlint.dockerfile.shell.wrappers import program

if TYPE_CHECKING:
    from collections.abc import Callable

    from memlint.dockerfile.shell.state import State
    from memlint.dockerfile.shell.values import ShellWord


_LONGEST_PATH = 4096


def _change_directory(state: State, arguments: list[ShellWord]) -> None:
    operands = [word for word in arguments if word.text not in ("-P", "-L", "-e", "-@", "--")]
    if not operands:
        target = state.get("HOME")
    elif len(operands) == 1 and operands[0].text not in ("-", ""):
        target = operands[0].text
    else:
        target = None
    state.assign("OLDPWD", state.directory)
    state.assign(DIRECTORY, join(state.directory, target))


def join(directory: str | None, target: str | None) -> str | None:
    """Where `cd target` leads from there."""
    if target is None or len(target) + len(directory or "") > _LONGEST_PATH or re.search(r"[*?\[]", target):
        return None
    if target.startswith("/"):
        return posixpath.normpath("/" + target.lstrip("/"))
    return None if directory is None else posixpath.normpath(posixpath.join(directory, target))


def _lose_directory(state: State, _: list[ShellWord]) -> None:
    state.assign(DIRECTORY, None)


def _push_directory(state: State, arguments: list[ShellWord]) -> None:
    if len(arguments) == 1 and (arguments[0].text or "+")[0] not in "+-":
        _change_directory(state, arguments)
    else:
        state.assign(DIRECTORY, None)


def _declare(state: State, arguments: list[ShellWord]) -> None:
    plain = True
    for word in arguments:
        if word.text is not None and word.text[:1] in ("-", "+"):
            plain = plain and set(word.text[1:]) <= set("xrg")
            continue
        name, equals, value = (word.text if word.text is not None else word.prefix).partition("=")
        if equals or not plain:
            append = name.endswith("+")
            state.assign(name.removesuffix("+"), value if word.text is not None and plain and not append else None)
        elif word.text is None:
            state.forget_all()


def _local(state: State, arguments: list[ShellWord]) -> None:
    _declare(state, arguments)
    state.forget(word.text for word in arguments if word.text and "=" not in word.text and word.text[0] != "-")


def _set_names(state: State, arguments: list[ShellWord]) -> None:
    """`read`, `unset` and their kin: the names among the arguments have other values now."""
    for word in arguments:
        if word.text is None:
            state.forget_all()
        elif word.text[:1] != "-":
            name = re.split(r"[^A-Za-z0-9_]", word.text, maxsplit=1)[0]
            state.forget((name, f"{name}[@]"))
    if any("a" in (word.text or "") for word in arguments if (word.text or "").startswith("-")):
        state.forget(f"{word.text}[@]" for word in arguments if word.text)


def _printf(state: State, arguments: list[ShellWord]) -> None:
    if arguments and arguments[0].text == "-v":
        _set_names(state, arguments[1:2])


def _evaluate(state: State, _: list[ShellWord]) -> None:
    state.forget((EVERYTHING, DIRECTORY))


def _source(state: State, arguments: list[ShellWord]) -> None:
    """A file that is read into the shell may set anything; of some it is known what."""
    name = program(arguments[0].text) if arguments else None
    if name in _SOURCED:
        state.forget(_SOURCED[name])
    else:
        state.forget_all()


_SOURCED = {
    "activate": ("PATH", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PS1", "PYTHONHOME"),
    "os-release": (
        *("NAME", "PRETTY_NAME", "ID", "ID_LIKE", "VERSION", "VERSION_ID", "VERSION_CODENAME", "UBUNTU_CODENAME"),
        *("DEBIAN_VERSION_FULL", "CPE_NAME", "PLATFORM_ID", "BUILD_ID", "IMAGE_ID", "IMAGE_VERSION", "VARIANT"),
        *("VARIANT_ID", "HOME_URL", "SUPPORT_URL", "BUG_REPORT_URL", "DOCUMENTATION_URL", "PRIVACY_POLICY_URL", "LOGO"),
        *("ANSI_COLOR", "SUPPORT_END", "VENDOR_NAME", "VENDOR_URL"),
    ),
}


def _set(state: State, arguments: list[ShellWord]) -> None:
    """`set -- a b` gives the positional parameters."""
    texts = [word.text for word in arguments]
    if "--" in texts:
        texts = texts[texts.index("--") + 1 :]
    elif not texts or (texts[0] or "-")[0] in "-+":
        if None in texts:
            state.assign("[@]", None)
        return
    known = [text for text in texts if text is not None and "\0" not in text]
    state.set_array("", known if len(known) == len(texts) else None)


def _shift(state: State, _: list[ShellWord]) -> None:
    state.assign("[@]", None)


DECLARING = frozenset(("export", "readonly", "declare", "typeset", "local"))
EFFECTS: dict[str, Callable[[State, list[ShellWord]], None]] = {
    "cd": _change_directory,
    "chdir": _change_directory,
    "pushd": _push_directory,
    "popd": _lose_directory,
    "export": _declare,
    "readonly": _declare,
    "declare": _declare,
    "typeset": _declare,
    "local": _local,
    "unset": _set_names,
    "read": _set_names,
    "mapfile": _set_names,
    "readarray": _set_names,
    "getopts": _set_names,
    "let": _set_names,
    "printf": _printf,
    "eval": _evaluate,
    "source": _source,
    ".": _source,
    "set": _set,
    "shift": _shift,
}
