"""The GitHub action, step by step as the runner would run it, and the hooks' file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.linting import write

ROOT = Path(__file__).resolve().parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")


class Runner:
    """Runs the steps that are scripts."""

    def __init__(self, home: Path) -> None:
        self.home = home / "work"
        self.temporary = home / "temporary"
        program = self.temporary / "memlint" / "bin" / "memlint"
        write(home, {"work/Dockerfile": "FROM debian\nRUN apt-get upgrade -y\n", "output": "", "summary": ""})
        write(program.parent, {"memlint": f'#!/bin/sh\nexec "{sys.executable}" -m memlint "$@"\n'})
        program.chmod(0o755)
        self.output, self.summary = home / "output", home / "summary"

    def value(self, expression: str, inputs: dict[str, str]) -> str:
        """What an expression stands for."""
        if expression.startswith("inputs."):
            name = expression.removeprefix("inputs.")
            return inputs.get(name, str(ACTION["inputs"][name].get("default", "")))
        if expression == "steps.lint.outputs.exit-code":
            return dict(line.split("=", 1) for line in self.output.read_text().splitlines())["exit-code"]
        return {"runner.temp": str(self.temporary), "github.action_path": str(ROOT)}[expression]

    def run(self, step: dict[str, Any], **inputs: str) -> subprocess.CompletedProcess[str]:
        given = {
            key: EXPRESSION.sub(lambda match: self.value(match[1], inputs), value) for key, value in step["env"].items()
        }
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MEMLINT_")}
        environment |= {"PYTHONPATH": str(ROOT), "GITHUB_OUTPUT": str(self.output), **given}
        environment["GITHUB_STEP_SUMMARY"] = str(self.summary)
        command = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"])
        return subprocess.run(
            command, cwd=self.home, env=environment, capture_output=True, text=True, check=False, timeout=60
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def step(name: str) -> dict[str, Any]:
    return next(each for each in STEPS if each["name"] == name)


def test_lint(runner: Runner) -> None:
    done = runner.run(step("Lint"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "::warning file=Dockerfile,line=1," in done.stdout
    assert runner.output.read_text() == "exit-code=1\n"
    assert json.loads((runner.home / "memlint.sarif").read_text())["version"] == "2.1.0"
    assert runner.summary.read_text("utf-8").startswith("### memlint: ")
    assert runner.run(step("Judge")).returncode == 1


def test_inputs(runner: Runner) -> None:
    inputs = {
        "annotations": "false",
        "summary": "false",
        "sarif-file": "",
        "args": "--select ML106 --failure-threshold error",
    }
    done = runner.run(step("Lint"), **inputs)
    assert "warning[ML106]" in done.stdout
    assert "ML101" not in done.stdout
    assert runner.summary.read_text() == ""
    assert not (runner.home / "memlint.sarif").exists()
    assert runner.run(step("Judge")).returncode == 0


def test_a_file_that_cannot_be_read(runner: Runner) -> None:
    done = runner.run(step("Lint"), paths="Dockerfile absent")
    assert "::error file=absent,title=memlint::" in done.stdout
    assert runner.run(step("Judge")).returncode == 2


def test_nothing_in_an_input_is_a_command(runner: Runner) -> None:
    for each in STEPS:
        assert not EXPRESSION.search(each.get("run", ""))
    runner.run(step("Lint"), paths="$(touch evil) `touch evil` ;touch evil", args="* && touch evil")
    assert not (runner.home / "evil").exists()


def test_the_first_step_installs_this_very_source() -> None:
    first = STEPS[0]
    assert first["env"]["SOURCE"] == "${{ github.action_path }}"
    assert '"$SOURCE"' in first["run"]


def test_every_input_is_used_and_explained() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", json.dumps(ACTION)))
    assert used == set(ACTION["inputs"])
    assert all(each["description"] for each in ACTION["inputs"].values())
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in ACTION["inputs"])


def test_the_hooks_file() -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert set(hooks) == {"memlint", "memlint-repository"}
    assert all(hook["entry"] == "memlint lint" and hook["language"] == "python" for hook in hooks.values())
    assert hooks["memlint"]["types"] == ["dockerfile"]
    assert hooks["memlint-repository"]["pass_filenames"] is False
