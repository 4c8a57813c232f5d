"""Compared images that stand on another libc than the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from memlint.lint.compared import Compared
from memlint.lint.thresholds import Images
from memlint.model.finding import Hit, Related


def mixed_libc(compared: Compared, *, min_images: Images) -> Iterator[Hit]:
    """One hit per base of the rarer libc, when so many images have a libc at all.

    An image's libc is the one whose loader most of its programs ask for.
    """
    images = [(image, next(iter(image.libc))) for image in compared.report.images if image.libc]
    counts = Counter(libc for _, libc in images)
    if len(counts) < 2 or len(images) < min_images:
        return
    usual = counts.most_common(1)[0][0]
    example = next(image for image, libc in images if libc == usual)
    seen = set()
    for image, libc in images:
        base = image.layers[0].chain_id
        if libc != usual and base not in seen:
            seen.add(base)
            where = compared.places.of(example.ref, 0)
            yield Hit(
                location=compared.places.of(image.ref, 0),
                evidence={"image": image.name, "libc": libc, "usual": usual, "where": example.name},
                related=(Related(where, f"{example.name} stands on {usual}"),),
            )
