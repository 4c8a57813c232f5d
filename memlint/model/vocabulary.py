"""The names that users choose from. Imports nothing: `--help` shows them and must start fast."""

from __future__ import annotations

BY_CHAIN, BY_CONTENT, BY_CONTAINER = "layer chain", "content", "container"

STORAGE = {
    "overlay2": BY_CHAIN,
    "containerd-overlayfs": BY_CHAIN,
    "containers-storage-overlay": BY_CHAIN,
    "composefs": BY_CONTENT,
    "erofs-inode-share": BY_CONTENT,
    "hardlinked": BY_CONTENT,
    "vfs": BY_CONTAINER,
    "btrfs": BY_CONTAINER,
    "zfs": BY_CONTAINER,
    "devicemapper": BY_CONTAINER,
    "fuse-overlayfs": BY_CONTAINER,
}
"""Storage drivers and snapshotters → what two files must have in common to share an inode."""

ELF_KINDS = ("executable", "library")
KINDS = (*ELF_KINDS, "dotnet", "gguf", "icu", "jvm-cds", "jvm-modules", "locale-archive", "safetensors")
"""Kinds of mapped files. Only ELF counts by default: the others are mapped by some versions of their runtimes alone."""

MEASURE_BY = ("container", "image", "process", "file")
MEASURE_FIGURES = ("rss", "pss", "uss", "pss-anon", "pss-file", "swap", "hugetlb", "file-pages", "duplicate")
MEASURE_SORTS = (*MEASURE_FIGURES, "name")
"""What `memlint measure` makes a line of, and what may order the lines."""
