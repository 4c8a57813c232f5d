"""Packages whose source is not what a base would ask: no base installs them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.elf import library
from support.fleets import loaded
from support.images import Files, Layer, Spec, image

from memlint.dockerfile.parser import parse_dockerfile
from memlint.lint.places import Origin
from memlint.model.plan import Plan
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.draft import Options
from memlint.planner.grounds import Ground
from memlint.planner.planning import plan_images
from memlint.planner.write.rigid import Again
from memlint.sharing.storage import storage_model

PAGES = 300
SITE = "usr/local/lib/python3.11/dist-packages"
APT = "apt-get install -y app"


def rootfs(*names: str) -> Layer:
    release: Files = {"etc/os-release": b"ID=debian\nVERSION_ID=12\n", "etc/apt/sources.list": b"deb x\n"}
    return Layer({**release, **debs("libc", *names)}, "ADD rootfs.tar /")


def debs(*names: str, came_along: str = "") -> Files:
    status = "".join(f"Package: {name}\nStatus: install ok installed\nVersion: 1\n\n" for name in names)
    states = f"Package: {came_along}\nAuto-Installed: 1\n\n"
    files: Files = {"var/lib/dpkg/status": status.encode(), "var/lib/apt/extended_states": states.encode()}
    for name in names:
        files[f"usr/lib/{name}.so"] = library(name, pages=PAGES)
        files[f"var/lib/dpkg/info/{name}.list"] = f"/usr/lib/{name}.so\n".encode()
    return files


def python(version: str = "1", more: Mapping[str, bytes] | None = None) -> Files:
    info = f"{SITE}/x-{version}.dist-info"
    return {
        f"{SITE}/x/x.so": library("x", pages=PAGES),
        f"{info}/METADATA": f"Name: x\nVersion: {version}\n".encode(),
        f"{info}/RECORD": b"x/x.so,,9\n",
        **{f"{info}/{name}": content for name, content in (more or {}).items()},
    }


def planned(*specs: Spec, **options: object) -> Plan:
    images, indexes = loaded(*specs)
    given = Options(**{"prefer": "strict", **options})  # type: ignore[arg-type]
    return plan_images(images, [1] * len(images), indexes, storage_model("overlay2"), ELF_KINDS, given)


def installed(plan: Plan) -> set[str]:
    return {package.name for base in plan.bases for package in base.packages}


def run(command: str) -> str:
    return f"RUN /bin/sh -c {command}"


def own(name: str) -> Layer:
    return Layer({f"srv/{name}": name.encode()}, f"COPY {name} /srv/")


LIST = Layer({"etc/apt/sources.list.d/acme.list": b"deb y\n"}, "COPY acme.list /etc/apt/sources.list.d/")


@pytest.mark.parametrize(
    ("before", "command", "moved"),
    [
        ((), APT, {"app", "lib"}),
        ((LIST,), APT, set()),
        ((), f"echo deb y > /etc/apt/sources.list.d/acme.list && {APT}; rm /etc/apt/sources.list.d/acme.list", set()),
        ((), f"curl https://deb.nodesource.com/setup_20.x | bash - && {APT}", set()),
        # what came along with another package is from where apt looks, and so is what is named
        ((), "apt-get install -y app ./lib.deb", {"app", "lib"}),
        ((), "apt-get install -y ./app.deb", {"lib"}),
        ((), "dpkg -i /tmp/app.deb || apt-get install -f -y", {"lib"}),
        ((), f"{APT} && rm -f /var/cache/apt/archives/*.deb", {"app", "lib"}),
    ],
)
def test_apt(before: tuple[Layer, ...], command: str, moved: set[str]) -> None:
    tree = debs("libc", "app", "lib", came_along="lib")
    specs = [image(name, rootfs(), own(name), *before, Layer(tree, run(command))) for name in "ab"]
    plan = planned(*specs)
    assert installed(plan) == moved
    named = {"app", "lib"} - moved
    assert all(any(f"{name} 1" in each.what for each in plan.left_out) for name in named)
    # what stays in the images is in no base as files either
    assert not any(base.files for base in plan.bases)


@pytest.mark.parametrize(
    ("options", "moved"),
    [("--no-cache", {"app"}), ("-X https://acme/", set()), ("--allow-untrusted", set())],
)
def test_apk(options: str, moved: set[str]) -> None:
    release: Files = {"etc/os-release": b"ID=alpine\nVERSION_ID=3.20\n", "lib/apk/db/installed": b"P:musl\nV:1\n\n"}
    tree: Files = {
        "lib/apk/db/installed": b"P:musl\nV:1\n\nP:app\nV:1\nF:usr/lib\nR:app.so\n\n",
        "usr/lib/app.so": library("app", pages=PAGES),
    }
    layers = (Layer(release, "ADD rootfs.tar /"), Layer(tree, run(f"apk add {options} app")))
    assert installed(planned(*(image(name, layers[0], own(name), layers[1]) for name in "ab"))) == moved


def test_an_image_without_such_sources_vouches_for_others() -> None:
    tree = debs("libc", "app")
    specs = [image("a", rootfs(), own("a"), LIST, Layer(tree, run(APT))), image("b", rootfs(), Layer(tree, run(APT)))]
    assert installed(planned(*specs)) == {"app"}


def test_what_needs_a_package_in_doubt_is_in_no_base() -> None:
    tree = debs("libc", "app", "lib")
    status = tree["var/lib/dpkg/status"]
    assert isinstance(status, bytes)
    needing = status.replace(b"Package: lib\n", b"Package: lib\nDepends: app\n")
    specs = [
        image(
            name,
            rootfs(),
            own(name),
            Layer({**tree, "var/lib/dpkg/status": needing}, run("dpkg -i /app.deb; apt-get install lib")),
        )
        for name in "ab"
    ]
    assert installed(planned(*specs)) == set()


PIP = "pip install --no-cache-dir x"


@pytest.mark.parametrize(
    ("tree", "command", "why"),
    [
        (python(), PIP, None),
        (python(), "python3 -m pip install -r requirements.txt", None),
        (python(), "uv pip install --system x", None),
        (python(more={"direct_url.json": b"{}"}), "pip install /tmp/x", "files, URLs or repositories"),
        (python(more={"WHEEL": b"Tag: cp311-cp311-linux_x86_64\n"}), PIP, "built where they were installed"),
        (python("1+acme"), PIP, "in no public index"),
        (python(), "poetry install", "which command"),
        (python(), f"{PIP} --index-url=https://user:secret@acme/", "(--index-url)"),
        (python(), f"{PIP} -i https://acme/", "(-i)"),
        (python(), f"{PIP} --find-links /wheels", "(--find-links)"),
        (python(), f"PIP_INDEX_URL=https://acme/ {PIP}", "(PIP_INDEX_URL)"),
        (python(), f"echo > /etc/pip.conf && {PIP}", "(pip.conf)"),
    ],
)
def test_pip(tree: Files, command: str, why: str | None) -> None:
    specs = [image(name, rootfs("python3-pip"), own(name), Layer(tree, run(command))) for name in "ab"]
    plan = planned(*specs)
    assert installed(plan) == (set() if why else {"x"})
    assert not any(base.files for base in plan.bases)
    assert [str(why) in each.why for each in plan.left_out] == ([True] if why else [])
    assert "secret" not in str(plan)


@pytest.mark.parametrize(
    ("created_by", "env"),
    [
        (f"RUN |1 PIP_EXTRA_INDEX_URL=https://acme/ /bin/sh -c {PIP} # buildkit", ()),
        (run(PIP), ("PIP_INDEX_URL=https://acme/",)),
    ],
)
def test_an_index_of_the_build_or_the_image(created_by: str, env: tuple[str, ...]) -> None:
    specs = [image(name, rootfs("python3-pip"), own(name), Layer(python(), created_by), Env=list(env)) for name in "ab"]
    assert installed(planned(*specs)) == set()


def test_a_configuration_of_pip_holds_for_what_is_above_it() -> None:
    conf = Layer({"etc/pip.conf": b"[global]\n"}, "COPY pip.conf /etc/")
    specs = [image(name, rootfs("python3-pip"), own(name), conf, Layer(python(), run(PIP))) for name in "ab"]
    assert installed(planned(*specs)) == set()
    ground = Layer({**dict(rootfs("python3-pip").tree), "etc/pip.conf": b"[global]\n"}, "ADD rootfs.tar /")
    assert installed(planned(*(image(name, ground, own(name), Layer(python(), run(PIP))) for name in "ab"))) == {"x"}


def test_a_list_that_names_an_index() -> None:
    specs = [image(name, rootfs("python3-pip"), own(name), Layer(python(), run(PIP))) for name in "ab"]
    plan = planned(*specs, listed=dict.fromkeys("ab", "requirements.txt"))
    assert installed(plan) == set()
    assert "(requirements.txt)" in plan.left_out[0].why


def test_no_pip_no_packages_of_python() -> None:
    specs = [image(name, rootfs(), own(name), Layer(python(), run(PIP))) for name in "ab"]
    plan = planned(*specs)
    assert plan.bases == ()
    assert "no base of theirs has pip" in plan.left_out[0].why


def test_what_a_copy_brings_is_files() -> None:
    copied = Layer(python(), "COPY dir:1 in /usr/local/lib")
    plan = planned(*(image(name, rootfs("python3-pip"), own(name), copied) for name in "ab"))
    assert [group.paths for group in plan.bases[0].files] == [(f"/{SITE}/x/x.so",)]
    assert installed(plan) == set()
    # what one installs and the other copies are not one inode
    plan = planned(
        image("a", rootfs("python3-pip"), own("a"), copied),
        image("b", rootfs("python3-pip"), own("b"), Layer(python(), run(PIP))),
        prefer="union",
    )
    assert plan.bases == ()


def test_a_distribution_s_own_python_packages_come_with_it() -> None:
    path = "usr/lib/python3/dist-packages/y-1.dist-info/METADATA"
    tree = debs("libc", "python3-pip", "python3-y")
    listing = {"var/lib/dpkg/info/python3-y.list": f"/usr/lib/python3-y.so\n/{path}\n".encode()}
    layer = Layer({**tree, **listing, path: b"Name: y\nVersion: 1\n"}, run("apt-get install -y python3-y python3-pip"))
    assert installed(planned(*(image(name, rootfs(), own(name), layer) for name in "ab"))) == {
        "python3-y",
        "python3-pip",
    }


def test_npm_makes_anew_what_is_there() -> None:
    tree: Files = {
        "usr/local/lib/node_modules/x/build/x.node": library("x", pages=PAGES),
        "usr/local/lib/node_modules/x/package.json": b'{"name": "x", "version": "1"}',
    }
    specs = [image(name, rootfs("npm", "nodejs"), own(name), Layer(tree, run("npm install -g x@1"))) for name in "ab"]
    path = "usr/local/lib/node_modules/x/build/x.node"
    plan = planned(*specs, again=dict.fromkeys("ab", Again(by_run=frozenset([path]))))
    assert plan.bases == ()
    assert "a RUN makes these files" in plan.left_out[0].why


def test_nothing_is_installed_on_nothing() -> None:
    plan = planned(*(image(name, own(name), Layer(debs("app"), run(APT))) for name in "ab"))
    assert installed(plan) == set()
    # a distribution without a package manager
    tree: Files = {
        "usr/lib/app.so": library("app", pages=PAGES),
        "var/lib/dpkg/status.d/app": b"Package: app\nVersion: 1\n",
        "var/lib/dpkg/status.d/app.md5sums": b"0  usr/lib/app.so\n",
    }
    plan = planned(*(image(name, rootfs(), own(name), Layer(tree, "bazel build")) for name in "ab"))
    assert installed(plan) == set()


def test_dockerfiles_tell_what_histories_do_not() -> None:
    """A secret that is mounted leaves no trace; nor does the default of an argument."""
    text = f"FROM debian:12\nCOPY a /srv/\nARG {{}}\nRUN --mount=type=secret,id={{}} {PIP}\n"
    for argument, secret, moved in (("A=1", "x", True), ("PIP_INDEX_URL", "x", False), ("A=1", "pip.conf", False)):
        dockerfile = parse_dockerfile(text.format(argument, secret))
        specs = [
            image(name, rootfs("python3-pip"), own("a"), Layer({**python(), name: b""}, run(PIP))) for name in "ab"
        ]
        origin = Origin(dockerfile, dockerfile.stages[-1])
        grounds = dict.fromkeys("ab", Ground("debian:12", 1))
        plan = planned(*specs, origins=dict.fromkeys("ab", origin), grounds=grounds)
        assert installed(plan) == ({"x"} if moved else set())
