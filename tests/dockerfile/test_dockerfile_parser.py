"""What a Dockerfile is parsed into: the corners no oracle knows, the places, the stages, and what bad input gets."""

from __future__ import annotations

import pytest
from support.effort import effort

from memlint.dockerfile import stages
from memlint.dockerfile.parser import LARGEST, parse_dockerfile
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Instruction, Span


def one(text: str | bytes) -> Instruction:
    """The only instruction after FROM."""
    (instruction,) = parse_dockerfile(text).stages[0].instructions
    return instruction


def texts(instruction: Instruction) -> list[str]:
    return [word.text for word in instruction.words]


class TestWhereTodaysBuildKitDiffersFromTheOracle:
    def test_text_after_a_json_array_makes_it_a_shell_command(self) -> None:
        command = one('FROM a\nCMD ["x"] # c\n')
        assert (command.json, texts(command)) == (False, ['["x"] # c'])

    def test_a_non_string_before_trailing_text_is_no_error(self) -> None:
        assert not one("FROM a\nCMD [1] x\n").json

    @pytest.mark.parametrize("marker", ["<< EOF", "<<\tEOF", "<<  EOF", "<<EOF"])
    def test_blanks_may_stand_before_the_name_of_a_heredoc(self, marker: str) -> None:
        (heredoc,) = one(f"FROM a\nRUN {marker}\nFROM b\nEOF\n").heredocs
        assert (heredoc.name, heredoc.content, heredoc.expand) == ("EOF", "FROM b\n", True)

    def test_a_shift_is_a_heredoc(self) -> None:
        with pytest.raises(DockerfileError, match="2: the heredoc '3' never ends"):
            parse_dockerfile("FROM a\nRUN echo $(( 1 << 3 ))\n")

    def test_escape_is_a_directive_after_check(self) -> None:
        dockerfile = parse_dockerfile("# check=skip=all;error=true\n# escape=`\nFROM a\nRUN x `\n  y\n")
        assert dockerfile.directives == {"check": "skip=all;error=true", "escape": "`"}
        assert dockerfile.stages[0].instructions[0].value == "x   y"

    @pytest.mark.parametrize(
        ("escape", "written", "value"),
        [
            ("`", r"C:\tmp", r"C:\tmp"),
            ("`", "a` b", "a b"),
            ("`", '"a`"b"', 'a"b'),
            ("\\", r"a\ b", "a b"),
            ("\\", "a`b", "a`b"),
        ],
    )
    def test_flags_use_the_escape_of_the_file(self, escape: str, written: str, value: str) -> None:
        (flag,) = one(f"# escape={escape}\nFROM a\nCOPY --from={written} x y\n").flags
        assert flag.value == value

    def test_the_two_forms_of_env_and_label_differ(self) -> None:
        assert texts(one("FROM a\nENV x y=z w\n")) == ["x", "y=z w"]
        assert texts(one("FROM a\nENV x=y z=w\n")) == ["x=y", "z=w"]
        assert texts(one('FROM a\nLABEL x "y z"\n')) == ["x", '"y z"']

    @pytest.mark.parametrize("variable", ["${x#y}", "${x##y}", "${x%y}", "${x/a/b}", "${x//a/b}"])
    def test_a_heredoc_may_stand_beside_any_operator(self, variable: str) -> None:
        assert one(f"FROM a\nRUN echo {variable} <<EOF\nhi\nEOF\n").heredocs[0].content == "hi\n"

    def test_flags_that_are_not_ascii_stay_as_written(self) -> None:
        assert one("FROM a\nCOPY --chown=josé:字 a b\n").flags[0].value == "josé:字"


class TestHeredocs:
    def test_their_bodies_never_become_instructions(self) -> None:
        body = "FROM os import x\nRUN y \\\n# comment\n\nENV\n"
        dockerfile = parse_dockerfile(f"FROM a\nRUN <<EOF\n{body}EOF\nUSER x\n")
        run, user = dockerfile.stages[0].instructions
        assert (run.heredocs[0].content, user.keyword, dockerfile.comments) == (body, "USER", ())

    def test_several_in_one_line_follow_each_other(self) -> None:
        first, second = one("FROM a\nCOPY <<X <<-'Y' /x/\n\ta\nX\n\t\tb $V\r\n\tY\r\n").heredocs
        assert (first.name, first.content, first.expand, first.strip_tabs, first.first_line) == (
            "X",
            "\ta\n",
            True,
            False,
            3,
        )
        assert (second.name, second.content, second.expand, second.strip_tabs) == ("Y", "b $V\r\n", False, True)
        assert second.first_line == 5

    @pytest.mark.parametrize(
        "line",
        [
            'RUN ["<<EOF"]',
            'RUN "<<EOF"',
            "RUN '<<EOF' \"",
            "RUN x<<EOF 'y",
            "CMD <<EOF",
            "ENV a=<<EOF",
            "RUN cat <<<EOF",
            "RUN <<-",
            "RUN <<- EOF",
            "RUN << ",
        ],
    )
    def test_what_looks_like_one_may_be_none(self, line: str) -> None:
        assert one(f"FROM a\n{line}\n").heredocs == ()

    def test_a_trigger_has_them_too(self) -> None:
        trigger = one("FROM a\nONBUILD COPY <<EOF /x\nhi\nEOF\n")
        assert trigger.on_build
        assert trigger.heredocs == trigger.on_build.heredocs != ()


