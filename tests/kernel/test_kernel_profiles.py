"""Profile files: read as they were written, and refused in two lines where they are not whole."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import memlint
from memlint.errors import UsageError
from memlint.kernel import profiles
from memlint.kernel.profiles import encode_profile, read_profile, read_profiles
from memlint.kernel.recording import merge
from memlint.model.digest import ContentID
from memlint.model.profile import SCHEMA, Profile, Ran, Resident, Use
from memlint.report.schema import profile_schema

PROGRAM = ContentID("blake3:aa")
PROFILE = Profile(
    SCHEMA, "measured", 3, (Resident(PROGRAM, "executable", 40960, (Use(PROGRAM, 2, ((0, 2, 2), (2, 8, 1))),)),),
    (Ran((PROGRAM,), 2),),
)  # fmt: skip


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(encode_profile(PROFILE)), **changes}).encode()


def with_runs(*runs: list[int], seen: int = 2, size: int = 40960) -> bytes:
    use = {"program": PROGRAM, "seen": seen, "runs": runs}
    return changed(contents=[{"content": PROGRAM, "kind": "library", "size": size, "uses": [use]}])


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_bytes(encode_profile(PROFILE))
    assert read_profile(str(tmp_path / "p.json")) == PROFILE
    assert read_profiles([str(tmp_path / "p.json")] * 2).recordings == 6


def test_it_keeps_its_schema() -> None:
    shipped = Path(memlint.__file__).parent / "report" / "schemas" / "profile-1.schema.json"
    schema = json.loads(shipped.read_text("utf-8"))
    assert schema == profile_schema()
    jsonschema.Draft202012Validator(schema).validate(json.loads(encode_profile(PROFILE)))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is no profile"),
        (b"\xff\xfe", "is no profile"),
        (b"[" * 100_000, "is no profile"),
        (b"[]", "is no profile"),
        (b"{}", "is no profile"),
        (changed(schema="memlint.profile/2"), "it is memlint.profile/2, not memlint.profile/1"),
        (b'{"schema": "memlint.compare/1"}', "is memlint.compare/1, not"),
        (encode_profile(PROFILE)[:-20], "is no profile"),
        (changed(contents=None), "or damaged"),
        (changed(recordings=0), "nothing was recorded"),
        (changed(ran=[{"programs": [], "seen": 0}]), "never seen"),
        (with_runs([0, 1, 3]), "contradict"),
        (with_runs([0, 1, 0]), "contradict"),
        (with_runs([0, 0, 1]), "contradict"),
        (with_runs([-1, 1, 1]), "contradict"),
        (with_runs([4, 2, 1], [5, 1, 1]), "contradict"),
        (with_runs([0, 11, 1]), "contradict"),
        (with_runs(seen=0), "contradict"),
        (with_runs([0, 2**70, 1]), "or damaged"),
    ],
)
def test_what_is_no_profile_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "p.json").write_bytes(data)
    with pytest.raises(UsageError, match=says) as caught:
        read_profile(str(tmp_path / "p.json"))
    assert caught.value.message.startswith(f"{tmp_path}/p.json: ")
    assert "measure --record" in caught.value.hint


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.json").write_bytes(encode_profile(PROFILE))
    monkeypatch.setattr(profiles, "PROFILE", msgspec.structs.replace(profiles.PROFILE, max_bytes=64))
    with pytest.raises(UsageError, match="larger than a profile can be"):
        read_profile(str(tmp_path / "p.json"))
    with pytest.raises(UsageError, match="too long"):
        encode_profile(PROFILE)


def test_what_could_not_be_read_is_not_written() -> None:
    """Two that say otherwise of one content: its size is the lesser one, and pages lie beyond it."""
    (resident,) = PROFILE.contents
    other = msgspec.structs.replace(PROFILE, contents=(msgspec.structs.replace(resident, size=1, uses=()),))
    with pytest.raises(UsageError, match=r"nothing was recorded.* contradict"):
        encode_profile(merge([PROFILE, other]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_profile(str(tmp_path / "gone.json"))


@given(at=st.integers(0, len(encode_profile(PROFILE)) - 1), byte=st.integers(0, 255))
def test_any_damaged_byte_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, at: int, byte: int) -> None:
    data = bytearray(encode_profile(PROFILE))
    data[at] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    path.write_bytes(data)
    with suppress(UsageError):
        assert read_profile(str(path)).schema == SCHEMA
