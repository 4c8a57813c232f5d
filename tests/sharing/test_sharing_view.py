"""The merged view, against a model of unpacking that was written for itself: dictionaries of dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import fleets, images
from support.elf import elf

from memlint.sharing.view import Symlink, Visible

# --- the oracle: a directory is a dict, everything else a leaf ---

Leaf = tuple[str, str]
Node = Union[Leaf, "dict[str, Node]"]
Root = dict[str, Node]


def place(root: Root, path: str) -> tuple[Root, str]:
    """The directory that holds the path's last part; what is no directory on the way is replaced by one."""
    *parents, name = path.split("/")
    for part in parents:
        below = root.get(part)
        if not isinstance(below, dict):
            below = root[part] = {}
        root = below
    return root, name


def lookup(root: Root, path: str) -> Node | None:
    found: Node | None = root
    for part in path.split("/") if path else ():
        found = found.get(part) if isinstance(found, dict) else None
    return found


def applied(root: Root, number: int, tree: images.Tree) -> None:
    """One layer upon what lies below: first it hides, then it puts."""
    for path, content in tree.items():
        if isinstance(content, images.Gone):
            *parents, name = path.split("/")
            parent = lookup(root, "/".join(parents))
            if isinstance(parent, dict):
                parent.pop(name, None)
        elif isinstance(content, images.Dir) and content.opaque:
            found = lookup(root, path)
            if isinstance(found, dict):
                found.clear()
    for path, content in tree.items():
        if isinstance(content, images.Gone):
            if "/" in path:
                place(root, path)
            continue
        parent, name = place(root, path)
        if isinstance(content, images.Dir):
            if not isinstance(parent.get(name), dict):
                parent[name] = {}
        else:
            parent[name] = (f"{number}", content.target if isinstance(content, images.Link) else "file")


def flat(root: Root, prefix: str = "") -> dict[str, Leaf]:
    found: dict[str, Leaf] = {}
    for name, node in root.items():
        if isinstance(node, dict):
            found.update(flat(node, f"{prefix}{name}/"))
        else:
            found[prefix + name] = node
    return found


# --- layers at random ---

FILES = [elf(text) for text in "ab"]
NAMES = st.lists(st.sampled_from("xyz"), min_size=1, max_size=3).map("/".join)
CONTENTS: st.SearchStrategy[images.Content] = st.one_of(
    st.sampled_from(FILES),
    st.builds(images.Link, st.sampled_from(["x", "/y/z", "../z"])),
    st.sampled_from([images.Gone(), images.Dir(), images.Dir(opaque=True)]),
)


def honest(tree: Mapping[str, images.Content]) -> images.Tree:
    """Without what no builder writes: entries below one of the same layer that is no directory."""
    return {
        path: content
        for path, content in sorted(tree.items())
        if all(isinstance(tree.get(path[:at], images.Dir()), images.Dir) for at in range(len(path)) if path[at] == "/")
    }


LAYERS = st.lists(st.dictionaries(NAMES, CONTENTS, max_size=6).map(honest), min_size=1, max_size=5)


@settings(max_examples=400, deadline=None)
@given(LAYERS)
def test_what_a_container_sees(layers: list[images.Tree]) -> None:
    root: Root = {}
    for number, tree in enumerate(layers):
        applied(root, number, tree)
    view = fleets.view(images.image("x", *layers))
    found = {
        path: (str(node.layer), "file") if isinstance(node, Visible) else node.target
        for path, node in view.nodes.items()
        if isinstance(node, (Visible, Symlink))
    }
    expected = {path: (number, target) if target == "file" else target for path, (number, target) in flat(root).items()}
    assert found == expected


A, B = FILES


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{"d/f": A}, {"d/f": images.Gone()}], {}),
        ([{"d/f": A}, {"d": images.Gone()}], {}),
        ([{"d/f": A}, {"d": images.Dir(opaque=True)}], {}),
        ([{"d/f": A}, {"d": images.Dir(opaque=True), "d/g": B}], {"d/g": 1}),
        ([{"d/f": A}, {"": images.Dir(opaque=True), "g": B}], {"g": 1}),
        ([{"d/f": A}, {"d": images.Dir()}], {"d/f": 0}),
        ([{"d/f": A}, {"d": b"text"}], {}),
        ([{"d": A}, {"d/f": B}], {"d/f": 1}),
        ([{"d/f": A}, {"d": B}, {"d/g": A}], {"d/g": 2}),
        ([{"d/f": A}, {"d": images.Link("e"), "e/f": B}], {"e/f": 1}),
        ([{"f": A}, {"f": images.Gone()}, {"f": A}], {"f": 2}),
        ([{"f": A}, {"f": b"text"}], {}),
        ([{"f": b"text"}, {"f": A}], {"f": 1}),
        ([{"d/f": A, "df": A}, {"d": images.Gone()}], {"df": 0}),
        ([{"f": A}, {"g": images.Hard("f"), "f": A}], {"f": 1, "g": 1}),
    ],
)
def test_cases(layers: list[images.Tree], expected: dict[str, int]) -> None:
    view = fleets.view(images.image("x", *layers))
    assert {path: file.layer for path, file in view.files()} == expected


def test_hard_links_of_a_layer_are_one_inode() -> None:
    report = fleets.compared(images.image("x", {"f": A, "g": images.Hard("f")}))
    assert (report.totals.mappable.page_cache_bytes, report.duplicates) == (4096, ())


def test_a_hard_link_that_a_higher_layer_rewrites_is_another_inode() -> None:
    report = fleets.compared(images.image("x", {"f": A, "g": images.Hard("f")}, {"g": A}))
    (duplicate,) = report.duplicates
    assert duplicate.copies == 2


def test_a_package_is_known_through_a_copy() -> None:
    installed: images.Tree = {"usr/lib/liba.so": A, **images.dpkg("liba", "1.0", "usr/lib/liba.so")}
    view = fleets.view(images.image("x", installed, {"usr/lib/liba.so": A}))
    ((_, file),) = view.files()
    assert file.layer == 1
    assert file.package is not None
    assert file.package.name == "liba"
