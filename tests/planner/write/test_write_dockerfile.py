"""Rewritten Dockerfiles: what is changed is what was meant, and nothing else by a byte."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dockerfiles import corpus_dockerfiles
from support.elf import library
from support.fleets import loaded
from support.images import Layer, image

from memlint.dockerfile.expand import expand
from memlint.dockerfile.parser import parse_dockerfile
from memlint.errors import DockerfileError
from memlint.layers.attributes import Attributes
from memlint.lint.places import Origin, stage_of
from memlint.model.dockerfile import Span
from memlint.model.finding import Edit
from memlint.model.plan import PlannedPackage
from memlint.planner.write.dockerfile import Layered, Rewritten, difference, mismatch, rewrite
from memlint.planner.write.edit import edited
from memlint.planner.write.rewriting import rewritings_of, without_removable
from memlint.planner.write.service import Service, repository_of, unique_names
from memlint.planner.write.staged import Refused, numbered_reference

BASE = "memlint-plan/common"
ELF = library("x")


def service(text: str, *, target: str | None = None) -> Service:
    dockerfile = parse_dockerfile(text, "services/api/Dockerfile")
    stage = stage_of(dockerfile, target)
    assert stage is not None
    return Service("api", "docker-daemon:fleet/api", "fleet/api", Origin(dockerfile, stage))


def rewritten(text: str, *, target: str | None = None, in_base: dict[int, dict[str, int]] | None = None) -> Rewritten:
    spec = image("api", *[Layer({}, created) for created in histories(text)])
    (built,), _ = loaded(spec)
    return rewrite(service(text, target=target), BASE, Layered(built, (), in_base or {}))


def histories(text: str) -> list[str]:
    """A history in which each instruction of the last stage made a layer."""
    dockerfile = parse_dockerfile(text)
    return ["ADD file:0 in /"] + [
        f"{each.keyword} {'/bin/sh -c ' if each.keyword == 'RUN' else ''}{each.value} # buildkit"
        for each in dockerfile.stages[-1].instructions
        if each.keyword in ("RUN", "COPY", "ADD")
    ]


def changed_lines(before: str, after: str) -> list[str]:
    return [line for line in difference(before, after, "a", "b").splitlines()[2:] if line[0] in "+-"]


KEPT = """\
# syntax=docker/dockerfile:1
ARG RELEASE=12
FROM --platform=$BUILDPLATFORM golang:1.22 AS build
USER builder
RUN <<EOF
set -e   \t
go build -o /out/app
EOF

from   --platform=linux/amd64  debian:${RELEASE}-slim   as  runtime\t
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# a comment

RUN apt-get update \\
  # in the middle
  && apt-get install -y curl
