"""What starting memlint costs over `python -c pass`, in milliseconds.

python benchmarks/startup.py [--rounds N]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from racing import MEMLINT, Contestant, header, race, verdict

LIMITS = {"--version": 25, "compare --help": 50}  # ms over `python -c pass`


def main() -> None:
    parser = argparse.ArgumentParser(description="what starting memlint costs over python -c pass")
    parser.add_argument("--rounds", type=int, default=40, help="runs of each (default: %(default)s)")
    rounds = parser.parse_args().rounds
    script = Path(sys.executable).with_name("memlint")
    program = (str(script),) if script.exists() else MEMLINT
    nothing = Contestant("python -c pass", (sys.executable, "-c", "pass"))
    ours = [Contestant(f"memlint {line}", (*program, *line.split())) for line in LIMITS]
    results = race([nothing, *ours], rounds)

    header("memlint-oci")
    print(f"through {'the console script' if script.exists() else 'python -m memlint'}, {rounds} runs of each\n")
    print(f"  {'':24} {'min ms':>8} {'median':>8} {'over (min)':>11} {'(median)':>9}  target")
    base = results[nothing.name]
    print(f"  {nothing.name:24} {base.seconds * 1e3:8.1f} {base.median * 1e3:8.1f}")
    for contestant, limit in zip(ours, LIMITS.values(), strict=True):
        result = results[contestant.name]
        over, over_median = (result.seconds - base.seconds) * 1e3, (result.median - base.median) * 1e3
        figures = f"{result.seconds * 1e3:8.1f} {result.median * 1e3:8.1f} {over:+11.1f} {over_median:+9.1f}"
        print(f"  {contestant.name:24} {figures}  {verdict(over, at_most=limit)} (of the minima)")


if __name__ == "__main__":
    main()
