"""All containers of a made-up host, named by what its engines' files tell."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest
from support.hosts import ROOT, A, B, C, Made, bolt, overlay

from memlint.kernel.bounds import Bounds, Budget
from memlint.kernel.containers import running
from memlint.kernel.residency import Container

TASKS = "io.containerd.runtime.v2.task"
META = "io.containerd.metadata.v1.bolt/meta.db"
PODS = "/kubepods/burstable/pod0f1f2f3f-1111-2222-3333-444455556666"
CRI = "io.kubernetes.cri."
Making = Callable[[Made], None]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture(autouse=True)
def no_engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH without any engine's command, for tests to put some there."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def only(made: Made) -> Container:
    """The one container, of which nothing is unseen."""
    containers, unseen = running(made.host)
    assert unseen == []
    (container,) = containers
    return container


def docker_default(made: Made) -> None:
    made.process(40, f"0::/docker/{A}\n", mounts=overlay(f"/nowhere/overlay2/{B}/diff"))
    made.docker("lib/docker", A, "web", "nginx:1")


def docker_of_its_mount(made: Made) -> None:
    made.process(40, f"0::/docker/{A}\n", mounts=overlay(f"{made.top}/d/overlay2/{B}/diff"))
    made.docker("d", A, "web", "nginx:1")


def docker_on_vfs(made: Made) -> None:
    root = f"{made.top}/d/vfs/dir/{B}"
    made.process(40, f"0::/docker/{A}\n", mounts=f"1 0 254:0 {root} / rw - ext4 /dev/vda rw\n")
    made.docker("d", A, "web", "nginx:1")


def docker_private(made: Made) -> None:
    made.process(40, f"0::/docker/{A}\n")
    made.process(30, "0::/\n", "dockerd", ("dockerd", "--data-root", f"{made.top}/d", "-H", "unix:///nowhere"))
    made.docker("d", A, "web", "nginx:1")


def docker_configured(made: Made) -> None:
    made.process(40, f"0::/system.slice/docker-{A}.scope\n")
    made.process(30, "0::/\n", "dockerd", ("dockerd",))
    made.json("etc/docker/daemon.json", {"data-root": f"{made.top}/d", "features": {}})
    made.docker("d", A, "web", "nginx:1")


def docker_configured_elsewhere(made: Made) -> None:
    made.process(40, f"0::/docker/{A}\n")
    settings = made.json("settings.json", {"data-root": f"{made.top}/d"})
    made.process(30, "0::/\n", "dockerd", ("dockerd", f"--config-file={settings}"))
    made.docker("d", A, "web", "nginx:1")


def docker_in_a_container(made: Made) -> None:
    """A dockerd whose paths are those of its own mount namespace."""
    made.process(40, f"0::/docker/{B}/docker/{A}\n")
    home = made.process(30, "0::/\n", "dockerd", ("dockerd", "--data-root", "/d"))
    (home / "root").unlink()
    (home / "root").symlink_to(made.top / "inner")
    made.docker("inner/d", A, "web", "nginx:1")


def docker_bare(made: Made) -> None:
    """With a cgroup parent of its own, only the state tells that it is Docker's."""
    made.process(40, f"4:memory:/team/{A}\n0::/\n")
    made.docker("lib/docker", A, "web", "nginx:1")


def docker_under_kubernetes(made: Made) -> None:
    made.process(40, f"0::/kubepods.slice/docker-{A}.scope\n")
    made.docker("lib/docker", A, "k8s_web_pod-1_shop_0f1f2f3f-1111_0", "nginx:1")


def containerd_bundle(made: Made, annotations: dict[str, str], namespace: str = "k8s.io") -> None:
    made.json(f"run/containerd/{TASKS}/{namespace}/{A}/config.json", {"annotations": annotations, "ociVersion": "1.0"})


def containerd_pod(made: Made) -> None:
    made.process(40, f"0::/kubepods.slice/cri-containerd-{A}.scope\n")
    pod = {f"{CRI}sandbox-name": "pod-1", f"{CRI}sandbox-namespace": "shop", f"{CRI}image-name": "nginx:1"}
    containerd_bundle(made, {f"{CRI}container-type": "container", f"{CRI}container-name": "web", **pod})


