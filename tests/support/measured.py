"""Made-up measurements: what a look at a host could have given."""

from __future__ import annotations

from typing import Any

import msgspec

from memlint.model.digest import ContentID
from memlint.model.layer import Package
from memlint.model.measure import (
    SCHEMA,
    CachedFile,
    CopiedUp,
    Cost,
    Held,
    Kernel,
    MeasuredContainer,
    MeasuredDuplicate,
    MeasuredImage,
    MeasuredPlacement,
    MeasuredProcess,
    MeasuredTotals,
    Measurement,
    Store,
    Unseen,
)

MB = 10**6
API, WORKER, CRON = "a" * 64, "b" * 64, "c" * 64
LIBCRYPTO = "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"
ROOT = Unseen(
    "page frames", "/proc/PID/pagemap shows none to this user", "run memlint as root (sudo) to see what is shared"
)


_ROLLED_UP = ("pss_bytes", "uss_bytes", "pss_anon_bytes", "pss_file_bytes", "pss_shmem_bytes")
"""What smaps_rollup alone tells."""


def memory(rss: int, **more: int | None) -> dict[str, int | None]:
    """Figures in MB: PSS is half of `rss`, files an eighth of it, USS a quarter, the rest nothing, unless given."""
    parts = {"pss_anon": rss // 2 - rss // 8, "pss_file": rss // 8, "pss_shmem": 0}
    given = {"rss": rss, "pss": rss // 2, "uss": rss // 4, "swap": 0, "hugetlb": 0, **parts, **more}
    return {f"{name}_bytes": None if value is None else value * MB for name, value in given.items()}


def container(id: str, name: str, image: str, rss: int = 40, **more: Any) -> MeasuredContainer:  # noqa: A002
    facts: dict[str, Any] = {
        "runtime": "docker",
        "storage": "overlay2",
        "cgroup": f"/docker/{id}",
        "pids": (100,),
        "file_pages_bytes": 30 * MB,
        "duplicate_bytes": 10 * MB,
        **memory(rss),
    }
    return MeasuredContainer(id=id, name=name, image=image, **{**facts, **more})


def image(name: str, containers: int, rss: int = 40, **more: Any) -> MeasuredImage:
    facts = {"file_pages_bytes": 30 * MB, "duplicate_bytes": 10 * MB, **memory(rss)}
    return MeasuredImage(image=name, containers=containers, **{**facts, **more})


def process(pid: int, command: str, container: str | None, rss: int = 40) -> MeasuredProcess:
    return MeasuredProcess(
        pid=pid,
        command=command,
        container=container,
        file_pages_bytes=30 * MB,
        **memory(rss),
    )


def placement(
    container: str, name: str, image: str, path: str, real: str | None, held: Held = "lower"
) -> MeasuredPlacement:
    return MeasuredPlacement(container, name, image, path, held, real)


def duplicate(
    path: str, size: int, places: tuple[MeasuredPlacement, ...], package: Package | None = None
) -> MeasuredDuplicate:
    content = ContentID("blake3:" + f"{size:064x}")
    copies = len({place.real for place in places})
    return MeasuredDuplicate(
        content,
        size * 3,
        size * 2,
        copies,
        size // 2048,
        size,
        "library",
        path.rpartition("/")[2],
        package,
        None,
        places,
    )


def moved(places: tuple[MeasuredPlacement, ...], path: str) -> tuple[MeasuredPlacement, ...]:
    """The same containers and layers, with another file."""
    return tuple(
        msgspec.structs.replace(place, path=path, real=(place.real or "").replace(place.path, path)) for place in places
    )


def node(**changes: Any) -> Measurement:
    """Two images on overlay2: api in two containers, worker in one; libcrypto is in RAM twice."""
    layer, other = "/var/lib/docker/overlay2/one/diff", "/var/lib/docker/overlay2/two/diff"
    places = (
        placement(API, "api-1", "api:2.0", LIBCRYPTO, layer + LIBCRYPTO),
        placement(CRON, "api-2", "api:2.0", LIBCRYPTO, layer + LIBCRYPTO),
        placement(WORKER, "worker", "worker:1.1", LIBCRYPTO, other + LIBCRYPTO),
    )
    found = Measurement(
        schema=SCHEMA,
        basis="measured",
        kernel=Kernel("6.18.0", "x86_64", 4096, frames=True),
        stores=(
            Store("docker", "overlay2", "/var/lib/docker", "ext4", "overlay2", "layer chain", {"metacopy": "off"}),
        ),
        totals=MeasuredTotals(75 * MB, 61 * MB, 14 * MB, 61 / 75),
        containers=(
            container(API, "api-1", "api:2.0"),
            container(WORKER, "worker", "worker:1.1", 52, duplicate_bytes=14 * MB),
            container(CRON, "api-2", "api:2.0", 38, swap_bytes=3 * MB),
        ),
        processes=(process(100, "python3", API), process(101, "celery", WORKER, 52), process(102, "python3", CRON, 38)),
        duplicates=(
            duplicate(LIBCRYPTO, 4_300_800, places, Package("libssl3", "3.0.22-1~deb12u2", "deb")),
            duplicate("/usr/bin/python3.11", 2_048_000, moved(places[1:], "/usr/bin/python3.11")),
            duplicate("/opt/lib.so", 409_600, moved(places, "/opt/" + "deep/" * 30 + "lib.so")),
        ),
        copied_up=(CopiedUp(WORKER, "worker", "worker:1.1", "/usr/bin/tool", 2 * MB, same_content_below=True),),
        cached=(),
        unseen=(),
        cost=Cost(0.42, 0.4, 18_310, 912, 1.0),
        images=(image("api:2.0", 2, 78), image("worker:1.1", 1, 52, duplicate_bytes=14 * MB)),
    )
    return msgspec.structs.replace(found, **changes)


def without_frames() -> Measurement:
    """What one sees who is not root."""
    bare = {"file_pages_bytes": None, "duplicate_bytes": None}
    found = node()
    return msgspec.structs.replace(
        found,
        kernel=Kernel("6.18.0", "x86_64", 4096, frames=False),
        totals=None,
        containers=tuple(
            msgspec.structs.replace(each, **bare, **dict.fromkeys(_ROLLED_UP)) for each in found.containers
        ),
        images=tuple(msgspec.structs.replace(each, **bare) for each in found.images),
        processes=tuple(msgspec.structs.replace(each, file_pages_bytes=None) for each in found.processes),
        duplicates=(),
        copied_up=(),
        unseen=(
            ROOT,
            *(Unseen(f"process {pid}", "belongs to another user", "run memlint as root") for pid in range(5)),
        ),
    )


def hostile() -> Measurement:
    """Names that would steer a terminal, break a table, or end a label."""
    bad = 'x\x1b[31m|`"\\\n<b>@team'
    place = placement(API, bad, bad, f"/{bad}", f"/{bad}")
    return node(
        containers=(container(API, bad, bad), container(WORKER, bad, bad)),
        images=(image(bad, 2),),
        processes=(process(1, bad, API),),
        duplicates=(duplicate(f"/{bad}", MB, (place, msgspec.structs.replace(place, real="/y"))),),
        copied_up=(CopiedUp(API, bad, bad, f"/{bad}", MB, same_content_below=False),),
        cached=(CachedFile(f"/{bad}", ContentID("blake3:" + "0" * 64), 2 * MB, MB),),
        stores=(Store(bad, bad, f"/{bad}", bad, None, None, {bad: bad}, (bad,)),),
        unseen=(Unseen(bad, bad, bad),),
    )


def nothing() -> Measurement:
    """A host on which no container runs."""
    return node(
        stores=(),
        totals=MeasuredTotals(0, 0, 0, 1.0),
        containers=(),
        processes=(),
        duplicates=(),
        copied_up=(),
        images=(),
        cost=Cost(0.01, 0.01, 0, 0, 1.0),
    )


HOSTS = {"node": node(), "unseen": without_frames(), "hostile": hostile(), "nothing": nothing()}
