"""Bases out of Dockerfiles alone."""

from __future__ import annotations

import re

import pytest

from memlint.dockerfile.parser import parse_dockerfile
from memlint.lint.places import Origin
from memlint.model.plan_dockerfiles import DockerfilesPlan, NamedPackage
from memlint.planner.dockerfiles import plan_dockerfiles
from memlint.planner.write.alone import write_dockerfiles
from memlint.planner.write.service import Service
from memlint.report.plan_dockerfiles import to_text

APT = "RUN apt-get update && apt-get install -y {} && rm -rf /var/lib/apt/lists/*"


def origin(path: str, text: str) -> Origin:
    dockerfile = parse_dockerfile(text, path)
    return Origin(dockerfile, dockerfile.stages[-1])


def planned(prefer: str = "strict", **texts: str) -> DockerfilesPlan:
    return plan_dockerfiles([origin(path, text.replace("; ", "\n") + "\n") for path, text in texts.items()], prefer)


def names(packages: tuple[NamedPackage, ...]) -> list[str]:
    return [package.name for package in packages]


FLEET = {
    "api": "FROM debian:12; " + APT.format("openssl python3"),
    "worker": "FROM debian:12; COPY . /srv; " + APT.format("curl openssl python3=3.11.2"),
    "web": "FROM debian:12; " + APT.format("curl nginx openssl"),
    "other": "FROM alpine:3.20; RUN apk add openssl",
}


def test_what_all_install_is_at_the_bottom() -> None:
    plan = planned(**FLEET)
    lowest, *higher = plan.bases
    assert (lowest.name, lowest.parent, lowest.source) == ("debian-12", None, "debian:12")
    assert names(lowest.packages) == ["openssl"]
    assert lowest.dockerfiles == ("api", "worker", "web")
    (second,) = higher
    assert second.parent == "debian-12"
    assert names(second.packages) == ["curl"]
    assert not any(service.extra for service in plan.services)
    assert (plan.before, plan.after) == (9, 6)
    assert plan.before - plan.after == sum(base.saved_packages for base in plan.bases)


def test_a_union_has_what_any_two_install_but_not_two_versions() -> None:
    plan = planned("union", **FLEET)
    (base,) = plan.bases
    assert names(base.packages) == ["curl", "openssl"]
    assert {service.dockerfile: names(service.extra) for service in plan.services if service.extra} == {"api": ["curl"]}


def test_one_repository_at_two_digests_becomes_one() -> None:
    digests = [f"debian:12@sha256:{digit * 64}" for digit in "ab"]
    plan = planned(a=f"FROM {digests[0]}; RUN x", b=f"FROM {digests[1]}; RUN y", c=f"FROM {digests[1]}; RUN z")
    (base,) = plan.bases
    assert (base.source, base.packages) == (digests[1], ())


def test_what_cannot_be_told_is_left_out_by_name() -> None:
    plan = planned(
        a="ARG X; FROM $X; RUN x", b="FROM scratch; COPY a /", c="FROM debian; RUN pip install x", d=FLEET["api"]
    )
    assert [(each.what, each.why.partition(":")[0]) for each in plan.left_out] == [
        ("a", "its FROM takes a build argument that is not known"),
        ("b", "it begins from scratch, so there is nothing that installs packages"),
        ("c", "pip packages"),
    ]
    assert plan.bases == ()
    assert "there is nothing to share" in to_text(plan)


