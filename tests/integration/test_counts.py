"""memlint's bytes against an independent count, to the byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Memlint, Report
from .counting import Count, Layer, Mapped, count
from .daemons import Daemon
from .fleet import NAMES

pytestmark = pytest.mark.integration

Counted = Callable[[str], list[Layer]]


def totals(report: Report, basis: str = "mappable") -> Count:
    """What memlint says, its own sums checked on the way."""
    total = report["totals"][basis]
    page_cache, distinct = total["page_cache_bytes"], total["distinct_bytes"]
    assert total["duplicate_bytes"] == page_cache - distinct
    assert total["efficiency"] == pytest.approx(distinct / page_cache, abs=1e-4)
    return Count(page_cache, distinct)


@pytest.mark.parametrize("image", NAMES)
def test_one_image(memlint: Memlint, counted: Counted, image: str) -> None:
    report = memlint.compare(f"docker-daemon:{image}")
    assert totals(report) == count([counted(image)])
    (ours,) = report["images"]
    expected = [sum(mapped.mappable for mapped in layer.values()) for layer in counted(image)]
    assert [layer["mappable_bytes"] for layer in ours["layers"]] == expected


def test_the_fleet(memlint: Memlint, counted: Counted) -> None:
    report = memlint.compare(*[f"docker-daemon:{image}" for image in NAMES])
    assert totals(report) == count([counted(image) for image in NAMES])


def test_each_duplicate(memlint: Memlint, counted: Counted) -> None:
    """Not only the sums: the sizes of all groups of inodes with one content."""
    report = memlint.compare(*[f"docker-daemon:{image}" for image in NAMES])
    inodes = {inode: mapped for image in NAMES for layer in counted(image) for inode, mapped in layer.items()}
    copies: dict[Mapped, int] = {}
    for mapped in inodes.values():
        copies[mapped] = copies.get(mapped, 0) + 1
    ours = sorted((mapped.mappable, number) for mapped, number in copies.items() if number > 1)
    assert sorted((one["mappable_bytes"], one["copies"]) for one in report["duplicates"]) == ours


def test_replicas_share_on_overlay2_and_not_on_vfs(memlint: Memlint, counted: Counted) -> None:
    image = "docker-daemon:fleet/base"
    once = count([counted("fleet/base")])
    assert totals(memlint.compare(image, "--replicas", f"{image}=3")) == once
    thrice = totals(memlint.compare(image, "--replicas", f"{image}=3", "--storage", "vfs"))
    assert thrice == Count(3 * once.page_cache, once.distinct)


def test_storage_by_content_holds_each_content_once(memlint: Memlint, counted: Counted) -> None:
    images = [f"docker-daemon:{image}" for image in NAMES]
    distinct = count([counted(image) for image in NAMES]).distinct
    assert totals(memlint.compare(*images, "--storage", "composefs")) == Count(distinct, distinct)


def test_startup_is_what_the_dynamic_loader_maps(memlint: Memlint, docker: Daemon, counted: Counted) -> None:
    """The image's own ld.so lists the closure of the entrypoint, inside a container."""
    program, image = "/usr/bin/python3.11", "fleet/api"
    loader = "/lib64/ld-linux-x86-64.so.2"
    listed = docker.docker("run", "--rm", "--network=none", f"--entrypoint={loader}", image, "--list", program)
    libraries = [word for word in listed.split() if word.startswith("/")]
    script = 'stat -Lc "%i" "$@"'
    numbers = docker.docker(
        "run",
        "--rm",
        "--network=none",
        "--entrypoint=sh",
        image,
        "-c",
        script,
        "sh",
        program,
        loader,
        *libraries,
    )
    mapped = {inode.number: what for layer in counted(image) for inode, what in layer.items()}
    expected = sum(mapped[int(number)].mappable for number in set(numbers.split()))
    assert totals(memlint.compare(f"docker-daemon:{image}"), "startup") == Count(expected, expected)
