"""`memlint compare` as people and programs call it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from support import images
from support.command import FLEET, Memlint
from support.elf import library
from support.snapshots import assert_snapshot

SNAPSHOTS = Path(__file__).parent / "snapshots"
"""What the command prints on fixtures/fleet; MEMLINT_UPDATE_SNAPSHOTS=1 pytest writes them anew."""
PLATFORM = ("--platform", "linux/amd64")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the runs on the shipped fleet have in common, to be quick."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def fleet(command: Memlint, kept: Path) -> str:
    """The shipped fleet by a name that is the same on every machine."""
    command.own["XDG_CACHE_HOME"] = str(kept)
    (command.home / "fleet").symlink_to(FLEET)
    return "oci:fleet"


@pytest.mark.parametrize("columns", [120, 72])
def test_page(command: Memlint, fleet: str, columns: int) -> None:
    done = command.run("compare", fleet, *PLATFORM, env={"COLUMNS": str(columns)})
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert not any(line != line.rstrip() for line in done.stdout.splitlines())
    assert_snapshot(SNAPSHOTS / f"fleet-{columns}.txt", done.stdout)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nothing_is_wider_than_the_terminal(command: Memlint, fleet: str, columns: int) -> None:
    done = command.run("compare", fleet, *PLATFORM, "--all", env={"COLUMNS": str(columns)})
    assert max(map(len, done.stdout.splitlines())) <= columns


def test_a_file_is_as_wide_as_a_page(command: Memlint, fleet: str) -> None:
    done = command.run("compare", fleet, *PLATFORM)
    assert done.stdout == (SNAPSHOTS / "fleet-120.txt").read_text("utf-8")


def test_list_options(command: Memlint, fleet: str) -> None:
    count = {
        arguments: command.run("compare", fleet, *PLATFORM, *arguments).stdout.count(" × ")
        for arguments in [("--top", "3"), ("--all",), ("--min-size", "1MB", "--all"), ("--min-size", "1GB")]
    }
    assert list(count.values()) == [3, 12, 2, 0]


def test_min_size_leaves_the_totals_alone(command: Memlint, fleet: str) -> None:
    whole = command.report(fleet, *PLATFORM)
    some = command.report(fleet, *PLATFORM, "--min-size", "1MB")
    assert some["totals"] == whole["totals"]
    assert some["duplicates"] == [each for each in whole["duplicates"] if each["duplicate_bytes"] >= 1_000_000]


def test_json_is_the_same_every_time(command: Memlint, fleet: str) -> None:
    runs = [
        command.run("compare", fleet, *PLATFORM, "-f", "json", *more).stdout
        for more in [("--jobs", "1"), (), ("--no-cache",), ("--no-cache", "--no-verify")]
    ]
    assert len(set(runs)) == 1
    assert json.loads(runs[0])["schema"] == "memlint.compare/1"


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        (("--min-efficiency", "0.1"), 0),
        (("--min-efficiency", "90%"), 1),
        (("--max-duplicate", "1GB"), 0),
        (("--max-duplicate", "1MB"), 1),
        (("--min-efficiency", "0.9", "--storage", "composefs", "--max-duplicate", "0"), 0),
        (("--min-efficiency", "0.1", "--max-duplicate", "1MB"), 1),
        (("--basis", "startup", "--max-duplicate", "1MB"), 1),
    ],
)
def test_gate(command: Memlint, fleet: str, gate: tuple[str, ...], code: int) -> None:
    done = command.run("compare", fleet, *PLATFORM, *gate, "-f", "text" if "--storage" in gate else "json")
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == code
    assert done.stdout


def test_the_gate_compares_to_the_byte(command: Memlint, fleet: str) -> None:
    exact = command.report(fleet, *PLATFORM)["totals"]["mappable"]["duplicate_bytes"]
    assert command.run("compare", fleet, *PLATFORM, "--max-duplicate", str(exact)).returncode == 0
    assert command.run("compare", fleet, *PLATFORM, "--max-duplicate", str(exact - 1)).returncode == 1


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (("--storage", "vfs"), {"MEMLINT_STORAGE": "vfs"}),
        (("--replicas", "web=3", "--storage", "btrfs"), {"MEMLINT_REPLICAS": "web=3", "MEMLINT_STORAGE": "btrfs"}),
        (
            ("--replicas", "web=3", "--replicas", "api:2.0=2"),
            {"MEMLINT_REPLICAS": "web=3,api:2.0=2"},
        ),
        (("--min-size", "1MB"), {"MEMLINT_MIN_SIZE": "1MB"}),
        (("--kinds", "library"), {"MEMLINT_KINDS": "library"}),
        (("--max-duplicate", "1MB"), {"MEMLINT_MAX_DUPLICATE": "1MB"}),
        (("--no-cache",), {"MEMLINT_NO_CACHE": "1"}),
        ((), {"MEMLINT_NO_CACHE": "0", "MEMLINT_ALL": ""}),
    ],
)
def test_the_environment_gives_options(
    command: Memlint, fleet: str, options: tuple[str, ...], environment: dict[str, str]
) -> None:
    by_option = command.run("compare", fleet, *PLATFORM, "-f", "json", *options)
    by_environment = command.run(
        "compare", fleet, env={**environment, "MEMLINT_PLATFORM": PLATFORM[1], "MEMLINT_FORMAT": "json"}
    )
    assert (by_environment.returncode, by_environment.stdout) == (by_option.returncode, by_option.stdout)
    assert by_option.stdout


def test_an_option_comes_before_the_environment(command: Memlint, fleet: str) -> None:
    report = command.report(fleet, *PLATFORM, "--storage", "zfs", env={"MEMLINT_STORAGE": "vfs"})
    assert report["storage"] == "zfs"


def test_replicas_by_any_name(command: Memlint, fleet: str) -> None:
    for name in ("web", "web:1.4", "fleet:fleet/web:1.4", "oci:fleet:fleet/web:1.4"):
        report = command.report(fleet, *PLATFORM, "--replicas", f"{name}=4")
        assert [image["replicas"] for image in report["images"]] == [4, 1, 1, 1, 1]


def test_output_file(command: Memlint, fleet: str) -> None:
    done = command.run("compare", fleet, *PLATFORM, "-f", "json", "-o", "report.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    path = command.home / "report.json"
    assert json.loads(path.read_text())["storage"] == "overlay2"
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    assert not list(command.home.glob(".memlint-*"))


def test_output_file_keeps_its_mode_and_its_link(command: Memlint, fleet: str) -> None:
    (command.home / "there.txt").write_text("old")
    (command.home / "there.txt").chmod(0o640)
    (command.home / "report.txt").symlink_to("there.txt")
    assert command.run("compare", fleet, *PLATFORM, "-o", "report.txt").returncode == 0
    assert (command.home / "report.txt").is_symlink()
    assert "page cache" in (command.home / "there.txt").read_text("utf-8")
    assert stat.S_IMODE((command.home / "there.txt").stat().st_mode) == 0o640


def test_a_failing_run_leaves_the_old_output(command: Memlint) -> None:
    (command.home / "report.json").write_text("old")
    command.refused("compare", "oci:absent", "-o", "report.json")
    assert (command.home / "report.json").read_text() == "old"


def test_output_to_a_device(command: Memlint, fleet: str) -> None:
    assert command.run("compare", fleet, *PLATFORM, "-o", "/dev/null").returncode == 0
    assert "page cache" in command.run("compare", fleet, *PLATFORM, "-o", "/dev/stdout").stdout


HOSTILE = "evil\x1b[2J\x1b]0;title\x07\r\n\u202e\u009b31m"


@pytest.mark.parametrize("color", [{}, {"FORCE_COLOR": "1"}])
def test_nothing_in_an_image_steers_the_terminal(command: Memlint, color: dict[str, str]) -> None:
    lib = library(f"lib{HOSTILE}.so")
    installed = images.dpkg("pkg\x1b[2J", "1\x1b[2J", f"usr/lib/{HOSTILE}.so")
    specs = [
        images.image(
            f"web{number}{HOSTILE}",
            images.Layer({f"usr/lib/{HOSTILE}.so": lib, **installed}, f"RUN {HOSTILE}", number),
            {f"usr/lib/other{HOSTILE}.so": library(f"lib{HOSTILE}.so", text=str(number))},
            Cmd=[HOSTILE],
        )
        for number in range(2)
    ]
    images.oci(*specs).write(command.home / "layout")
    done = command.run("compare", "oci:layout", env={"COLUMNS": "300", **color})
    assert done.returncode == 0
    allowed = "\x1b" if color else ""
    assert not [char for char in done.stdout.replace("\n", "") if not char.isprintable() and char not in allowed]
    assert "\x1b[2J" not in done.stdout
    assert "\x1b]" not in done.stdout
    assert "evil" in done.stdout


def test_nothing_in_a_name_steers_the_terminal_by_an_error(command: Memlint) -> None:
    message, hint = command.refused("compare", f"oci:absent{HOSTILE}")
    assert message.isprintable()
    assert hint.isprintable()


@pytest.mark.parametrize(
    ("environment", "options", "colored"),
    [
        ({}, (), False),
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
        ({"FORCE_COLOR": "1"}, ("--no-color",), False),
        ({"FORCE_COLOR": ""}, (), False),
    ],
)
def test_color(
    command: Memlint, fleet: str, environment: dict[str, str], options: tuple[str, ...], colored: bool
) -> None:
    done = command.run("compare", fleet, *PLATFORM, *options, env=environment)
    assert ("\x1b[" in done.stdout) == colored


def test_colour_carries_no_meaning_of_its_own(command: Memlint, fleet: str) -> None:
    import re

    plain = command.run("compare", fleet, *PLATFORM).stdout
    colored = command.run("compare", fleet, *PLATFORM, env={"FORCE_COLOR": "1"}).stdout
    bare = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


def test_an_image_without_mapped_files(command: Memlint) -> None:
    images.oci(images.image("x:1", {"etc/passwd": b"root"})).write(command.home / "layout")
    done = command.run("compare", "oci:layout", "--min-efficiency", "1", "--max-duplicate", "0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "100 %" in done.stdout


def test_an_ascii_terminal_gets_an_answer(command: Memlint, fleet: str) -> None:
    done = command.run("compare", fleet, *PLATFORM, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()


def test_version(command: Memlint) -> None:
    from memlint import __version__

    assert command.run("--version").stdout == f"memlint {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("compare", "--help"), ("cache", "--help"), ("cache", "prune", "--help")]
)
def test_help(command: Memlint, arguments: tuple[str, ...]) -> None:
    done = command.run(*arguments)
    assert done.returncode == (0 if arguments else 2)
    assert "usage: memlint" in done.stdout if arguments else "--help" in done.stderr
