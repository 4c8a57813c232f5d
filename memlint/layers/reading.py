"""Many layers → their indexes: each read once, in parallel, from the cache where it can be."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from functools import partial
from typing import TypeVar

from memlint.errors import LayerError, MemlintError
from memlint.layers.archive import index_tar
from memlint.layers.cache import Cache
from memlint.layers.directory import index_directory
from memlint.layers.limits import Limits
from memlint.layers.passing import index_passing
from memlint.layers.progress import Progress
from memlint.layers.stream import Promised
from memlint.model.digest import DiffID
from memlint.model.image import Directory, Image, Layer, Reader
from memlint.model.layer import LayerIndex

_TICK = 0.1
_T = TypeVar("_T")


class Reading:
    """The layer indexes of one run: what was read, what the cache had, and how to read more."""

    def __init__(
        self, cache: Cache | None, limits: Limits, progress: Progress, *, verify: bool, jobs: int | None
    ) -> None:
        self._cache, self._limits, self._progress = cache, limits, progress
        self._verify = verify
        self._jobs = jobs or os.cpu_count() or 1
        self._indexes: dict[DiffID, LayerIndex] = {}
        self._stop = threading.Event()

    def known(self, diff_id: DiffID) -> bool:
        """Whether the layer need not be read: it was, or the cache has it."""
        if diff_id not in self._indexes and self._cache is not None and (found := self._cache.layer(diff_id)):
            self._indexes[diff_id] = found
        return diff_id in self._indexes

    def indexes(self, images: Iterable[Image]) -> dict[DiffID, LayerIndex]:
        """The index of every layer of the images. LayerError names the image and the layer that failed."""
        missing: dict[DiffID, tuple[Image, int, Layer]] = {}
        for image in images:
            for number, layer in enumerate(image.layers, 1):
                if not self.known(layer.diff_id):
                    missing.setdefault(layer.diff_id, (image, number, layer))
        # the largest first, so that none is left to run alone at the end
        work = sorted(missing.values(), key=lambda item: -(item[2].descriptor.size or 0))
        self._progress.expect(sum(layer.descriptor.size or 0 for _, _, layer in work))
        self._run([partial(self._read, *item) for item in work])
        return self._indexes

    def stream(self, reader: Reader, name: str) -> dict[str, bytes]:
        """Index every layer of an archive that passes by once; returns its documents by name."""
        (documents,) = self._run([lambda: self._pass(reader, name)])
        return documents

    def _read(self, image: Image, number: int, layer: Layer) -> None:
        where = f"{image.ref}: layer {number} of {len(image.layers)} ({layer.diff_id[:19]})"
        try:
            index = self._index(layer)
        except MemlintError as error:
            raise error.inside(where) from error
        except OSError as error:
            raise LayerError(
                f"{where}: cannot be read ({error.strerror or error})", "check the file and its permissions"
            ) from error
        self._keep(index)

    def _index(self, layer: Layer) -> LayerIndex:
        if isinstance(layer.content, Directory):
            return index_directory(layer.content.path, layer.diff_id, self._limits)
        if layer.content is None:
            raise LayerError("was not in the stream that was to bring it", "save the image to a file first")
        with closing(layer.content.open()) as file:
            promised = Promised(layer.descriptor.size, layer.descriptor.digest, layer.diff_id)
            return index_tar(self._watched(file), self._limits, promised, verify=self._verify)

    def _pass(self, reader: Reader, name: str) -> dict[str, bytes]:
        try:
            return index_passing(self._watched(reader), self._limits, self.known, self._keep)
        except MemlintError as error:
            raise error.inside(name) from error

    def _keep(self, index: LayerIndex) -> None:
        self._indexes[index.diff_id] = index
        if self._cache is not None and self._verify:
            self._cache.put_layer(index)

    def _watched(self, reader: Reader) -> Reader:
        return _Watched(reader, self._progress, self._stop)

    def _run(self, work: list[Callable[[], _T]]) -> list[_T]:
        """Do all of it in threads while this one waits and ticks; the first failure ends the rest."""
        if not work:
            return []
        pool = ThreadPoolExecutor(min(self._jobs, len(work)), "memlint-layer")
        futures = [pool.submit(each) for each in work]
        try:
            self._wait(futures)
        except BaseException as error:
            self._stop.set()
            # an interrupt does not wait for a reader that may be blocked
            pool.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
            raise
        pool.shutdown()
        return [future.result() for future in futures]

    def _wait(self, futures: list[Future[_T]]) -> None:
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=_TICK)
            self._progress.tick()
            for future in done:
                future.result()


class _Watched:
    """A reader that reports what it reads and can be told to stop."""

    def __init__(self, reader: Reader, progress: Progress, stop: threading.Event) -> None:
        self._reader, self._progress, self._stop = reader, progress, stop

    def read(self, size: int = -1, /) -> bytes:
        data = self._reader.read(size) or b""
        self._report(len(data))
        return data

    def readinto(self, target: memoryview, /) -> int:
        count = self._reader.readinto(target) or 0
        self._report(count)
        return count

    def close(self) -> None:
        self._reader.close()

    def _report(self, count: int) -> None:
        if self._stop.is_set():
            raise LayerError("was left unread because another one failed", "see the first error")
        self._progress.advance(count)
