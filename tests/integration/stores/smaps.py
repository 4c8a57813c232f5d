"""What the kernel itself sums up of a process: proc_pid_smaps(5)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Mapping(NamedTuple):
    """One mapping; sizes in kB, by their names there."""

    addresses: str
    path: str
    sizes: dict[str, int]


def smaps(pid: int) -> list[Mapping]:
    """All mappings of a process."""
    found: list[Mapping] = []
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        first, *rest = line.split(maxsplit=5)
        if not first.endswith(":"):
            found.append(Mapping(first, rest[4] if len(rest) > 4 else "", {}))
        elif rest[-1] == "kB":
            found[-1].sizes[first[:-1]] = int(rest[0])
    return found


def rollup(pid: int) -> dict[str, int]:
    """The sums over all mappings, in kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}


def of_file(pid: int, path: str) -> dict[str, int]:
    """The sums over the mappings of one file, in kB."""
    mappings = [mapping.sizes for mapping in smaps(pid) if mapping.path == path]
    return {name: sum(sizes[name] for sizes in mappings) for name in ("Rss", "Pss", "Anonymous")}
