"""Which Dockerfile a compose file builds each of its services from."""

from __future__ import annotations

import os.path
import re
from typing import Any

import msgspec

from memlint import TYPE_CHECKING
from memlint.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>\w+)|\{(?P<name>\w+)(?:(?P<operator>:?[-+?])(?P<word>[^}]*))?\})"
)
_WANTS = ("secrets", "ssh", "entitlements", "extra_hosts", "network", "privileged", "shm_size", "ulimits")
_HINT = "docs/compare.md says what is read of a compose file"


class Service(msgspec.Struct, frozen=True):
    """A service: `names` of its image, the Dockerfile, and the stage that is its target.

    - `dockerfile`: None where the image is not built here.
    - `name`: its own; `context` and `build_args`: what its Dockerfile is built with.
    - `contexts`: more build contexts by name: directories, or what the builder knows by `NAME://`.
    - `platform`: what it is to run on, where that is said.
    - `wants`: what else the build asks for, which is not read: `secrets`, `ssh` …
    """

    names: tuple[str, ...]
    dockerfile: str | None
    target: str | None
    name: str = ""
    context: str = "."
    build_args: dict[str, str] = {}
    contexts: dict[str, str] = {}
    platform: str | None = None
    wants: tuple[str, ...] = ()


def read_compose(text: str, path: str, environment: Mapping[str, str]) -> tuple[Service, ...]:
    """The services with a `build` of a local context or an `image`. UsageError names the file that is none."""
    import yaml

    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe loaders
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise UsageError(f"{path}: is no YAML ({problem})", _HINT) from error
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        raise UsageError(f"{path}: has no services", _HINT)
    directory = os.path.dirname(path)
    project = document.get("name") or os.path.basename(os.path.abspath(directory or "."))
    return tuple(
        service
        for name, value in services.items()
        if isinstance(value, dict) and (service := _service(str(name), value, directory, str(project), environment))
    )


def read_env(text: str) -> dict[str, str]:
    """The variables of a `.env` file."""
    return dict(_assignments(text))


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        match = re.match(r"\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*\Z", line)
        if match:
            value = match[2]
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            yield match[1], value[1:-1] if quoted else re.sub(r"\s+#.*", "", value)


def _service(
    name: str, value: dict[Any, Any], directory: str, project: str, environment: Mapping[str, str]
) -> Service | None:
    build = value.get("build")
    if isinstance(build, str):
        build = {"context": build}
    image = value.get("image")
    names = (_text(image, environment),) if isinstance(image, str) else (f"{project}-{name}", f"{project}_{name}")
    if build is None and isinstance(image, str):
        return Service(names, None, None, name)
    if not isinstance(build, dict) or "dockerfile_inline" in build:
        return None
    context = _text(build.get("context", "."), environment)
    if _is_remote(context):
        return None
    dockerfile = _text(build.get("dockerfile", "Dockerfile"), environment)
    target, platform = build.get("target"), value.get("platform")
    contexts = {
        key: each if _is_remote(each) else os.path.normpath(os.path.join(directory, each))
        for key, each in _pairs(build.get("additional_contexts"), environment)
    }
    return Service(
        names,
        os.path.normpath(os.path.join(directory, context, dockerfile)),
        _text(target, environment) if target is not None else None,
        name,
        os.path.normpath(os.path.join(directory, context)),
        dict(_pairs(build.get("args"), environment)),
        contexts,
        _text(platform, environment) if platform is not None else None,
        tuple(key for key in _WANTS if build.get(key)),
    )


def _is_remote(place: str) -> bool:
    return "://" in place or place.startswith(("git@", "service:"))


def _pairs(given: object, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """In both forms; a name alone takes its value from the environment, if there is one."""
    pairs: list[tuple[str, object]] = []
    if isinstance(given, dict):
        pairs = [(str(name), value) for name, value in given.items()]
    elif isinstance(given, list):
        parted = (str(item).partition("=") for item in given)
        pairs = [(name, value if equals else None) for name, equals, value in parted]
    for name, value in pairs:
        if value is not None:
            yield name, _text(value, environment)
        elif name in environment:
            yield name, environment[name]


def _text(value: object, environment: Mapping[str, str]) -> str:
    """A value with its variables; what is not set is empty, as compose has it."""
    return _VARIABLE.sub(lambda match: _value(match, environment), str(value))


def _value(match: re.Match[str], environment: Mapping[str, str]) -> str:
    if match["escaped"]:
        return "$"
    value = environment.get(match["plain"] or match["name"])
    operator, word = match["operator"] or "", match["word"] or ""
    present = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("+"):
        return _text(word, environment) if present else ""
    return value if present and value is not None else _text(word, environment) if operator.endswith("-") else ""
