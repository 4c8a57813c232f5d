"""Which containers are meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.hosts import A, B, C, Made

from memlint.errors import UsageError
from memlint.kernel.containers import narrowed
from memlint.kernel.residency import Container


def container(identity: str, name: str, *pids: int) -> Container:
    return Container(identity, name, "", "docker", None, f"/docker/{identity}", pids)


WEB, API, POD = container(A, "web", 40, 41), container(B, "api", 50), container(C, "shop/pod-1/web", 60)
ALL = (WEB, API, POD)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    made = Made(tmp_path)
    for each in ALL:
        for pid in each.pids:
            made.process(pid, f"4:memory:{each.cgroup}\n0::/\n")
    made.process(70, "4:memory:/system.slice/nginx.service\n0::/system.slice/nginx.service\n")
    return made


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("web", [A]),
        ("api", [B]),
        ("shop/pod-1/web", [C]),
        ("shop/pod-1", [C]),
        (A, [A]),
        (A[:12], [A]),
        ("bbb", [B]),
        ("0123", [C]),
    ],
)
def test_by_name(name: str, wanted: list[str]) -> None:
    assert [each.id for each in narrowed(ALL, names=[name])[0]] == wanted


def test_by_the_last_part_of_a_name() -> None:
    pods = (API, POD, container(A, "shop/pod-2/web", 40))
    assert [each.id for each in narrowed(pods, names=["web"])[0]] == [C, A]


@pytest.mark.parametrize(
    ("name", "says"),
    [("wbe", "did you mean web?"), ("nothing-like-it", "containers that run: api"), ("aa", "containers that run")],
)
def test_an_unknown_name(name: str, says: str) -> None:
    with pytest.raises(UsageError, match="no container") as raised:
        narrowed(ALL, names=[name])
    assert says in raised.value.hint


def test_a_beginning_of_two_ids() -> None:
    with pytest.raises(UsageError, match="2 containers"):
        narrowed((container("abc1", "x", 1), container("abc2", "y", 2)), names=["abc"])


def test_no_container_runs() -> None:
    with pytest.raises(UsageError) as raised:
        narrowed((), names=["web"])
    assert "no container runs" in raised.value.hint


@pytest.mark.parametrize(
    ("path", "containers", "processes"),
    [
        (f"/docker/{A}", [A], []),
        (f"docker/{A}/", [A], []),
        ("/docker", [A, B, C], []),
        ("/system.slice/nginx.service", [], [70]),
        ("/system.slice", [], [70]),
        ("{cgroup}/memory/docker", [A, B, C], []),
        ("/", [A, B, C], [1, 70]),
    ],
)
def test_by_cgroup(made: Made, path: str, containers: list[str], processes: list[int]) -> None:
    found, plain = narrowed(ALL, cgroups=[path.format(cgroup=made.host.cgroup)], host=made.host)
    assert ([each.id for each in found], plain) == (containers, processes)


def test_by_cgroup_s_directory_of_version_2(made: Made) -> None:
    made.file("cgroup/cgroup.controllers")
    found, plain = narrowed(ALL, cgroups=[f"{made.host.cgroup}/system.slice"], host=made.host)
    assert (found, plain) == ([], [70])


def test_an_empty_cgroup(made: Made) -> None:
    with pytest.raises(UsageError, match="no process is in the cgroup /docke"):
        narrowed(ALL, cgroups=["/docke"], host=made.host)


def test_by_process(made: Made) -> None:
    found, plain = narrowed(ALL, pids=[41, 70], host=made.host)
    assert ([(each.id, each.pids) for each in found], plain) == ([(A, (41,))], [70])


def test_a_container_that_is_meant_whole_stays_whole(made: Made) -> None:
    found, _ = narrowed(ALL, names=["web"], pids=[41, 50], host=made.host)
    assert [(each.name, each.pids) for each in found] == [("web", (40, 41)), ("api", (50,))]


def test_no_process(made: Made) -> None:
    with pytest.raises(UsageError, match="no process 4711"):
        narrowed(ALL, pids=[4711], host=made.host)
