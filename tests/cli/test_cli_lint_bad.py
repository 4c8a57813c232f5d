"""What bad input gets: a located line, the other files linted all the same, exit 2, and never a traceback."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import pytest
from support.command import MEMLINT, Memlint
from support.linting import write
from support.unprivileged import WITHOUT_PRIVILEGE

GOOD = "FROM debian\n"
FORMATS = ["text", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "markdown"]


@pytest.fixture
def home(command: Memlint) -> Memlint:
    write(command.home, {"Dockerfile": GOOD, "ok/Dockerfile": "FROM debian:12\n"}, git=True)
    return command


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "xml"),
        ("--failure-threshold", "loud"),
        ("--select", "ML1066"),
        ("--select", "no-such-rule"),
        ("--select", ""),
        ("--select", "ML101,"),
        ("--select", "ML2"),
        ("--extend-select", "ML9"),
        ("--ignore", "nothing"),
        ("--ignore", "ALL"),
        ("--config", "absent.toml"),
        ("--config", "Dockerfile"),
        ("--config", "ok"),
        ("--config", "good.toml", "--isolated"),
        ("--baseline", "absent.json"),
        ("--baseline", "Dockerfile"),
        ("--baseline", "ok"),
        ("--write-baseline", "absent/known.json"),
        ("--write-baseline", "ok"),
        ("--output-file", "absent/report.txt"),
        ("--output-file", "ok"),
        ("--build-arg", "=1"),
        ("--build-arg", "NO_SUCH_VARIABLE"),
        ("--stdin-filename", "Dockerfile"),
        ("--fix", "--diff"),
        ("-", "--fix", "--write-baseline", "-"),
        ("--statistics", "--format", "sarif"),
        ("--unknown",),
    ],
    ids=" ".join,
)
def test_bad_call(home: Memlint, arguments: tuple[str, ...]) -> None:
    (home.home / "good.toml").touch()
    home.refused("lint", *arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEMLINT_FORMAT", "xml"),
        ("MEMLINT_FAILURE_THRESHOLD", "loud"),
        ("MEMLINT_SELECT", "ML1066"),
        ("MEMLINT_SELECT", ","),
        ("MEMLINT_FIX", "perhaps"),
        ("MEMLINT_BUILD_ARG", "=1"),
        ("MEMLINT_CONFIG", "absent.toml"),
        ("MEMLINT_BASELINE", "absent.json"),
    ],
)
def test_bad_environment(home: Memlint, name: str, value: str) -> None:
    message, _ = home.refused("lint", env={name: value})
    assert name in message or value in message


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        ("--formt=json", "unrecognized arguments: --formt=json", "did you mean --format?"),
        ("Dockerfile --zzz ok -x", "unrecognized arguments: --zzz -x", "memlint lint --help shows what there is"),
        ("--zzz\x1b[2J\n", "unrecognized arguments: --zzz [2J", "memlint lint --help shows what there is"),
    ],
)
def test_an_option_that_does_not_exist(home: Memlint, arguments: str, problem: str, hint: str) -> None:
    message, said = home.refused("lint", *arguments.split(" "))
    assert (message.rstrip(), said) == (f"memlint: error: {problem}", f"  hint: {hint}")


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("selct = []", "memlint.toml: selct: there is no such key", "did you mean select?"),
        (
            "select = ['unpined-base']",
            "memlint.toml: select: there is no rule 'unpined-base'",
            "did you mean unpinned-base?",
        ),
        ("exclude = ['[z-a]']", "memlint.toml: exclude: '[z-a]' is no pattern (bad character range", ".gitignore"),
        ("exclude = ['!Dockerfile']", "memlint.toml: exclude: '!Dockerfile' takes back", "before it"),
        ("[[per-path]]\npaths = ['[z-a]']", "memlint.toml: per-path[0].paths: '[z-a]' is no pattern", ".gitignore"),
        (
            "[rule.ML101]\nseverity = 'fatal'",
            "memlint.toml: rule.ML101.severity: 'fatal' is none of error, warning, info, style",
            "docs/lint.md",
        ),
        ("build-args.X = 3", "memlint.toml: build-args.X: Expected `str`", 'X = "…"'),
        ("select = []", "memlint.toml: select: no rule for Dockerfiles is selected", "memlint rules"),
        ("ignore = ['ALL']", "memlint.toml: ignore: no rule for Dockerfiles is selected", "memlint rules"),
        (
            "rule.ML201.thresholds.min_bytes = -1",
            "memlint.toml: rule.ML201: threshold 'min_bytes' is -1, and has to be a whole number from 0",
            "memlint explain",
        ),
        ("[rule.ML1066]\n", "memlint.toml: rule: there is no rule 'ML1066'", "did you mean ML106?"),
        (
            "[rule.ML101.thresholds]\npinnd_by = 'tag'",
            "ML101: there is no threshold 'pinnd_by'",
            "did you mean pinned_by?",
        ),
        ("rules = ['absent']", "absent: no directory of rules is there", "name a directory"),
        ("= 1", "memlint.toml: cannot be read (", "TOML"),
    ],
)
def test_bad_configuration(home: Memlint, text: str, problem: str, hint: str) -> None:
    write(home.home, {"memlint.toml": text})
    message, said = home.refused("lint")
    assert problem in message
    assert hint in said


BAD: dict[str, tuple[bytes, str]] = {
    "no FROM": (b"# nothing\n", ""),
    "empty": (b"", ""),
    "unknown instruction": (b"FROM a\nFORM b\n", ":2"),
    "endless heredoc": (b"FROM a\nRUN <<EOF\nx\n", ":2"),
    "NUL": (b"FROM a\nRUN a\0b\n", ":2"),
    "UTF-16": ("\ufeffFROM a\n".encode("utf-16-le"), ":1"),
    "long line": (b"FROM a\nRUN " + b"x" * 70_000 + b"\n", ":2"),
    "megabytes of continuations": (b"FROM a\nRUN x \\\n" + b" x \\\n" * 2_200_000 + b" x\n", ""),
    "huge": (b"FROM a\n" + b"# x\n" * 4_500_000, ""),
    "binary": (bytes(range(256)) * 100, ":1"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_that_a_file_is_bad(home: Memlint, name: str) -> None:
    write(home.home, {"bad/Dockerfile": BAD["unknown instruction"][0]})
    done = home.run("lint", "-f", name)
    assert done.returncode == 2
    assert done.stderr.startswith("memlint: error: bad/Dockerfile:2: ")
    assert "ML101" in done.stdout or name == "junit"
    if name != "text":
        assert "bad/Dockerfile" in done.stdout


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_named_and_the_others_are_linted(home: Memlint, kind: str) -> None:
    content, line = BAD[kind]
    write(home.home, {"bad/Dockerfile": content})
    done = home.run("lint", "-f", "json", "--select", "ML101")
    report = json.loads(done.stdout)
    if kind == "megabytes of continuations" and done.returncode == 1:  # it may be understood, if that is quick
        assert "bad/Dockerfile" in report["files"]
        return
    assert done.returncode == 2
    message, hint = done.stderr.splitlines()
    assert message.startswith(f"memlint: error: bad/Dockerfile{line}: ")
    assert hint.startswith("  hint: ")
    assert [error["path"] for error in report["errors"]] == ["bad/Dockerfile"]
    assert [finding["location"]["path"] for finding in report["findings"]] == ["Dockerfile"]


@pytest.mark.parametrize("fault", ["missing", "fifo", "socket", "loop", "device"])
def test_what_is_no_file_is_named_and_the_others_are_linted(home: Memlint, fault: str) -> None:
    path = home.home / "odd"
    if fault == "fifo":
        os.mkfifo(path)
    elif fault == "socket":
        import socket

        server = socket.socket(socket.AF_UNIX)
        os.chdir(home.home)
        server.bind("odd")
    elif fault == "loop":
        path.symlink_to("odd")
    name = "/dev/zero" if fault == "device" else "odd"
    done = home.run("lint", name, "Dockerfile", "-f", "json", "--select", "ML101")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert [finding["location"]["path"] for finding in json.loads(done.stdout)["findings"]] == ["Dockerfile"]


@pytest.mark.parametrize("git", [True, False], ids=["git", "plain"])
def test_a_directory_that_cannot_be_looked_into_is_named_and_the_others_are_linted(command: Memlint, git: bool) -> None:
    chosen = "select = ['ML101', 'ML301']"
    write(command.home, {"Dockerfile": GOOD, "svc/Dockerfile": GOOD, "memlint.toml": chosen}, git=git)
    (command.home / "svc").chmod(0)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        call = (*WITHOUT_PRIVILEGE, *MEMLINT, "lint", *arguments)
        return subprocess.run(call, cwd=command.home, env=command.env(), capture_output=True, text=True)

    problem = "svc: cannot be looked into (Permission denied)"
    for name in FORMATS:
        done = run("-f", name)
        assert done.returncode == 2
        assert done.stderr == f"memlint: error: {problem}\n  hint: give permission, or leave it out with exclude\n"
        assert "ML101" in done.stdout or name == "junit"
        assert name == "text" or "svc" in done.stdout
    named = run("svc")
    assert (named.returncode, named.stderr.splitlines()[0]) == (2, f"memlint: error: {problem}")
    alone = run("Dockerfile")
    assert alone.returncode == 1
    assert alone.stderr == f"memlint: note: {problem}; nothing is compared with what it holds\n"
    (command.home / "memlint.toml").write_text(f"{chosen}\nexclude = ['svc/']")
    excluded = run()
    assert (excluded.returncode, excluded.stderr) == (1, "")
    (command.home / "svc").chmod(0o755)


def test_bytes_that_are_no_utf_8_are_linted(home: Memlint) -> None:
    write(home.home, {"latin/Dockerfile": b"FROM debian\nRUN apt-get upgrade -y # \xe9\xff\n"})
    for name in FORMATS:
        done = home.run("lint", "latin", "-f", name)
        assert (done.returncode, done.stderr) == (1, ""), name
        assert "ML106" in done.stdout


def test_a_name_with_a_newline(home: Memlint) -> None:
    write(home.home, {"Dockerfile.a\nb": GOOD})
    for name in FORMATS:
        done = home.run("lint", "-f", name, "--select", "ML101")
        assert (done.returncode, done.stderr) == (1, ""), name
    assert "Dockerfile.a b" in home.run("lint", "--select", "ML101").stdout


def test_a_name_that_is_no_utf_8(home: Memlint) -> None:
    path = os.fsencode(home.home) + b"/Dockerfile.\xff"
    with open(path, "w") as file:
        file.write(GOOD)
    for name in FORMATS:
        done = home.run("lint", "-f", name, "--select", "ML101")
        assert (done.returncode, done.stderr) == (1, ""), name


HOSTILE = "evil\x1b[2J\x1b]0;title\x07\u202e\u009b31m"


@pytest.mark.parametrize("name", ["text", "github", "markdown"])
def test_nothing_in_a_dockerfile_steers_the_terminal(home: Memlint, name: str) -> None:
    text = f"FROM debian\nRUN apt-get upgrade -y {HOSTILE}\n# memlint ignore=x # {HOSTILE}\nFROM {HOSTILE}\n"
    write(home.home, {f"Dockerfile.{HOSTILE}": text})
    done = home.run("lint", "-f", name)
    assert done.returncode in (1, 2)
    shown = (done.stdout + done.stderr).replace("\n", "")
    assert not [char for char in shown if not char.isprintable()]


def test_a_workflow_command_cannot_be_smuggled_in(home: Memlint) -> None:
    text = "FROM debian\n# memlint: ignore=%0A::error::x\nRUN apt-get upgrade -y \\\n::error::smuggled\n"
    write(home.home, {"Dockerfile": text, "x,y:%0A::z.Dockerfile": GOOD})
    done = home.run("lint", "-f", "github", "Dockerfile", "x,y:%0A::z.Dockerfile")
    for line in done.stdout.splitlines():
        assert line.startswith(("::warning file=", "::notice file=", "::error file="))
    write(home.home, {f"::error::{number}.Dockerfile": GOOD for number in range(30)})
    done = home.run("lint", "-f", "github")
    kinds = ("::warning file=", "::warning title=memlint::", "::notice file=", "::notice title=memlint::")
    assert all(line.startswith((*kinds, "warning: ", "style: ", "info: ")) for line in done.stdout.splitlines())
    assert any(line.startswith("warning: ::error::") for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", FORMATS)
def test_a_closed_pipe(home: Memlint, name: str) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = into(home, theirs, "lint", "-f", name)
    os.close(theirs)
    assert done.returncode == 2
    assert "closed" in done.stderr


@pytest.mark.parametrize("option", ["--statistics", "--diff", "--fix"])
def test_a_full_disk(home: Memlint, option: str) -> None:
    write(home.home, {"ok/Dockerfile": "# memlint global ignore=ML106\nFROM debian:12\n"})
    with open("/dev/full", "wb") as full:
        done = into(home, full.fileno(), "lint", option)
    assert done.returncode == 2
    assert "space" in done.stderr


def into(command: Memlint, output: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A call whose standard output goes there."""
    done = subprocess.run(
        [*MEMLINT, *arguments], cwd=command.home, env=command.env(), stdout=output, stderr=subprocess.PIPE, text=True
    )
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 2
    return done


