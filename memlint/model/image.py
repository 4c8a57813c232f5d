"""Images as their manifest and config describe them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from memlint.model.digest import ChainID, DiffID, Digest


class Reader(Protocol):
    """The part of a binary file that reading takes: raw files, archive members and HTTP responses have it."""

    def read(self, size: int = -1, /) -> bytes | None:
        """Up to `size` bytes; none at the end."""

    def readinto(self, target: memoryview, /) -> int | None:
        """How many bytes were put into `target`; 0 at the end."""

    def close(self) -> None:
        """Give back what the reader holds."""


class Descriptor(msgspec.Struct, frozen=True):
    """What a manifest says of a blob. `digest` is None in docker-archive's older layouts, which give none."""

    media_type: str
    digest: Digest | None
    size: int | None


class Blob(msgspec.Struct, frozen=True):
    """A layer as a run of bytes; `open` may be called again and from any thread."""

    open: Callable[[], Reader]


class Directory(msgspec.Struct, frozen=True):
    """A layer as overlay2 keeps it on this host: whiteouts are devices, opaqueness is an extended attribute."""

    path: str


class Layer(msgspec.Struct, frozen=True):
    """One layer of one image. `content` is None when its bytes only pass by in a stream.

    `created` is when it was made, in seconds since 1970, where the history tells and the build did not fix all times.
    """

    descriptor: Descriptor
    diff_id: DiffID
    chain_id: ChainID
    created_by: str
    content: Blob | Directory | None
    created: int | None = None


Settings = tuple[tuple[str, str], ...]
"""Of a config, by names as `User`, `Env LANG`, `Label x`, `Port 80/tcp`: what each is, as text."""


class BaseDigest(msgspec.Struct, frozen=True):
    """The digest of a base as a manifest notes it, and the name it had there; "" for none."""

    digest: Digest
    name: str = ""


class Process(msgspec.Struct, frozen=True):
    """How a container of the image starts."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    working_dir: str = "/"
    user: str = ""


class Image(msgspec.Struct, frozen=True):
    """One image of one platform. `ref` is what the user gave, `name` is short and for people.

    - `on_build`: the instructions that a build upon this image runs first.
    - `ids`: the digests that engines may know it by: that of its config, of its manifest, and what the daemon that has
      it says; none where they are not known.
    - `settings`: what its config sets and a build upon it inherits, by name and sorted; what is as it is by itself is
      not among them (PATH, the user root, the directory /).
    - `users`: those that its history sets, in order; None where there is no history.
    - `base`: the digest of the image that it was built on, where its manifest tells.
    """

    ref: str
    name: str
    platform: str
    process: Process
    layers: tuple[Layer, ...]
    on_build: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    settings: Settings = ()
    users: tuple[str, ...] | None = None
    base: BaseDigest | None = None


class BaseImage(msgspec.Struct, frozen=True):
    """An image that others are built on, and the digests that repositories have it by: `debian@sha256:…`."""

    image: Image
    digests: tuple[str, ...] = ()
