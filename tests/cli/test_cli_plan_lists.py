"""Lists of packages that lead pip elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from memlint.cli.plan_lists import listed
from memlint.dockerfile.parser import parse_dockerfile
from memlint.lint.places import Origin
from memlint.planner.write.service import Service


@pytest.mark.parametrize(
    ("copy", "place", "text", "found"),
    [
        ("COPY requirements.txt .", "requirements.txt", "flask==3\n", False),
        ("COPY requirements.txt .", "requirements.txt", "--index-url https://acme/\nflask==3\n", True),
        ("COPY requirements.txt .", "requirements.txt", "flask\n  --extra-index-url=https://acme/\n", True),
        ("COPY requirements.txt .", "requirements.txt", "-f /wheels\nflask\n", True),
        ("COPY requirements.txt .", "requirements.txt", "flask # not --index-url\n", False),
        ("COPY lists/requirements.txt .", "lists/requirements.txt", "-i https://acme/\n", True),
        ("COPY requirements.txt .", "another.txt", "-i https://acme/\n", False),
        ("COPY ../requirements.txt .", "../requirements.txt", "-i https://acme/\n", False),
    ],
)
def test_a_list_that_names_an_index(tmp_path: Path, copy: str, place: str, text: str, *, found: bool) -> None:
    context = tmp_path / "api"
    file = context / place
    file.parent.mkdir(parents=True, exist_ok=True)
    context.mkdir(exist_ok=True)
    file.write_text(text)
    dockerfile = parse_dockerfile(f"FROM python:3.12\nWORKDIR /srv\n{copy}\nRUN pip install -r requirements.txt\n")
    service = Service("api", "api:1", "api", Origin(dockerfile, dockerfile.stages[-1]), "../api")
    assert listed([service], str(tmp_path / "plan")) == ({"api:1": "requirements.txt"} if found else {})