ONBUILD COPY . /srv
COPY --from=build /out/app /usr/local/bin/
USER 1000:1000
ENTRYPOINT ["app"]"""


def test_only_the_image_of_the_lowest_stage_is_another() -> None:
    after = rewritten(KEPT).text
    assert after == KEPT.replace("debian:${RELEASE}-slim", BASE)


def test_windows_line_ends_stay() -> None:
    text = KEPT.replace("\n", "\r\n")
    assert rewritten(text).text == text.replace("debian:${RELEASE}-slim", BASE)


def test_the_stage_below_the_target_is_the_one_that_changes() -> None:
    text = "FROM debian:12 AS base\nRUN a\nFROM base AS dev\nRUN b\nFROM base\nRUN c\n"
    assert rewritten(text).text == text.replace("debian:12", BASE)
    two = "FROM debian:12 AS one\nRUN a\nFROM alpine AS two\nRUN b\n"
    assert rewritten(two, target="one").text == two.replace("debian:12", BASE)


def test_a_copy_of_files_that_the_base_has_goes_by_way_of_a_stage() -> None:
    text = dedent("""\
        FROM debian:12 AS build
        RUN make
        FROM debian:12
        COPY --from=build /venv /venv
        CMD ["x"]
    """)
    after = rewritten(text, in_base={1: {"venv/lib/x.so": 4096}})
    added = [line[1:] for line in changed_lines(text, after.text) if line[0] == "+"]
    assert added[:3] == [f"FROM {BASE} AS memlint-copy-1", "USER 0", "COPY --from=build /venv /.memlint/venv/"]
    assert added[-2:] == [f"FROM {BASE}", "COPY --from=memlint-copy-1 /.memlint/venv/ /venv/"]
    assert [change.kind for change in after.changes] == ["base", "staged"]


def test_a_copied_file_keeps_its_name() -> None:
    text = "FROM debian:12\nWORKDIR /opt\nCOPY ./tool bin/app\n"
    after = rewritten(text, in_base={1: {"opt/bin/app": 4096}}).text
    assert "COPY ./tool /.memlint/opt/bin/app\n" in after
    assert "COPY --from=memlint-copy-1 /.memlint/opt/bin/ /opt/bin/\n" in after


@pytest.mark.parametrize("escape", ["\\", "`"])
def test_a_copied_file_keeps_its_name_whatever_is_in_it(escape: str) -> None:
    text = f"# escape={escape}\nFROM debian:12\nCOPY a{escape}$b /opt/\n"
    after = rewritten(text, in_base={1: {"opt/a$b": 4096}}).text
    copies = [each for each in parse_dockerfile(after).instructions if each.keyword == "COPY"]
    words = [[expand(word.text, {}, escape) for word in copy.words] for copy in copies]
    assert words == [["a$b", "/.memlint/opt/"], ["/.memlint/opt/", "/opt/"]]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("COPY --chown=app x /venv/", "--chown"),
        ("COPY --chmod=755 x /venv/", "--chmod"),
        ("COPY $SOMETHING /venv/", "variables"),
        ("COPY <<EOF /venv/x\nEOF", "in the Dockerfile itself"),
        ("ADD x.tar /venv/", "ADD makes"),
        ("RUN cp -r /a /venv/", "RUN makes"),
    ],
)
def test_what_cannot_be_staged_stays_and_says_why(line: str, why: str) -> None:
    text = f"FROM debian:12\n{line}\n"
    after = rewritten(text, in_base={1: {"venv/x": 4096}})
    assert after.text == text.replace("debian:12", BASE)
    kept = after.changes[-1]
    assert (kept.kind, kept.bytes) == ("kept", 4096)
    assert why in kept.why


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_nothing_else_brings_is_named_below_the_from(ending: str) -> None:
    text = "FROM debian:12 AS a\n# of\nRUN x\nFROM a\nRUN y\n".replace("\n", ending)
    (built,), _ = loaded(image("api", *[Layer({}, created) for created in histories(text)]))
    packages = tuple(PlannedPackage(name, "1:2", "deb", True, 0) for name in ("ca-certificates", "less"))
    for user, around in (("", []), ("app", ["USER 0", "USER app"])):
        after = rewrite(service(text), BASE, Layered(built, installs=packages, user=user))
        lines = after.text.split(ending)
        added = lines[1 : 2 + len(around)]
        assert lines[:1] + lines[2 + len(around) :] == text.replace("debian:12", BASE).split(ending)
        assert [line for line in added if not line.startswith("RUN")] == around
        (run,) = [line for line in added if line.startswith("RUN")]
        assert " --no-install-recommends ca-certificates less && rm -rf " in run
        assert [change.kind for change in after.changes] == ["base", "added"]


def test_nothing_is_staged_where_the_original_base_cannot_compare() -> None:
    text = "FROM scratch\nCOPY x /venv/\n"
    (built,), _ = loaded(image("api", Layer({}, histories(text)[1])))
    layered = Layered(built, (), {0: {"venv/x": 4096}}, lacks=Refused("no sh"))
    after = rewrite(service(text), BASE, layered)
    assert after.text == text.replace("scratch", BASE)
    assert [(change.kind, change.why) for change in after.changes[1:]] == [("kept", "no sh")]


def test_stages_called_by_number_stay_where_they_are() -> None:
    text = "FROM debian:12\nRUN x\nFROM debian:12\nCOPY --from=0 /v /v\nFROM debian:12\nCOPY --from=1 /v /v\n"
    dockerfile = parse_dockerfile(text)
    assert numbered_reference(dockerfile, dockerfile.stages[2]) is None
    assert numbered_reference(dockerfile, dockerfile.stages[1]) is not None
    after = rewritten(text, in_base={1: {"v/x": 4096}})
    assert [change.kind for change in after.changes] == ["base", "staged"]


# Instructions that rewrite files


Modes = Mapping[str, int]


def judged(text: str, modes: list[Modes], trees: list[dict[str, bytes]]) -> tuple[Rewritten, bool, str]:
    created = histories(text)
    spec = image("docker-daemon:fleet/api", *[Layer(tree, line) for tree, line in zip(trees, created, strict=True)])
    (built,), indexes = loaded(spec)
    by_layer = {
        layer.chain_id: {path: Attributes(mode, 0, 0) for path, mode in each.items()}
        for layer, each in zip(built.layers, modes, strict=True)
    }
    own = service(text)
    found = rewritings_of(built, own.origin, indexes, lambda layer: by_layer[layer.chain_id])
    (rewriting,) = found
    left = without_removable(built, found)
    assert len(left.layers) == len(built.layers) - rewriting.removable
    return rewrite(own, None, Layered(built, found)), rewriting.removable, rewriting.why


CHMOD = "FROM debian:12\nRUN install x\n# open it\nRUN chmod -R a+rX /usr/bin\nCMD x\n"
TREES = [{}, {"usr/bin/x": ELF, "usr/bin/y": b"text"}, {"usr/bin/x": ELF, "usr/bin/y": b"text"}]


def test_a_chmod_that_changes_nothing_goes_by_name() -> None:
    modes = {"usr/bin": 0o755, "usr/bin/x": 0o755, "usr/bin/y": 0o644}
    after, removable, _ = judged(CHMOD, [{"usr": 0o755}, modes, modes], TREES)
    assert removable
    assert after.text == CHMOD.replace("RUN chmod -R a+rX /usr/bin\n", "")
    assert [(change.kind, change.line, change.text) for change in after.changes] == [
        ("removed", 4, "RUN chmod -R a+rX /usr/bin")
    ]


def test_one_that_changes_a_mode_goes_into_the_run_that_makes_the_files() -> None:
    modes = {"usr/bin": 0o755, "usr/bin/x": 0o755, "usr/bin/y": 0o600}
    after, removable, why = judged(CHMOD, [{"usr": 0o755}, modes, {**modes, "usr/bin/y": 0o644}], TREES)
    assert not removable
    assert why == "it changes the mode or owner of /usr/bin/y"
    assert after.text == "FROM debian:12\nRUN install x \\\n && chmod -R a+rX /usr/bin\n# open it\nCMD x\n"
    assert [change.kind for change in after.changes] == ["merged"]


@pytest.mark.parametrize("above", ["install x # y", "install x &", "cd /usr && install x", 'RUN ["install", "x"]'])
def test_where_that_is_not_the_same_it_stays_and_has_its_price(above: str) -> None:
    text = CHMOD.replace("RUN install x", f"RUN {above}".replace("RUN RUN", "RUN"))
    modes = {"usr/bin": 0o755, "usr/bin/x": 0o755, "usr/bin/y": 0o600}
    after, _, why = judged(text, [{"usr": 0o755}, modes, {**modes, "usr/bin/y": 0o644}], TREES)
    assert after.text == text
    (change,) = after.changes
    assert (change.kind, change.why) == ("kept", why)
    assert change.bytes > 0


@pytest.mark.parametrize("end", ["|| true", "; true", "| true"])
def test_one_that_may_fail_hides_no_failure_of_the_run_above(end: str) -> None:
    text = CHMOD.replace("/usr/bin", f"/usr/bin {end}")
    modes = {"usr/bin": 0o755, "usr/bin/x": 0o755, "usr/bin/y": 0o600}
    after, _, _ = judged(text, [{"usr": 0o755}, modes, {**modes, "usr/bin/y": 0o644}], TREES)
    assert after.text == text


@pytest.mark.parametrize(
    "command",
    [
        "chmod -R a+rX /usr/bin && touch /usr/bin/z",
        "chmod -R a+rX /usr/bin > /log",
        "chmod $(cat /mode) /usr/bin",
        "mv /usr/bin/x /usr/bin/x",
        "find /usr/bin -exec rm {} +",
    ],
)
def test_what_may_do_more_stays(command: str) -> None:
    modes = {"usr/bin": 0o755, "usr/bin/x": 0o755, "usr/bin/y": 0o644}
    text = CHMOD.replace("chmod -R a+rX /usr/bin", command)
    _, removable, _ = judged(text, [{}, modes, modes], TREES)
    assert not removable


# An image and a Dockerfile that do not match


def test_a_history_without_the_runs_of_the_dockerfile_is_another_image() -> None:
    (built,), _ = loaded(image("api", Layer({}, "RUN /bin/sh -c something else")))
    assert mismatch(built, service("FROM a\nRUN x\n")) is not None
    (built,), _ = loaded(image("api", Layer({}, "RUN /bin/sh -c x")))
    assert mismatch(built, service("FROM a\nRUN x\n")) is None


# Edits


def test_real_dockerfiles_change_in_one_word() -> None:
    """Of each file of the corpus, no line but that FROM is another."""
    tried = 0
    for path in corpus_dockerfiles():
        try:
            dockerfile = parse_dockerfile(path.read_bytes())
        except DockerfileError:
            continue
        own = Service("x", "x", "x", Origin(dockerfile, dockerfile.stages[-1]))
        (built,), _ = loaded(image("x", {}))
        after = rewrite(own, BASE, Layered(built))
        span = own.root.source.words[0].span
        before, now = dockerfile.text.split("\n"), after.text.split("\n")
        assert len(before) == len(now)
        assert [n for n, (a, b) in enumerate(zip(before, now, strict=True), 1) if a != b] in ([span.line], [])
        assert BASE in now[span.line - 1]
        tried += 1
    assert tried > 100


@given(st.lists(st.text("ab\r", max_size=4), min_size=1, max_size=6), st.data())
def test_edits_touch_what_they_cover_alone(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines)
    line = data.draw(st.integers(1, len(lines)))
    start = data.draw(st.integers(1, len(lines[line - 1]) + 1))
    end = data.draw(st.integers(start, len(lines[line - 1]) + 1))
    after = edited(text, [Edit(Span(line, start, line, end), "X")])
    offset = sum(len(each) + 1 for each in lines[: line - 1])
    assert after == text[: offset + start - 1] + "X" + text[offset + end - 1 :]


def test_names() -> None:
    assert repository_of("registry:5000/fleet/api:1.2@sha256:0") == "registry:5000/fleet/api"
    assert unique_names(["fleet/api:1", "other/api", "Über", "api"]) == ["api", "api-2", "ber", "api-3"]
