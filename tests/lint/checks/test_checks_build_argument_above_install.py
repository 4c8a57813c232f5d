"""Values that change with every build, before an install."""

from __future__ import annotations

import pytest
from support.checks import evidence, findings, repaired

APT = "RUN apt-get update && apt-get install -y libpq5\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"FROM debian:12\nARG GIT_SHA\n{APT}", [(2, "GIT_SHA")]),
        (f"FROM debian:12\nARG GIT_SHA=unknown\nENV GIT_SHA=$GIT_SHA\n{APT}", [(2, "GIT_SHA")]),
        (f"FROM debian:12\nARG BUILD_DATE\nARG VCS_REF\nLABEL a=$VCS_REF\n{APT}", [(2, "BUILD_DATE"), (3, "VCS_REF")]),
        (f"FROM debian:12\nARG A BUILD_NUMBER=0 B\n{APT}", [(2, "BUILD_NUMBER")]),
        (f"FROM debian:12\nARG git_commit\n{APT}", [(2, "git_commit")]),
        (f"FROM debian:12 AS a\nARG GIT_SHA\nFROM a\n{APT}", [(2, "GIT_SHA")]),
        (f"FROM debian:12\nARG GIT_SHA\n{APT}ARG GIT_SHA\n{APT}", [(2, "GIT_SHA")]),
        (f"FROM debian:12\nARG X\nLABEL org.opencontainers.image.revision=$X\n{APT}", [(2, "X")]),
        (f'FROM debian:12\nARG X\n{APT}LABEL org.opencontainers.image.version="v${{X}}"\n', [(2, "X")]),
        (f'FROM debian:12\nARG X\n{APT}LABEL "org.opencontainers.image.created"="${{X:-now}}"\n', [(2, "X")]),
        (f"FROM debian:12\nARG X\nLABEL org.label-schema.vcs-ref $X\n{APT}", [(2, "X")]),
        *(
            (f"FROM debian:12\nARG {name}\n{APT}", [(2, name)])
            for name in ("SHA", "GITCOMMIT", "CIRCLE_SHA1", "GITHUB_RUN_NUMBER", "GIT_TAG", "DRONE_COMMIT_SHA")
        ),
        (f"FROM debian:12\nARG APP_REVISION\n{APT}", [(2, "APP_REVISION")]),
        ("FROM python:3.13\nARG CI_COMMIT_SHORT_SHA\nRUN pip install numpy\n", [(2, "CI_COMMIT_SHORT_SHA")]),
        (f"FROM debian:12\nARG GIT_SHA\nRUN echo $GIT_SHA\nARG GIT_SHA\n{APT}", [(4, "GIT_SHA")]),
        (f"FROM debian:12\nARG GIT_SHA\nCOPY --chown=$GIT_SHA x /x\n{APT}", [(2, "GIT_SHA")]),
        (f"FROM debian:12\nARG GIT_SHA\nENV V=$GIT_SHA\nENV V=1\nRUN echo $V\n{APT}", [(2, "GIT_SHA")]),
        (f"FROM debian:12\nARG GIT_SHA\nENV V=1 W=$V\nRUN echo $W\n{APT}", [(2, "GIT_SHA")]),
    ],
)
def test_a_value_that_every_build_changes(text: str, names: list[tuple[int, str]]) -> None:
    assert evidence("ML104", text, "name") == names


