from __future__ import annotations

import pytest
from layer_files import owners

from memlint.model.layer import Package

LAYER = {
    "app/node_modules/sharp/package.json": b'{"name": "sharp", "version": "0.33.5", "scripts": {"x": ["y"]}}',
    "app/node_modules/sharp/lib/package.json": b'{"name": "inner", "version": "9.0.0"}',
    "app/node_modules/sharp/node_modules/semver/package.json": b'{"version": "7.6.3", "name": "semver"}',
    "app/node_modules/@img/sharp-linux-x64/package.json": b'{"name":"@img/sharp-linux-x64","version":"1"}',
    "app/node_modules/broken/package.json": b'{"name": "broken", "version": 7}',
    "app/node_modules/sharp/node_modules/broken/package.json": b"{",
    "app/package.json": b'{"name": "app", "version": "1.0.0"}',
}
SHARP = Package("sharp", "0.33.5", "npm")


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("app/node_modules/sharp/build/sharp.node", SHARP),
        ("app/node_modules/sharp/lib/index.js", SHARP),
        ("app/node_modules/sharp/package.json", SHARP),
        ("app/node_modules/sharp/node_modules/semver/bin/semver.js", Package("semver", "7.6.3", "npm")),
        ("app/node_modules/sharp/node_modules/broken/a.node", SHARP),
        (
            "app/node_modules/@img/sharp-linux-x64/lib/libvips.so.42",
            Package("@img/sharp-linux-x64", "1", "npm"),
        ),
        ("app/node_modules/sharpener/a.node", None),
        ("app/node_modules/broken/a.node", None),
        ("app/index.js", None),
        ("node_modules/sharp/build/sharp.node", None),
    ],
)
def test_the_innermost_package_owns_what_lies_below_it(path: str, package: Package | None) -> None:
    assert owners(LAYER, [path]).get(path) == package


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b'{"name": "x", "version": ""}',
        b'{"name": "\\ud800", "version": "1"}',
        b'{"name": "x", "version": "1", "deep": ' + b"[" * 500_000,
        b'{"name": "x", "version": "1", "deep": ' + b'{"a":' * 500_000 + b"1" + b"}" * 500_001,
        b'{"name": "x", "version": "1", "deep": [' + b"[" * 500_000 + b"]" * 500_001 + b"}",
        b'{"name": "x", "version": "1"}' + b" " * (4 << 20),
    ],
    ids=["empty", "array", "no version", "surrogate", "open", "objects", "arrays", "large"],
)
def test_a_manifest_that_cannot_be_read_owns_nothing(manifest: bytes) -> None:
    assert owners({"node_modules/x/package.json": manifest}, ["node_modules/x/a.node"]) == {}
