"""The order within a base: steps, each an instruction or a few, from what is stable up to what changes often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from memlint.model.plan import PlannedStep
from memlint.planner.atoms import Case, Piece
from memlint.planner.problem import members
from memlint.planner.stability import UNSEEN, Life, Lives, told


class Order(msgspec.Struct, frozen=True, eq=False):
    """Of each atom that a base places the step, counted from the lowest, and what was seen of it."""

    steps: tuple[PlannedStep, ...]
    step_of: Mapping[int, int]
    lives: Mapping[int, Life]


def ordered(case: Case, own: int, below: int, lives: Lives, least: int) -> Order:
    """The order of a base's own atoms, which stands on those `below`. Steps part where what lies under them weighs
    `least` at least: that much stays one with the base before, whenever something above changes."""
    placed = {at: _life(case.pieces[at], lives) for at in members(own) if _is_placed(case.pieces[at])}
    levels = _levels(case, placed, below)
    by_level: defaultdict[int, list[int]] = defaultdict(list)
    for at, level in levels.items():
        by_level[level].append(at)
    weights = _weights(case, own)
    step_of: dict[int, int] = {}
    steps: list[PlannedStep] = []
    inside: list[int] = []
    for level in sorted(by_level):
        inside += by_level[level]
        weight = sum(weights.get(at, 0) for at in inside)
        if weight < max(least, 1) and level != max(by_level):
            continue
        step_of.update(dict.fromkeys(inside, len(steps)))
        steps.append(PlannedStep(_why(case, level, inside, placed, levels), weight))
        inside = []
    return Order(tuple(steps), step_of, placed)


def _is_placed(piece: Piece) -> bool:
    """Packages are installed, and files of none are copied; files of a package come with it."""
    return piece.itself is not None or piece.package is None


def _life(piece: Piece, lives: Lives) -> Life:
    if piece.itself is not None:
        return lives((piece.itself.package.type, piece.itself.package.name))
    return max((lives(("", path)) for path, _ in piece.files), key=lambda life: life.changes, default=UNSEEN)


def _levels(case: Case, placed: Mapping[int, Life], below: int) -> dict[int, int]:
    """The level of each atom: its own, but no lower than what it needs beside it."""
    levels = {at: life.level for at, life in placed.items()}
    changed = True
    while changed:
        changed = False
        for at in levels:
            for choice in case.problem.atoms[at].needs:
                beside = [levels[other] for other in choice if other in levels]
                met = any(below >> other & 1 for other in choice)
                if beside and not met and min(beside) > levels[at]:
                    levels[at], changed = min(beside), True
    return levels


def _weights(case: Case, own: int) -> Mapping[int, int]:
    """What the files of each package weigh, by the atom that is the package; files of none weigh for themselves."""
    found: defaultdict[int, int] = defaultdict(int)
    package_at = {piece.itself.package: at for at, piece in enumerate(case.pieces) if piece.itself is not None}
    for at in members(own):
        package = case.pieces[at].package
        found[at if package is None else package_at[package]] += case.problem.atoms[at].weight
    return found


def _why(case: Case, level: int, inside: list[int], placed: Mapping[int, Life], levels: Mapping[int, int]) -> str:
    named = [(name, placed[at]) for at in inside if placed[at].changes for name in _names(case.pieces[at])]
    why = told(level, sorted(named, key=lambda each: (-each[1].changes, each[0])))
    forced = sorted(name for at in inside if placed[at].level < levels[at] for name in _names(case.pieces[at]))
    return f"{why}; {', '.join(forced)} need that" if forced else why


def _names(piece: Piece) -> Iterator[str]:
    if piece.itself is not None:
        yield piece.itself.package.name
    else:
        yield f"/{piece.directory}"
