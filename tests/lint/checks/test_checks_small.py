"""The checks that need one table each: --link, bundles, copied interpreters and libraries, second runtimes, the JVM."""

from __future__ import annotations

import pytest
from support.checks import evidence, findings, repaired

LINK = "COPY --link --from=tools:1 /opt/tools /opt/tools\n"
BUILD = "FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build\n"
FINAL = "FROM debian:12\nCOPY --from=build /app /app\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"FROM debian:12\nCOPY a /a\n# shares memory between services\n{LINK}", [4]),
        (f"FROM debian:12\nRUN a\n# one copy in RAM\n# for all\n{LINK}", [5]),
        (f"FROM debian:12\n# shares memory between services\n{LINK}", []),  # directly on the base it does
        (f"FROM debian:12\nCOPY a /a\n# cached on its own\n{LINK}", []),
        (f"FROM debian:12\nCOPY a /a\n# shares memory\n\nUSER a\n{LINK}", []),
        (f"FROM debian:12\nCOPY a /a\n# shares memory\n{LINK.replace('--link', '--link=false')}", []),
    ],
)
def test_link_for_sharing(text: str, lines: list[int]) -> None:
    assert [line for (line,) in evidence("ML110", text)] == lines


@pytest.mark.parametrize(
    ("run", "runtime"),
    [
        ("dotnet publish -c Release -r linux-x64 --self-contained -o /app", ".NET"),
        ("dotnet publish --self-contained true -o /app", ".NET"),
        ("dotnet publish -p:PublishSingleFile=true --self-contained=true", ".NET"),
        ("dotnet publish /p:SelfContained=true", ".NET"),
        ("jlink --add-modules java.base --output /app", "Java"),
        ("pyinstaller --onefile main.py", "Python"),
        ("python -m PyInstaller app.spec", "Python"),
        ("uv run pyinstaller main.py", "Python"),
        ("python3 -m nuitka --standalone main.py", "Python"),
        ("npx pkg .", "Node"),
        ("deno compile --allow-net main.ts", "Deno"),
        ("bun build --compile a.ts", "Bun"),
    ],
)
def test_a_bundled_runtime(run: str, runtime: str) -> None:
    ((line, found),) = evidence("ML111", f"{BUILD}RUN {run}\n{FINAL}", "runtime")
    assert line == 2
    assert runtime in str(found)


@pytest.mark.parametrize(
    "run",
    [
        "dotnet publish -c Release -o /app",
        "dotnet publish -r linux-x64 --self-contained false",
        "dotnet publish -r linux-x64 --no-self-contained",
        "dotnet publish --self-contained $SELF",
        "dotnet publish --self-contained -p:PublishAot=true",
        "dotnet build --self-contained",
        "jlink --list-plugins",
        "pyinstaller --version",
        "pip install pyinstaller",
        "python3 -m nuitka --module main.py",
        "pkg install -y nginx",
        "bun build a.ts",
        "deno cache main.ts",
    ],
)
def test_no_bundled_runtime(run: str) -> None:
    assert findings("ML111", f"{BUILD}RUN {run}\n{FINAL}") == []


def test_a_bundle_that_stays_behind() -> None:
    assert findings("ML111", f"{BUILD}RUN pyinstaller a.py\nFROM debian:12\nCOPY app /app\n") == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("FROM python:3.13\nRUN python -m venv --copies /v && /v/bin/pip install a\n", [2]),
        ("FROM debian:12\nRUN virtualenv --always-copy /v\n", [2]),
        ("FROM python:3.13 AS b\nRUN python3 -m venv /v --copies\nFROM python:3.13-slim\nCOPY --from=b /v /v\n", [2]),
        ("FROM python:3.13 AS b\nRUN python3 -m venv --copies /v\nFROM debian:12\nCOPY --from=b /v /v\n", []),
        ("FROM python:3.13\nRUN python -m venv /v\n", []),
        ("FROM python:3.13\nRUN virtualenv /v && rsync --copies a b\n", []),
    ],
)
def test_a_copied_interpreter(text: str, lines: list[int]) -> None:
    assert [line for (line,) in evidence("ML113", text)] == lines


