"""The instructions of an image that rewrite files of lower layers: which of them change nothing and can go.

A chmod or chown copies up each file that it is called for, also when the file is already so. Whether it was is seen in
the layers themselves: an entry that equals the one below in mode, owner and extended attributes was not changed, and
these commands change nothing else.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile

import msgspec

from memlint.dockerfile.shell import Command
from memlint.layers.attributes import Attributes
from memlint.lint.chains import plain_install
from memlint.lint.facts import Step
from memlint.lint.places import Origin, makers_of
from memlint.model.digest import DiffID, chain_ids
from memlint.model.dockerfile import Instruction
from memlint.model.image import Image, Layer
from memlint.model.layer import LayerIndex
from memlint.sharing.view import EMPTY, Visible, stack

_ATTRIBUTES = frozenset({"chmod", "chown", "chgrp"})
_NOTHING = frozenset({"true", ":", "set", "cd"})
_ELSE = (">", "<", "$(", "`")
_BRACES = re.compile(r"\{[^}]|~")
"""What bash expands and sh does not, and what stands for a home directory; not the {} of find."""
_COMPARED = frozenset({"-newer", "-anewer", "-cnewer", "-samefile"})

Reader = Callable[[Layer], "Mapping[str, Attributes] | None"]


class Rewriting(msgspec.Struct, frozen=True, eq=False):
    """An instruction that copies files up, of which `copied_bytes` are mapped.

    - `removable`: it changes nothing; `why` says how that is known, or why it stays.
    - `simple`: it sets modes and owners, and does nothing else.
    - `chained`: its commands are joined by && alone, so that it fails as soon as one does.
    - `portable`: it is so, and does the same in any directory and by any POSIX shell.
    - `paths`: the files; `origins`: the layers that they were in before, each with the mapped bytes copied from it.
    - `packages`: the names of the packages that the files belong to; "" for files of none.
    - `needs`: what it changes was brought by the original base or by installs of these packages alone; None if not.
    """

    image: str
    layer: int
    instruction: Instruction | None
    removable: bool
    why: str
    copied_bytes: int
    simple: bool = False
    chained: bool = False
    portable: bool = False
    paths: frozenset[str] = frozenset()
    origins: dict[int, int] = {}
    packages: frozenset[str] = frozenset()
    needs: frozenset[str] | None = None

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
    makers = makers_of(image.layers, origin) if origin else {}
    steps = {layer: step for layer, made in makers.items() if origin and (step := origin.step_of(made))}
    shell = any(step.instruction.keyword == "SHELL" for step in (origin.steps if origin else ()))
    return tuple(_rewriting(image, number, files, steps, shell, indexes, read) for number, files in copied.items())


def _rewriting(
    image: Image,
    number: int,
    files: Sequence[Visible],
    steps: Mapping[int, Step],
    shell: bool,
    indexes: Mapping[DiffID, LayerIndex],
    read: Reader,
) -> Rewriting:
    step = steps.get(number)
    changed, why = _judged(image, number, step, indexes, read)
    inodes = {file.file.link: file for file in files}
    origins: dict[int, int] = {}
    for file in inodes.values():
        if file.origin is not None:
            origins[file.origin.layer] = origins.get(file.origin.layer, 0) + file.file.mappable_bytes
    return Rewriting(
        image=image.ref,
        layer=number,
        instruction=step.instruction if step else None,
        removable=changed == {},
        why=why,
        copied_bytes=sum(origins.values()),
        simple=step is not None and _only_attributes(step),
        chained=step is not None and _chained(step),
        portable=step is not None and _chained(step) and _portable(step) and not shell,
        paths=frozenset(file.file.path for file in files),
        origins=origins,
        packages=frozenset(file.package.name if file.package else "" for file in files),
        needs=_needs(changed, steps) if changed else None,
    )


def _needs(changed: Mapping[str, int | None], steps: Mapping[int, Step]) -> frozenset[str] | None:
    """The packages whose installs brought what is changed; None where something else did."""
    found: set[str] = set()
    for layer in set(changed.values()):
        if layer is None:
            return None
        if layer < min(steps):
            continue
        installed = plain_install(steps[layer]) if layer in steps else None
        if installed is None:
            return None
        found |= {name.partition(":")[2].partition("=")[0] for name in installed}
    return frozenset(found)


def without_removable(image: Image, rewritings: Sequence[Rewriting]) -> Image:
    """The image as it is once the instructions that change nothing are gone."""
    gone = {each.layer for each in rewritings if each.removable and each.image == image.ref}
    if not gone:
        return image
    layers = [layer for number, layer in enumerate(image.layers) if number not in gone]
    chain = chain_ids([layer.diff_id for layer in layers])
    left = (msgspec.structs.replace(layer, chain_id=each) for layer, each in zip(layers, chain, strict=True))
    return msgspec.structs.replace(image, layers=tuple(left))


def one_line(instruction: Instruction) -> str:
    """An instruction for a sentence."""
    flags = " ".join(f"--{flag.name}={flag.value}" if flag.value else f"--{flag.name}" for flag in instruction.flags)
    text = " ".join(f"{instruction.keyword} {flags} {instruction.value}".split())
    return text if len(text) <= 80 else f"{text[:79]}…"


def _copied(image: Image, indexes: Mapping[DiffID, LayerIndex]) -> Iterator[tuple[int, list[Visible]]]:
    """Layer → its mapped files that are the ones below it once more."""
    view = EMPTY
    for number, layer in enumerate(image.layers):
        index = indexes[layer.diff_id]
        view = stack(view, index, number, layer.chain_id)
        nodes = (view.nodes.get(file.path) for file in index.files)
        files = [node for node in nodes if isinstance(node, Visible) and node.origin is not None]
        if files:
            yield number, files


def _judged(
    image: Image, number: int, step: Step | None, indexes: Mapping[DiffID, LayerIndex], read: Reader
) -> tuple[dict[str, int | None] | None, str]:
    """The entries that the layer changes, each with the layer it was in; None where that cannot be told; and why."""
    if step is None:
        return None, "which instruction made the layer is not known"
    if not _only_attributes(step):
        return None, "the instruction does more than set modes and owners"
    index = indexes[image.layers[number].diff_id]
    if index.whiteouts or index.opaque:
        return None, "the layer removes files"
    own = read(image.layers[number])
    changed = None if own is None else _changed(own, image.layers[:number], read)
    if changed is None:
        return None, "modes cannot be read again from a stream: save the image to a file"
    if changed:
        return changed, f"it changes the mode or owner of /{min(changed)}"
    return {}, "no mode and no owner changes by it"


def _changed(own: Mapping[str, Attributes], below: Sequence[Layer], read: Reader) -> dict[str, int | None] | None:
    """The entries that are not what they were below, each with the layer that had it; None: no layer had it."""
    found: dict[str, int | None] = {}
    missing = dict(own)
    for number, layer in reversed(list(enumerate(below))):
        lower = read(layer)
        if lower is None:
            return None
        for path in missing.keys() & lower.keys():
            if missing.pop(path) != lower[path]:
                found[path] = number
    return {**found, **dict.fromkeys(missing)}


def _only_attributes(step: Step) -> bool:
    """Whether a RUN consists of chmod, chown and chgrp alone; of `find` only what runs these."""
    instruction = step.instruction
    if instruction.keyword != "RUN" or not step.commands or instruction.heredocs:
        return False
    # what writes to a file, or runs a program to get a word, may do anything
    if any(mark in instruction.value for mark in _ELSE):
        return False
    return all(_sets_attributes(placed.command) for placed in step.commands)


def _chained(step: Step) -> bool:
    return all(placed.command.joined in ("", "&&") and not placed.command.conditional for placed in step.commands or ())


def _portable(step: Step) -> bool:
    """Whether every path is absolute, and no word means another thing to another shell."""
    return all(_is_portable(placed.command) for placed in step.commands or ())


def _is_portable(command: Command) -> bool:
    words = command.words[1:]
    if command.program != 0 or command.name == "cd" or any(_BRACES.search(word.raw) for word in words):
        return False
    texts = [word.text or "" for word in words]
    if command.name == "find":
        starts = list(takewhile(lambda text: not text.startswith(("-", "(", "!")), texts))
        return bool(starts) and all(map(posixpath.isabs, starts)) and not _COMPARED.intersection(texts)
    if any(text.startswith("--reference") for text in texts):
        return False
    _, *paths = [text for text in texts if not text.startswith("-")] or [""]
    return all(map(posixpath.isabs, paths))


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
