"""The instructions of an image that rewrite files of lower layers: which of them change nothing and can go.

A chmod or chown copies up each file that it is called for, also when the file is already so. Whether it was is seen in
the layers themselves: an entry that equals the one below in mode, owner and extended attributes was not changed, and
these commands change nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from memlint.dockerfile.shell import Command
from memlint.layers.attributes import Attributes
from memlint.lint.facts import Step, facts_of
from memlint.lint.places import Origin, makers_of
from memlint.model.digest import DiffID, chain_ids
from memlint.model.dockerfile import Instruction
from memlint.model.image import Image, Layer
from memlint.model.layer import LayerIndex, MappedFile
from memlint.sharing.view import EMPTY, Visible, stack

_ATTRIBUTES = frozenset({"chmod", "chown", "chgrp"})
_NOTHING = frozenset({"true", ":", "set", "cd"})
_ELSE = (">", "<", "$(", "`")

Reader = Callable[[Layer], "Mapping[str, Attributes] | None"]


class Rewriting(msgspec.Struct, frozen=True, eq=False):
    """An instruction that copies files up, of which `copied_bytes` are mapped.

    - `removable`: it changes nothing; `why` says how that is known, or why it stays.
    - `paths`: the mapped files.
    """

    image: str
    layer: int
    instruction: Instruction | None
    removable: bool
    why: str
    copied_bytes: int
    paths: frozenset[str]

    @property
    def text(self) -> str:
        """The instruction on one line."""
        return one_line(self.instruction) if self.instruction else "an instruction that is not known"


def rewritings_of(
    image: Image, origin: Origin | None, indexes: Mapping[DiffID, LayerIndex], read: Reader
) -> tuple[Rewriting, ...]:
    """Those of one image, from the bottom up."""
    copied = dict(_copied(image, indexes))
    if not copied:
        return ()
    makers = makers_of([layer.created_by for layer in image.layers], origin) if origin else {}
    steps = steps_of(origin) if origin else ()
    found = []
    for number, files in copied.items():
        step = next((step for step in steps if step.instruction is makers.get(number)), None)
        removable, why = _judged(image, number, step, indexes, read)
        price = sum({file.link: file.mappable_bytes for file in files.values()}.values())
        instruction = step.instruction if step else None
        found.append(Rewriting(image.ref, number, instruction, removable, why, price, frozenset(files)))
    return tuple(found)


def without_removable(image: Image, rewritings: Sequence[Rewriting]) -> Image:
    """The image as it is once the instructions that change nothing are gone."""
    gone = {each.layer for each in rewritings if each.removable and each.image == image.ref}
    if not gone:
        return image
    layers = [layer for number, layer in enumerate(image.layers) if number not in gone]
    chain = chain_ids([layer.diff_id for layer in layers])
    left = (msgspec.structs.replace(layer, chain_id=each) for layer, each in zip(layers, chain, strict=True))
    return msgspec.structs.replace(image, layers=tuple(left))


def steps_of(origin: Origin) -> tuple[Step, ...]:
    """The steps whose layers the image has, the lowest first."""
    facts = facts_of(origin.dockerfile)
    return tuple(step for stage in facts.stages[origin.stage.index].lineage for step in stage.steps)


def one_line(instruction: Instruction) -> str:
    """An instruction for a sentence."""
    flags = " ".join(f"--{flag.name}={flag.value}" if flag.value else f"--{flag.name}" for flag in instruction.flags)
    text = " ".join(f"{instruction.keyword} {flags} {instruction.value}".split())
    return text if len(text) <= 80 else f"{text[:79]}…"


def _copied(image: Image, indexes: Mapping[DiffID, LayerIndex]) -> Iterator[tuple[int, dict[str, MappedFile]]]:
    """Layer → its mapped files that are the ones below it once more."""
    view = EMPTY
    for number, layer in enumerate(image.layers):
        index = indexes[layer.diff_id]
        view = stack(view, index, number, layer.chain_id)
        nodes = ((file.path, view.nodes.get(file.path)) for file in index.files)
        files = {path: node.file for path, node in nodes if isinstance(node, Visible) and node.origin is not None}
        if files:
            yield number, files


def _judged(
    image: Image, number: int, step: Step | None, indexes: Mapping[DiffID, LayerIndex], read: Reader
) -> tuple[bool, str]:
    """Whether the layer changes nothing, and a reason."""
    if step is None:
        return False, "which instruction made the layer is not known"
    if not _only_attributes(step):
        return False, "the instruction does more than set modes and owners"
    index = indexes[image.layers[number].diff_id]
    if index.whiteouts or index.opaque:
        return False, "the layer removes files"
    own = read(image.layers[number])
    if own is None:
        return False, "the layer's modes cannot be read again from a stream: save the image to a file"
    changed = _changed(own, image.layers[:number], read)
    if changed is None:
        return False, "the modes below cannot be read again from a stream: save the image to a file"
    if changed:
        return False, f"it changes the mode or owner of /{min(changed)}"
    return True, "no mode and no owner changes by it"


def _changed(own: Mapping[str, Attributes], below: Sequence[Layer], read: Reader) -> set[str] | None:
    """The entries that are not what they were below."""
    missing = dict(own)
    for layer in reversed(below):
        lower = read(layer)
        if lower is None:
            return None
        for path in missing.keys() & lower.keys():
            if missing[path] != lower[path]:
                return {path}
            del missing[path]
    return set(missing)


def _only_attributes(step: Step) -> bool:
    """Whether a RUN consists of chmod, chown and chgrp alone; of `find` only what runs these."""
    instruction = step.instruction
    if instruction.keyword != "RUN" or not step.commands or instruction.heredocs:
        return False
    # what writes to a file, or runs a program to get a word, may do anything
    if any(mark in instruction.value for mark in _ELSE):
        return False
    return all(_sets_attributes(placed.command) for placed in step.commands)


def _sets_attributes(command: Command) -> bool:
    if command.name in _ATTRIBUTES or command.name in _NOTHING:
        return True
    if command.name != "find":
        return False
    texts = [word.text for word in command.words]
    if None in texts or any(text in ("-delete", "-fprint", "-fprintf", "-fls", "-ok", "-okdir") for text in texts):
        return False
    runs = [texts[at + 1] for at, text in enumerate(texts[:-1]) if text in ("-exec", "-execdir")]
    return bool(runs) and all(str(run).rpartition("/")[2] in _ATTRIBUTES for run in runs)
