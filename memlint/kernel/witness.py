"""A look at the running containers of images."""

from __future__ import annotations

from collections.abc import Sequence

from memlint.errors import SourceError
from memlint.kernel.containers import narrowed, running
from memlint.kernel.matching import candidates, nothing_runs
from memlint.kernel.measuring import Question, observe, require_linux
from memlint.kernel.residency import Sight
from memlint.kernel.unseen import as_root
from memlint.model.image import Image


def seen_of(images: Sequence[Image], names: Sequence[str]) -> Sight:
    """What this host's containers of the images hold now; of `names` alone, where any are given.

    SourceError where none runs, or page frames are hidden.
    """
    require_linux()
    containers, _ = running()
    if names:
        containers, _ = narrowed(containers, names=names, cgroups=(), pids=())
    wanted = candidates(containers, images)
    if not wanted:
        raise nothing_runs(images)
    observed = observe(Question(containers=wanted))
    if observed.measurement.totals is None:
        raise SourceError("no page frame can be seen, and nothing else is proof", as_root())
    return observed.sight
