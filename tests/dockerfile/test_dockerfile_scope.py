"""The variables in force at an instruction, by BuildKit's scoping."""

from __future__ import annotations

import pytest

from memlint.dockerfile.expand import expand
from memlint.dockerfile.parser import parse_dockerfile
from memlint.dockerfile.scope import PLATFORM_ARGS, environments


def at_the_mark(text: str, build_args: dict[str, str] | None = None) -> str | None:
    """What `LABEL mark=<text>` of the last stage expands to."""
    dockerfile = parse_dockerfile(text, build_args=build_args)
    for instruction, environment in environments(dockerfile, dockerfile.stages[-1]):
        if instruction.keyword == "LABEL":
            return expand(instruction.value.removeprefix("mark="), environment)
    raise AssertionError("no mark")


@pytest.mark.parametrize(
    ("text", "build_args", "expected"),
    [
        # ARG: a default, a build argument, a global one
        ("FROM a\nARG V=1\nLABEL mark=$V\n", {}, "1"),
        ("FROM a\nARG V=1\nLABEL mark=$V\n", {"V": "2"}, "2"),
        ("FROM a\nARG V\nLABEL mark=$V\n", {"V": "2"}, "2"),
        ("FROM a\nARG V\nLABEL mark=$V\n", {}, None),
        ("ARG V=1\nFROM a\nLABEL mark=$V\n", {}, None),
        ("ARG V=1\nFROM scratch\nLABEL mark=$V\n", {}, ""),
        ("ARG V=1\nFROM a\nARG V\nLABEL mark=$V\n", {}, "1"),
        ("ARG V=1\nFROM a\nARG V=2\nLABEL mark=$V\n", {}, "2"),
        ("ARG V=1\nFROM a\nARG V=2\nLABEL mark=$V\n", {"V": "3"}, "3"),
        ("ARG V=1\nFROM a\nARG V\nLABEL mark=$V\n", {"V": "3"}, "3"),
        ("ARG V\nFROM a\nARG V\nLABEL mark=$V\n", {}, None),
        ("FROM a\nLABEL mark=$V\nARG V=1\n", {}, None),
        ("FROM a\nLABEL mark=$V\n", {"V": "1"}, None),  # not declared
        ('FROM a\nARG V="a b"\nLABEL mark=$V\n', {}, "a b"),
        # one ARG after the other, also in one instruction
        ("FROM a\nARG V=1 W=$V\nLABEL mark=$W\n", {}, "1"),
        ("FROM a\nARG V=1\nARG W=$V.$V\nLABEL mark=$W\n", {}, "1.1"),
        ("ARG V=1 W=$V\nFROM a\nARG W\nLABEL mark=$W\n", {}, "1"),
        ("ARG V=1\nARG W=${V}2\nFROM a\nARG W\nLABEL mark=$W\n", {"V": "0"}, "02"),
        ("FROM a\nARG V=1\nARG V\nLABEL mark=$V\n", {}, "1"),
        # ENV takes what held before it
        ("FROM scratch\nENV V=1 W=x$V\nLABEL mark=$W\n", {}, "x"),
        ("FROM a\nENV V=1\nENV V=2 W=x$V\nLABEL mark=$V$W\n", {}, "2x1"),
        ("FROM a\nENV V 1 2\nLABEL mark=$V\n", {}, "1 2"),
        ("FROM a\nENV V 'x' \"y\"\nLABEL mark=$V\n", {}, "x y"),
        ("FROM a\nENV N=V\nENV $N=1\nLABEL mark=$V\n", {}, "1"),
        ("FROM a\nENV V=1\nENV V=$V$V\nENV V=$V$V\nLABEL mark=$V\n", {}, "1111"),
        # ENV and ARG set the same variables: the last wins
        ("FROM a\nARG V=1\nENV V=2\nLABEL mark=$V\n", {"V": "3"}, "2"),
        ("FROM a\nENV V=2\nARG V=1\nLABEL mark=$V\n", {}, "1"),
        ("FROM a\nENV V=2\nARG V\nLABEL mark=$V\n", {}, "2"),
        ("FROM a\nENV V=2\nARG V\nLABEL mark=$V\n", {"V": "3"}, "3"),
        ("ARG V=1\nFROM a\nENV V=2\nARG V\nLABEL mark=$V\n", {}, "1"),
        ("FROM a\nARG V=1\nENV V=${V:-2}\nLABEL mark=$V\n", {}, "1"),
        # a base image may have set anything, an empty one nothing but the default PATH
        ("FROM a\nENV V=${W:-x}\nLABEL mark=$V\n", {}, None),
        ("FROM scratch\nENV V=${W:-x}\nLABEL mark=$V\n", {}, "x"),
        ("FROM scratch\nENV PATH=/x:$PATH\nLABEL mark=$PATH\n", {}, None),
        ("FROM scratch\nENV V=$http_proxy\nLABEL mark=$V\n", {}, None),
        ("FROM $NONE\nENV V=${W:-x}\nLABEL mark=$V\n", {}, None),
        # stages: ARG and ENV come along, from the end of the stage below, ENV on top
        ("FROM a AS s\nENV V=1\nFROM s\nLABEL mark=$V\n", {}, "1"),
        ("FROM a AS s\nARG V=1\nFROM s\nLABEL mark=$V\n", {}, "1"),
        ("FROM a AS s\nENV V=1\nARG V=2\nFROM s\nLABEL mark=$V\n", {}, "1"),
        ("FROM a AS s\nENV V=1\nARG V=2\nFROM s AS t\nENV W=$V\nFROM t\nLABEL mark=$W\n", {}, "1"),
        ("FROM a AS s\nENV V=1\nFROM b\nLABEL mark=$V\n", {}, None),
        ("FROM a AS s\nENV V=1\nFROM scratch\nLABEL mark=$V\n", {}, ""),
        ("FROM scratch AS s\nFROM s\nLABEL mark=${V:-x}\n", {}, "x"),
        ("FROM a AS s\nFROM s\nLABEL mark=${V:-x}\n", {}, None),
        ("FROM a AS s\nENV V=1\nFROM s AS t\nENV V=2\nFROM s\nLABEL mark=$V\n", {}, "1"),
        # triggers run at the start of the next stage, and of no other
        ("FROM a AS s\nONBUILD ENV V=1\nFROM s\nLABEL mark=$V\n", {}, "1"),
        ("FROM scratch AS s\nONBUILD ENV V=1\nLABEL mark=$V\n", {}, ""),
        ("FROM scratch AS s\nONBUILD ARG V=1\nFROM s AS t\nFROM t\nLABEL mark=$V\n", {}, "1"),
        # platforms are predefined, need a declaration, and are not known until they are passed
        ("FROM scratch\nARG TARGETARCH\nLABEL mark=$TARGETARCH\n", {}, None),
        ("FROM scratch\nARG TARGETARCH\nLABEL mark=$TARGETARCH\n", {"TARGETARCH": "arm64"}, "arm64"),
        ("FROM scratch\nLABEL mark=$TARGETARCH\n", {"TARGETARCH": "arm64"}, ""),
        ("FROM scratch\nARG TARGETARCH=amd64\nLABEL mark=$TARGETARCH\n", {}, "amd64"),
        ("ARG TARGETOS=linux\nFROM scratch\nARG TARGETOS\nLABEL mark=$TARGETOS\n", {}, "linux"),
        # the escape of the file
        ("# escape=`\nFROM a\nENV V=`$x\\y\nLABEL mark=$V\n", {}, "$x\\y"),
    ],
)
def test_a_variable(text: str, build_args: dict[str, str], expected: str | None) -> None:
    assert at_the_mark(text, build_args) == expected


