"""Real shells run made-up scripts: what was said to be known must be what they did."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from support.dockerfiles import missing

from memlint.dockerfile.shell import parse_shell

ENVIRONMENT = {"A": "one", "B": "x y", "E": "", "V": "1.2.3", "P": "/usr/local/bin/tool", "S": " lead trail "}
PROBE = """#!/bin/sh
said="$PWD"
for word; do said="$said|$word"; done
printf '%s\\n' "$said" >>"$SAID"
"""
ATOMS = (
    *(
        "a",
        "b-",
        "1.2",
        "/p/q",
        "=",
        "'",
        '"',
        "\\",
        "$A",
        "$B",
        "$E",
        "$S",
        "${V%.*}",
        "${V%%.*}",
        "${P##*/}",
        "${P#*/}",
    ),
    *(
        "${E:-d e}",
        "${A:+z}",
        '${E:-"d e"}',
        "${A:-q}",
        "${#V}",
        "\\ ",
        "\\n",
        '"$B"',
        "'$B'",
        '"a b"',
        "'c  d'",
        '""',
        "''",
    ),
    *("$", "${B}", "\\$A", "${E:+x}", "${A+y}", ":", "@", ",", "%", "~x", "#", "!", "${V#1}", "${V##*.}", "${E-u}"),
    *(
        "\"${E:-'q r'}\"",
        '"${V%"3"}"',
        '"\\$A \\" \\x"',
        "${B%y}",
        '"${B#* }"',
        "${E:-$B}",
        '"${E:-$B}"',
        "${E:-${A}b}",
    ),
)


@pytest.fixture(params=["dash", "bash"])
def shell(request: pytest.FixtureRequest) -> str:
    found = shutil.which(request.param)
    if not found:
        missing(request.param)
    return str(found)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with directories to change to, and the program that tells how it was called."""
    for name in ("bin", "r/a/b", "r/c"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "bin/probe").write_text(PROBE)
    (tmp_path / "bin/probe").chmod(0o755)
    return tmp_path


def run(shell: str, script: str, place: Path) -> tuple[int, list[list[str]]]:
    """The status, and of each probe that ran the directory and the words."""
    said = place / "said"
    said.write_text("")
    environment = {**ENVIRONMENT, "PATH": f"{place}/bin:/usr/bin:/bin", "SAID": str(said)}
    process = subprocess.Popen(
        [shell, "-c", script],
        cwd=place / "r",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = process.wait(30)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return status, [line.split("|") for line in said.read_text().splitlines()]


def test_words(shell: str, place: Path) -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(150):
        words = ["".join(chance.choices(ATOMS, k=chance.randint(1, 4))) for _ in range(chance.randint(1, 3))]
        script = "set -f; probe " + " ".join(words)
        status, said = run(shell, script, place)
        commands = parse_shell(script, ENVIRONMENT)
        assert (commands is None) == (status != 0), script
        texts = [word.text for word in commands[1].words[1:]] if commands else [None]
        assert None in texts or texts == said[0][1:], script


class Maker:
    """Makes scripts that end, of which each probe has its own number."""

    def __init__(self, seed: int, bash: bool, root: Path) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.bash = bash
        self.root = f"{root}/r"
        self.number = 0
        self.calls = True

    def script(self) -> str:
        return "f() { :; }; " + self.sequence(3, 5)

    def sequence(self, depth: int, length: int = 3) -> str:
        return "; ".join(self.list(depth) for _ in range(self.chance.randint(1, length)))

    def list(self, depth: int) -> str:
        first = self.chance.choice(("", "", "", f"{self.test()} && ", f"{self.test()} || ")) + self.command(depth)
        for _ in range(2):
            if self.chance.random() < 0.25:
                first += self.chance.choice((" && ", " || ", " | ")) + self.command(depth)
        return first

    def command(self, depth: int) -> str:
        if depth == 0 or self.chance.random() < 0.5:
            return self.simple()
        if self.chance.random() < 0.1:
            before, self.calls = self.calls, False  # a function that calls itself would not end
            body = self.sequence(depth - 1)
            self.calls = before
            return f"f() {{ {body}; }}"
        inner = [self.sequence(depth - 1) for _ in range(3)]
        variable = self.chance.choice("XYi")
        return self.chance.choice(
            (
                f"if {self.test()}; then {inner[0]}; elif {self.test()}; then {inner[1]}; else {inner[2]}; fi",
                f"for {variable} in 1 '2 3'; do {inner[0]}; done",
                f'case "$X" in 1) {inner[0]};; *) {inner[1]};; esac',
                f"( {inner[0]} )",
                f"{{ {inner[0]}; }}",
                f"sh -c 'X=in; cd {self.root}/c; {self.probe(chr(34))} $A'",
            )
        )

    def simple(self) -> str:
        value = self.chance.choice(("1", "'p q'", "$X", "$Y", "$B", "$(echo z)", '"$A$X"', "", "r"))
        target = self.chance.choice((f"{self.root}/a", self.root, f"{self.root}/a/b", '"$PWD"', "."))
        choices = [
            *(self.probe() for _ in range(6)),
            *(f"{self.chance.choice('XYAB')}={value}" for _ in range(3)),
            *(f"export X={value}", "unset Y", f"cd {target}", f"cd {target} || cd {self.root}", "cd b || exit 1"),
            *("set -- m 'n o'", "set --", "eval X=ev", f"eval 'cd {self.root}'", "X=pre true", ": ${E:=x}"),
        ]
        choices += ["f"] * self.calls
        return self.chance.choice([*choices, "arr=(u 'v w')", "arr=()", "arr+=($B)"] if self.bash else choices)

    def test(self) -> str:
        return self.chance.choice(("[ 1 = 1 ]", "[ 1 = 2 ]", "! [ 1 = 2 ]", "! true", '[ -n "$X" ]', "test 1 = 2"))

    def probe(self, quote: str = "") -> str:
        self.number += 1
        words = ("w", "$A", "$B", '"$B"', "$X", "$Y", '"$X"', "${X:-d}", "${Y%y}", "$E", "'$A'", '"$@"', '"${arr[@]}"')
        chosen = self.chance.choices(words if self.bash else words[:-1], k=self.chance.randint(0, 2))
        return f"probe {self.number} " + ("" if quote else " ".join(chosen))


@pytest.mark.parametrize("seed", range(int(os.environ.get("MEMLINT_ORACLE_SCRIPTS", "40"))))
def test_scripts(shell: str, place: Path, seed: int) -> None:
    script = Maker(seed, shell.endswith("bash"), place).script()
    _, said = run(shell, script, place)
    commands = parse_shell(script, ENVIRONMENT, f"{place}/r")
    assert commands is not None
    probes = {command.words[1].text: command for command in commands if command.name == "probe"}
    for directory, number, *words in said:
        command = probes[number]
        assert command.directory in (None, directory), (number, script)
        texts = [word.text for word in command.words[2:]]
        assert None in texts or texts == words, (number, script)
