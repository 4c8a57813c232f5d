"""What users install: the rules, the schema and the types arrive by every way of installing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RULES = {path.name for path in (ROOT / "rules").glob("*.toml")}
ASK = (
    "import json, memlint.lint.ruleset as r;"
    "print(json.dumps([str(r.rules_directory()), [rule.id for rule in r.load_rules()]]))"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built through the sdist as an installer from PyPI would get it."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)], check=True)
    return next(out.glob("memlint_oci-*.whl"))


def ask(path: Path, cwd: Path) -> tuple[str, list[str]]:
    """Where a fresh interpreter with `path` first finds the rules, and which."""
    environment = {**os.environ, "PYTHONPATH": str(path)}
    run = subprocess.run([sys.executable, "-c", ASK], env=environment, cwd=cwd, check=True, capture_output=True)
    directory, ids = json.loads(run.stdout)
    return directory, ids


def test_the_wheel_holds_rules_schema_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"memlint/_rules/{name}" for name in RULES} <= names
    schemas = {f"memlint/report/schemas/{name}.schema.json" for name in ("compare-1", "lint-1", "measure-1", "config")}
    assert {"memlint/py.typed", *schemas} <= names
    assert not [name for name in names if name.startswith(("tests/", "fixtures/", "rules/"))]


def test_an_installed_wheel_finds_its_own_rules(wheel: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path / "site"), str(wheel)],
        check=True,
    )
    directory, ids = ask(tmp_path / "site", tmp_path)
    assert Path(directory).is_relative_to(tmp_path)
    assert {f"{each}.toml" for each in ids} == RULES


def test_a_bare_checkout_finds_the_rules_beside_the_package(tmp_path: Path) -> None:
    directory, ids = ask(ROOT, tmp_path)
    assert Path(directory) == ROOT / "rules"
    assert {f"{each}.toml" for each in ids} == RULES


def test_an_editable_install_finds_the_rules(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    site = subprocess.run(
        [sys.executable, "-c", "import msgspec, os; print(os.path.dirname(os.path.dirname(msgspec.__file__)))"],
        check=True,
        capture_output=True,
        text=True,
    )
    environment = {**os.environ, "PYTHONPATH": site.stdout.strip()}
    subprocess.run([str(python), *install], check=True, env=environment)
    run = subprocess.run([str(python), "-c", ASK], env=environment, cwd=tmp_path, check=True, capture_output=True)
    directory, ids = json.loads(run.stdout)
    assert Path(directory) == ROOT / "rules"
    assert {f"{each}.toml" for each in ids} == RULES
