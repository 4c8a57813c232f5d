"""The completion scripts, in the shells they are for."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import Memlint
from support.lacking import lacking

CASES = [
    ("memlint li", {"lint"}),
    ("memlint c", {"compare", "completion", "cache"}),
    ("memlint cache ", {"info", "clear", "prune"}),
    ("memlint lint --fo", {"--format"}),
    ("memlint lint --format s", {"sarif"}),
    ("memlint lint -f ju", {"junit"}),
    ("memlint lint -t st", {"style"}),
    ("memlint lint --select ML10", {"ML101", "ML102", "ML103"}),
    ("memlint lint --ignore ML101,ML30", {"ML301", "ML302"}),
    ("memlint explain ML30", {"ML301"}),
    ("memlint compare --storage bt", {"btrfs"}),
    ("memlint compare --format j", {"json"}),
    ("memlint cache prune --max", {"--max-size"}),
    ("memlint lint web/Docker", {"Dockerfile"}),
    ("memlint lint --baseline web/Docker", {"Dockerfile"}),
    ("memlint completion z", {"zsh"}),
    ("memlint nodes -f mark", {"markdown"}),
    ("memlint mea", {"measure"}),
    ("memlint measure --by im", {"image"}),
    ("memlint measure -f prom", {"prometheus"}),
    ("memlint measure --sort file", {"file-pages"}),
    ("memlint exp", {"exporter", "explain"}),
    ("memlint exporter --li", {"--listen"}),
]
Ask = Callable[[str], str]
NOTHING = "memlint cache info --max"


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        lacking(shell)


@pytest.fixture
def ask(request: pytest.FixtureRequest, command: Memlint) -> Iterator[Ask]:
    """Asks the shell how a line goes on."""
    shell: str = request.param
    needs(shell)
    done = command.run("completion", shell, env={"MEMLINT_FORMAT": "sarif"})
    assert (done.returncode, done.stderr) == (0, "")
    script = command.home / f"completion.{shell}"
    script.write_text(done.stdout)
    (command.home / "web").mkdir()
    (command.home / "web" / "Dockerfile").touch()
    if shell == "zsh":
        with zsh(script) as answer:
            yield answer
    else:
        yield {"bash": in_bash, "fish": in_fish}[shell](script)


def in_bash(script: Path) -> Ask:
    def answer(line: str) -> str:
        words = line.split(" ")
        array = " ".join(f"'{word}'" for word in words)
        ask = f'COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _memlint; echo "${{COMPREPLY[@]}}"'
        return output("bash", "--norc", "-c", f"source {script}; {ask}", where=script.parent)

    return answer


def in_fish(script: Path) -> Ask:
    def answer(line: str) -> str:
        return output("fish", "--no-config", "-c", f"source {script}; complete -C '{line}'", where=script.parent)

    return answer


def output(*words: str, where: Path) -> str:
    done = subprocess.run(words, cwd=where, capture_output=True, text=True, check=True, timeout=30)
    assert done.stderr == ""
    return done.stdout


@contextmanager
def zsh(script: Path) -> Iterator[Ask]:
    """zsh completes in a terminal alone: it lists what it has for a line, and the line is dropped."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(script.parent)
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb", "PS1": "", "HOME": str(script.parent)})  # noqa: S606
    setup = "autoload -Uz compinit; compinit -u -D; LISTMAX=999; unsetopt beep; bindkey '^I' list-choices"
    os.write(terminal, f"{setup}; source {script}; echo REA''DY\n".encode())
    read(terminal, "READY")

    def answer(line: str) -> str:
        os.write(terminal, f"{line}\t".encode())
        time.sleep(0.2)
        os.write(terminal, b"\x15echo EN''D\n")
        return read(terminal, "END").partition(line)[2]

    yield answer
    os.write(terminal, b"exit\n")
    os.close(terminal)
    os.waitpid(pid, 0)


def read(terminal: int, until: str) -> str:
    text, end = "", time.monotonic() + 20
    while until not in text and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            text += os.read(terminal, 65536).decode(errors="replace")
    return text


@pytest.mark.parametrize("ask", ["bash", "zsh", "fish"], indirect=True)
def test_completion(ask: Ask) -> None:
    wrong = {line: answer for line, wanted in CASES if not all(word in (answer := ask(line)) for word in wanted)}
    assert wrong == {}
    assert "--max-size" not in ask(NOTHING)


def test_an_unknown_shell(command: Memlint) -> None:
    message, _ = command.refused("completion", "tcsh")
    assert "bash" in message