def test_an_interpreter_is_linked_again() -> None:
    assert (
        repaired("ML113", "FROM python:3.13\nRUN python -m venv --copies /v\n")
        == "FROM python:3.13\nRUN python -m venv /v\n"
    )
    executed = 'FROM python:3.13\nRUN ["python", "-m", "venv", "--copies", "/v"]\n'
    assert findings("ML113", executed)
    assert repaired("ML113", executed) == executed


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        ("FROM python:3.13-slim\nRUN apt-get install -y gcc python3-dev\n", ["python3-dev"]),
        ("FROM python:3.13-alpine\nRUN apk add --no-cache py3-pip python3\n", ["py3-pip"]),
        ("FROM node:22-slim\nRUN apt-get install -y nodejs npm\n", ["nodejs"]),
        ("FROM node:22\nRUN apt-get install -y npm\n", ["npm"]),
        ("FROM eclipse-temurin:21-jre\nRUN apt-get install -y default-jre-headless\n", ["default-jre-headless"]),
        ("FROM ruby:3.4-slim AS a\nFROM a\nRUN apt-get install -y ruby-full\n", ["ruby-full"]),
        ("FROM python:3.13\nRUN apt-get install -y python3-dev\n", []),  # the full image has Debian's Python already
        ("FROM python:3.13-slim\nRUN apt-get install -y python3-dev && apt-get purge -y python3-dev\n", []),
        ("FROM python:3.13-slim\nRUN apt-get install -y python3-opencv\n", ["python3-opencv"]),
        ("FROM python:3.13-slim\nRUN apt-get install -y python3-doc\n", []),
        ("FROM python:3.13-slim\nRUN apt-get install -y nodejs\n", []),
        ("FROM debian:12-slim\nRUN apt-get install -y python3\n", []),
        ("FROM python:3-slim AS b\nRUN apt-get install -y python3-dev\nFROM python:3-slim\nCOPY --from=b /v /v\n", []),
        ("FROM node:22-slim\nRUN pip install nodejs\n", []),
    ],
)
def test_a_second_runtime(text: str, packages: list[str]) -> None:
    assert [package for _, package in evidence("ML114", text, "package")] == packages


@pytest.mark.parametrize(
    ("run", "targets"),
    [
        ("cp /usr/lib/x86_64-linux-gnu/libssl.so.3 /opt/app/lib/", ["/usr/lib/x86_64-linux-gnu/libssl.so.3"]),
        ("cp -v /usr/bin/node /opt/node", ["/usr/bin/node"]),
        ("cd /usr/lib && cp -a libz.so.1 /opt", ["/usr/lib/libz.so.1"]),
        ("cp /usr/lib/*.so /opt/", ["/usr/lib/*.so"]),
        ("cp -s /usr/lib/libz.so.1 /opt/ && cp -al /usr/bin/a /opt", []),
        ("cp /usr/lib/libz.a /usr/share/a /etc/passwd /usr/bin/setup.sh /opt/", []),
        ("cp /opt/libz.so.1 /usr/lib/", []),
        ("cp /usr/lib/libz.so.1 /tmp/", []),
        ("cp /usr/lib/libz.so.1 /opt/ && rm /usr/lib/libz.so.1", []),
        ("[ -e /x ] && cp /usr/lib/libz.so.1 /opt/ || true", []),
        ("cp $LIB /opt/", []),
    ],
)
def test_a_copied_library(run: str, targets: list[str]) -> None:
    assert [target for _, target in evidence("ML115", f"FROM debian:12\nRUN {run}\n", "target")] == targets
    assert findings("ML115", f"FROM debian:12 AS b\nRUN {run}\nFROM scratch\nCOPY --from=b /opt /opt\n") == []


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('CMD ["java", "-Xshare:off", "-jar", "a.jar"]', ["-Xshare:off"]),
        ("CMD java -Xshare:off -jar a.jar", ["-Xshare:off"]),
        ('ENV JAVA_OPTS="-Xmx1g -Xshare:off"', ["-Xshare:off"]),
        (
            "ENV JAVA_TOOL_OPTIONS -XX:+AutoCreateSharedArchive -XX:SharedArchiveFile=/a.jsa",
            ["-XX:+AutoCreateSharedArchive"],
        ),
        ('ENTRYPOINT ["java", "-XX:ArchiveClassesAtExit=/a.jsa", "-jar", "a.jar"]', ["-XX:ArchiveClassesAtExit"]),
        ("RUN java -XX:ArchiveClassesAtExit=/a.jsa -jar a.jar", []),
        ("RUN java -Xshare:off -XX:DumpLoadedClassList=a -jar a.jar", []),
        ('CMD ["java", "-Xshare:auto", "-XX:SharedArchiveFile=/a.jsa"]', []),
    ],
)
def test_class_data(text: str, options: list[str]) -> None:
    assert [option for _, option in evidence("ML116", f"FROM eclipse-temurin:21\n{text}\n", "option")] == options