@pytest.mark.parametrize(
    "text",
    [
        f"FROM debian:12\n{APT}ARG GIT_SHA\n",
        f"ARG GIT_SHA\nFROM debian:12\n{APT}",  # no stage sees it
        f"FROM debian:12 AS b\nARG GIT_SHA\n{APT}FROM debian:12\nCOPY --from=b /a /a\n",
        f"FROM debian:12\nARG NODE_VERSION\n{APT}",
        f"FROM debian:12\nARG X\nLABEL org.opencontainers.image.title=$X\n{APT}",
        f"FROM debian:12\nARG X=1.2.3\nLABEL org.opencontainers.image.version=$X\n{APT}",  # raised by hand
        "FROM debian:12\nARG X\nRUN apt-get install -y a=$X\nLABEL org.opencontainers.image.version=$X\n",
        f"FROM debian:12\nARG GIT_COMMIT=0d8498a0e9e6\n{APT}",  # pinned: raised by hand
        f"FROM debian:12\nARG GIT_REF=v1.2.3\n{APT}",
        "FROM debian:12\nARG GIT_SHA\nRUN apt-get install -y tool=$GIT_SHA\n",  # the install is of that version
        f"FROM debian:12\nARG GIT_SHA\nRUN git checkout ${{GIT_SHA}}\n{APT}",  # below it all depends on it anyway
        "FROM debian:12\nARG GIT_SHA\nRUN --mount=type=cache,id=$GIT_SHA,target=/x apt-get install -y libpq5\n",
        "FROM debian:12\nARG GIT_SHA\nENV V=$GIT_SHA\nRUN apt-get install -y libpq5 && curl https://a.example/$V\n",
        f"FROM debian:12\nARG GIT_SHA\nENV V=${{GIT_SHA:-x}}\nARG W=a-$V\nENV X $W\nRUN fetch $X\n{APT}",
        f"FROM debian:12\nARG GIT_SHA\nENV V=$GIT_SHA GIT_SHA=1\nRUN fetch $V\n{APT}",
        f"FROM debian:12 AS a\nARG GIT_SHA\nENV V=$GIT_SHA\nFROM a\nRUN fetch $V\n{APT}",
        "FROM debian:12\nARG GIT_SHA\nRUN make\n",
        "FROM node:22\nARG GIT_SHA\nRUN npm ci\n",
    ],
)
def test_a_value_that_does_no_harm(text: str) -> None:
    assert findings("ML104", text) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"FROM debian:12\nARG GIT_SHA\n{APT}ENV A=$GIT_SHA\n", f"FROM debian:12\n{APT}ARG GIT_SHA\nENV A=$GIT_SHA\n"),
        (f"FROM debian:12\nARG GIT_SHA\n{APT.rstrip()}", f"FROM debian:12\n{APT}ARG GIT_SHA"),
        (f"FROM debian:12\nARG GIT_SHA\nENV A=$GIT_SHA\n{APT}", None),
        (f"FROM debian:12\nARG GIT_SHA OTHER\n{APT}", None),
        (
            f"FROM debian:12\n# c\n\n# a\n  # b\nARG GIT_SHA\n{APT}",
            f"FROM debian:12\n# c\n\n{APT}# a\n  # b\nARG GIT_SHA\n",
        ),
        (f"FROM debian:12\nARG GIT_SHA\nRUN make\n{APT}", None),  # it may read the variable
        (f"FROM debian:12\nARG GIT_SHA\n{APT.rstrip()} && ./configure\n", None),
        ("FROM a:1\nARG GIT_SHA\nRUN pip install numpy\n", "FROM a:1\nRUN pip install numpy\nARG GIT_SHA\n"),
        (f"FROM debian:12\nARG GIT_SHA\nCOPY --chown=$GIT_SHA x /x\n{APT}", None),
        (f"FROM debian:12\nARG GIT_SHA\nCOPY --from=a/b:$GIT_SHA x /x\n{APT}", None),
        (f"FROM debian:12\nARG GIT_SHA\nUSER app\n{APT}", None),
        (
            f"FROM debian:12 AS a\nARG GIT_SHA\nFROM a AS b\nFROM b\n{APT}",
            f"FROM debian:12 AS a\nFROM a AS b\nFROM b\n{APT}ARG GIT_SHA\n",
        ),
        (f"FROM debian:12 AS a\nARG GIT_SHA\nFROM a AS dev\nRUN echo $GIT_SHA >/rev\nFROM a\n{APT}", None),
        (f"FROM debian:12 AS a\nARG GIT_SHA\nFROM a AS b\nFROM b AS dev\nFROM b\n{APT}", None),
        (
            f"FROM debian:12 AS a\nARG GIT_SHA\n{APT}FROM a AS dev\nRUN echo $GIT_SHA >/rev\nFROM a\n",
            f"FROM debian:12 AS a\n{APT}ARG GIT_SHA\nFROM a AS dev\nRUN echo $GIT_SHA >/rev\nFROM a\n",
        ),
    ],
)
def test_the_repair(text: str, wanted: str | None) -> None:
    assert repaired("ML104", text) == (text if wanted is None else wanted)