@pytest.mark.parametrize(
    ("preamble", "image", "build_args", "expected"),
    [
        ("ARG V=12", "debian:$V", {}, "debian:12"),
        ("ARG V=12", "debian:${V}-slim", {"V": "13"}, "debian:13-slim"),
        ("ARG V", "debian:$V", {}, None),
        ("ARG V", "debian:$V", {"V": "12"}, "debian:12"),
        ("ARG V", "debian:${V:-12}", {}, "debian:12"),
        ("ARG V", "debian${V:+:$V}", {}, "debian"),
        ("ARG B=debian", '"${B}:12"', {}, "debian:12"),
        ("ARG B=debian\nARG T=$B:12", "$T", {}, "debian:12"),
        ("ARG V=1\nARG V", "debian:$V", {}, "debian:1"),
        ("", "debian$SUFFIX", {}, "debian"),
        ("", "debian$SUFFIX", {"SUFFIX": "x"}, "debian"),  # not declared
        ("", "$NONE", {}, None),
        ("", "a/$TARGETARCH", {}, None),
        ("", "a/$TARGETARCH", {"TARGETARCH": "s390x"}, "a/s390x"),
        ("ARG V=12", "debian:${V#1}", {}, "debian:2"),
        ("ARG V=12", "debian:${V", {}, None),
    ],
)
def test_a_base(preamble: str, image: str, build_args: dict[str, str], expected: str | None) -> None:
    dockerfile = parse_dockerfile(f"{preamble}\nFROM {image}\n", build_args=build_args)
    assert dockerfile.stages[0].base == expected


def test_an_environment_knows_its_names_and_stays_as_it_was() -> None:
    dockerfile = parse_dockerfile("FROM a AS s\nENV V=1\nFROM s\nRUN x\nENV V=2 W=$X\nRUN y\n")
    before, _, after = [environment for _, environment in environments(dockerfile, dockerfile.stages[1])]
    assert (dict(before), dict(after)) == ({"V": "1"}, {"V": "2", "W": None})
    assert ("V" in before, "W" in before, len(before), before.get("W")) == (True, False, 1, None)
    assert dockerfile.stages[1].environment == {"V": "2", "W": None}
    assert dockerfile.stages[0].environment == {"V": "1"}


def test_run_sees_the_proxies_that_are_passed_and_nothing_else_does() -> None:
    text = "FROM scratch\nRUN x\nUSER x\nENV HTTP_PROXY=mine\nRUN y\n"
    dockerfile = parse_dockerfile(text, build_args={"http_proxy": "http://p", "NO_PROXY": ""})
    run, user, _, own = [environment for _, environment in environments(dockerfile, dockerfile.stages[0])]
    assert dict(run) == {"HTTP_PROXY": "http://p", "http_proxy": "http://p"}
    assert dict(user) == {}
    assert own["HTTP_PROXY"] == "mine"


def test_every_platform_argument_is_predefined_and_unknown() -> None:
    for name in PLATFORM_ARGS:
        assert parse_dockerfile(f"FROM a:${name}\n").stages[0].base is None


def test_variables_that_double_each_other_end() -> None:
    text = "FROM scratch\nENV A=aaaaaaaa\n" + "ENV A=$A$A\n" * 60 + "LABEL mark=$A\n"
    assert at_the_mark(text) is None
