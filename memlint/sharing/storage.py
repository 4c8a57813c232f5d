"""Storage models: which files of which containers have one inode, and so one set of page-cache pages."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import msgspec

from memlint.errors import UsageError
from memlint.model.vocabulary import BY_CHAIN, BY_CONTAINER, BY_CONTENT, STORAGE
from memlint.sharing.view import Visible

Key = Hashable
"""Files of equal keys share pages."""


class StorageModel(msgspec.Struct, frozen=True):
    """`key` takes a file and the number of its container, which matters only where nothing is shared."""

    name: str
    key: Callable[[Visible, int], Key]
    per_container: bool


def _by_chain(file: Visible, _: int) -> Key:
    return (file.chain_id, file.file.link)


def _by_content(file: Visible, _: int) -> Key:
    return file.file.content


def _by_container(file: Visible, container: int) -> Key:
    return (container, file.chain_id, file.file.link)


_KEYS = {BY_CHAIN: _by_chain, BY_CONTENT: _by_content, BY_CONTAINER: _by_container}


def storage_model(name: str) -> StorageModel:
    """The model of a storage driver or snapshotter. UsageError for one that memlint does not know."""
    shared_by = STORAGE.get(name)
    if shared_by is None:
        raise UsageError(
            f"{name!r} is no storage driver whose sharing memlint knows",
            f"choose one with --storage: {', '.join(STORAGE)}",
        )
    return StorageModel(name, _KEYS[shared_by], shared_by is BY_CONTAINER)