def containerd_pod_cgroupfs(made: Made) -> None:
    """The cgroup has a bare ID: the bundle tells that it is containerd's."""
    containerd_pod(made)
    (made.top / "proc/40/cgroup").write_text(f"4:memory:{PODS}/{A}\n0::/\n")


def containerd_sandbox(made: Made) -> None:
    made.process(40, f"0::/kubepods.slice/cri-containerd-{A}.scope\n")
    pod = {f"{CRI}sandbox-name": "pod-1", f"{CRI}sandbox-namespace": "shop"}
    containerd_bundle(made, {f"{CRI}container-type": "sandbox", f"{CRI}podsandbox.image-name": "pause:3.9", **pod})


def containerd_labels(made: Made) -> None:
    """Bundles of older CRI plugins do not name the container; the database does."""
    made.process(40, f"0::/kubepods.slice/cri-containerd-{A}.scope\n")
    containerd_bundle(made, {})
    labels = {f"io.kubernetes.{key}": value for key, value in (("container.name", b"web"), ("pod.name", b"pod-1"))}
    kept = {"image": b"nginx:1", "labels": {**labels, "io.kubernetes.pod.namespace": b"shop"}}
    made.file(f"lib/containerd/{META}", bolt({"v1": {"k8s.io": {"containers": {A: kept}}}}))


def nerdctl(made: Made) -> None:
    made.process(40, f"0::/system.slice/nerdctl-{A}.scope\n")
    containerd_bundle(made, {"nerdctl/name": "web"}, "default")
    made.file(f"lib/containerd/{META}", bolt({"v1": {"default": {"containers": {A: {"image": b"nginx:1"}}}}}))


def ctr(made: Made) -> None:
    """A containerd with directories of its own; the shim's working directory is the bundle."""
    bundle = f"{made.top}/state/{TASKS}/default/web"
    snapshots = f"{made.top}/root/io.containerd.snapshotter.v1.overlayfs/snapshots"
    made.json(f"state/{TASKS}/default/web/config.json", {})
    words = ("/usr/bin/containerd-shim-runc-v2", "-namespace", "default", "-id", "web", "-address", "/nowhere")
    made.process(30, "0::/\n", "containerd-shim", words, cwd=bundle)
    made.process(40, "0::/default/web\n", mounts=overlay(f"{snapshots}/2/fs", f"{snapshots}/1/fs"))
    made.file(f"root/{META}", bolt({"v1": {"default": {"containers": {"web": {"image": b"nginx:1"}}}}}))


def ctr_configured(made: Made) -> None:
    ctr(made)
    (made.top / "proc/40/mountinfo").write_text(ROOT)
    settings = made.file("config.toml", f'version = 2\nroot = "{made.top}/root"\n')
    made.process(31, "0::/\n", "containerd", ("containerd", "-c", str(settings)))


def ctr_started_elsewhere(made: Made) -> None:
    """Its settings were named relative to where it was started."""
    ctr(made)
    (made.top / "proc/40/mountinfo").write_text(ROOT)
    made.file("config.toml", f'root = "{made.top}/root"\n')
    made.process(31, "0::/\n", "containerd", ("containerd", "-c", "config.toml"), cwd=str(made.top))


def podman(made: Made, cgroup: str = f"/machine.slice/libpod-{A}.scope/container") -> None:
    made.process(40, f"0::{cgroup}\n", mounts=overlay(f"{made.top}/lib/containers/storage/overlay/{B}/diff"))
    made.listed("lib/containers/storage/overlay-containers/containers.json", A, "web", "nginx:1")


