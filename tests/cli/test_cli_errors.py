"""Whatever goes wrong: exit 2, one line that says what, one that says what to do, and no traceback."""

from __future__ import annotations

import errno
import json
import os
import pty
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import images
from support.command import FLEET, MEMLINT, Memlint
from support.daemon import serving
from support.elf import library

SPEC = images.image("web:1", {"lib/liba.so": library("liba.so", pages=50), "lib/libb.so": library("libb.so")})


def layout(home: Path) -> Path:
    return images.oci(SPEC).write(home / "good")


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare",),
        ("compare", ""),
        ("compare", "oci:"),
        ("compare", "oci:absent"),
        ("compare", "./absent"),
        ("compare", "docker-archive:absent.tar"),
        ("compare", "docker://registry/web"),
        ("compare", "containers-storage:web"),
        ("compare", "oci:good:absent"),
        ("compare", "oci:good", "oci:absent"),
        ("compare", "oci:good", "--platform", "linux/s390x"),
        ("compare", "oci:good", "--platform", "nonsense"),
        ("compare", "oci:good", "--storage", "aufs"),
        ("compare", "oci:good", "--format", "xml"),
        ("compare", "oci:good", "--top", "0"),
        ("compare", "oci:good", "--top", "many"),
        ("compare", "oci:good", "--top", "²"),
        ("compare", "oci:good", "--min-size", "1XB"),
        ("compare", "oci:good", "--min-size", "-1"),
        ("compare", "oci:good", "--min-efficiency", "2"),
        ("compare", "oci:good", "--min-efficiency", "nan"),
        ("compare", "oci:good", "--max-duplicate", "lots"),
        ("compare", "oci:good", "--replicas", "web"),
        ("compare", "oci:good", "--replicas", "web=0"),
        ("compare", "oci:good", "--replicas", "=2"),
        ("compare", "oci:good", "--replicas", "api=2"),
        ("compare", "oci:good", "--kinds", "elf"),
        ("compare", "oci:good", "--basis", "guess"),
        ("compare", "oci:good", "--jobs", "0"),
        ("compare", "oci:good", "--unknown"),
        ("compare", "oci:good", "-o", "absent/report.txt"),
        ("compare", "oci:good", "-o", "good"),
        ("compare", "oci:good", "--max-layer-size", "1kB", "--no-cache"),
        ("compare", "oci:good", "--max-entries", "1", "--no-cache"),
        ("compare", "oci:good\udcff"),
        ("comprae", "oci:good"),
        ("cache",),
        ("cache", "eat"),
        ("cache", "prune", "--max-size", "x"),
    ],
    ids=lambda arguments: " ".join(arguments).encode("ascii", "backslashreplace").decode(),
)
def test_bad_call(command: Memlint, arguments: tuple[str, ...]) -> None:
    layout(command.home)
    command.refused(*arguments, env={"DOCKER_HOST": f"unix://{command.home}/absent.sock"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEMLINT_STORAGE", "aufs"),
        ("MEMLINT_FORMAT", "xml"),
        ("MEMLINT_TOP", "0"),
        ("MEMLINT_MIN_SIZE", "x"),
        ("MEMLINT_MIN_EFFICIENCY", "2"),
        ("MEMLINT_REPLICAS", "web"),
        ("MEMLINT_REPLICAS", "web=1,=2"),
        ("MEMLINT_KINDS", "elf"),
        ("MEMLINT_PLATFORM", "nonsense"),
        ("MEMLINT_JOBS", "none"),
        ("MEMLINT_NO_CACHE", "perhaps"),
    ],
)
def test_bad_environment(command: Memlint, name: str, value: str) -> None:
    layout(command.home)
    message, _ = command.refused("compare", "oci:good", env={name: value})
    assert name in message or value in message


def test_no_daemon(command: Memlint) -> None:
    message, hint = command.refused("compare", "web", env={"DOCKER_HOST": f"unix://{command.home}/absent.sock"})
    assert "absent.sock" in message
    assert "DOCKER_HOST" in hint


