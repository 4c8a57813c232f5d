"""The Python API: what the commands `compare`, `plan`, `measure`, `verify` and `nodes` themselves call."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import msgspec

from memlint import TYPE_CHECKING
from memlint.errors import UsageError
from memlint.kernel.residency import Sight
from memlint.layers.cache import Cache
from memlint.layers.images import daemons_containers, images_of
from memlint.layers.limits import Limits
from memlint.layers.progress import Progress, Silent
from memlint.layers.reading import Reading
from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.measure import Measurement
from memlint.model.nodes import Nodes
from memlint.model.plan import Plan
from memlint.model.report import Report
from memlint.model.verify import Verification
from memlint.model.vocabulary import ELF_KINDS, KINDS
from memlint.planner.choice import BALANCED, PREFERENCES
from memlint.planner.draft import BUDGETS, MIN_SAVING, SHARE, Options
from memlint.planner.planning import plan_images
from memlint.planner.weighing import BASES, PROFILE, Basis, profile_basis
from memlint.sharing.fleet import compare_images
from memlint.sharing.resident import Known, known
from memlint.sharing.storage import StorageModel, storage_model
from memlint.sources.platform import normalise
from memlint.sources.reference import DAEMON, parse_reference

if TYPE_CHECKING:
    from typing_extensions import Unpack

DEFAULT_STORAGE = "overlay2"


class ReadOptions(TypedDict, total=False):
    """How images are read; each may be left out.

    - `storage`: a storage model's name; by default what the daemon reports, or overlay2 where none is asked.
    - `platform`: `os/architecture[/variant]` to take of multi-platform images; by default this host's.
    - `kinds`: kinds of files to count (`memlint.model.vocabulary.KINDS`); by default ELF executables and libraries.
    - `cache_dir`: where layer indexes are kept; None keeps none.
    - `limits`: what a layer may hold at the most.
    - `verify`: compare digests and diff IDs, which is the default; what is not verified is not cached.
    - `jobs`: layers read at a time; by default one per core.
    - `progress`: is told how many bytes were read.
    """

    storage: str | None
    platform: str | None
    kinds: Collection[str]
    cache_dir: str | os.PathLike[str] | None
    limits: Limits | None
    verify: bool
    jobs: int | None
    progress: Progress | None


class Loaded(msgspec.Struct, frozen=True, eq=False):
    """Images that were read, containers of each, the indexes of their layers, what the node's store shares, the kinds
    of files that count, and the references of the images that are a daemon's."""

    images: list[Image]
    replicas: list[int]
    indexes: dict[DiffID, LayerIndex]
    storage: StorageModel
    kinds: Collection[str]
    of_daemon: frozenset[str] = frozenset()


def compare(
    references: Sequence[str],
    *,
    replicas: Mapping[str, int] | None = None,
    profile: Sequence[str] = (),
    **how: Unpack[ReadOptions],
) -> Report:
    """What these images would hold in the page cache of one node that runs them, and what of it twice.

    - `references`: as on the command line, for example `docker-daemon:web` or `oci:./build/api`. An archive or a
      layout that holds several images stands for all of them, unless a name picks one.
    - `replicas`: containers per image, by reference, name or name without tag; 1 for an image that is not in it.
    - `profile`: files that `memlint measure --record` wrote; together they are a third basis of the totals.
    - `how`: the keywords of `ReadOptions`.

    Raises MemlintError when any of the images cannot be read: a report is about all of them, or there is none.
    """
    recorded = read_known(profile)
    fleet = load(references, replicas, **how)
    return compare_images(fleet.images, fleet.replicas, fleet.indexes, fleet.storage, fleet.kinds, recorded)


def read_known(paths: Sequence[str]) -> Known | None:
    """Profile files as one profile to price by; None without any. UsageError for a file that is none."""
    if not paths:
        return None
    from memlint.kernel.profiles import read_profiles  # few calls have any

    return known(read_profiles(paths))


