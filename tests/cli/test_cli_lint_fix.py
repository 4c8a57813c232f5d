"""`--fix`, `--unsafe-fixes` and `--diff`: what is written, and how."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest
from support.command import MEMLINT, Memlint
from support.lacking import lacking
from support.linting import write

UNUSED = "FROM debian:12\n# memlint ignore=ML106 # why\nRUN true\n"
MENDED = "FROM debian:12\nRUN true\n"
RULES = ("--select", "ML001,ML101,ML106")


@pytest.fixture
def home(command: Memlint) -> Memlint:
    write(command.home, {"a/Dockerfile": UNUSED, "b/Dockerfile": MENDED}, git=True)
    return command


def text(command: Memlint, name: str = "a/Dockerfile") -> str:
    return (command.home / name).read_bytes().decode()


def test_fix(home: Memlint) -> None:
    done = home.run("lint", *RULES, "--fix")
    assert (done.returncode, done.stderr) == (0, "")
    assert text(home) == MENDED
    assert done.stdout == "Fixed 1 finding: ML001 × 1.\nNo findings in 2 Dockerfiles.\n"
    assert "Fixed" not in home.run("lint", *RULES, "--fix").stdout


def test_fix_reports_what_is_left(home: Memlint) -> None:
    write(home.home, {"a/Dockerfile": "# memlint ignore=ML106\nFROM debian\n"})
    done = home.run("lint", *RULES, "--fix", "-f", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(each["rule"], each["location"]["span"]["line"]) for each in report["findings"]] == [("ML101", 1)]
    assert [(each["rule"], each["count"]) for each in report["fixed"]] == [("ML001", 1)]


def test_unsafe_fixes_are_asked_for(home: Memlint) -> None:
    before = "FROM debian:12\nRUN apt-get update && apt-get upgrade -y\n"
    write(home.home, {"a/Dockerfile": before})
    assert "1 with --fix --unsafe-fixes" in home.run("lint", *RULES, "--fix").stdout
    assert text(home) == before
    assert "[*]" in home.run("lint", *RULES, "--unsafe-fixes").stdout
    assert text(home) == before
    assert home.run("lint", *RULES, "--fix", "--unsafe-fixes").returncode == 0
    assert "upgrade" not in text(home)


def test_a_difference_is_shown_and_nothing_is_written(home: Memlint) -> None:
    done = home.run("lint", *RULES, "--diff")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "--- a/a/Dockerfile\n+++ b/a/Dockerfile\n@@ -1,3 +1,2 @@\n"
        " FROM debian:12\n-# memlint ignore=ML106 # why\n RUN true\n"
    )
    assert text(home) == UNUSED
    assert home.run("lint", *RULES, "--diff", "--exit-zero").returncode == 0
    done = home.run("lint", *RULES, "--diff", "b")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "content",
    [
        UNUSED.encode(),
        UNUSED.replace("\n", "\r\n").encode(),
        UNUSED.encode().removesuffix(b"\nRUN true\n"),
        b"\xef\xbb\xbf" + UNUSED.encode(),
        b"# caf\xe9 \xff\n" + UNUSED.encode(),
        UNUSED.encode() + b"# \x0b\x0c\xc2\x85\xe2\x80\xa8 no line ends",
    ],
)
def test_git_applies_the_difference_and_it_is_what_fix_writes(home: Memlint, content: bytes) -> None:
    write(home.home, {"a/Dockerfile": content})
    done = subprocess.run(
        [*MEMLINT, "lint", *RULES, "--diff"], cwd=home.home, env=home.env(), capture_output=True, check=False
    )
    assert done.returncode == 1
    apply = ("git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-")
    subprocess.run(apply, cwd=home.home, input=done.stdout, check=True)
    applied = (home.home / "a/Dockerfile").read_bytes()
    write(home.home, {"a/Dockerfile": content})
    assert home.run("lint", *RULES, "--fix").returncode == 0
    assert (home.home / "a/Dockerfile").read_bytes() == applied != content
    assert b"memlint" not in applied


def test_mode_link_and_neighbours_stay(home: Memlint) -> None:
    path = home.home / "a" / "Dockerfile"
    path.chmod(0o751)
    path.rename(home.home / "a" / "real")
    path.symlink_to("real")
    assert home.run("lint", *RULES, "--fix").returncode == 0
    assert path.is_symlink()
    assert text(home) == MENDED
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert sorted(each.name for each in path.parent.iterdir()) == ["Dockerfile", "real"]


def test_a_file_without_a_fix_is_not_touched(home: Memlint) -> None:
    before = (home.home / "b/Dockerfile").stat()
    home.run("lint", *RULES, "--fix")
    after = (home.home / "b/Dockerfile").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_files_that_cannot_be_written(home: Memlint) -> None:
    if os.geteuid() == 0:
        subprocess.run(("chattr", "+i", str(home.home / "a")), check=False, capture_output=True)
        if os.access(home.home / "a", os.W_OK) and _writes(home):
            lacking("anything that keeps root from writing")
    else:
        (home.home / "a").chmod(0o555)
    try:
        done = home.run("lint", *RULES, "--fix")
        assert done.returncode == 2
        assert "a/Dockerfile: cannot be written" in done.stderr
        assert text(home) == UNUSED
    finally:
        subprocess.run(("chattr", "-i", str(home.home / "a")), check=False, capture_output=True)
        (home.home / "a").chmod(0o755)


def _writes(home: Memlint) -> bool:
    try:
        (home.home / "a" / "probe").touch()
    except OSError:
        return False
    (home.home / "a" / "probe").unlink()
    return True


def test_bad_files_do_not_hinder_good_ones(home: Memlint) -> None:
    write(home.home, {"c/Dockerfile": "FORM x\n"})
    done = home.run("lint", *RULES, "--fix")
    assert done.returncode == 2
    assert text(home) == MENDED
    assert text(home, "c/Dockerfile") == "FORM x\n"
    assert home.run("lint", *RULES, "--diff").returncode == 2


def test_standard_input_goes_out_again(home: Memlint) -> None:
    done = home.run("lint", "-", *RULES, "--fix", stdin=UNUSED.encode())
    assert (done.returncode, done.stdout) == (0, MENDED)
    assert "Fixed 1 finding" in done.stderr
    done = home.run("lint", "-", *RULES, "--fix", stdin=b"FROM debian\n")
    assert (done.returncode, done.stdout) == (1, "FROM debian\n")
    assert "ML101" in done.stderr
    done = home.run("lint", "-", "--stdin-filename", "a/Dockerfile", *RULES, "--fix", stdin=UNUSED.encode())
    assert done.stdout == MENDED
    assert text(home) == UNUSED
    done = home.run("lint", "-", *RULES, "--diff", stdin=UNUSED.encode())
    assert done.returncode == 1
    assert "-# memlint ignore=ML106 # why\n" in done.stdout


def test_a_file_that_changes_meanwhile_is_left_alone(home: Memlint) -> None:
    script = (
        "import memlint.lint.fixes as fixes, sys\n"
        "repair = fixes.repair\n"
        "def late(*given, **more):\n"
        "    open('a/Dockerfile', 'w').write('FROM other\\n')\n"
        "    return repair(*given, **more)\n"
        "fixes.repair = late\n"
        "from memlint.cli.main import main\n"
        f"sys.exit(main(['lint', *{RULES!r}, '--fix']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=home.home, env=home.env(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "a/Dockerfile: was changed by somebody else meanwhile" in done.stderr
    assert text(home) == "FROM other\n"
