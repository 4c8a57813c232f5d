"""What starting a container maps: from the process that the config gives to the libraries of what it starts."""

from __future__ import annotations

import pytest
from support import fleets, images
from support.elf import elf, library, program

ROOT: images.Tree = {
    "bin": images.Link("usr/bin"),
    "lib": images.Link("usr/lib"),
    "lib64": images.Link("usr/lib64"),
    "usr/lib64/ld-linux-x86-64.so.2": library("ld-linux-x86-64.so.2"),
    "usr/lib/libc.so.6": library("libc.so.6"),
    "usr/bin/dash": program("dash", "libc.so.6"),
    "usr/bin/sh": images.Link("dash"),
    "usr/bin/env": program("env", "libc.so.6"),
    "usr/bin/nice": program("nice", "libc.so.6"),
    "usr/bin/gosu": elf("gosu", program=True),
    "usr/bin/tini": program("tini", "libc.so.6"),
    "usr/bin/dumb-init": elf("dumb-init", program=True),
    "usr/bin/bash": program("bash", "libc.so.6"),
    "usr/bin/python3.11": program("python3.11", "libc.so.6"),
    "usr/bin/python3": images.Link("python3.11"),
    "opt/app/bin/app": program("app", "libapp.so"),
    "usr/lib/libapp.so": library("libapp.so", "libc.so.6"),
    "entrypoint.sh": b'#!/bin/sh\nset -e\nexec "$@"\n',
    "gosu.sh": b'#!/bin/bash\nexec gosu www "$@"\n',
    "serve.sh": b"#!/bin/sh\nwhile true; do app; done\n",
    "main.py": b"#!/usr/bin/env python3\nprint()\n",
    "split.py": b"#!/usr/bin/env -S python3 -u\nprint()\n",
    "gone.rb": b"#!/usr/bin/ruby\n",
    "loop": images.Link("loop"),
}
PATH = "PATH=/opt/app/bin:/usr/bin"


@pytest.mark.parametrize(
    ("entrypoint", "cmd", "programs", "missing"),
    [
        ([], [], [], []),
        ([], ["/opt/app/bin/app", "--serve"], ["app"], []),
        (["app"], ["--serve"], ["app"], []),
        (["/entrypoint.sh"], ["app"], ["entrypoint.sh", "dash", "app"], []),
        (["/entrypoint.sh"], [], ["entrypoint.sh", "dash"], []),
        (["/gosu.sh"], ["app"], ["gosu.sh", "bash", "app"], []),
        (["/serve.sh"], ["app"], ["serve.sh", "dash"], []),
        ([], ["/main.py"], ["main.py", "env", "python3.11"], []),
        ([], ["/split.py"], ["split.py", "env", "python3.11"], []),
        ([], ["/gone.rb"], ["gone.rb"], ["/usr/bin/ruby"]),
        ([], ["/bin/sh", "-c", "app --serve"], ["dash", "app"], []),
        ([], ["/bin/sh", "-c", "exec app --serve"], ["dash", "app"], []),
        ([], ["/bin/sh", "-c", "MODE=fast exec app '--name=a b'"], ["dash", "app"], []),
        ([], ["/bin/sh", "-c", "app $OPTIONS"], ["dash", "app"], []),
        ([], ["/bin/sh", "-c", "exec $APP"], ["dash"], []),
        ([], ["/bin/sh", "-c", "cd /srv && app"], ["dash"], []),
        ([], ["/bin/sh", "-c", "echo hello"], ["dash"], []),
        ([], ["/bin/sh", "-c", "app 'not closed"], ["dash"], []),
        ([], ["/bin/sh"], ["dash"], []),
        (["tini", "--"], ["app"], ["tini", "app"], []),
        (["tini", "-g", "-p", "SIGTERM", "--"], ["app"], ["tini", "app"], []),
        (["dumb-init"], ["app"], ["dumb-init", "app"], []),
        (["gosu", "www:www"], ["app"], ["gosu", "app"], []),
        (
            ["tini", "--", "/entrypoint.sh"],
            ["gosu", "www", "app"],
            ["tini", "entrypoint.sh", "dash", "gosu", "app"],
            [],
        ),
        (["env", "-u", "HOME", "A=1"], ["app"], ["env", "app"], []),
        (["env", "-S", "A=1 app -x"], [], ["env", "app"], []),
        (["nice", "-n", "5"], ["app"], ["nice", "app"], []),
        ([], ["tini"], ["tini"], []),
        (["absent"], ["app"], [], ["absent"]),
        (["/entrypoint.sh"], ["absent"], ["entrypoint.sh", "dash"], ["absent"]),
        ([], ["/loop"], [], ["/loop"]),
    ],
)
def test_programs(entrypoint: list[str], cmd: list[str], programs: list[str], missing: list[str]) -> None:
    spec = images.image("x", ROOT, Entrypoint=entrypoint, Cmd=cmd, Env=[PATH])
    found = fleets.startup(spec)
    assert [path.rpartition("/")[2] for path in found.programs] == programs
    assert list(found.missing) == missing