class TestPlaces:
    def test_each_character_of_a_value_has_its_place(self) -> None:
        text = "\ufeffFROM a\r\n\trun  --x \\\r\n # c\r\n\r\n\tone \\  \r\n  two\n"
        dockerfile = parse_dockerfile(text)
        run = dockerfile.stages[0].instructions[0]
        assert run.value == "one   two"
        lines = dockerfile.text.split("\n")
        for offset, char in enumerate(run.value):
            line, column = run.at(offset)
            assert lines[line - 1][column - 1] == char
        assert run.at(0) == (5, 2)
        assert run.at(run.value.index("two")) == (6, 3)
        assert run.span_of(2, 9) == Span(5, 4, 6, 6)
        assert run.span == Span(2, 2, 6, 6)
        assert run.flags[0].span == Span(2, 7, 2, 10)
        assert dockerfile.stages[0].base_span == Span(1, 6, 1, 7)
        assert [(each.text, each.span) for each in dockerfile.comments] == [("# c", Span(3, 2, 3, 5))]

    def test_words_and_names_split_by_continuations_have_places(self) -> None:
        run = one("FROM a\n\\\nCO\\\nPY a\\\nb /\\\n\nx\n")
        assert (run.keyword, texts(run), run.span) == ("COPY", ["ab", "/x"], Span(2, 1, 7, 2))
        assert [word.span for word in run.words] == [Span(4, 4, 5, 2), Span(5, 3, 7, 2)]

    def test_the_strings_of_a_json_form_have_places(self) -> None:
        command = one('FROM a\nCMD [ "a\\"b" ,\\\n "é\\u0041"]\n')
        assert texts(command) == ['a"b', "éA"]
        assert [word.span for word in command.words] == [Span(2, 7, 2, 13), Span(3, 2, 3, 11)]

    def test_an_instruction_ends_with_its_heredoc_or_the_lines_it_swallows(self) -> None:
        run, cmd = parse_dockerfile("FROM a\nRUN <<E\nx\nE\nCMD x \\\n# c\n\n").stages[0].instructions
        assert (run.span, cmd.span) == (Span(2, 1, 4, 2), Span(5, 1, 7, 1))

    def test_what_is_not_utf8_counts_one_column_a_byte(self) -> None:
        run = one(b"FROM a\nRUN \xff\xfe x\n")
        assert run.value.encode("utf-8", "surrogateescape") == b"\xff\xfe x"
        assert run.at(run.value.index("x")) == (2, 8)


class TestStages:
    def test_names_bases_and_parents(self) -> None:
        dockerfile = parse_dockerfile(
            "ARG TAG=12\nFROM --platform=linux/arm64 debian:$TAG AS Build\nFROM build as next\nFROM next\nFROM Build\n"
            "FROM $NONE\nFROM --platform=$BUILDPLATFORM ${TARGETARCH}/x\nFROM $PASS\n".replace(
                "FROM $PASS", "FROM scratch"
            )
        )
        assert [(each.name, each.base, each.parent, each.platform) for each in dockerfile.stages] == [
            ("build", "debian:12", None, "linux/arm64"),
            ("next", "build", 0, None),
            (None, "next", 1, None),
            (None, "Build", None, None),  # names are looked up in lower case, as written here they are images
            (None, None, None, None),
            (None, None, None, None),
            (None, "scratch", None, None),
        ]

    def test_a_stage_is_not_its_own_base_and_the_last_of_a_name_counts(self) -> None:
        stages = parse_dockerfile("FROM a AS a\nFROM a AS a\nFROM a\n").stages
        assert [stage.parent for stage in stages] == [None, 0, 1]

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("FROM x AS a\nCOPY --from=b x y\nFROM y AS b\nCOPY --from=a x y\n", 4),
            ("FROM x AS a\nCOPY --from=a x y\n", 2),
            ("FROM x AS a\nRUN --mount=type=bind,from=0,target=/x y\n", 2),
            ("FROM x\nCOPY --from=2 a b\nFROM x\nCOPY --from=0 a b\nFROM x\nRUN --mount=from=1 y\n", 4),
        ],
    )
    def test_a_circle_is_refused(self, text: str, line: int) -> None:
        with pytest.raises(DockerfileError, match=f"Dockerfile:{line}: stage . needs itself") as caught:
            parse_dockerfile(text)
        assert caught.value.line == line

    def test_no_circle_is_refused_that_is_none(self) -> None:
        parse_dockerfile("FROM x AS a\nFROM a AS b\nCOPY --from=a x y\nFROM b\nCOPY --from=a x y\nCOPY --from=b x y\n")