def basis_of(name: str | None, recorded: Known | None, fleet: Loaded) -> Basis:
    """What a plan weighs; by default the profile, where there is one, else what is mappable. UsageError without one,
    and where it has seen none of the images run."""
    name = name or ("mappable" if recorded is None else PROFILE)
    if name != PROFILE:
        return BASES[name]
    if recorded is None:
        raise UsageError("the basis profile needs a profile", "name one with --profile: measure --record writes it")
    basis = profile_basis(recorded, fleet.images, fleet.indexes)
    if len(basis.notes) == len(fleet.images):
        raise UsageError(
            "the profile has not seen run what any of these images runs, so nothing of them can be weighed",
            "record containers of them, too, or plan by --basis mappable",
        )
    return basis


def plan(
    references: Sequence[str],
    *,
    basis: str | None = None,
    profile: Sequence[str] = (),
    nodes: int = 1,
    max_extra: Sequence[int] = BUDGETS,
    max_bases: int | None = None,
    min_saving: int | None = None,
    prefer: str = BALANCED,
    replicas: Mapping[str, int] | None = None,
    **how: Unpack[ReadOptions],
) -> Plan:
    """The shared bases that would make the bytes of these images one, and what that saves.

    - `basis`: what is weighed: "mappable" files, those that "startup" maps for certain, or the pages that a "profile"
      expects; by default the latter where `profile` names files that `memlint measure --record` wrote.
    - `nodes`: how many nodes the containers are spread over.
    - `max_extra`: budgets in bytes, a point of the frontier each: what an image may get that it did not have.
    - `max_bases`: how many bases there may be in all; None is no limit.
    - `min_saving`: bytes of page cache that a base saves at least; by default a hundredth of what the images hold
      twice, and 1 MB at least.
    - `prefer`: the point whose bases are described: "strict", "balanced" or "union".

    The others are as for `compare`, and so are errors.
    """
    if nodes < 1:
        raise UsageError(f"there cannot be {nodes} nodes", "give a whole number from 1")
    if basis not in (None, *BASES, PROFILE):
        raise UsageError(f"{basis!r} is no basis of a plan", f"choose of {', '.join((*BASES, PROFILE))}")
    if prefer not in PREFERENCES:
        raise UsageError(f"{prefer!r} is no point of a plan", f"choose of {', '.join(PREFERENCES)}")
    recorded = read_known(profile)
    fleet = load(references, replicas, **how)
    options = Options(
        basis=basis_of(basis, recorded, fleet),
        nodes=nodes,
        budgets=tuple(max_extra),
        max_bases=max_bases,
        min_saving=MIN_SAVING if min_saving is None else min_saving,
        share=SHARE if min_saving is None else 0.0,
        prefer=prefer,
    )
    return plan_images(fleet.images, fleet.replicas, fleet.indexes, fleet.storage, fleet.kinds, options)


def measure(
    *,
    containers: Sequence[str] = (),
    pids: Sequence[int] = (),
    cgroups: Sequence[str] = (),
    everything: bool = False,
    cached: bool = False,
    sample: float = 1.0,
    max_seconds: float | None = None,
    max_cpu_seconds: float | None = None,
    max_mapping: int | None = None,
) -> Measurement:
    """What the containers of this host hold in RAM now, and what of it more than once, by the kernel's own figures.

    - `containers`, `pids`, `cgroups`: only these, by name or ID, PID, path; all containers where none is given.
    - `everything`: processes in no container, too.
    - `cached`: also pages in the page cache that no process maps.
    - `sample`: the part of the processes whose pages are looked at, above 0 to 1.
    - `max_seconds`, `max_cpu_seconds`: when to stop, whatever is left.
    - `max_mapping`: bytes of a mapping that is left out for its size.

    What this user may not see is None, and in `unseen`. Raises UsageError where the system is not Linux, and for what
    is named and not there.
    """
    from memlint.kernel.measuring import Question, observe

    question = Question(
        containers=containers,
        cgroups=cgroups,
        pids=pids,
        everything=everything,
        cached=cached,
        sample=sample,
        max_seconds=max_seconds,
        max_cpu_seconds=max_cpu_seconds,
        max_mapping=max_mapping,
    )
    return observe(question).measurement