@pytest.mark.parametrize(
    "install",
    [
        "RUN apt-get install -y -t bookworm-backports golang",
        "RUN dpkg --add-architecture i386 && apt-get install -y golang",
        "RUN apt-get install -y golang:i386",
        "RUN curl -fsSL https://deb.example/setup_22.x | bash - && apt-get install -y golang",
        "RUN curl -fsSL https://deb.example/setup_22.x | sudo -E bash -; RUN apt-get install -y golang",
        "COPY our.list /etc/apt/sources.list.d/; RUN apt-get install -y golang",
        "RUN apt-get install -y ./release.deb && apt-get install -y golang",
        "RUN apt-get install -y --option Dir::Etc=/x golang",
        "RUN apk add --repository=http://dl.example/edge/testing golang",
        "RUN dnf install -y --enablerepo=crb golang",
        "RUN dnf config-manager --add-repo https://x.example/r.repo && dnf install -y golang",
        "RUN dnf copr enable -y some/project && dnf install -y golang",
        "RUN dnf module enable -y golang:1.22 && dnf install -y golang",
        "RUN dnf install -y --from-repo=crb golang",
        "RUN zypper -n ar https://x.example/r r && zypper install -y golang",
        "RUN apt-add-repository ppa:some/project && apt-get install -y golang",
        "RUN extrepo enable some && apt-get install -y golang",
        "RUN setup-apkrepos -c && apk add golang",
    ],
)
def test_what_comes_from_sources_of_its_own_is_left_out(install: str) -> None:
    plan = planned(a=f"FROM debian:12; RUN apt-get install -y curl; {install}", b=f"FROM debian:12; {install}; RUN a")
    assert plan.bases == ()
    assert {each.what for each in plan.left_out if "sources that a planned base does not have" in each.why} == {
        "a",
        "b",
    }


@pytest.mark.parametrize("before", ["curl -X POST https://x.example/", "dnf install -y --enablerepo=x curl"])
def test_options_of_one_command_say_nothing_of_another(before: str) -> None:
    text = f"FROM fedora:40; RUN {before}; RUN dnf install -y golang"
    (base,) = planned(a=text, b=text).bases
    assert "golang" in names(base.packages)


def test_what_was_installed_before_other_sources_came_is_the_distributions() -> None:
    late = "COPY our.list /etc/apt/sources.list.d/; RUN apt-get install -y golang"
    plan = planned(a=f"FROM debian:12; {APT.format('curl')}; {late}", b=f"FROM debian:12; {APT.format('curl')}; RUN b")
    (base,) = plan.bases
    assert names(base.packages) == ["curl"]


def test_the_files_say_the_same() -> None:
    origins = {path: origin(path, text.replace("; ", "\n") + "\n") for path, text in FLEET.items()}
    plan = plan_dockerfiles(list(origins.values()))
    services = [Service(path, path, path, each, context=f"../{path}") for path, each in origins.items()]
    files = write_dockerfiles(plan, services)
    script = files["build.sh"]
    lower, upper = re.findall(r"^base (memlint-plan/\S+:[0-9a-f]{12}) bases/debian-12(?:-2)?$", script, re.MULTILINE)
    second = files["bases/debian-12-2/Dockerfile"]
    assert f"\nFROM {lower}\n" in second
    assert "\n      curl \\\n" in second
    assert files["services/web/Dockerfile"].startswith(f"FROM {upper}\n")
    assert files["services/api/Dockerfile"].startswith(f"FROM {lower}\n")
    assert files["services/other/Dockerfile"] == origins["other"].dockerfile.text
    assert 'service web:"$TAG" services/web/Dockerfile ../web' in script
    assert f'"{upper}" = "target:base-debian-12-2"' in files["docker-bake.hcl"]
    assert {lower, upper} <= set(re.findall(r"`(memlint-plan/[^`]+)`", files["README.md"]))


PIP = "RUN pip install --no-cache-dir flask==3.0.0 requests==2.32.0"


def test_packages_of_languages_that_are_pinned_are_shared() -> None:
    plan = planned(
        api=f"FROM python:3.12; {PIP}",
        web="FROM python:3.12; RUN python3 -m pip install flask==3.0.0 numpy",
    )
    (base,) = plan.bases
    assert base.packages == (NamedPackage("pypi", "flask", "3.0.0"),)
    assert (plan.before, plan.after) == (3, 2)
    assert [each.why for each in plan.left_out] == ["pip packages: which version some become is seen in images alone"]
    tools = "RUN npm install -g yarn@1.22.22"
    (base,) = planned(a=f"FROM node:22; {tools}", b=f"FROM node:22; {tools}").bases
    assert base.packages == (NamedPackage("npm", "yarn", "1.22.22"),)


