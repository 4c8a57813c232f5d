"""Programs packed with UPX."""

from __future__ import annotations

import pytest
from support.checks import evidence, findings, repaired

FINAL = "FROM alpine:3.20\nCOPY --from=build /app /app\n"


@pytest.mark.parametrize(
    ("run", "target"),
    [
        ("upx /app", "/app"),
        ("go build -o /app && upx --best --lzma /app", "/app"),
        ("upx -9 -q -o /app /app.plain", "/app.plain"),
        ("upx -o/app /app.plain", "/app.plain"),
        ("upx --best --output /app /app.plain", "/app.plain"),
        ("upx /app.plain -9o /app", "/app.plain"),
        ("/upx-4.2/upx --brute app", "app"),
        ("upx app || true", "app"),
        ("find /out -name '*.so' -exec upx -9 {} +", "programs"),
        ("find /out -name a -o -name b -exec upx {} +", "programs"),
        ("ls /out | xargs upx", "programs"),
    ],
)
def test_a_packed_program(run: str, target: str) -> None:
    assert evidence("ML107", f"FROM golang:1.24 AS build\nRUN {run}\n{FINAL}", "target") == [(2, target)]
    assert evidence("ML107", f"FROM golang:1.24\nRUN {run}\n", "target") == [(2, target)]


def test_a_stage_between() -> None:
    text = "FROM golang:1 AS a\nRUN go build\nFROM alpine:3 AS build\nCOPY --from=a /a /a\nRUN upx /a\n"
    assert evidence("ML107", text + FINAL) == [(5,)]


@pytest.mark.parametrize(
    "text",
    [
        f"FROM golang:1.24 AS build\nRUN upx -d /app && upx -t /app && upx --version && upx\n{FINAL}",
        f"FROM golang:1.24 AS build\nRUN apk add upx && echo upx /app\n{FINAL}",
        f"FROM golang:1.24 AS build\nRUN upx -o /app.packed /app\n{FINAL}",  # the packed one stays behind
        f"FROM golang:1.24 AS build\nRUN upx --output=/app.packed /app && upx /app -9o /app.9\n{FINAL}",
        "FROM golang:1.24 AS build\nRUN upx /app\nFROM alpine:3.20\nCOPY app /app\n",  # nothing of that stage is used
        'FROM alpine:3.20\nRUN apk add upx\nCMD ["upx", "/app/main"]\n',
    ],
)
def test_nothing_packed(text: str) -> None:
    assert findings("ML107", text) == []


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        ("RUN go build -o /app && upx /app\n", "RUN go build -o /app\n"),
        ("RUN go build -o /app && \\\n    upx --best /app && \\\n    ls\n", "RUN go build -o /app && \\\n    ls\n"),
        ("RUN upx /app\n", ""),
        ("RUN upx -o /app /plain\n", None),
        ("RUN go build -o /x . && upx --best --output /app /x\n", None),
        ("RUN go build -o /x . && upx --output=/app /x\n", None),
        ("RUN go build -o /x . && upx -9o /app /x\n", None),
        ("RUN upx /app && upx -t /app\n", None),
        ("RUN { upx /app || true; }\n", None),
    ],
)
def test_the_repair(run: str, wanted: str | None) -> None:
    before = "FROM golang:1.24 AS build\n"
    assert repaired("ML107", before + run + FINAL) == before + (run if wanted is None else wanted) + FINAL
