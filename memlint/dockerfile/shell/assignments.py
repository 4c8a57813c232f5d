"""What `name=value`, `name+=value`, `name[i]=value` and `name=(…)` do to the variables of a shell script."""

from __future__ import annotations

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from memlint.dockerfile.shell.nodes import Assignment, WordNode
    from memlint.dockerfile.shell.state import State


def value_of(state: State, node: Assignment, script: str) -> str | None:
    """The text that is assigned; None when it is not known, and for an array."""
    if node.array is not None or _has_tilde(script[node.value.start : node.value.end]):
        return None
    return state.text(node.value.parts)


def _has_tilde(raw: str) -> bool:
    return raw.startswith("~") or ":~" in raw


def assign(state: State, node: Assignment, text: str | None) -> None:
    """Give the variable its value, which is `text` unless it is an array."""
    name = node.name
    if node.element:
        state.forget((name, f"{name}[@]"))
    elif node.array is not None:
        _assign_array(state, node, node.array)
    else:
        if f"{name}[@]" in state.values:
            state.assign(f"{name}[@]", None)
        if node.append:
            old = state.get(name)
            text = None if old is None or text is None else old + text
        state.assign(name, text)


def _assign_array(state: State, node: Assignment, words: tuple[WordNode, ...]) -> None:
    old: list[str] | None = []
    if node.append:
        value = state.get(f"{node.name}[@]")
        old = None if value is None else value.split("\0")[1:]
    for word in words:
        fields = state.fields(word)
        if fields is None or old is None or any(field.startswith("[") or "\0" in field for field in fields):
            old = None
            break
        old += fields
    state.assign(node.name, old[0] if old else None)
    state.set_array(node.name, old)