@pytest.mark.parametrize(
    ("name", "working_dir", "env", "found"),
    [
        ("bin/app", "/opt/app", [], True),
        ("./bin/app", "/opt/app/", [], True),
        ("../app/bin/app", "/opt/app", [], True),
        ("bin/app", "/opt", [], False),
        ("app", "/opt/app/bin", [], False),
        ("app", "/", [PATH], True),
        ("app", "/", ["PATH=/absent::/opt/app/bin/"], True),
        ("sh", "/", [], True),
        ("/bin/../bin/sh", "/", [], True),
    ],
)
def test_where_a_program_is_found(name: str, working_dir: str, env: list[str], found: bool) -> None:
    startup = fleets.startup(images.image("x", ROOT, Cmd=[name], WorkingDir=working_dir, Env=env))
    assert startup.missing == (() if found else (name,))


def test_what_is_mapped_is_the_closure() -> None:
    startup = fleets.startup(images.image("x", ROOT, Cmd=["/entrypoint.sh", "app"], Env=[PATH]))
    assert startup.paths == {
        "usr/bin/dash",
        "usr/lib64/ld-linux-x86-64.so.2",
        "usr/lib/libc.so.6",
        "opt/app/bin/app",
        "usr/lib/libapp.so",
    }


def test_a_script_that_starts_itself_ends() -> None:
    tree = {**ROOT, "x.sh": b'#!/x.sh\nexec "$@"\n'}
    assert set(fleets.startup(images.image("x", tree, Cmd=["/x.sh", "/x.sh"])).programs) == {"/x.sh"}


def test_busybox_is_called_by_many_names() -> None:
    tree: images.Tree = {
        "bin/busybox": elf("busybox", program=True),
        "bin/sh": images.Link("busybox"),
        "bin/nc": images.Link("busybox"),
        "bin/env": images.Link("/bin/busybox"),
        "app": elf("app", program=True),
    }
    for command, expected in {
        ("/bin/sh", "-c", "/app"): ("/bin/busybox", "/app"),
        ("busybox", "sh", "-c", "/app"): ("/bin/busybox", "/app"),
        ("/bin/env", "A=1", "/app"): ("/bin/busybox", "/app"),
        ("/bin/nc", "-lc", "/app"): ("/bin/busybox",),
        ("busybox",): ("/bin/busybox",),
    }.items():
        assert fleets.startup(images.image("x", tree, Cmd=list(command))).programs == expected


def test_startup_bytes_are_those_of_the_inodes() -> None:
    twice = {**ROOT, "usr/lib/libc-2.so.6": images.Hard("usr/lib/libc.so.6")}
    report = fleets.compared(images.image("x", twice, Cmd=["app"], Env=[PATH]))
    assert report.images[0].startup.mappable_bytes == 4 * 4096
    assert report.totals.startup.page_cache_bytes == 4 * 4096
    assert report.images[0].startup.programs == ("/opt/app/bin/app",)