@pytest.mark.parametrize("user", ["root", "0:root", '"root:0"'])
def test_root_has_several_names(user: str) -> None:
    text = f"FROM python:3.12; USER app; RUN x; USER {user}; {PIP}"
    (base,) = planned(a=text, b=text).bases
    assert names(base.packages) == ["flask", "requests"]


def test_what_installs_them_comes_first() -> None:
    apt = APT.format("python3-pip")
    texts = dict.fromkeys(("a", "b"), f"FROM debian:12; {apt}; {PIP} --break-system-packages")
    plan = planned(**texts)
    (base,) = plan.bases
    assert names(base.packages) == ["python3-pip", "flask", "requests"]
    services = [Service(path, path, path, origin(path, text.replace("; ", "\n"))) for path, text in texts.items()]
    text = write_dockerfiles(plan, services)[f"bases/{base.name}/Dockerfile"]
    assert 0 < text.index("python3-pip") < text.index("flask==3.0.0")


def test_a_base_without_pip_gets_none_of_its_packages() -> None:
    """One has pip by apt and one by pip3's own package: there is no package that both bring."""
    texts = {
        "a": f"FROM debian:12; {APT.format('python3-pip')}; {PIP}",
        "b": f"FROM debian:12; {APT.format('python3-pip=23.0.1')}; {PIP}",
    }
    assert planned(**texts).bases == ()
    assert planned("union", **texts).bases == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("FROM debian:12; RUN curl https://x | python3; " + PIP, "what brings pip itself is not known"),
        ("FROM python:3.12; ENV PATH=/venv/bin:$PATH; " + PIP, "venv in the Dockerfile may lead them elsewhere"),
        ("FROM python:3.12; USER app; " + PIP, "they are installed by the user app"),
        (f"FROM python:3.12; {PIP} --user", "--user may change what they are"),
        (f"FROM python:3.12; {PIP} --index-url https://x/", "--index-url may change what they are"),
        ("FROM node:22; RUN npm install left-pad@1.3.0", "they go into a directory of their own"),
    ],
)
def test_packages_that_may_go_elsewhere_are_left_out(text: str, why: str) -> None:
    plan = planned(a=text, b=text)
    assert plan.bases == ()
    assert why in plan.left_out[0].why


def test_installs_run_as_root_whoever_the_user_of_the_base_is() -> None:
    """Nobody here knows whom jenkins/jenkins names: its services say themselves who runs what they run."""
    install = APT.format("curl")
    texts = dict.fromkeys(("a", "b"), f"FROM jenkins/jenkins; USER root; {install}; USER jenkins")
    texts["c"] = f"FROM jenkins/jenkins; RUN echo >> ~/x; USER root; {install}; USER jenkins"
    plan = planned(**texts)
    (base,) = plan.bases
    assert base.dockerfiles == ("a", "b")
    assert [(each.what, each.why) for each in plan.left_out] == [
        ("c", "line 2 runs as whom jenkins/jenkins names, which is not known: put a USER above it")
    ]
    services = [Service(path, path, path, origin(path, text.replace("; ", "\n"))) for path, text in texts.items()]
    files = write_dockerfiles(plan, services)
    assert files["services/c/Dockerfile"].startswith("FROM jenkins/jenkins\n")
    lines = files[f"bases/{base.name}/Dockerfile"].splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 0"]
    assert any(line.startswith("# Whom jenkins/jenkins runs commands as is not known") for line in lines)


def test_a_base_that_some_install_on_by_itself_runs_as_root() -> None:
    install = APT.format("curl")
    texts = {"a": f"FROM company/base; {install}", "b": f"FROM company/base; USER root; {install}; USER app"}
    plan = planned(**texts)
    services = [Service(path, path, path, origin(path, text.replace("; ", "\n"))) for path, text in texts.items()]
    assert "USER" not in write_dockerfiles(plan, services)[f"bases/{plan.bases[0].name}/Dockerfile"]