class TestOddities:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("FROM a\nRUN x \\", "x"),
            ("FROM a\nRUN x \\\n# c", "x"),
            ("FROM a\nRUN x \\\n\n\n && y\n", "x  && y"),
            ("FROM a\nRUN x \\\\\n", "x \\\\"),
            ("FROM a\nRUN x \\\x0c\n", "x \\"),
            ("FROM a\nRUN x \\ \t\r\ny", "x y"),
            ("FROM a\n# c\nRUN\\\n x", "x"),
            ("# escape=`\nFROM a\nRUN x `\n y \\\n", "x  y \\"),
            ("# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN x`\ny", "xy"),
            ("# c\n# escape=`\nFROM a\nRUN x `\n", "x `"),
            ("FROM a\nRUN a\x00b\n", "a\x00b"),
            ("FROM a\nRUN a\u2028b\x85c\x1cd\n", "a\u2028b\x85c\x1cd"),
        ],
    )
    def test_lines_are_joined_as_buildkit_joins_them(self, text: str, value: str) -> None:
        assert one(text).value == value

    def test_directives_keep_their_values(self) -> None:
        text = "#Syntax = docker/dockerfile:1 \n # check=skip=x\n# unknown=1\nFROM a\n"
        dockerfile = parse_dockerfile(text)
        assert dockerfile.directives == {"syntax": "docker/dockerfile:1", "check": "skip=x"}
        assert [each.text for each in dockerfile.comments] == ["# unknown=1"]

    def test_flags_may_be_repeated_and_end_with_two_dashes(self) -> None:
        run = one("FROM a\nRUN --mount=type=cache,target=/a --mount=type=ssh --network=none -- --not x\n")
        assert [(flag.name, flag.value) for flag in run.flags] == [
            ("mount", "type=cache,target=/a"),
            ("mount", "type=ssh"),
            ("network", "none"),
        ]
        assert run.value == "--not x"
        assert run.flag("mount") == run.flags[1]
        assert run.flag("security") is None

    @pytest.mark.parametrize("keyword", ["onbuild copy", "ONBUILD\tCOPY", "OnBuild  Copy"])
    def test_any_case_will_do(self, keyword: str) -> None:
        trigger = one(f"from a\n{keyword} --link x y\n")
        assert trigger.keyword == "ONBUILD"
        assert trigger.on_build
        assert (trigger.on_build.keyword, trigger.on_build.flags[0].name) == ("COPY", "link")

    def test_instructions_come_in_the_order_of_the_file(self) -> None:
        dockerfile = parse_dockerfile("ARG A\nFROM a\nRUN x\nFROM b\nCMD y\n")
        assert [each.keyword for each in dockerfile.instructions] == ["ARG", "FROM", "RUN", "FROM", "CMD"]

    def test_str_and_bytes_give_the_same(self) -> None:
        text = "\ufeffFROM a\nRUN é\n"
        assert parse_dockerfile(text) == parse_dockerfile(text.encode())


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "message", "line"),
        [
            ("", "no instructions", None),
            ("# c\n\n", "no instructions", None),
            ("ARG A\n", "no FROM, so no image", None),
            ("ENV A=1\nFROM a\n", "ENV before the first FROM", 1),
            ("FROM a\nFOO x\n", "unknown instruction FOO", 2),
            ("FROM a\nuſer x\n", "unknown instruction u\\u017fer", 2),
            ("FROM a\n&& x\n", "unknown instruction &&", 2),
            ("FROM a\n\\\n\n", "a continuation without an instruction", 2),
            ("FROM a\n\x1b[31mX x\n", "unknown instruction \\x1b[31MX", 2),
            ("FROM a b\n", "FROM takes one image, or `image AS name`", 1),
            ("FROM a AS 1\n", "1 is no name for a stage", 1),
            ("FROM a\nRUN <<EOF\nx\n", "the heredoc 'EOF' never ends", 2),
            ('FROM a\nCMD ["x", 1]\n', "the array of the JSON form holds something that is no string", 2),
            ("FROM a\nENV x\n", "ENV needs a name and a value", 2),
            ("FROM a\nENV x=1 y\n", "no = in 'y', an argument of ENV", 2),
            ("FROM a\nARG =1\n", "ARG with an empty name", 2),
            ("FROM a\nCOPY x\n", "COPY needs a source and a destination", 2),
            ("FROM a\nWORKDIR\n", "WORKDIR needs an argument", 2),
            ("FROM a\nSHELL sh -c\n", "SHELL without the JSON form", 2),
            ('FROM a\nVOLUME [" "]\n', "VOLUME with an empty path", 2),
            ("FROM a\nHEALTHCHECK RUN x\n", "HEALTHCHECK RUN", 2),
            ("FROM a\nHEALTHCHECK CMD\n", "HEALTHCHECK CMD without a command", 2),
            ("FROM a\nHEALTHCHECK NONE x\n", "HEALTHCHECK NONE with an argument", 2),
            ("FROM a\nONBUILD FROM b\n", "ONBUILD FROM", 2),
            ("FROM a\n" + "ONBUILD " * 5000, "ONBUILD ONBUILD", 2),
            ("# escape=x\nFROM a\n", "the escape character 'x' is neither \\ nor `", 1),
            ("# syntax=x\n# syntax=y\nFROM a\n", "a second syntax directive", 2),
            ("FROM a\nRUN " + "x" * 70_000, "line 2 is longer than 65535 bytes", 2),
            ("FROM a\nRUN " + "é" * 33_000, "line 2 is longer than 65535 bytes", 2),
        ],
    )
    def test_it_is_refused_in_one_line_that_says_where(self, text: str, message: str, line: int | None) -> None:
        with pytest.raises(DockerfileError) as caught:
            parse_dockerfile(text, "web/Dockerfile")
        where = "web/Dockerfile" if line is None else f"web/Dockerfile:{line}"
        assert caught.value.message == f"{where}: {message}"
        assert caught.value.line == line
        assert caught.value.hint
        assert "\n" not in caught.value.message + caught.value.hint

    def test_a_keyword_mistyped_is_guessed(self) -> None:
        with pytest.raises(DockerfileError) as caught:
            parse_dockerfile("FROM a\nENTRYPONT x\n")
        assert caught.value.hint == "did you mean ENTRYPOINT?"

    @pytest.mark.parametrize("text", [b"FROM a\nRUN \xff\x00\xfe\n", b"FROM \xff\n", b'FROM a\nCMD ["\xff"]\n'])
    def test_bytes_that_are_not_utf8_are_accepted(self, text: bytes) -> None:
        assert parse_dockerfile(text).stages

    @pytest.mark.parametrize("depth", [1, 900, 5000, 50_000])
    def test_brackets_that_nothing_closes_are_for_the_shell(self, depth: int) -> None:
        (command,) = parse_dockerfile("FROM a\nCMD " + "[" * depth + "\n").stages[0].instructions
        assert (command.json, command.words[0].text) == (False, "[" * depth)

    def test_too_large_a_file_is_refused(self) -> None:
        with pytest.raises(DockerfileError, match="larger than 4 MiB"):
            parse_dockerfile(b"#" * (LARGEST + 1))

    @pytest.mark.parametrize("line", [b" && y \\\n", b"y=1\\\n", b"# c\n", b"\n", b"--x=y \\\n"])
    def test_the_effort_for_continuations_grows_with_their_number_only(self, line: bytes) -> None:
        small, large = (effort(parse_dockerfile, b"FROM a\nRUN \\\n" + line * count + b"x\n") for count in (500, 4000))
        assert large < 12 * small  # 8 where linear, 64 where quadratic

    def test_the_effort_for_what_ends_a_line_grows_with_its_length_only(self) -> None:
        head = b"# escape=`\nFROM a\nRUN x `\n"
        small, large = (effort(parse_dockerfile, head + rb"\ " * count + b"\n") for count in (500, 4000))
        assert large < 12 * small

    def test_what_onbuild_sets_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stages, "MOST_VARIABLES", 100)
        text = "FROM a AS s\n" + "ONBUILD ARG x\n" * 20
        assert len(parse_dockerfile(text + "FROM s\n" * 4).stages) == 5
        with pytest.raises(DockerfileError, match=r"Dockerfile:26: too many variables"):
            parse_dockerfile(text + "FROM s\n" * 9)
