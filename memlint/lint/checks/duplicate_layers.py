"""Layers whose files lie in RAM once more than they need, for one of the causes that a comparison tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from memlint.lint.compared import Blamed, Compared, Share, package_name
from memlint.lint.thresholds import Bytes
from memlint.model.finding import Hit
from memlint.model.report import Duplicate


def duplicate_layers(compared: Compared, *, min_bytes: Bytes) -> Iterator[Hit]:
    """The layers with inodes of their own for that cause; smaller sums of bytes are left out."""
    blamed = Blamed(compared)
    for duplicate in compared.report.duplicates:
        copies = _copies(duplicate, compared.cause)
        for placement in duplicate.placements:
            if placement.cause == compared.cause and (count := copies.pop(placement.chain_id, 0)):
                share = Share(
                    placement.path,
                    count * duplicate.copy_bytes,
                    package_name(duplicate.package),
                    tuple(other for other in duplicate.placements if other.cause != compared.cause),
                    by_profile=duplicate.profile_bytes is not None,
                )
                blamed.add(placement, share)
    yield from blamed.hits(min_bytes)


def _copies(duplicate: Duplicate, cause: str | None) -> Counter[str]:
    """Layer → its inodes of that cause: its paths, or one where some of these may be links of another."""
    paths = {(each.chain_id, each.path) for each in duplicate.placements if each.cause == cause}
    counts = Counter(str(chain_id) for chain_id, _ in paths)
    if sum(counts.values()) != duplicate.causes.get(cause or "", 0):
        return Counter(dict.fromkeys(counts, 1))
    return counts
