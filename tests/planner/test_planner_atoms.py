"""What becomes an atom, what can share, and what is suggested."""

from __future__ import annotations

from typing import Any

import pytest
from support.elf import library
from support.fleets import compared, loaded
from support.images import Content, Files, Layer, Spec, image

from memlint.model.plan import Plan, PlannedBase
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.draft import Options
from memlint.planner.grounds import Ground
from memlint.planner.planning import plan_images
from memlint.planner.suggestions import BUILD, MERGE, MOVE, PIN, REORDER, suggestions
from memlint.planner.write.rigid import Again
from memlint.sharing.storage import storage_model

PAGES = 300


def rootfs(version: str = "12", libc: str = "1", **more: Content) -> Files:
    release = f"ID=debian\nVERSION_ID={version}\n".encode()
    return {"etc/os-release": release, "usr/lib/libc.so.6": library("libc", text=libc, pages=PAGES), **more}


def debs(*names: str, depends: dict[str, str] | None = None) -> Files:
    """These packages, each with a library, at version 1."""
    files: Files = {}
    status = ""
    for name in names:
        needs = f"Depends: {depends[name]}\n" if depends and name in depends else ""
        status += f"Package: {name}\nStatus: install ok installed\nVersion: 1\nInstalled-Size: 2000\n{needs}\n"
        files[f"var/lib/dpkg/info/{name}.list"] = f"/usr/lib/{name}.so\n".encode()
        files[f"usr/lib/{name}.so"] = library(name, pages=PAGES)
    return {**files, "var/lib/dpkg/status": status.encode()}


def planned(*specs: Spec, **options: Any) -> Plan:
    images, indexes = loaded(*specs)
    chosen = Options(**options)
    return plan_images(images, [1] * len(images), indexes, storage_model("overlay2"), ELF_KINDS, chosen)


def only(plan: Plan) -> PlannedBase:
    (base,) = plan.bases
    return base


def test_what_came_along_is_no_root() -> None:
    tree = debs("app", "lib", depends={"app": "lib (>= 1), missing | lib"})
    base = only(planned(*(image(name, rootfs(), {**tree, name: name.encode()}) for name in "ab")))
    assert [(each.name, each.root) for each in base.packages] == [("app", True), ("lib", False)]
    assert base.causes == {"rebuilt": base.page_cache_saved_bytes}


def test_packages_that_need_each_other_have_a_root() -> None:
    tree = debs("x", "y", depends={"x": "y", "y": "x"})
    base = only(planned(*(image(name, rootfs(), {**tree, name: name.encode()}) for name in "ab")))
    assert any(each.root for each in base.packages)


def test_a_choice_that_images_take_differently_keeps_what_needs_it_out() -> None:
    depends = {"app": "one | two"}
    plan = planned(
        image("a", rootfs(), debs("app", "one", depends=depends)),
        image("b", rootfs(), debs("app", "two", depends=depends)),
        prefer="strict",
    )
    assert plan.bases == ()
    union = planned(
        image("a", rootfs(), debs("app", "one", depends=depends)),
        image("b", rootfs(), debs("app", "two", depends=depends)),
        prefer="union",
    )
    assert len(only(union).packages) == 2
    assert union.after.duplicate_bytes == 0


def test_packages_that_exclude_each_other_are_in_no_base_together() -> None:
    """Two mail servers: each provides what both conflict with."""

    def server(name: str, other: str) -> Files:
        tree = debs(name, other)
        status = tree["var/lib/dpkg/status"]
        assert isinstance(status, bytes)
        fields = b"Provides: mta\nConflicts: mta\n"
        return {**tree, "var/lib/dpkg/status": status.replace(b"\nVersion", b"\n" + fields + b"Version", 1)}

    specs = [image(f"{name}{at}", rootfs(), {**server(name, at), f"{name}{at}": b""}) for name in "xy" for at in "pq"]
    plan = planned(*specs, prefer="union")
    assert len(plan.bases) > 1
    for base in plan.bases:
        assert not {"x", "y"} <= {package.name for package in base.packages}


def test_other_releases_and_platforms_and_contents_share_no_base() -> None:
    tree = debs("app")
    for other in (rootfs("11"), rootfs(libc="2")):
        plan = planned(image("a", rootfs(), tree), image("b", other, {**tree, "x": b""}))
        assert plan.bases == ()
        assert {each.what for each in plan.left_out} == {"a", "b"}
    elsewhere = image("b", rootfs(), {**tree, "x": b""}, platform="linux/arm64")
    assert planned(image("a", rootfs(), tree), elsewhere).bases == ()


def test_a_drifted_ground_becomes_one() -> None:
    plan = planned(image("a", Layer(rootfs(), mtime=1)), image("b", Layer(rootfs(), mtime=2), debs("x")))
    base = only(plan)
    assert (base.packages, base.files, base.source) == ((), (), "debian:12")
    assert base.causes == {"base drift": PAGES * 4096}
    assert plan.after.duplicate_bytes == 0


def test_the_dockerfile_says_what_is_below() -> None:
    below = (Layer(rootfs()), Layer({"usr/local/lib/node.so": library("node", pages=PAGES)}))
    specs = [image(name, *below, {**debs("x"), name: b""}) for name in "ab"]
    grounds = {name: Ground("node:20@sha256:1", 2) for name in "ab"}
    base = only(planned(*specs, grounds=grounds))
    assert base.source == "node:20@sha256:1"
    assert base.files == ()


