"""Whether a repaired Dockerfile still has all instructions that the repair was not about."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memlint.model.dockerfile import Dockerfile, Instruction, Span
    from memlint.model.finding import Edit


def keeps_the_rest(before: Dockerfile, after: Dockerfile, edits: Iterable[Edit]) -> bool:
    """Whether all instructions of `before` are in `after`, in their order and read alike, but for what the edits say.

    One that an edit takes out whole may be gone, or stand elsewhere; one whose text an edit takes or replaces keeps its
    keyword and its form; one into which something is inserted, as a flag, keeps its words, too.
    """
    if before.directives != after.directives:
        return False  # a comment among the first lines can become such a line, or cease to be one
    spans = sorted((edit.span for edit in edits), key=lambda span: (_start(span), _end(span)))
    starts, ends = [_start(span) for span in spans], [_end(span) for span in spans]  # edits do not overlap
    moved: list[Instruction] = []
    staying: list[tuple[Instruction, list[Span]]] = []
    for each in before.instructions:
        near = spans[bisect_left(ends, _start(each.span)) : bisect_right(starts, _end(each.span))]
        if any(_covers(span, each.span) for span in near):
            moved.append(each)
        else:
            staying.append((each, [span for span in near if _meets(span, each.span)]))
    waiting = iter(staying)
    expected = next(waiting, None)
    for each in after.instructions:
        if expected is not None and _is_kept(*expected, each):
            expected = next(waiting, None)
            continue
        place = next((number for number, other in enumerate(moved) if _same(other, each)), None)
        if place is None:
            return False
        del moved[place]
    return expected is None


def _is_kept(old: Instruction, spans: Sequence[Span], new: Instruction) -> bool:
    if not spans:
        return _same(old, new)
    if all(_start(span) == _end(span) for span in spans):
        return _form(old) == _form(new) and _texts(old) == _texts(new)
    return _form(old) == _form(new)


def _same(old: Instruction, new: Instruction) -> bool:
    return _form(old) == _form(new) and _texts(old) == _texts(new) and _flags(old) == _flags(new)


def _form(instruction: Instruction) -> tuple[str, bool]:
    return instruction.keyword, instruction.json


def _texts(instruction: Instruction) -> list[str]:
    return [*(word.text for word in instruction.words), *(heredoc.content for heredoc in instruction.heredocs)]


def _flags(instruction: Instruction) -> list[tuple[str, str]]:
    return [(flag.name, flag.value) for flag in instruction.flags]


def _covers(span: Span, other: Span) -> bool:
    return _start(span) <= _start(other) and _end(other) <= _end(span)


def _meets(span: Span, other: Span) -> bool:
    """Whether an edit is inside of it, or reaches into it; an insertion at its start or end is not."""
    return _start(span) < _end(other) and _end(span) > _start(other)


def _start(span: Span) -> tuple[int, int]:
    return span.line, span.column


def _end(span: Span) -> tuple[int, int]:
    return span.end_line, span.end_column