def test_an_image_that_the_daemon_does_not_have(command: Memlint) -> None:
    with tempfile.TemporaryDirectory() as place, serving(Path(place) / "s", SPEC) as daemon:
        message, hint = command.refused("compare", "web:2", env={"DOCKER_HOST": daemon.host})
    assert "web:2" in message
    assert "web:1" in hint


def cut(home: Path) -> str:
    data = images.tar(images.docker_old(SPEC))
    (home / "cut.tar").write_bytes(data[: len(data) // 2])
    return "docker-archive:cut.tar"


def cut_gzip(home: Path) -> str:
    data = images.COMPRESS["gzip"](images.tar(images.docker_old(SPEC)))
    (home / "cut.tar.gz").write_bytes(data[: len(data) // 2])
    return "docker-archive:cut.tar.gz"


def wrong_digest(home: Path) -> str:
    made = images.oci(SPEC)
    name = max(made.files, key=lambda name: len(images.tar({"x": made.files[name]})))
    data = made.files[name]
    assert isinstance(data, bytes)
    made.files[name] = data[:-1] + b"x"
    made.write(home / "wrong")
    return "oci:wrong"


def no_json(home: Path) -> str:
    layout(home).joinpath("index.json").write_text("<html>")
    return "oci:good"


def much_json(home: Path) -> str:
    os.truncate(layout(home) / "index.json", 100 << 20)
    return "oci:good"


def foreign(home: Path) -> str:
    made = images.Layout()
    layer = made.blob("application/vnd.oci.image.layer.nondistributable.v1.tar", b"x")
    config = made.blob(images.CONFIG, images.config_of(SPEC))
    made.name(made.blob(images.MANIFEST, images.encode({"config": config, "layers": [layer]})), "web:1")
    made.write(home / "foreign")
    return "oci:foreign"


@pytest.mark.parametrize("make", [cut, cut_gzip, wrong_digest, no_json, much_json, foreign])
def test_bad_image(command: Memlint, make: Callable[[Path], str]) -> None:
    message, _ = command.refused("compare", make(command.home))
    assert make(command.home).partition(":")[2] in message


def test_a_cache_directory_that_cannot_be_made(command: Memlint) -> None:
    layout(command.home)
    (command.home / "file").write_text("")
    message, hint = command.refused("compare", "oci:good", "--cache-dir", "file/below")
    assert "file/below" in message
    assert "--no-cache" in hint


def test_a_cache_directory_without_room(command: Memlint) -> None:
    """/dev/full says so for every write; a file system of a few bytes needs root."""
    layout(command.home)
    script = (
        "import os, sys, tempfile\n"
        "def full(*_, **__): raise OSError(28, 'No space left on device')\n"
        "tempfile.mkstemp = full\n"
        "from memlint.cli.main import main\n"
        "sys.exit(main(['compare', 'oci:good']))\n"
    )
    done = subprocess.run(
        [MEMLINT[0], "-c", script], cwd=command.home, env=command.env(), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    message, hint = done.stderr.splitlines()
    assert os.strerror(errno.ENOSPC) in message
    assert "--no-cache" in hint


def test_a_full_output(command: Memlint) -> None:
    layout(command.home)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*MEMLINT, "compare", "oci:good"],
            cwd=command.home,
            env=command.env(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert "Traceback" not in done.stderr


def test_interrupt(command: Memlint) -> None:
    """Ctrl-C while an archive is still coming."""
    pipe = command.home / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [*MEMLINT, "compare", "docker-archive:pipe", "-o", "report.txt"],
        cwd=command.home,
        env=command.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        with open(pipe, "wb", buffering=0) as writer:
            writer.write(images.tar(images.docker_old(SPEC))[:5000])
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (130, "")
    assert "Traceback" not in stderr
    assert len(stderr.splitlines()) == 2
    assert not (command.home / "report.txt").exists()


def test_interrupt_while_the_archive_stays_silent(command: Memlint) -> None:
    """Nobody needs to send or close anything for Ctrl-C to work."""
    pipe = command.home / "pipe"
    os.mkfifo(pipe)
    with (
        subprocess.Popen(
            [*MEMLINT, "compare", "docker-archive:pipe"],
            cwd=command.home,
            env=command.env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        open(pipe, "wb", buffering=0) as writer,
    ):
        writer.write(images.tar(images.docker_old(SPEC))[:5000])
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        try:
            _, stderr = process.communicate(timeout=5)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in stderr


@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_a_version_that_cannot_be_told(command: Memlint, output: str) -> None:
    script = f"exec {' '.join(MEMLINT)} --version {output}"
    done = subprocess.run(["sh", "-c", script], env=command.env(), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("memlint: error: ")


@pytest.mark.parametrize("arguments", [("compare", f"oci:{FLEET}", "--all"), ("compare", "--help")])
def test_a_closed_pipe(command: Memlint, arguments: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [*MEMLINT, *arguments], cwd=command.home, env=command.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        stderr = process.stderr.read().decode()
        process.wait(20)
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr
    assert len(stderr.splitlines()) in (0, 2)
    assert process.returncode in (0, 2, 141)


def test_nothing_is_left_behind_by_a_failed_run(command: Memlint) -> None:
    command.refused("compare", wrong_digest(command.home))
    assert not [path for path in (command.home / "cache").rglob("*") if path.is_file()]


def read_terminal(descriptor: int) -> bytes:
    """What comes next; nothing at the end, which Linux says by an error."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def on_a_terminal(command: Memlint, *arguments: str) -> str:
    """What is drawn on standard error where that is a terminal."""
    main, side = pty.openpty()
    pipe = command.home / "pipe"
    os.mkfifo(pipe)
    data = images.tar(images.docker_skopeo(SPEC))
    with subprocess.Popen(
        [*MEMLINT, "compare", "docker-archive:pipe", *arguments],
        cwd=command.home,
        env=command.env(TERM="xterm", COLUMNS="100"),
        stdout=subprocess.PIPE,
        stderr=side,
    ) as process:
        os.close(side)
        with open(pipe, "wb", buffering=0) as writer:
            writer.write(data[:6000])
            time.sleep(0.9)
            writer.write(data[6000:])
        drawn = b"".join(iter(lambda: read_terminal(main), b""))
        assert process.wait(20) == 0
    os.close(main)
    return drawn.decode()


def test_a_bar_on_a_terminal(command: Memlint) -> None:
    assert "reading layers" in on_a_terminal(command)


def test_no_bar_where_none_is_wanted(command: Memlint) -> None:
    assert on_a_terminal(command, "--no-progress") == ""


def test_cache_commands(command: Memlint) -> None:
    layout(command.home)
    info = ("cache", "info", "--cache-dir", "kept")
    assert "0 entries" in command.run(*info).stdout
    command.report("oci:good", "--cache-dir", "kept")
    assert "1 entr" in command.run(*info).stdout
    assert "0 entries" in command.run("cache", "prune", "--max-size", "1GB", "--cache-dir", "kept").stdout
    assert "1 entr" in command.run("cache", "prune", "--max-size", "0", "--cache-dir", "kept").stdout
    assert "0 entries" in command.run(*info).stdout
    command.report("oci:good", "--cache-dir", "kept")
    assert "1 entr" in command.run("cache", "clear", env={"MEMLINT_CACHE_DIR": "kept"}).stdout
    assert "0 entries" in command.run(*info).stdout


def test_a_damaged_cache_entry_is_rebuilt(command: Memlint) -> None:
    layout(command.home)
    first = command.report("oci:good")
    (entry,) = (path for path in (command.home / "cache").rglob("*") if path.is_file())
    good = entry.read_bytes()
    for bad in (b"", good[:-1], good[:40] + b"\xff" + good[41:], b"x" * len(good)):
        entry.write_bytes(bad)
        assert command.report("oci:good") == first
        assert entry.read_bytes() == good


def test_the_cache_is_used(command: Memlint) -> None:
    good = layout(command.home)
    first = command.report("oci:good")
    manifest = json.loads((good / "index.json").read_text())["manifests"][0]["digest"].partition(":")[2]
    layer = json.loads((good / "blobs/sha256" / manifest).read_text())["layers"][0]["digest"].partition(":")[2]
    path = good / "blobs/sha256" / layer
    path.write_bytes(bytes(path.stat().st_size))
    assert command.report("oci:good") == first
    command.refused("compare", "oci:good", "--no-cache")
