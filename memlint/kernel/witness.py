"""A look at the running containers of images."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from memlint.errors import SourceError
from memlint.kernel.containers import narrowed, running
from memlint.kernel.containers.origins import origins
from memlint.kernel.matching import Provenance, another_build, chosen, nothing_runs
from memlint.kernel.measuring import Question, observe, require_linux
from memlint.kernel.residency import Sight
from memlint.kernel.unseen import as_root
from memlint.model.image import Image


def seen_of(images: Sequence[Image], names: Sequence[str], told: Provenance) -> tuple[Sight, Provenance]:
    """What this host's containers of the images hold now, of `names` alone where any are given; and where these come
    from, by more than was `told`. Containers of other builds are in what is unseen.

    SourceError where none runs, or page frames are hidden.
    """
    require_linux()
    containers, _ = running()
    if names:
        containers, _ = narrowed(containers, names=names)
    provenance = msgspec.structs.replace(told, origins=origins(containers))
    wanted, others = chosen(containers, images, provenance)
    if not wanted:
        raise nothing_runs(images, others)
    observed = observe(Question(containers=[each.id for each in wanted]))
    if observed.measurement.totals is None:
        raise SourceError("no page frame can be seen, and nothing else is proof", as_root())
    unseen = (*observed.sight.unseen, *map(another_build, others))
    return msgspec.structs.replace(observed.sight, unseen=unseen), provenance
