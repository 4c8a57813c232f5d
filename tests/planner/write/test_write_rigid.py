"""What an image makes again whatever base it stands on."""

from __future__ import annotations

import pytest
from support.elf import library
from support.fleets import loaded
from support.images import Content, Layer, Link, image

from memlint.dockerfile.parser import parse_dockerfile
from memlint.lint.places import Origin
from memlint.planner.write.rigid import Again, made_again
from memlint.planner.write.service import Service

PATH = "opt/x/lib.so"
WHOLE: dict[str, Content] = {
    "usr/bin/sh": Link("dash"),
    "bin": Link("usr/bin"),
    "usr/bin/find": library("find"),
    "usr/bin/cmp": library("cmp"),
    "usr/bin/stat": library("stat"),
    "usr/bin/rm": library("rm"),
}
BUSYBOX: dict[str, Content] = {
    "bin/busybox": library("busybox"),
    **{f"bin/{name}": Link("/bin/busybox") for name in ("sh", "stat", "rm")},
    **{f"usr/bin/{name}": Link("/bin/busybox") for name in ("find", "cmp")},
}


def again(line: str, created_by: str, below: dict[str, Content]) -> Again:
    text = f"FROM base AS build\nRUN make\nFROM base\n{line}\n"
    dockerfile = parse_dockerfile(text)
    service = Service("a", "a", "a", Origin(dockerfile, dockerfile.stages[-1]))
    layers = [Layer(below, "ADD file:1 in /"), Layer({PATH: library("x")}, created_by)]
    (built,), indexes = loaded(image("a", *layers))
    return made_again(built, service, (), indexes)


@pytest.mark.parametrize(
    ("line", "created_by", "by_run"),
    [
        ("RUN pip install --target /opt/x x", "RUN /bin/sh -c pip install --target /opt/x x", True),
        ("RUN make install", "RUN /bin/sh -c make install", True),
        ("RUN pip install --force-reinstall x", "RUN /bin/sh -c pip install --force-reinstall x", False),
        ("RUN apt-get install --reinstall -y x", "RUN /bin/sh -c apt-get install --reinstall -y x", False),
    ],
)
def test_a_run_makes_files_again_unless_their_package_is_there(line: str, created_by: str, *, by_run: bool) -> None:
    found = again(line, created_by, WHOLE)
    assert (found.by_run if by_run else found.stays) == {PATH}
    assert (found.stays if by_run else found.by_run) == set()


@pytest.mark.parametrize("below", [WHOLE, BUSYBOX])
def test_a_copy_is_staged_where_the_original_base_can_compare(below: dict[str, Content]) -> None:
    copy = ("COPY --from=build /opt/x /opt/x/", "COPY dir:1 in /opt/x/")
    assert again(*copy, below) == Again()
    for name in ("sh", "find", "cmp", "stat", "rm"):
        lacking = {path: content for path, content in below.items() if not path.endswith(f"/{name}")}
        found = again(*copy, lacking)
        assert found.stays == {PATH}
        assert "the original base lacks some of sh, find" in found.refused[PATH]
