"""What `memlint verify` shows, and how it judges."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

import memlint
from memlint.cli.verify import judge
from memlint.model.digest import ContentID
from memlint.model.measure import MeasuredTotals, Unseen
from memlint.model.report import ProfileReport, Totals
from memlint.model.verify import (
    NOT_SHARED,
    SCHEMA,
    SHARED_ANYWAY,
    Agreement,
    Contradiction,
    Prediction,
    Sharer,
    Verification,
    Verified,
)
from memlint.report.json import to_json
from memlint.report.schema import verify_schema
from memlint.report.terminal import Terminal
from memlint.report.verify import to_text

MB = 1_000_000
WRONG = Contradiction(
    ContentID("blake3:00"),
    NOT_SHARED,
    3 * MB,
    "copied up in api-1",
    (
        Sharer("c1", "api-1", "api:1", "/usr/bin/python3.11", 1),
        Sharer("c2", "api-2", "api:1", "/usr/bin/python3.11", 2),
    ),
)
LACKS = ProfileReport("measured", 1, 0.5, ("docker-daemon:web",))
OTHER = msgspec.structs.replace(WRONG, content=ContentID("blake3:01"))
RIGHT = Verification(
    schema=SCHEMA,
    basis="measured against predicted",
    storage="overlay2",
    kinds=("executable", "library"),
    images=(Verified("docker-daemon:api", "api:1", ("c1", "c2")), Verified("docker-daemon:web", "web:1", ("c3",))),
    not_running=(),
    measured=MeasuredTotals(30 * MB, 20 * MB, 10 * MB, 0.666667),
    predicted=(
        Prediction("mappable", Totals(90 * MB, 60 * MB, 30 * MB, 0.666667), 3.0),
        Prediction("startup", Totals(28 * MB, 19 * MB, 9 * MB, 0.678571), 0.9),
        Prediction("profile", Totals(30 * MB, 20 * MB, 10 * MB + 300_000, 0.66), 1.03),
    ),
    agreement=Agreement(40, 12, 0),
    contradictions=(),
    unseen=(),
    profile=ProfileReport("measured", 3, 0.98, ()),
)


def changed(**changes: object) -> Verification:
    return msgspec.structs.replace(RIGHT, **changes)


def page(found: Verification, width: int = 100) -> str:
    return to_text(found, 10, Terminal(width, False))


def test_totals_stand_side_by_side() -> None:
    lines = page(RIGHT).splitlines()
    assert lines[0] == "3 containers of 2 images, predicted for overlay2, and measured:"
    rows = {line[:11].strip(): line[11:].split() for line in lines if line}
    assert rows["mappable"] == "90.0 MB 60.0 MB 30.0 MB 3.00".split()
    assert rows["by profile"] == "30.0 MB 20.0 MB 10.3 MB 1.03".split()
    assert rows["measured"] == "30.0 MB 20.0 MB 10.0 MB".split()
    assert "40 shared as predicted, 12 apart as predicted, 0 otherwise" in page(RIGHT)
    assert "as 3 recordings saw it; 98 % of what" in page(RIGHT)


def test_of_images_that_start_nothing_nothing_is_known() -> None:
    nothing = Prediction("startup", Totals(0, 0, 0, 1.0), 0.0)
    text = page(changed(predicted=(RIGHT.predicted[0], nothing), profile=ProfileReport("measured", 3, 1.0, ())))
    assert "100 % of what starting" not in text
    assert "saw it; starting these images maps no file that counts." in text


def test_what_is_wrong_is_shown_with_its_reason() -> None:
    anyway = msgspec.structs.replace(WRONG, verdict=SHARED_ANYWAY, reason=None)
    text = page(changed(contradictions=(WRONG, anyway)))
    assert "predicted to be shared, and is not: copied up in api-1" in text
    assert "shared, and was not predicted to be" in text
    assert "inode 2  api-2 (api:1)" in text


def test_what_the_answer_is_not_about_is_said() -> None:
    text = page(
        changed(
            not_running=("docker-daemon:cron",),
            unseen=(Unseen("process 7", "it ended"),),
            profile=ProfileReport("measured", 1, 0.5, ("docker-daemon:web",)),
        )
    )
    assert "No container runs of: docker-daemon:cron" in text
    assert "Not seen: process 7: it ended" in text
    assert "lacks all that they hold: docker-daemon:web" in text


@pytest.mark.parametrize("width", [40, 72, 120])
def test_nothing_is_wider_than_the_terminal_or_steers_it(width: int) -> None:
    hostile = msgspec.structs.replace(WRONG, reason="\x1b[2J" * 30, sharers=(WRONG.sharers[0],) * 9)
    text = page(changed(contradictions=(hostile,) * 12), width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
    assert "… 2 more" in text


@pytest.mark.parametrize(
    ("found", "tolerance", "code", "says"),
    [
        (RIGHT, None, 0, ""),
        (RIGHT, 0.05, 0, ""),
        (RIGHT, 0.02, 1, "10300000 duplicate bytes were predicted (profile), 10000000 are"),
        (changed(predicted=RIGHT.predicted[:2], profile=None), 0.05, 1, "(startup)"),
        (changed(predicted=RIGHT.predicted[:2], profile=None), 0.11, 0, ""),
        (changed(contradictions=(WRONG,)), None, 1, "1 file is not shared as predicted"),
        (changed(contradictions=(WRONG, OTHER)), 1.0, 1, "2 files are not shared as predicted"),
        (changed(unseen=(Unseen("x", "y"),)), None, 2, "not all could be seen"),
        (changed(unseen=(Unseen("x", "y", totals=False),)), None, 0, ""),
        (changed(unseen=(Unseen("x", "y"),), contradictions=(WRONG,)), None, 1, "not shared as predicted"),
        (changed(profile=LACKS), None, 2, "the profile has not seen run what docker-daemon:web runs"),
        (changed(profile=LACKS), 0.0, 2, "the profile has not seen run what docker-daemon:web runs"),
        (changed(profile=LACKS, unseen=(Unseen("x", "y"),)), None, 2, "not all could be seen"),
        (changed(profile=LACKS, contradictions=(WRONG,)), 0.0, 1, "1 file is not shared as predicted"),
    ],
)
def test_how_it_is_judged(
    found: Verification, tolerance: float | None, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(found, tolerance) == code
    assert says in capsys.readouterr().err


def test_the_json_keeps_its_schema() -> None:
    shipped = Path(memlint.__file__).parent / "report" / "schemas" / "verify-1.schema.json"
    assert json.loads(shipped.read_text("utf-8")) == verify_schema()
    value = json.loads(to_json(changed(contradictions=(WRONG,))))
    jsonschema.Draft202012Validator(verify_schema()).validate(value)
    assert value["schema"] == "memlint.verify/1"
