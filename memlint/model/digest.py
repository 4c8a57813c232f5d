"""Digests, told apart by what they are a digest of."""

from __future__ import annotations

import hashlib
import re
from typing import NewType

Digest = NewType("Digest", str)
"""`sha256:` or `sha512:` and lower-case hex: of a blob as it is stored."""
DiffID = NewType("DiffID", Digest)
"""The digest of a layer's uncompressed tar."""
ChainID = NewType("ChainID", Digest)
"""The digest of all diff IDs from the bottom layer up to this one."""
ContentID = NewType("ContentID", str)
"""`blake3:` and lower-case hex: of a file's bytes."""

_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})\Z")


def parse_digest(text: object) -> Digest:
    """`text` as a digest; ValueError when it is not one of a registered algorithm."""
    if not isinstance(text, str) or not _DIGEST.match(text):
        raise ValueError(f"not a sha256 or sha512 digest: {str(text)[:100]!r}")
    return Digest(text)


def parse_diff_id(text: object) -> DiffID:
    """`text` as a diff ID; ValueError when it is not a digest."""
    return DiffID(parse_digest(text))


def chain_ids(diff_ids: list[DiffID]) -> list[ChainID]:
    """The chain ID of each layer, bottom first (OCI image-spec, config.md, "Layer ChainID")."""
    chain: list[ChainID] = []
    for diff_id in diff_ids:
        if chain:
            joined = f"{chain[-1]} {diff_id}".encode("ascii")
            chain.append(ChainID(Digest("sha256:" + hashlib.sha256(joined).hexdigest())))
        else:
            chain.append(ChainID(diff_id))
    return chain
