"""What a compose file says of the Dockerfiles of its services."""

from __future__ import annotations

import pytest

from memlint.dockerfile.compose import Service, read_compose, read_env
from memlint.errors import UsageError


def service(text: str, path: str = "deploy/compose.yaml", **environment: str) -> Service | None:
    """The service of a compose file that has one."""
    found = read_compose(f"services:\n  web:\n    {text}\n", path, environment)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("build: .", (("deploy-web", "deploy_web"), "deploy/Dockerfile", None)),
        ("build: ../web", (("deploy-web", "deploy_web"), "web/Dockerfile", None)),
        ("{image: 'a/web:1', build: web}", (("a/web:1",), "deploy/web/Dockerfile", None)),
        (
            "{image: web, build: {context: ., dockerfile: docker/Web.Dockerfile, target: run}}",
            (("web",), "deploy/docker/Web.Dockerfile", "run"),
        ),
        ("{image: web, build: {dockerfile: ../D}}", (("web",), "D", None)),
        ("{image: web}", (("web",), None, None)),
        ("{build: 'https://git.example/a.git'}", None),
        ("{build: 'git@git.example:a.git'}", None),
        ("{build: {context: ., dockerfile_inline: 'FROM a'}}", None),
        ("{build: 3}", None),
        ("[]", None),
    ],
)
def test_services(text: str, expected: tuple[tuple[str, ...], str, str | None] | None) -> None:
    found = service(text)
    assert (found and (found.names, found.dockerfile, found.target)) == expected


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("$A", "one"),
        ("${A}/web:${B:-2}", "one/web:2"),
        ("${B-2}", "2"),
        ("${EMPTY-2}", ""),
        ("${EMPTY:-2}", "2"),
        ("${A:+x}${B:+y}", "x"),
        ("${A:?must be set}", "one"),
        ("${B:-$A}", "one"),
        ("$$A", "$A"),
        ("$B", ""),
        ("a$", "a$"),
    ],
)
def test_variables(image: str, name: str) -> None:
    found = service(f"{{build: ., image: '{image}'}}", A="one", EMPTY="")
    assert found is not None
    assert found.names == (name,)


def test_what_a_build_is_given() -> None:
    found = service(
        "{platform: 'linux/${ARCH}', build: {context: a, secrets: [x], ssh: [default], additional_contexts:"
        " {lib: ../lib, tool: 'docker-image://tool:1'}}}",
        ARCH="arm64",
    )
    assert found is not None
    assert (found.platform, found.wants) == ("linux/arm64", ("secrets", "ssh"))
    assert found.contexts == {"lib": "lib", "tool": "docker-image://tool:1"}


def test_the_project_may_have_a_name() -> None:
    (found,) = read_compose("name: shop\nservices: {web: {build: .}}\n", "compose.yaml", {})
    assert found.names == ("shop-web", "shop_web")


def test_a_file_of_variables() -> None:
    text = "# a\nA=1\nexport B='x y'\n C = \"z\" \nD=a # not this\nE=a#b\nnothing\n"
    assert read_env(text) == {"A": "1", "B": "x y", "C": "z", "D": "a", "E": "a#b"}


@pytest.mark.parametrize(
    "text", ["", "a", "[1]", "services: [1]", "services:", "{", "a: b: c", "!!python/object:a.B {}", "\0", "[" * 20_000]
)
def test_what_is_no_compose_file(text: str) -> None:
    with pytest.raises(UsageError, match=r"compose\.yaml") as caught:
        read_compose(text, "compose.yaml", {})
    assert "\n" not in caught.value.message


def test_what_a_dockerfile_is_built_with() -> None:
    text = """\
services:
  a: {build: {context: x, args: {ONE: "$V", TWO: 2, THREE: null}}}
  b: {build: {context: ., args: ["ONE=a=b", "V", "GONE"]}}
"""
    a, b = read_compose(text, "deploy/compose.yaml", {"V": "v"})
    assert (a.name, a.context, a.build_args) == ("a", "deploy/x", {"ONE": "v", "TWO": "2"})
    assert (b.name, b.context, b.build_args) == ("b", "deploy", {"ONE": "a=b", "V": "v"})
