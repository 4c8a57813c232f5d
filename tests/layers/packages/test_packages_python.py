from __future__ import annotations

import pytest
from layer_files import owners

from memlint.model.layer import Package

SITE = "usr/local/lib/python3.12/site-packages"
METADATA = b"""\
Metadata-Version: 2.1
Name: numpy
Version: 2.1.3
Summary: Fundamental package for array computing in Python
Classifier: Programming Language :: Python :: 3

Name: of the description
"""
RECORD = b"""\
../../../bin/f2py,sha256=Qx0kQ3,230
../../../../../../etc/passwd,,
/opt/numpy/data.bin,,
numpy-2.1.3.dist-info/RECORD,,
numpy/__init__.py,sha256=9b3WvQ,22
numpy/./_core//_multiarray_umath.so,sha256=kq-_Zz,9000
"numpy/a,""b"".so",sha256=kq,1
"""
NUMPY = Package("numpy", "2.1.3", "pypi")


def layer(site: str, metadata: bytes = METADATA) -> dict[str, bytes]:
    info = f"{site}/numpy-2.1.3.dist-info".lstrip("/")
    return {f"{info}/RECORD": RECORD, f"{info}/METADATA": metadata}


@pytest.mark.parametrize(
    ("path", "package"),
    [
        (f"{SITE}/numpy/__init__.py", NUMPY),
        (f"{SITE}/numpy/_core/_multiarray_umath.so", NUMPY),
        (f'{SITE}/numpy/a,"b".so', NUMPY),
        ("usr/local/bin/f2py", NUMPY),
        ("opt/numpy/data.bin", NUMPY),
        ("etc/passwd", None),
        (f"{SITE}/scipy/__init__.py", None),
    ],
)
def test_record_is_relative_to_the_directory_around_dist_info(path: str, package: Package | None) -> None:
    assert owners(layer(SITE), [path]).get(path) == package


def test_dist_info_may_lie_in_the_root() -> None:
    assert owners(layer(""), ["numpy/__init__.py"]) == {"numpy/__init__.py": NUMPY}


def test_line_ends_of_other_systems_are_read() -> None:
    files = {path: content.replace(b"\n", b"\r\n") for path, content in layer(SITE).items()}
    assert owners(files, [f"{SITE}/numpy/__init__.py"]) == {f"{SITE}/numpy/__init__.py": NUMPY}


@pytest.mark.parametrize("metadata", [b"", b"Name: numpy\n", b"Name: numpy\n\nVersion: 1\n"])
def test_metadata_without_name_and_version_owns_nothing(metadata: bytes) -> None:
    assert owners(layer(SITE, metadata), [f"{SITE}/numpy/__init__.py"]) == {}


@pytest.mark.parametrize("absent", [0, 1])
def test_record_and_metadata_are_both_needed(absent: int) -> None:
    files = layer(SITE)
    del files[list(files)[absent]]
    assert owners(files, [f"{SITE}/numpy/__init__.py"]) == {}