def test_standard_input_is_a_terminal(home: Memlint) -> None:
    """It is read like a file, to its end."""
    ours, theirs = pty.openpty()
    os.write(ours, b"FROM debian\n\x04")
    done = subprocess.run(
        [*MEMLINT, "lint", "-", "-f", "json"], cwd=home.home, env=home.env(), stdin=theirs, capture_output=True
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 1
    assert json.loads(done.stdout)["files"] == ["-"]


def test_standard_input_is_empty(home: Memlint) -> None:
    done = home.run("lint", "-")
    assert done.returncode == 2
    assert done.stderr.startswith("memlint: error: -: ")


@pytest.mark.parametrize(
    ("closed", "arguments", "code", "said"),
    [
        ("<&-", "-", 2, "memlint: error: standard input cannot be read (Bad file descriptor)"),
        ("<&-", "Dockerfile", 1, ""),
        (">&-", "Dockerfile", 2, "memlint: error: standard output is closed"),
        (">&-", "Dockerfile --diff", 2, "memlint: error: standard output is closed"),
        (">&-", "Dockerfile -o report.txt", 1, ""),
        ("2>&-", "ok absent", 2, ""),
        ("2>/dev/full", "ok absent", 2, ""),
        ("2>/dev/full", "--unknown", 2, ""),
        ("<&- >&- 2>&-", "-", 2, ""),
    ],
)
def test_closed_streams(home: Memlint, closed: str, arguments: str, code: int, said: str) -> None:
    script = f"exec {' '.join(MEMLINT)} lint --select ML101 {arguments} {closed}"
    done = subprocess.run(["sh", "-c", script], cwd=home.home, env=home.env(), capture_output=True, text=True)
    assert (done.returncode, done.stderr.partition("\n")[0]) == (code, said)


def test_an_empty_path_is_told_and_the_others_are_linted(home: Memlint) -> None:
    done = home.run("lint", "Dockerfile", "", "-f", "json", "--select", "ML101")
    assert done.returncode == 2
    assert done.stderr.startswith("memlint: error: .: is a directory, not a Dockerfile\n  hint: ")
    assert [finding["location"]["path"] for finding in json.loads(done.stdout)["findings"]] == ["Dockerfile"]


def test_a_deleted_directory(home: Memlint) -> None:
    gone = home.home / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", f"cd gone && rmdir ../gone && exec {' '.join(MEMLINT)} lint"],
        cwd=home.home,
        env=home.env(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


@pytest.mark.parametrize(
    ("check", "path"), [("upgrade", "Dockerfile"), ("libc_families", ".")], ids=["of a file", "of the repository"]
)
@pytest.mark.parametrize("option", ["--exit-zero", "--diff", "--fix"])
def test_a_check_that_breaks_takes_nothing_along(home: Memlint, check: str, path: str, option: str) -> None:
    script = (
        f"import sys, memlint.lint.engine as engine\n"
        f"load = engine.load_check\n"
        f"def loading(rule, where):\n"
        f"    check = load(rule, where)\n"
        f"    if rule.check != {check!r}:\n"
        f"        return check\n"
        f"    def replaced(*given, **thresholds):\n"
        f"        raise RecursionError('too deep')\n"
        f"    return replaced\n"
        f"engine.load_check = loading\n"
        f"engine.thresholds_for = lambda check, values, where: dict(values)\n"
        f"from memlint.cli.main import main\n"
        f"sys.exit(main(['lint', {option!r}]))\n"
    )
    done = subprocess.run([MEMLINT[0], "-c", script], cwd=home.home, env=home.env(), capture_output=True, text=True)
    assert done.returncode == 2
    assert f"memlint: error: {path}: the check of ML" in done.stderr
    assert "Traceback" not in done.stderr
    assert option == "--diff" or "ML101" in done.stdout


def test_the_current_directory_is_gone(home: Memlint) -> None:
    script = f"mkdir gone && cd gone && rmdir ../gone && exec {' '.join(MEMLINT)} lint"
    done = subprocess.run(["sh", "-c", script], cwd=home.home, env=home.env(), capture_output=True, text=True)
    said = "memlint: error: the current directory is not there any more\n  hint: change to one that is\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
