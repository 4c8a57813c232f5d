"""Made-up hosts: a /proc, a tree of cgroups and engines' state in a directory."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memlint.kernel.host import Host

A, B, C = "a" * 64, "b" * 64, "0123456789abcdef" * 4
ROOT = "1 0 254:0 / / rw,relatime - ext4 /dev/vda rw\n"


class Made:
    """A host whose directories are all below `top`."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.host = Host(
            proc=str(top / "proc"),
            cgroup=str(top / "cgroup"),
            modules=str(top / "modules"),
            run=str(top / "run"),
            lib=str(top / "lib"),
            etc=str(top / "etc"),
            share=str(top / "share"),
            home=str(top / "home"),
        )
        self.process(1, "0::/init.scope\n", "systemd")
        (top / "proc" / "self").symlink_to("1")

    def process(
        self,
        pid: int,
        cgroup: str,
        command: str = "sleep",
        words: Sequence[str] = (),
        *,
        mounts: str = ROOT,
        parent: int = 1,
        cwd: str | None = None,
    ) -> Path:
        """A process, as its files in /proc tell of it."""
        home = self.top / "proc" / str(pid)
        home.mkdir(parents=True)
        (home / "cgroup").write_text(cgroup)
        (home / "comm").write_text(f"{command}\n")
        (home / "cmdline").write_bytes(b"".join(os.fsencode(word) + b"\0" for word in words))
        (home / "mountinfo").write_text(mounts)
        (home / "stat").write_text(f"{pid} (a) b {command}) S {parent} 1 1 0\n")
        (home / "status").write_text("Name:\tx\nUid:\t0\t0\t0\t0\n")
        (home / "root").symlink_to("/")
        if cwd is not None:
            (home / "cwd").symlink_to(cwd)
        return home

    def json(self, path: str, content: Any) -> Path:
        """A JSON file below `top`."""
        return self.file(path, json.dumps(content))

    def file(self, path: str, content: str | bytes = "") -> Path:
        """A file below `top`."""
        target = self.top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def docker(self, root: str, identity: str, name: str, image: str, labels: Mapping[str, str] | None = None) -> None:
        """A container in a data root below `top`."""
        config = {"Image": image, "Labels": labels or {}, "Env": None}
        self.json(
            f"{root}/containers/{identity}/config.v2.json", {"ID": identity, "Name": f"/{name}", "Config": config}
        )

    def listed(self, path: str, identity: str, name: str, image: str) -> None:
        """A container in a list of containers/storage below `top`."""
        metadata = json.dumps({"image-name": image, "name": name})
        self.json(path, [{"id": identity, "names": [name], "image": "0" * 64, "metadata": metadata}])


def overlay(upper: str, lower: str = "/nowhere/l/ABC") -> str:
    """The mounts of a process on an overlay."""
    return f"74 49 0:39 / / rw,relatime - overlay overlay rw,lowerdir={lower},upperdir={upper},workdir={upper}.work\n"


def bolt(buckets: Mapping[str, Any], *, size: int = 4096, inline: bool = True) -> bytes:
    """A bbolt database; a value is bytes or a bucket. Without `inline`, each bucket has a page, below a branch."""
    pages: list[bytes] = []

    def leaf(content: Mapping[str, Any]) -> bytes:
        items = sorted((key.encode(), value) for key, value in content.items())
        values = [value if isinstance(value, bytes) else bucket(value) for _, value in items]
        at, head, body = len(items) * 16, b"", b""
        for number, ((key, value), raw) in enumerate(zip(items, values, strict=True)):
            offset = at + len(body) - number * 16
            head += struct.pack("<IIII", 0 if isinstance(value, bytes) else 1, offset, len(key), len(raw))
            body += key + raw
        return struct.pack("<QHHI", 0, 2, len(items), 0) + head + body

    def bucket(content: Mapping[str, Any]) -> bytes:
        if inline:
            return struct.pack("<QQ", 0, 0) + leaf(content)
        return struct.pack("<QQ", branch(place(leaf(content)), min(content, default="").encode()), 0)

    def branch(number: int, key: bytes) -> int:
        return place(struct.pack("<QHHI", 0, 1, 1, 0) + struct.pack("<IIQ", 16, len(key), number) + key)

    def place(page: bytes) -> int:
        number, count = 2 + sum(len(each) // size for each in pages), -(-len(page) // size)
        page = page[:12] + struct.pack("<I", count - 1) + page[16:]
        pages.append(page.ljust(count * size, b"\0"))
        return number

    root = place(leaf(buckets))
    metas = [_meta(size, number, transaction) for number, transaction in ((root, 7), (999, 6))]
    return b"".join((*metas, *pages))


def _meta(size: int, root: int, transaction: int) -> bytes:
    meta = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, size, 0, root, 0, 0, 99, transaction)
    return (struct.pack("<QHHI", 0, 4, 0, 0) + meta).ljust(size, b"\0")
