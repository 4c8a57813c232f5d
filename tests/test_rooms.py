"""Data flows one way: a room imports rooms to its left alone, as its imports themselves say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import memlint

PACKAGE = Path(memlint.__file__).parent
ORDER = (
    "model",
    "errors",
    "sources",
    "layers",
    "sharing",
    "kernel",
    "dockerfile",
    "config",
    "lint",
    "planner",
    "report",
    "api",
    "cli",
)
FREE = {
    "model": set(),
    "errors": {"model"},
    "sources": {"model", "errors"},
    "dockerfile": {"model", "errors"},
    "config": {"model", "errors"},
}


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.stem in ORDER]


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The memlint modules that a file imports anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_of(path: Path) -> set[str]:
    parts = [name.split(".") for name in imported(path)]
    return {part[1] for part in parts if part[0] == "memlint" and len(part) > 1 and part[1] in ORDER}


def test_all_rooms_are_in_the_order() -> None:
    found = {path.name for path in PACKAGE.iterdir() if path.is_dir() and list(path.glob("*.py"))}
    assert found - {"api", "errors"} <= set(ORDER)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_rooms_to_its_left(path: Path) -> None:
    own = room(path)
    allowed = FREE.get(own, set(ORDER[: ORDER.index(own)]))
    assert rooms_of(path) - {own} <= allowed


def test_only_the_command_prints() -> None:
    for path in modules():
        if room(path) != "cli":
            calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
            names = {call.id for call in calls if isinstance(call, ast.Name)}
            assert not names & {"print", "input", "exit", "quit"}, path
