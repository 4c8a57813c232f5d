"""What the README shows is what memlint prints."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from support.command import ROOT, Memlint

from memlint.cli.parser import COMMANDS

README = (ROOT / "README.md").read_text("utf-8")
SHOWN = dict(re.findall(r"```console\n\$ memlint ([^\n]*)\n(.*?)```", README, re.DOTALL))
COLUMNS = "110"


@pytest.mark.parametrize("call", SHOWN)
def test_the_readme_shows_what_is_printed(command: Memlint, call: str) -> None:
    (command.home / "fixtures").symlink_to(ROOT / "fixtures")
    if call == "lint":
        shutil.copytree(ROOT / "fixtures" / "services", command.home, dirs_exist_ok=True)
        Path(command.home / "fixtures").unlink()
    done = command.run(*call.split(), env={"COLUMNS": COLUMNS, "MEMLINT_PLATFORM": "linux/amd64"})
    assert done.stdout == SHOWN[call]


def test_the_readme_lists_all_commands_and_all_documents() -> None:
    table = README.partition("## All commands")[2]
    assert set(re.findall(r"`memlint (\w+)`", table.partition("\n\n[")[0])) == set(COMMANDS)
    documents = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert documents <= set(re.findall(r"\((\S+?)\)", table))


def test_the_readme_shows_something() -> None:
    assert {call.split()[0] for call in SHOWN} >= {"compare", "lint", "plan"}
