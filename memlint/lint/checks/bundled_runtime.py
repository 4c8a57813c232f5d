"""A build puts a runtime of its own into the program."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.lint.image import reaching
from memlint.model.finding import Hit, Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.shell import Command
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile

_DOTNET_OFF = re.compile(r"--self-contained[=:]false|--no-self-contained|[-/]p:SelfContained=false", re.IGNORECASE)
_DOTNET_ON = re.compile(r"--self-contained(?:[=:]true)?|--sc|[-/]p:SelfContained=true", re.IGNORECASE)
_DOTNET_NATIVE = re.compile(r"[-/]p:PublishAot=true", re.IGNORECASE)
_NODE_PROJECT = re.compile(r"\.|.*\.[cm]?js|.*package\.json")
_QUESTIONS = frozenset(("--version", "-v", "--help", "-h", "--list-plugins"))


def bundled_runtime(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """Each bundling, in the image and in the stages from which something is copied into it."""
    for stage in reaching(dockerfile, repository):
        for step in stage.steps:
            seen: set[tuple[str, str]] = set()
            for placed in step.commands or () if step.instruction.keyword == "RUN" else ():
                found = _bundled(placed.command)
                if found is not None and found not in seen:
                    seen.add(found)
                    command, runtime = found
                    yield Hit(
                        location=Location(dockerfile.path, placed.span),
                        evidence={"command": command, "runtime": runtime},
                    )


def _bundled(command: Command) -> tuple[str, str] | None:
    name, texts = command.name or "", [word.text for word in command.arguments]
    if re.fullmatch(r"python[\d.]*", name) and texts[:1] == ["-m"] and len(texts) > 1:
        name, texts = (texts[1] or "").lower(), texts[2:]
    if name in ("uv", "poetry", "pipenv", "pdm") and texts[:1] == ["run"] and len(texts) > 1:
        name, texts = texts[1] or "", texts[2:]
    if name in ("npx", "bunx") and texts:
        name, texts = texts[0] or "", texts[1:]
    if not texts or any(text in _QUESTIONS for text in texts):
        return None
    known = [text for text in texts if text]
    if name == "dotnet" and known[:1] == ["publish"]:
        return ("dotnet publish --self-contained", "the .NET runtime") if _self_contained(texts) else None
    if name == "jlink" and any(text.startswith("--output") for text in known):
        return "jlink", "the Java runtime"
    if name in ("pyinstaller", "nuitka", "nuitka3") and any(text.endswith((".py", ".spec")) for text in known):
        bundles = name == "pyinstaller" or any(text in ("--standalone", "--onefile") for text in known)
        return (name, "the Python interpreter and its libraries") if bundles else None
    if name in ("pkg", "@yao-pkg/pkg", "nexe") and any(_NODE_PROJECT.fullmatch(text) for text in known):
        return name, "Node.js"
    if name in ("deno", "bun") and known[0] == ("compile" if name == "deno" else "build"):
        return (f"{name} {known[0]}", name.capitalize()) if name == "deno" or "--compile" in known else None
    return None


def _self_contained(texts: Sequence[str | None]) -> bool:
    """Whether dotnet publish is told so: not where a variable might tell otherwise."""
    if None in texts or any(text and (_DOTNET_OFF.fullmatch(text) or _DOTNET_NATIVE.fullmatch(text)) for text in texts):
        return False
    for index, text in enumerate(texts):
        if text and _DOTNET_ON.fullmatch(text):
            return (texts[index + 1] if index + 1 < len(texts) else "") != "false"
    return False