def nodes(paths: Sequence[str | os.PathLike[str] | tuple[str, str | os.PathLike[str]]]) -> Nodes:
    """The measurements of several nodes side by side: `paths` are files that `memlint measure --format json` wrote.

    Nodes are named after their files; one that is to be called otherwise is a pair of name and file. Raises UsageError
    for a file that is no measurement, or is given twice, and for a name that two nodes have.
    """
    from memlint.kernel.measurements import read_measurements
    from memlint.kernel.nodes import combined

    return combined(read_measurements(paths))


def verify(
    references: Sequence[str],
    *,
    profile: Sequence[str] = (),
    containers: Sequence[str] = (),
    sight: Sight | None = None,
    **how: Unpack[ReadOptions],
) -> Verification:
    """What is predicted of these images against what their containers on this host hold, in all and file by file.

    - `profile`: files that `memlint measure --record` wrote; by default the bases are mappable and startup alone.
    - `containers`: only these, by names, IDs or their beginnings; by default all of the images.
    - `sight`: what was seen of the containers; by default this host is looked at now, as root. Only a look at this host
      tells containers of an image from those of an earlier build that map the same files.

    The others are as for `compare`; containers are counted, so that there are no replicas. Raises MemlintError when an
    image cannot be read, none of them runs here, no page frame can be seen, or they run in several stores.
    """
    recorded = read_known(profile)
    fleet = load(references, None, **how)
    from memlint.kernel.matching import Provenance  # what looks at a host is of no use to those who compare
    from memlint.kernel.verifying import verify_images

    provenance = Provenance(asked=fleet.of_daemon)
    if sight is None:
        from memlint.kernel.witness import seen_of

        told = msgspec.structs.replace(provenance, listed=daemons_containers() if fleet.of_daemon else None)
        sight, provenance = seen_of(fleet.images, containers, told)
    return verify_images(fleet.images, fleet.indexes, fleet.storage, fleet.kinds, sight, recorded, provenance)


def load(
    references: Sequence[str],
    replicas: Mapping[str, int] | None,
    *,
    storage: str | None = None,
    platform: str | None = None,
    kinds: Collection[str] = ELF_KINDS,
    cache_dir: str | os.PathLike[str] | None = None,
    limits: Limits | None = None,
    verify: bool = True,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Loaded:
    """The images as `compare`, `plan` and `verify` take them."""
    if not references:
        raise UsageError("no image was given", "name one or more, for example docker-daemon:web oci:./build/api")
    if unknown := sorted(set(kinds).difference(KINDS)):
        raise UsageError(f"{unknown[0]!r} is no kind of file", f"choose of {', '.join(KINDS)}")
    wanted = normalise(platform) if platform else None
    chosen = storage_model(storage) if storage else None
    cache = Cache(Path(cache_dir)) if cache_dir is not None else None
    reading = Reading(cache, limits or Limits(), progress or Silent(), verify=verify, jobs=jobs)
    parsed = [parse_reference(text) for text in references]
    images, reported = images_of(parsed, wanted, reading, cache)
    counts = _replicas(images, replicas or {})
    indexes = reading.indexes(images)
    if cache is not None:
        cache.close()
    model = chosen or storage_model(reported or DEFAULT_STORAGE)
    of_daemon = frozenset(reference.text for reference in parsed if reference.transport == DAEMON)
    return Loaded(images, counts, indexes, model, kinds, of_daemon)


def _replicas(images: Sequence[Image], replicas: Mapping[str, int]) -> list[int]:
    counts = [1] * len(images)
    for key, count in replicas.items():
        meant = [number for number, image in enumerate(images) if key in _names(image)]
        if not meant:
            known = ", ".join(dict.fromkeys(image.name for image in images))
            raise UsageError(f"{key!r} has replicas but is none of the images", f"the images are {known}")
        if count < 1:
            raise UsageError(f"{key!r} cannot have {count} replicas", "give a whole number from 1")
        for number in meant:
            counts[number] = count
    return counts


def _names(image: Image) -> tuple[str, ...]:
    """What a user may call the image: its reference, with and without transport; its name, with and without tag."""
    return (
        image.ref,
        image.ref.partition(":")[2],
        image.name,
        image.name.partition(":")[0].partition("@")[0],
    )
