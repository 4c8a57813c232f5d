"""What a kernel's build options say of its figures."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from memlint.kernel.host import Host
from memlint.kernel.precision import imprecise

AVERAGED = b"CONFIG_TRANSPARENT_HUGEPAGE=y\nCONFIG_NO_PAGE_MAPCOUNT=y\n# CONFIG_PAGE_MAPCOUNT is not set\n"
EXACT = b"# CONFIG_NO_PAGE_MAPCOUNT is not set\nCONFIG_PAGE_MAPCOUNT=y\n"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    for name in ("proc", "boot", "modules/6.18"):
        (tmp_path / name).mkdir(parents=True)
    return Host(proc=f"{tmp_path}/proc", boot=f"{tmp_path}/boot", kernels=f"{tmp_path}/modules")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"proc/config.gz": gzip.compress(AVERAGED)}, True),
        ({"boot/config-6.18": AVERAGED}, True),
        ({"modules/6.18/config": AVERAGED}, True),
        ({"proc/config.gz": gzip.compress(EXACT)}, False),
        ({"boot/config-6.18": EXACT}, False),
        ({"boot/config-6.17": AVERAGED}, False),  # another kernel's
        ({"proc/config.gz": gzip.compress(EXACT), "boot/config-6.18": AVERAGED}, False),  # the running one knows best
        ({"proc/config.gz": b"\x1f\x8bnothing", "boot/config-6.18": AVERAGED}, True),
        ({}, False),
    ],
)
def test_averaged_mappings_are_said_to_be(host: Host, tmp_path: Path, files: dict[str, bytes], said: bool) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    found = imprecise(host, "6.18")
    assert (found is not None) == said
    if found is not None:
        assert (found.what, found.totals) == ("exact PSS and USS", False)
        assert "CONFIG_NO_PAGE_MAPCOUNT" in found.reason
