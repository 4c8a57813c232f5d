"""`memlint measure --record`: what is added to a profile, and what leaves it as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from support.command import Memlint
from support.measured import node
from support.sights import Maps, Runs, sight

from memlint.cli.recording import record
from memlint.errors import UsageError
from memlint.kernel.measuring import Observation
from memlint.kernel.profiles import read_profile
from memlint.model.digest import ContentID
from memlint.model.measure import Kernel, Unseen

PROGRAM, LIBC = ContentID("blake3:program"), ContentID("blake3:libc")


def container(name: str, *pages: int) -> Runs:
    """One that was looked into, if it has any pages."""
    maps = (Maps("/lib/libc.so.6", LIBC, 1, {page: page + 1 for page in pages}),) if pages else ()
    return Runs(name, "image", PROGRAM, maps)


def observed(*containers: Runs) -> Observation:
    return Observation(sight(containers), node())


def test_a_file_that_is_there_is_added_to(tmp_path: Path) -> None:
    place = tmp_path / "p.json"
    place.touch(0o640)
    for _ in range(2):
        record(observed(container("a", 0, 1)), str(place))
    found = read_profile(str(place))
    assert (found.recordings, found.contents[0].uses[0].runs) == (2, ((0, 2, 2),))
    assert (os.listdir(tmp_path), place.stat().st_mode & 0o777) == (["p.json"], 0o640)


def test_containers_that_were_seen_in_part_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(observed(container("a", 0, 1), container("b", 0), container("b")), str(tmp_path / "p.json"))
    assert [ran.seen for ran in read_profile(str(tmp_path / "p.json")).ran] == [1]
    said = capsys.readouterr().err
    assert said == "memlint: not recorded, as not all of their processes could be looked into: b\n"


BLIND = msgspec.structs.replace(node(), kernel=Kernel("6.18.0", "x86_64", 4096, frames=False))


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (observed(), "no container was seen"),
        (observed(container("a"), container("b", 0), container("b")), "no container could be looked into wholly"),
        (msgspec.structs.replace(observed(container("a", 0)), measurement=BLIND), "no page frame could be seen"),
        (msgspec.structs.replace(observed(container("a", 0)), in_part=frozenset("a")), "looked into wholly"),
    ],
)
def test_where_nothing_was_seen_nothing_is_written(tmp_path: Path, seen: Observation, why: str) -> None:
    with pytest.raises(UsageError, match=f"nothing to record, as .*{why}"):
        record(seen, str(tmp_path / "p.json"))
    assert os.listdir(tmp_path) == []


def test_who_may_not_see_containers_is_told_what_to_do() -> None:
    nobody = observed()
    hidden = Unseen("processes of other users", "they are hidden", "run memlint as root", containers=True)
    seen = msgspec.structs.replace(nobody, sight=msgspec.structs.replace(nobody.sight, unseen=(hidden,)))
    with pytest.raises(UsageError, match="no container was seen") as caught:
        record(seen, "p.json")
    assert caught.value.hint == "run memlint as root"


def test_what_nobody_could_read_again_is_not_written(tmp_path: Path) -> None:
    """Pages beyond the end of a file, as a file has that changes while it is looked at."""
    place = str(tmp_path / "p.json")
    record(observed(container("a", 0, 1)), place)
    before = read_profile(place)
    with pytest.raises(UsageError, match="contradict"):
        record(observed(container("a", 1 << 20)), place)
    assert read_profile(place) == before
    assert os.listdir(tmp_path) == ["p.json"]


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        record(observed(container("a", 0)), str(tmp_path / "none" / "p.json"))


def test_no_recording_is_lost_when_several_end_at_once(tmp_path: Path) -> None:
    place, top = str(tmp_path / "p.json"), Path(__file__).parent
    script = (
        f"import sys; sys.path[:0] = {[str(top), str(top.parent)]}\n"
        "from test_cli_recording import container, observed, record\n"
        f"for _ in range(20): record(observed(container('a', *range(200))), {place!r})"
    )
    several = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(4)]
    assert [each.wait() for each in several] == [0] * 4
    assert read_profile(place).recordings == 80
    assert os.listdir(tmp_path) == ["p.json"]


def test_a_sample_is_not_recorded(command: Memlint) -> None:
    message, hint = command.refused("measure", "--sample", "0.5", "--record", "p.json")
    assert "--sample leaves some out" in message
    assert "leave --sample out" in hint
    assert not (command.home / "p.json").exists()
