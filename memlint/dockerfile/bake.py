"""Which stages `docker buildx bake` and skaffold build as images, as far as their files say it in so many words."""

from __future__ import annotations

import os.path
import re
from typing import Any

import msgspec

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_HEAD = re.compile(r'^[ \t]*target[ \t]+"([\w-]+)"[ \t]*\{', re.MULTILINE)
_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|(?:#|//)[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|[{}]')
_ATTRIBUTE = re.compile(r'^[ \t]*(context|dockerfile(?:-inline)?|target)[ \t]*=[ \t]*(?:"([^"$%\n]*)")?', re.MULTILINE)
_LIST = re.compile(r"^[ \t]*(inherits|output)[ \t]*=[ \t]*\[([^\]]*)\]", re.MULTILINE)
_NO_IMAGE = re.compile(r"\btype=(?:cacheonly|local|tar)\b|^(?!type=)[^,]+$")
"""Outputs that are files, or nothing."""
_DEEPEST = 16
"""Targets that inherit from each other."""

Target = tuple[str, str]
"""The path of a Dockerfile, and the name of a stage."""


class _Block(msgspec.Struct, frozen=True):
    """A target of a bake file: its attributes, None where one is not a plain text; those it inherits from; outputs."""

    attributes: dict[str, str | None]
    inherits: tuple[str, ...]
    outputs: tuple[str, ...]


def read_bake(text: str, path: str) -> tuple[Target, ...]:
    """The stages that targets of a bake file make images of; what variables and functions decide is not among them."""
    blocks = dict(_json(text) if path.endswith(".json") else _hcl(text))
    directory = os.path.dirname(path)
    found = (_target(name, blocks, directory) for name in blocks)
    return tuple(target for target in found if target)


def read_skaffold(text: str, path: str) -> tuple[Target, ...]:
    """The stages that artifacts of a skaffold file are; () where it cannot be read."""
    import yaml

    try:
        documents = list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, RecursionError, ValueError):
        return ()
    artifacts = [artifact for document in documents for artifact in _artifacts(document)]
    found = (_image(artifact, os.path.dirname(path)) for artifact in artifacts)
    return tuple(target for target in found if target)


def _artifacts(document: object) -> Iterator[dict[Any, Any]]:
    build = document.get("build") if isinstance(document, dict) else None
    artifacts = build.get("artifacts") if isinstance(build, dict) else None
    yield from (each for each in (artifacts if isinstance(artifacts, list) else ()) if isinstance(each, dict))


def _image(artifact: Mapping[Any, Any], directory: str) -> Target | None:
    docker = artifact.get("docker")
    target = docker.get("target") if isinstance(docker, dict) else None
    if not isinstance(docker, dict) or not isinstance(target, str):
        return None
    context, dockerfile = str(artifact.get("context") or "."), str(docker.get("dockerfile") or "Dockerfile")
    return os.path.normpath(os.path.join(directory, context, dockerfile)), target


def _target(name: str, blocks: Mapping[str, _Block], directory: str) -> Target | None:
    chain = _inherited(name, blocks)
    attributes = {key: value for block in reversed(chain) for key, value in block.attributes.items()}
    outputs = next((block.outputs for block in chain if block.outputs), ())
    context, dockerfile = attributes.get("context", "."), attributes.get("dockerfile", "Dockerfile")
    target = attributes.get("target")
    if not target or context is None or dockerfile is None or "://" in context or "dockerfile-inline" in attributes:
        return None
    if outputs and all(_NO_IMAGE.search(each) for each in outputs):
        return None
    return os.path.normpath(os.path.join(directory, context, dockerfile)), target


def _inherited(name: str, blocks: Mapping[str, _Block]) -> Sequence[_Block]:
    """The target and those it inherits from; of these the last one named decides."""
    found: list[_Block] = []
    names = [name]
    while names and len(found) < _DEEPEST:
        block = blocks.get(names.pop(0))
        if block is not None:
            found.append(block)
            names += reversed(block.inherits)
    return found


def _hcl(text: str) -> Iterator[tuple[str, _Block]]:
    at = 0
    while head := _HEAD.search(text, at):
        body, at = _body(text, head.end())
        attributes = {match[1]: match[2] for match in _ATTRIBUTE.finditer(body)}
        lists = {match[1]: tuple(re.findall(r'"([^"\n]*)"', match[2])) for match in _LIST.finditer(body)}
        yield head[1], _Block(attributes, lists.get("inherits", ()), lists.get("output", ()))


def _body(text: str, start: int) -> tuple[str, int]:
    """What stands in a block directly, without comments and inner blocks, and where the block ends."""
    kept: list[str] = []
    depth, at = 1, start
    for token in _TOKEN.finditer(text, start):
        if depth == 1:
            kept.append(text[at : token.start()])
            if token[0].startswith('"'):
                kept.append(token[0])
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        at = token.end()
        if not depth:
            return "".join(kept), at
    return "".join(kept), len(text)


def _json(text: str) -> Iterator[tuple[str, _Block]]:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return
    targets = document.get("target") if isinstance(document, dict) else None
    for name, value in (targets if isinstance(targets, dict) else {}).items():
        if isinstance(value, dict):
            names = ("context", "dockerfile", "dockerfile-inline", "target")
            attributes = {key: _plain(value[key]) for key in names if key in value}
            yield name, _Block(attributes, _texts(value.get("inherits")), _texts(value.get("output")))


def _plain(value: object) -> str | None:
    return value if isinstance(value, str) and "${" not in value else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
