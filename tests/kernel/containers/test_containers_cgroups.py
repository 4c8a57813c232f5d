"""Cgroup lines as engines really leave them → the container."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hosts import A, B, C

from memlint.kernel.containers import RUNTIMES
from memlint.kernel.containers.cgroups import Identifying, cgroups_of

POD = "0f1f2f3f-1111-2222-3333-444455556666"
SLICE = f"kubepods-burstable-pod{POD.replace('-', '_')}.slice"
BURSTABLE = f"/kubepods.slice/kubepods-burstable.slice/{SLICE}"
USER = "/user.slice/user-1000.slice/user@1000.service"


def v1(path: str, *, unified: str = "/", systemd: str | None = None) -> str:
    """The lines of a process on a version 1 host, hybrid as systemd makes it."""
    controllers = ("cpuset", "cpu,cpuacct", "memory", "devices", "freezer", "blkio", "pids", "perf_event", "hugetlb")
    lines = [f"{13 - at}:{name}:{path}" for at, name in enumerate(controllers)]
    return "\n".join((*lines, f"1:name=systemd:{systemd or path}", f"0::{unified}", ""))


def v2(path: str) -> str:
    return f"0::{path}\n"


CASES = {
    "docker, cgroupfs, v2": (v2(f"/docker/{A}"), "docker", A),
    "docker, cgroupfs, v1": (v1(f"/docker/{A}"), "docker", A),
    "docker, cgroupfs, hybrid": (v1(f"/docker/{A}", unified=f"/docker/{A}"), "docker", A),
    "docker, systemd, v2": (v2(f"/system.slice/docker-{A}.scope"), "docker", A),
    "docker, systemd, v1": (v1(f"/system.slice/docker-{A}.scope"), "docker", A),
    "docker, systemd, hybrid": (
        v1(f"/system.slice/docker-{A}.scope", unified=f"/system.slice/docker-{A}.scope"),
        "docker",
        A,
    ),
    "docker, rootless": (v2(f"{USER}/user.slice/docker-{A}.scope"), "docker", A),
    "docker, with systemd inside": (v2(f"/docker/{A}/init.scope"), "docker", A),
    "docker, with systemd inside, v1": (
        v1(f"/docker/{A}", systemd=f"/docker/{A}/system.slice/nginx.service"),
        "docker",
        A,
    ),
    "docker, parent slice": (v2(f"/team.slice/docker-{A}.scope"), "docker", A),
    "docker, cri-dockerd, systemd": (v2(f"{BURSTABLE}/docker-{A}.scope"), "docker", A),
    "docker, seen from a cgroup namespace": (v2(f"/../docker-{A}.scope"), "docker", A),
    "docker, seen from a sibling": (v2(f"/../../docker/{A}"), "docker", A),
    "docker, removed": (v2(f"/docker/{A} (deleted)"), "docker", A),
    "docker in docker": (v2(f"/docker/{A}/docker/{B}"), "docker", B),
    "docker in docker, v1": (v1(f"/docker/{A}/docker/{B}"), "docker", B),
    "docker, own parent": (v1(f"/team/{A}"), "", A),
    "docker on ECS": (v1(f"/ecs/4f4f4f4f/{A}"), "", A),
    "docker's build": (v2("/docker/buildkit/x1rq3vbnd8jbh4gm9nc1tf3z2"), "buildkit", "x1rq3vbnd8jbh4gm9nc1tf3z2"),
    "containerd, CRI, systemd, v2": (v2(f"{BURSTABLE}/cri-containerd-{A}.scope"), "containerd", A),
    "containerd, CRI, systemd, v1": (v1(f"{BURSTABLE}/cri-containerd-{A}.scope"), "containerd", A),
    "containerd, CRI, guaranteed": (
        v2(f"/kubepods.slice/kubepods-pod{POD.replace('-', '_')}.slice/cri-containerd-{A}.scope"),
        "containerd",
        A,
    ),
    "containerd, CRI, drivers that differ": (
        v1(f"/system.slice/containerd.service/{SLICE}:cri-containerd:{A}"),
        "containerd",
        A,
    ),
    "containerd, CRI, cgroupfs, v1": (v1(f"/kubepods/burstable/pod{POD}/{A}"), "", A),
    "containerd, CRI, cgroupfs, v2": (v2(f"/kubepods/besteffort/pod{POD}/{A}"), "", A),
    "kind, systemd": (
        v2(f"/docker/{A}/kubelet.slice/kubelet-kubepods.slice/{SLICE}/cri-containerd-{B}.scope"),
        "containerd",
        B,
    ),
    "kind, cgroupfs, v1": (v1(f"/docker/{A}/kubelet/kubepods/burstable/pod{POD}/{B}"), "", B),
    "kind's own processes": (v2(f"/docker/{A}/system.slice/containerd.service"), "docker", A),
    "ctr": (v2("/default/web-1"), "containerd", "web-1"),
    "ctr, v1": (v1("/default/web-1"), "containerd", "web-1"),
    "ctr, below": (v2("/default/web-1/init.scope"), "containerd", "web-1"),
    "ctr, a hex name": (v2(f"/default/{C}"), "containerd", C),
    "ctr's name in another namespace": (v2("/other/web-1"), None, None),
    "nerdctl, systemd": (v2(f"/system.slice/nerdctl-{A}.scope"), "containerd", A),
    "nerdctl, rootless": (v2(f"{USER}/user.slice/nerdctl-{A}.scope"), "containerd", A),
    "CRI-O, systemd, v2": (v2(f"{BURSTABLE}/crio-{A}.scope"), "cri-o", A),
    "CRI-O, systemd, v1": (v1(f"{BURSTABLE}/crio-{A}.scope"), "cri-o", A),
    "CRI-O, crun": (v2(f"{BURSTABLE}/crio-{A}.scope/container"), "cri-o", A),
    "CRI-O, cgroupfs": (v1(f"/kubepods/burstable/pod{POD}/crio-{A}"), "cri-o", A),
    "CRI-O's conmon, systemd": (v2(f"{BURSTABLE}/crio-conmon-{A}.scope"), None, None),
    "CRI-O's conmon, cgroupfs": (v1(f"/kubepods/burstable/pod{POD}/crio-conmon-{A}"), None, None),
    "Podman, systemd, v2": (v2(f"/machine.slice/libpod-{A}.scope"), "podman", A),
    "Podman, systemd, v1": (v1(f"/machine.slice/libpod-{A}.scope"), "podman", A),
    "Podman, crun": (v2(f"/machine.slice/libpod-{A}.scope/container"), "podman", A),
    "Podman, cgroupfs, v1": (v1(f"/libpod_parent/libpod-{A}"), "podman", A),
    "Podman, cgroupfs, v2": (v2(f"/libpod_parent/libpod-{A}"), "podman", A),
    "Podman, rootless": (v2(f"{USER}/user.slice/libpod-{A}.scope/container"), "podman", A),
    "Podman, a pod": (v2(f"/machine.slice/machine-libpod_pod_{B}.slice/libpod-{A}.scope"), "podman", A),
    "Podman, split": (v2(f"/system.slice/web.service/libpod-payload-{A}"), "podman", A),
    "Podman's conmon, systemd": (v2(f"/machine.slice/libpod-conmon-{A}.scope"), None, None),
    "Podman's conmon, cgroupfs": (v1("/libpod_parent/conmon"), None, None),
    "Podman's conmon, split": (v2("/system.slice/web.service/supervisor"), None, None),
    "a pod's slice": (v2(BURSTABLE), None, None),
    "LXC, v1": (v1("/lxc/web"), "lxc", "web"),
    "LXC 4, v2": (v2("/lxc.payload.web/system.slice/nginx.service"), "lxc", "web"),
    "LXC 3, v2": (v2("/lxc.payload/web"), "lxc", "web"),
    "LXC's monitor": (v2("/lxc.monitor.web"), None, None),
    "docker in LXC": (v2(f"/lxc.payload.web/docker/{A}"), "docker", A),
    "nspawn": (v2("/machine.slice/systemd-nspawn@web.service/payload/init.scope"), "systemd-nspawn", "web"),
    "machinectl": (v2("/machine.slice/machine-web.scope/payload"), "systemd-nspawn", "web"),
    "nspawn's supervisor": (v2("/machine.slice/systemd-nspawn@web.service/supervisor"), None, None),
    "a virtual machine": (v1("/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/vcpu0"), None, None),
    "a service": (v2("/system.slice/docker.service"), None, None),
    "a session": (v2(f"{USER}/app.slice/app-docker-abc.scope"), None, None),
    "the root": (v1("/"), None, None),
    "a short hex name": (v1("/process_api/3fbca1e2a66f5019a2f6f2592346a611"), None, None),
    "colons in the path": (v2(f"/a:b/docker/{A}"), "docker", A),
}
WATCHED = {("default", "web-1"): "containerd", ("default", C): "containerd"}


@pytest.mark.parametrize("name", CASES)
def test_whose_cgroup(name: str) -> None:
    lines, runtime, identity = CASES[name]
    found = Identifying(RUNTIMES, WATCHED).among(cgroups_of(lines))
    assert (found and found.runtime, found and found.id) == (runtime, identity)


def test_the_path_that_tells_is_kept() -> None:
    found = Identifying(RUNTIMES, {}).among(cgroups_of(CASES["CRI-O, crun"][0]))
    assert found is not None
    assert found.cgroup == f"{BURSTABLE}/crio-{A}.scope"


def test_a_supervisor_tells_the_runtime_of_a_bare_id() -> None:
    identifying = Identifying(RUNTIMES, {("moby", A): "docker"})
    found = identifying.among(cgroups_of(v1(f"/team/{A}")))
    assert found is not None
    assert found.runtime == "docker"


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    Identifying(RUNTIMES, WATCHED).among(cgroups_of(text))