def podman_of_a_user(made: Made) -> None:
    made.process(40, f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope/container\n")
    made.listed("home/.local/share/containers/storage/vfs-containers/containers.json", A, "web", "nginx:1")


def podman_of_another_user(made: Made) -> None:
    store = f"{made.top}/home2/storage"
    made.process(40, f"0::/user.slice/libpod-{A}.scope\n", mounts=overlay(f"{store}/overlay/{B}/diff"))
    made.listed("home2/storage/overlay-containers/containers.json", A, "web", "nginx:1")


def podman_volatile(made: Made) -> None:
    made.process(40, f"0::/libpod_parent/libpod-{A}\n")
    made.listed("run/containers/storage/overlay-containers/volatile-containers.json", A, "web", "nginx:1")


def podman_private(made: Made) -> None:
    """Only conmon's command line leads to the store."""
    made.process(40, f"0::/libpod_parent/libpod-{A}\n")
    conmon(made)
    made.listed("p/vfs-containers/containers.json", A, "web", "nginx:1")


def conmon(made: Made, exit_command: str = "/usr/bin/podman", name: str = "web") -> None:
    bundle = f"{made.top}/p/vfs-containers/{A}/userdata"
    words = ("conmon", "-c", A, "-u", A, "-b", bundle, "-n", name, "--exit-command", exit_command)
    made.process(30, "0::/\n", "conmon", words)


def podman_in_a_container(made: Made) -> None:
    """A conmon whose paths are those of its own mount namespace."""
    made.process(40, f"0::/docker/{B}/libpod_parent/libpod-{A}\n")
    words = ("conmon", "-c", A, "-b", f"/p/overlay-containers/{A}/userdata", "--exit-command", "/usr/bin/podman")
    home = made.process(30, "0::/\n", "conmon", words)
    (home / "root").unlink()
    (home / "root").symlink_to(made.top / "inner")
    made.listed("inner/p/overlay-containers/containers.json", A, "web", "nginx:1")


def podman_without_a_cgroup(made: Made) -> None:
    """As rootless on version 1: the container's processes are those below its conmon."""
    conmon(made)
    made.process(40, "4:memory:/user.slice\n0::/user.slice\n", parent=30)
    made.process(41, "4:memory:/user.slice\n0::/user.slice\n", parent=40)
    made.process(50, "4:memory:/user.slice\n0::/user.slice\n", parent=1)
    made.listed("p/vfs-containers/containers.json", A, "web", "nginx:1")


def crio(made: Made) -> None:
    made.process(40, f"0::/kubepods.slice/crio-{A}.scope/container\n")
    made.process(29, f"0::/kubepods.slice/crio-conmon-{A}.scope\n", "sh")
    name = "k8s_web_pod-1_shop_0f1f2f3f-1111_0"
    made.listed("lib/containers/storage/overlay-containers/containers.json", A, name, "nginx:1")


def crio_bundle(made: Made) -> None:
    made.process(40, f"4:memory:{PODS}/crio-{A}\n0::/\n")
    conmon(made, "/usr/bin/crio-exit", "k8s_web_pod-1_shop_0f1f2f3f-1111_0")
    annotations = {"io.kubernetes.cri-o.ImageName": "nginx:1"}
    made.json(f"p/vfs-containers/{A}/userdata/config.json", {"annotations": annotations})


def lxc(made: Made) -> None:
    made.process(40, "0::/lxc.payload.web/init.scope\n")


NAMED = {
    "docker": (docker_default, "docker", "web"),
    "docker, by its mount": (docker_of_its_mount, "docker", "web"),
    "docker, by its vfs directory": (docker_on_vfs, "docker", "web"),
    "docker, private": (docker_private, "docker", "web"),
    "docker, daemon.json": (docker_configured, "docker", "web"),
    "docker, another daemon.json": (docker_configured_elsewhere, "docker", "web"),
    "docker, in a container": (docker_in_a_container, "docker", "web"),
    "docker, a bare ID": (docker_bare, "docker", "web"),
    "docker, a pod": (docker_under_kubernetes, "docker", "shop/pod-1/web"),
    "containerd, a pod": (containerd_pod, "containerd", "shop/pod-1/web"),
    "containerd, a pod with a bare ID": (containerd_pod_cgroupfs, "containerd", "shop/pod-1/web"),
    "containerd, a pod by labels": (containerd_labels, "containerd", "shop/pod-1/web"),
    "nerdctl": (nerdctl, "containerd", "web"),
    "ctr": (ctr, "containerd", "web"),
    "ctr, by its daemon's settings": (ctr_configured, "containerd", "web"),
    "ctr, by settings where it was started": (ctr_started_elsewhere, "containerd", "web"),
    "podman": (podman, "podman", "web"),
    "podman, rootless": (podman_of_a_user, "podman", "web"),
    "podman, another user": (podman_of_another_user, "podman", "web"),
    "podman, volatile": (podman_volatile, "podman", "web"),
    "podman, private": (podman_private, "podman", "web"),
    "podman, in a container": (podman_in_a_container, "podman", "web"),
    "podman, no cgroup": (podman_without_a_cgroup, "podman", "web"),
    "cri-o": (crio, "cri-o", "shop/pod-1/web"),
    "cri-o, by its bundle": (crio_bundle, "cri-o", "shop/pod-1/web"),
}


@pytest.mark.parametrize("case", NAMED)
def test_files_tell_names(made: Made, case: str) -> None:
    make, runtime, name = NAMED[case]
    make(made)
    found = only(made)
    assert (found.runtime, found.name, found.image) == (runtime, name, "nginx:1")
    assert 40 in found.pids


def test_a_pod_s_sandbox(made: Made) -> None:
    containerd_sandbox(made)
    found = only(made)
    assert (found.name, found.image) == ("shop/pod-1/POD", "pause:3.9")


def test_lxc_has_no_image(made: Made) -> None:
    lxc(made)
    assert (only(made).name, only(made).image) == ("web", "")


def test_processes_below_a_supervisor_alone(made: Made) -> None:
    podman_without_a_cgroup(made)
    assert only(made).pids == (40, 41)


def test_all_processes_of_a_container(made: Made) -> None:
    docker_default(made)
    made.process(41, f"0::/docker/{A}/init.scope\n")
    made.process(42, f"0::/docker/{B}\n")
    containers, _ = running(made.host)
    assert {each.id: each.pids for each in containers} == {A: (40, 41), B: (42,)}


def test_one_of_two_store_s_names(made: Made) -> None:
    podman(made)
    made.process(41, f"0::/docker/{C}\n", mounts=overlay(f"/nowhere/overlay2/{B}/diff"))
    made.docker("lib/docker", C, "api", "debian:12")
    containers, unseen = running(made.host)
    assert [(each.name, each.storage) for each in containers] == [
        ("web", "containers-storage-overlay"),
        ("api", "overlay2"),
    ]
    assert unseen == []


def test_a_container_that_ended_is_none(made: Made) -> None:
    docker_default(made)
    (made.top / "proc/40/mountinfo").unlink()
    assert running(made.host) == ([], [])


def test_a_process_that_ended_is_none(made: Made) -> None:
    docker_default(made)
    made.process(41, f"0::/docker/{A}\n")
    (made.top / "proc/41/cgroup").unlink()
    assert only(made).pids == (40,)


def test_nobody_tells(made: Made) -> None:
    made.process(40, f"0::/docker/{A}\n")
    made.process(41, f"4:memory:/team/{B}\n")
    containers, unseen = running(made.host)
    assert [(each.runtime, each.name, each.image) for each in containers] == [
        ("docker", A[:12], ""),
        ("unknown", B[:12], ""),
    ]
    assert [each.what for each in unseen] == [f"the names of {A[:12]} (docker)", f"the names of {B[:12]} (unknown)"]
    assert not any(each.totals for each in unseen)


@pytest.mark.parametrize(("user", "hint"), [(0, ""), (1000, "run memlint as root (sudo), on the host itself")])
def test_root_is_not_told_to_be_root_for_a_name(
    made: Made, monkeypatch: pytest.MonkeyPatch, user: int, hint: str
) -> None:
    """Nothing was refused: no file has the name."""
    made.process(40, f"0::/docker/{A}\n")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    _, (unseen,) = running(made.host)
    assert unseen.hint == hint


def test_a_name_of_ctr_s_is_one_without_any_file(made: Made) -> None:
    words = ("containerd-shim-runc-v2", "-namespace", "default", "-id", "web")
    made.process(30, "0::/\n", "containerd-shim", words)
    made.process(40, "0::/default/web\n")
    (container,), (unseen,) = running(made.host)
    assert container.name == "web"
    assert "images" in unseen.what


DAMAGED = {
    "no JSON": "{",
    "another kind": "[]",
    "a field of another type": '{"Name": 1}',
    "deep": "[" * 100_000,
    "nothing": "",
    "not UTF-8": b'{"Name": "\xff"}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=list(DAMAGED))
def test_damaged_state_tells_nothing(made: Made, content: str | bytes) -> None:
    made.process(40, f"0::/docker/{A}\n")
    made.file(f"lib/docker/containers/{A}/config.v2.json", content)
    (container,), (unseen,) = running(made.host)
    assert container.name == A[:12]
    assert "names" in unseen.what


def test_state_that_is_a_pipe_is_not_waited_for(made: Made) -> None:
    made.process(40, f"0::/docker/{A}\n")
    path = made.file(f"lib/docker/containers/{A}/config.v2.json")
    path.unlink()
    os.mkfifo(path)
    (container,), _ = running(made.host)
    assert container.name == A[:12]


def test_names_steer_no_terminal(made: Made) -> None:
    made.process(40, f"0::/docker/{A}\n")
    made.docker("lib/docker", A, "web\x1b[2J\n" + "x" * 5000, "nginx\r:1\u202e")
    found = only(made)
    assert (found.name + found.image).isprintable()
    assert len(found.name) <= 256


def test_hidden_processes_come_from_the_tree_of_cgroups(made: Made) -> None:
    """hidepid=2: /proc has no process 1."""
    (made.top / "proc/self").unlink()
    (made.top / "proc/1").rename(made.top / "gone")
    made.file("cgroup/cgroup.controllers", "memory")
    made.file("cgroup/cgroup.procs", "1\n")
    made.file(f"cgroup/docker/{A}/cgroup.procs", "40\n0\n")
    made.docker("lib/docker", A, "web", "nginx:1")
    containers, unseen = running(made.host)
    assert [(each.name, each.pids, each.storage) for each in containers] == [("web", (40,), None)]
    assert [(each.totals, each.containers) for each in unseen] == [(True, False), (False, False)]


def test_hidden_processes_that_nothing_tells_of_may_be_containers(made: Made) -> None:
    """hidepid=2 where the tree of cgroups is not to be seen, either."""
    (made.top / "proc/self").unlink()
    (made.top / "proc/1").rename(made.top / "gone")
    containers, (unseen,) = running(made.host)
    assert containers == []
    assert (unseen.totals, unseen.containers) == (True, True)


def test_a_container_whose_main_thread_has_ended_runs(made: Made) -> None:
    """Version 1 of cgroups tells of a zombie that it is in none; its threads are where they were."""
    made.process(41, f"4:memory:/docker/{A}\n", mounts=overlay(f"/nowhere/overlay2/{B}/diff"))
    (made.top / "proc/41/status").write_text("Name:\tsleep\nTgid:\t40\n")
    main = made.process(40, "4:memory:/\n")
    (main / "stat").write_text("40 (sleep) Z 1 1 1 0\n")
    (main / "mountinfo").unlink()
    for number in ("40", "41"):
        (main / "task" / number).mkdir(parents=True)
    made.docker("lib/docker", A, "web", "nginx:1")
    (made.top / "proc/41").rename(made.top / "41")  # /proc has it, and does not list it
    (made.top / "proc/41").symlink_to(made.top / "41")
    found, _ = running(made.host)
    assert {each.pids[0]: each.storage for each in found}[40] == "overlay2"


def command(directory: Path, name: str, answer: str) -> None:
    program = directory / name
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.stdout.write({answer!r})\n")
    program.chmod(0o755)


def test_podman_is_asked_where_files_do_not_tell(made: Made, no_engines: Path) -> None:
    made.process(40, f"0::/libpod_parent/libpod-{A}\n")
    command(no_engines, "podman", json.dumps([{"Id": A, "Names": ["web"], "Image": "nginx:1", "Pid": 40}]))
    assert (only(made).name, only(made).image) == ("web", "nginx:1")


def test_crictl_is_asked(made: Made, no_engines: Path) -> None:
    made.process(40, f"0::/kubepods.slice/crio-{A}.scope\n")
    labels = {"io.kubernetes.pod.name": "pod-1", "io.kubernetes.pod.namespace": "shop"}
    answer = {"id": A, "metadata": {"name": "web"}, "image": {"image": "nginx:1"}, "labels": labels}
    command(no_engines, "crictl", json.dumps({"containers": [answer]}))
    assert (only(made).name, only(made).image) == ("shop/pod-1/web", "nginx:1")


@pytest.mark.parametrize(("socket", "image"), [("run/c.sock", "nginx:1"), ("run/gone.sock", "")])
def test_ctr_is_asked_where_its_daemon_listens(made: Made, no_engines: Path, socket: str, image: str) -> None:
    words = ("containerd-shim-runc-v2", "-namespace", "default", "-id", "web", "-address", f"{made.top}/{socket}")
    made.file("run/c.sock")
    made.process(30, "0::/\n", "containerd-shim", words)
    made.process(40, "0::/default/web\n")
    command(no_engines, "ctr", "CONTAINER    IMAGE      RUNTIME\nweb          nginx:1    io.containerd.runc.v2\n")
    (container,), _ = running(made.host)
    assert (container.name, container.image) == ("web", image)


@pytest.mark.parametrize("answer", ["", "nonsense", "[1]", "{}"])
def test_an_answer_that_is_none(made: Made, no_engines: Path, answer: str) -> None:
    made.process(40, f"0::/libpod_parent/libpod-{A}\n")
    command(no_engines, "podman", answer)
    (container,), (unseen,) = running(made.host)
    assert container.name == A[:12]
    assert "names" in unseen.what


@contextmanager
def listening(path: Path, answers: dict[str, Any]) -> Iterator[None]:
    """A Docker API on a unix socket."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            route = "/" + self.path.partition("?")[0].split("/", 2 if self.path.startswith("/v1") else 1)[-1]
            content = json.dumps(answers.get(route)).encode()
            self.send_response(200 if route in answers else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

        def address_string(self) -> str:
            return "unix"

    with UnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield
        server.shutdown()


def test_docker_is_asked_on_its_own_socket(made: Made, tmp_path: Path) -> None:
    socket = tmp_path / "s"
    made.process(30, "0::/\n", "dockerd", ("dockerd", "--data-root=/nowhere", "-H", f"unix://{socket}"))
    made.process(40, f"0::/docker/{A}\n")
    answers = {
        "/version": {"ApiVersion": "1.41"},
        "/containers/json": [{"Id": A, "Names": ["/web"], "Image": "nginx:1"}],
    }
    with listening(socket, answers):
        found = only(made)
    assert (found.name, found.image) == ("web", "nginx:1")


def lying(made: Made, cgroup: str, users: str, capabilities: str, first: str = "user:[1]") -> None:
    """Elsewhere a process that calls itself conmon says what this container is called."""
    made.process(40, f"0::/machine.slice/libpod-{A}.scope/container\n")
    made.listed("lib/containers/storage/overlay-containers/containers.json", A, "web", "nginx:1")
    home = made.process(50, cgroup, "conmon", ("conmon", "-c", A, "-n", "bank", "--exit-command", "/usr/bin/podman"))
    (home / "status").write_text(f"Name:\tconmon\nUid:\t{users}\nCapEff:\t{capabilities}\n")
    for pid, space in ((1, first), (50, "user:[1]")):
        (made.top / f"proc/{pid}/ns").mkdir()
        (made.top / f"proc/{pid}/ns/user").symlink_to(space)


NONE, DEFAULT, ALL = "0000000000000000", "00000000a80425fb", "000001ffffffffff"
ROOT_USER, ME = "0\t0\t0\t0", "\t".join([str(os.geteuid())] * 4)
ANOTHER = "4711\t4711\t4711\t4711"


@pytest.mark.parametrize(
    ("cgroup", "users", "capabilities", "first", "name"),
    [
        (f"0::/docker/{B}\n", ROOT_USER, DEFAULT, "user:[1]", "web"),
        (f"0::/docker/{B}\n", ROOT_USER, ALL, "user:[0]", "web"),  # root of its own user namespace alone
        (f"0::/docker/{B}\n", ROOT_USER, ALL, "user:[1]", "bank"),  # privileged: an engine in a container
        (f"0::/docker/{B}\n", ANOTHER, ALL, "user:[1]", "web"),
        ("0::/system.slice\n", ROOT_USER, NONE, "user:[1]", "bank"),
        ("0::/user.slice\n", ME, NONE, "user:[1]", "bank"),  # rootless, outside of containers
        ("0::/user.slice\n", ANOTHER, NONE, "user:[1]", "web"),
        ("0::/user.slice\n", "4711\t0\t0\t0", NONE, "user:[1]", "web"),  # a program with the setuid bit
    ],
)
def test_who_is_believed_to_be_an_engine(
    made: Made, cgroup: str, users: str, capabilities: str, first: str, name: str
) -> None:
    lying(made, cgroup, users, capabilities, first)
    found, _ = running(made.host)
    assert [each.name for each in found if each.id == A] == [name]


@contextmanager
def talking(path: Path, said: bytes, pause: float) -> Iterator[None]:
    """A server that answers everybody, and never ends: so much every so many seconds."""
    over = threading.Event()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
                while not over.wait(pause):
                    self.request.sendall(said)

    class Server(ThreadingMixIn, UnixStreamServer):
        daemon_threads = True

    with Server(str(path), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        over.set()
        server.shutdown()


@pytest.mark.parametrize(
    ("said", "pause", "bounds"),
    [
        (b" ", 0.05, Bounds(seconds=0.5)),  # each byte is soon there
        (b" ", 0.05, Bounds()),
        (b" " * 2**20, 0.0, Bounds()),
    ],
)
def test_an_engine_that_talks_without_end_is_left_talking(
    made: Made, tmp_path: Path, said: bytes, pause: float, bounds: Bounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memlint.kernel.containers.asking.SECONDS", 1.0)
    made.process(30, "0::/\n", "dockerd", ("dockerd", "--data-root=/nowhere", "-H", f"unix://{tmp_path}/s"))
    made.process(40, f"0::/docker/{A}\n")
    with talking(tmp_path / "s", said, pause):
        (container,), unseen = running(made.host, budget=Budget(bounds))
    assert container.name == A[:12]
    assert [(each.what, each.totals) for each in unseen] == [(f"the names of {A[:12]} (docker)", False)]


ENDLESS = {
    "hangs": "import time; time.sleep(1000)",
    "drips": "import sys, time\nwhile True: sys.stdout.write(' '); sys.stdout.flush(); time.sleep(.05)",
    "floods": "import sys\nwhile True: sys.stdout.write(' ' * 2**20)",
    "has children that stay": "import os, time\nos.fork() or time.sleep(9)",
}


@pytest.mark.parametrize("case", ENDLESS)
def test_a_command_that_does_not_end_is_ended(
    made: Made, no_engines: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memlint.kernel.containers.asking.SECONDS", 1.0)
    made.process(40, f"0::/libpod_parent/libpod-{A}\n")
    program = no_engines / "podman"
    program.write_text(f"#!{sys.executable}\n{ENDLESS[case]}\n")
    program.chmod(0o755)
    (container,), _ = running(made.host)
    assert container.name == A[:12]


@pytest.mark.parametrize("bounds", [Bounds(seconds=1e-9), Bounds(cpu_seconds=0)])
def test_names_that_there_was_no_time_for_are_said(made: Made, bounds: Bounds) -> None:
    docker_default(made)
    (container,), (unseen,) = running(made.host, budget=Budget(bounds))
    assert (container.runtime, container.name, container.image) == ("docker", A[:12], "")
    assert unseen.reason == "the time that was allowed had passed"
    assert not unseen.totals


def test_two_namespaces_of_containerd_have_a_container_of_one_name(made: Made) -> None:
    """Their IDs are what people call them: they are two all the same."""
    ctr(made)
    words = ("/usr/bin/containerd-shim-runc-v2", "-namespace", "other", "-id", "web", "-address", "/nowhere")
    made.process(31, "0::/\n", "containerd-shim", words)
    made.process(41, "0::/other/web\n")
    made.process(42, "0::/other/web/below\n")
    found, _ = running(made.host)
    assert [(each.id, each.name, each.cgroup, each.pids) for each in found] == [
        ("web", "web", "/default/web", (40,)),
        ("other/web", "web", "/other/web", (41, 42)),
    ]