def test_a_virtual_environment_is_files_and_a_system_package_is_one() -> None:
    for site, kind in (("usr/local/lib/python3.11/site-packages", "package"), ("opt/venv/lib/p", "files")):
        tree: Files = {
            f"{site}/x/x.so": library("x", pages=PAGES),
            f"{site}/x-1.dist-info/METADATA": b"Name: x\nVersion: 1\n",
            f"{site}/x-1.dist-info/RECORD": b"x/x.so,,\n",
        }
        pip = debs("python3-pip")
        made = [
            image(name, {**rootfs(), **pip}, Layer({**tree, name: b""}, "RUN /bin/sh -c pip install x"))
            for name in "ab"
        ]
        base = only(planned(*made))
        assert [each.type for each in base.packages] == (["pypi"] if kind == "package" else [])
        assert len(base.files) == (kind == "files")


def test_what_an_image_makes_again_is_in_no_base() -> None:
    specs = [image(name, rootfs(), {"srv/x.so": library("x", pages=PAGES), name: b""}) for name in "ab"]
    assert only(planned(*specs)).files[0].paths == ("/srv/x.so",)
    plan = planned(*specs, again={"a": Again(frozenset({"srv/x.so"}))})
    assert plan.bases == ()


def pip(name: str, size: int) -> Files:
    """A package of Python that maps one library and takes so much in all."""
    info = f"usr/local/lib/python3.11/site-packages/{name}-1.dist-info"
    record = f"{name}/x.so,,{PAGES * 4096}\n{name}/data,,{size - PAGES * 4096}\n"
    return {
        f"{info}/METADATA": f"Name: {name}\nVersion: 1\n".encode(),
        f"{info}/RECORD": record.encode(),
        info.replace(f"{name}-1.dist-info", f"{name}/x.so"): library(name, pages=PAGES),
    }


def test_a_budget_is_kept_by_installed_size() -> None:
    """A package of Python maps a megabyte and takes sixty."""
    heavy, light = pip("heavy", 60_000_000), pip("light", PAGES * 4096 + 10)
    command = "RUN /bin/sh -c pip install heavy light"
    below = {**rootfs(), **debs("python3-pip")}
    specs = [
        image("a", below, Layer({**heavy, "a": b""}, command)),
        image("b", below, Layer({**heavy, **light, "b": b""}, command)),
        *(image(name, below, Layer({**light, name: b""}, command)) for name in "cd"),
    ]
    plan = planned(*specs, prefer="union", budgets=(2_000_000,))
    extra = {point.name: max(point.extra_bytes.values(), default=0) for point in plan.points}
    assert extra["strict"] == 0
    assert extra.get("budget-2MB", 0) <= 2_000_000
    assert extra["union"] == 60_000_000


def test_packages_that_say_no_size_count_by_their_files_and_are_told() -> None:
    def unsized(*names: str) -> Files:
        return {
            path: content.replace(b"Installed-Size: 2000\n", b"") if isinstance(content, bytes) else content
            for path, content in debs(*names).items()
        }

    specs = [
        image(name, rootfs(), unsized(*have.split(), name)) for name, have in (("a", "x y"), ("b", "x"), ("c", "y"))
    ]
    plan = planned(*specs, prefer="balanced", budgets=(10_000_000,))
    point = next(each for each in plan.points if each.name == plan.chosen)
    assert point.extra_bytes == {"b": PAGES * 4096, "c": PAGES * 4096}
    assert point.unsized == 2
    assert "no image gets anything new" not in plan.reason
    assert "2 packages of it do not say their size" in plan.reason


def test_what_remains_is_explained() -> None:
    lib = library("x", pages=PAGES)
    plan = planned(
        image("a", rootfs(), {**debs("app"), "srv/one.so": lib, "srv/two.so": lib}),
        image("b", rootfs(), {**debs("app"), "b": b""}),
    )
    assert [each.why for each in plan.images[0].remaining] == ["the same content lies at several paths"]
    assert plan.images[0].remaining[0].duplicate_bytes == plan.after.duplicate_bytes == PAGES * 4096


def test_too_many_images_are_cut_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memlint.planner.leaving.IMAGES_MAX", 2)
    specs = [image(name, rootfs(), {**debs("app", "lib"), name: b""}) for name in "ab"]
    plan = planned(image("c", rootfs(), {**debs("app"), "c": b""}), *specs)
    assert only(plan).images == ("a", "b")
    assert plan.left_out[0].what == "1 image"
    assert plan.images[0].base is None


def test_suggestions_name_their_kind() -> None:
    lib: Files = {"usr/lib/x.so": library("x", pages=PAGES)}
    install = Layer(lib, "RUN apt-get install x")
    cases = {
        PIN: [image("a", Layer(rootfs(), mtime=1)), image("b", Layer(rootfs(), mtime=2))],
        MERGE: [image("a", Layer(rootfs()), install), image("b", Layer(rootfs()), install, Layer(lib, "RUN chmod", 9))],
        MOVE: [image("a", Layer(rootfs()), install), image("b", Layer(rootfs()), Layer({"b": b""}), install)],
        BUILD: [image("a", Layer(rootfs()), install), image("b", Layer(rootfs()), Layer(lib, install.created_by, 9))],
        REORDER: [
            image("a", Layer(rootfs()), Layer({"a": b""}, "COPY a"), install),
            image("b", Layer(rootfs()), Layer({"b": b""}, "COPY b"), Layer(lib, install.created_by, 9)),
        ],
    }
    for kind, specs in cases.items():
        images, _ = loaded(*specs)
        found = suggestions(compared(*specs), images)
        assert [each.kind for each in found] == [kind]
        assert found[0].saved_bytes == PAGES * 4096
