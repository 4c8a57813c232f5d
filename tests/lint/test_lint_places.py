"""From which line of a Dockerfile a layer comes, by what the history says."""

from __future__ import annotations

import pytest
from support import fleets, images

from memlint.dockerfile.parser import parse_dockerfile
from memlint.lint.places import Origin, Places, stage_of
from memlint.model.finding import Location


def lines(text: str, *history: str, target: str | None = None) -> list[int | None]:
    """The line of each layer; None where the place is the image."""
    layers = [images.Layer({f"f{number}": b"x"}, created_by) for number, created_by in enumerate(history)]
    report = fleets.compared(images.image("web", *layers))
    dockerfile = parse_dockerfile(text, "web/Dockerfile")
    stage = stage_of(dockerfile, target)
    assert stage is not None
    places = Places(report, {"web": Origin(dockerfile, stage)})
    found = [places.of("web", number) for number in range(len(history))]
    assert all(place.path == "web/Dockerfile" for place in found)
    return [place.span.line if place.span else None for place in found]


ADD = "ADD rootfs.tar / # buildkit"
CASES: dict[str, tuple[str, list[str], list[int | None]]] = {
    "buildkit": (
        "FROM debian:12\nRUN apt-get update && \\\n    apt-get install -y a\nCOPY a b /srv/\nWORKDIR /srv\n",
        [
            ADD,
            "RUN /bin/sh -c apt-get update &&     apt-get install -y a # buildkit",
            "COPY a b /srv/ # buildkit",
            "WORKDIR /srv",
        ],
        [1, 2, 4, 5],
    ),
    "the classic builder": (
        "FROM debian:12\nRUN a\nCOPY a /srv/\nADD b /srv/b\n",
        [
            *("/bin/sh -c #(nop) ADD file:aa in / ", "/bin/sh -c a"),
            *("/bin/sh -c #(nop) COPY file:bb in /srv/ ", "/bin/sh -c #(nop) ADD dir:cc in /srv/b "),
        ],
        [1, 2, 3, 4],
    ),
    "build arguments": (
        "FROM debian:12\nARG V\nRUN a $V\n",
        [ADD, "RUN |1 V=2 /bin/sh -c a $V # buildkit"],
        [1, 3],
    ),
    "another shell": (
        'FROM debian:12\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN a | b\nSHELL ["zsh", "-c"]\nRUN c\n',
        [ADD, "RUN /bin/bash -o pipefail -c a | b # buildkit", "RUN zsh -c c # buildkit"],
        [1, 3, 1],  # what zsh is given is not known; the FROM of the stage stands for it
    ),
    "set -e": ("FROM a\nRUN set -eux; b; c\n", [ADD, "RUN /bin/sh -c set -eux; b; c # buildkit"], [1, 2]),
    "a here-document": ("FROM a\nRUN <<EOF\nb\nc\nEOF\n", [ADD, "RUN /bin/sh -c b\nc\n # buildkit"], [1, 2]),
    "the JSON form": ('FROM a\nRUN ["b", "c d"]\n', [ADD, "RUN b c d # buildkit"], [1, 2]),
    "another escape character": ("# escape=`\nFROM a\nCOPY b /c`$d/\n", [ADD, "COPY b /c$d/ # buildkit"], [2, 3]),
    "variables in COPY": ("FROM a\nENV D=/srv\nCOPY b ${D}/b\n", [ADD, "COPY b /srv/b # buildkit"], [1, 3]),
    "many layers of the base": (
        "FROM python:3\nCOPY a /a\n",
        [ADD, "RUN /bin/sh -c apt-get install python # buildkit", "COPY a /a # buildkit"],
        [1, 1, 2],
    ),
    "relative paths": (
        "FROM a\nWORKDIR /srv\nCOPY b .\nCOPY c d/\n",
        [ADD, "WORKDIR /srv", "COPY b . # buildkit", "/bin/sh -c #(nop) COPY file:aa in /srv/d/ "],
        [1, 2, 3, 4],
    ),
    "the same twice": (
        "FROM a\nRUN b\nCOPY c /c\nRUN b\n",
        [ADD, "RUN /bin/sh -c b # buildkit", "COPY c /c # buildkit", "RUN /bin/sh -c b # buildkit"],
        [1, 2, 3, 4],
    ),
    "the same in the base": (
        "FROM a\nRUN b\n",
        [ADD, "RUN /bin/sh -c b # buildkit", "COPY x /x # buildkit", "RUN /bin/sh -c b # buildkit"],
        [1, 1, 1, 2],
    ),
    "a stage on a stage": (
        "FROM a AS one\nRUN b\nFROM x AS other\nRUN y\nFROM one\nRUN c\n",
        [ADD, "RUN /bin/sh -c b # buildkit", "RUN /bin/sh -c c # buildkit"],
        [1, 2, 6],
    ),
    "no match at all": ("FROM a\nRUN b\n", [ADD, "merge sha256:aa"], [1, 1]),
    "not said": ("FROM a\nRUN b\n", ["", ""], [1, 1]),
}


@pytest.mark.parametrize(("text", "history", "expected"), CASES.values(), ids=CASES)
def test_places(text: str, history: list[str], expected: list[int | None]) -> None:
    assert lines(text, *history) == expected


@pytest.mark.parametrize("target", ["two", "TWO", "1"])
def test_a_target(target: str) -> None:
    text = "FROM a AS one\nRUN b\nFROM a AS two\nRUN b\nFROM a\nRUN b\n"
    assert lines(text, ADD, "RUN /bin/sh -c b # buildkit", target=target) == [3, 4]


def test_a_target_that_is_none() -> None:
    assert stage_of(parse_dockerfile("FROM a\n"), "b") is None


def test_an_image_of_no_dockerfile() -> None:
    report = fleets.compared(images.image("web", {"a": b"a"}))
    assert Places(report, {}).of("web", 0) == Location("web")
