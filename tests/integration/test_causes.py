"""Every cause appears where it was built in."""

from __future__ import annotations

import pytest

from .conftest import Memlint, Report
from .fleet import LIBC, LIBCRYPTO, OPENSSL, REBUILDS

pytestmark = pytest.mark.integration

# cause, the images that have it between them, and one file that shows it
BUILT_IN = [
    ("base drift", ["fleet/base", "fleet/drift"], LIBC),
    ("reinstalled", ["fleet/base", "fleet/worker"], LIBCRYPTO),
    ("same layer, other parent", ["fleet/tool", "fleet/tool-on-base"], "opt/tool"),
    ("rebuilt", [*REBUILDS], "opt/rebuilt"),
    ("copied up", ["fleet/base", "fleet/chmod"], OPENSSL),
    ("vendored", ["fleet/vendored"], "opt/vendor/lib/libcrypto.so.3"),
]


def causes(report: Report, path: str) -> list[str]:
    """Why the bytes of the file `path` lie in RAM more than once."""
    return [
        duplicate["cause"]
        for duplicate in report["duplicates"]
        if any(placement["path"].lstrip("/") == path for placement in duplicate["placements"])
    ]


@pytest.mark.parametrize(("cause", "images", "path"), BUILT_IN, ids=[cause for cause, _, _ in BUILT_IN])
def test_cause(memlint: Memlint, cause: str, images: list[str], path: str) -> None:
    report = memlint.compare(*[f"docker-daemon:{image}" for image in images])
    assert causes(report, path) == [cause]


def test_images_on_one_chain_share(memlint: Memlint) -> None:
    report = memlint.compare("docker-daemon:fleet/base", "docker-daemon:fleet/api")
    assert not causes(report, LIBCRYPTO)


def test_no_chain_helps_where_the_storage_driver_shares_nothing(memlint: Memlint) -> None:
    report = memlint.compare("docker-daemon:fleet/base", "docker-daemon:fleet/api", "--storage", "vfs")
    assert causes(report, LIBCRYPTO) == ["storage driver"]


def test_a_placement_names_the_layer_and_its_instruction(memlint: Memlint) -> None:
    report = memlint.compare("docker-daemon:fleet/base", "docker-daemon:fleet/worker")
    duplicate = next(one for one in report["duplicates"] if one["soname"] == "libcrypto.so.3")
    assert duplicate["package"]["name"] == "libssl3"
    assert duplicate["copies"] == 2
    base, worker = report["images"]
    assert "apt-get install -y" in base["layers"][1]["created_by"]
    assert "apt-get -qy" in worker["layers"][2]["created_by"]
    assert {placement["chain_id"] for placement in duplicate["placements"]} == {
        base["layers"][1]["chain_id"],
        worker["layers"][2]["chain_id"],
    }
