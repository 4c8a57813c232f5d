"""Invented Dockerfiles, most of them absurd: read as BuildKit reads them."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.dockerfiles import ours, theirs

KEYWORDS = (
    *("FROM", "RUN", "CMD", "COPY", "ADD", "ENV", "ARG", "LABEL", "ONBUILD", "HEALTHCHECK", "EXPOSE", "VOLUME", "USER"),
    *("WORKDIR", "SHELL", "ENTRYPOINT", "STOPSIGNAL", "MAINTAINER", "run", "Env", "copy", "COMMENT", "ONBUILD RUN"),
)
TOKENS = (
    *("\\", "`", "\\\\", '"', "'", " ", "  ", "\t", "\n", "\r\n", "\\\n", "\\ \t\n", "\\\r\n", "`\n", "`  \n", "\n\n"),
    *(
        "# c\n",
        "  # d\n",
        "#",
        "=",
        "a",
        "b",
        "x=y",
        'a="b c"',
        "a='b c'",
        "$V",
        "${V}",
        "${V:-a b}",
        '${V:+"q r"}',
        "$",
    ),
    *("<<EOF", "<<-EOF", '<<"E"', "3<<X", "<<", "<", "EOF\n", "\tEOF\n", "E\n", "X\n", "&&", "CMD", "NONE", "é", "字"),
    *("--mount=a", "--from=b", "--", "--x", "--\"y\"='z'", '["a"]\n', '["a", "b\\n"]\n', "[", "[1]\n", "[]\n", "["),
    *("\u00a0", "\u2003", "\x0b", "\x0c", "\x1c", "\ufeff", "ONBUILD ", "RUN "),
)
HEADS = (
    *("", "", "", "", "\ufeff", "# escape=`\n", "#escape = ` \r\n", "# syntax=x\n", "# syntax=x\n# escape=`\n"),
    *(
        "# Escape=\\\n",
        "# escape=a\n",
        "# escape=`\n# escape=`\n",
        " # escape=`\n",
        "# x\n# escape=`\n",
        "\n# escape=`\n",
    ),
)

instructions = st.tuples(
    st.sampled_from(KEYWORDS),
    st.sampled_from((" ", " ", " ", "\t", "  ", "\\\n", "")),
    st.lists(st.sampled_from(TOKENS), max_size=9).map("".join),
).map("".join)
dockerfiles = st.tuples(
    st.sampled_from(HEADS),
    st.lists(instructions, min_size=1, max_size=5).map("\n".join),
    st.sampled_from(("", "\n", "\nEOF\nE\nX\n")),
).map("".join)

# Where BuildKit v0.12.5 and today's part. Each has an expectation by hand in test_dockerfile_parser.py.
CORNERS = re.compile(
    r"<<-?[ \t\r]"  # a blank between << and the name
    r"|(?is:^(?=.*escape *= *`)(?=.*--))"  # flags where ` escapes
    r"|\][^\n]*\S"  # something after a JSON array
    r"|(?s:--.*[^\x00-\x7f]|[^\x00-\x7f].*--)"  # flags with what is not ASCII, which BuildKit garbles
    r"|(?is:healthcheck.*[^\x00-\x7f])"  # its type is read byte by byte, and the oracle's strings are UTF-8
)


@settings(max_examples=1500, deadline=None)
@given(dockerfiles)
def test_invented_files_are_read_as_buildkit_reads_them(text: str) -> None:
    assume(not CORNERS.search(text))
    assert ours(text) == theirs(text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("\\` \t\n#aé<E\"'$={}[]-"), max_size=60))
def test_the_words_of_any_text_are_buildkits(text: str) -> None:
    assume(not CORNERS.search(text))
    for keyword in ("ENV", "ARG", "RUN", "COPY", "FROM", "CMD"):
        line = f"{keyword} {text}\n"
        assert ours(line) == theirs(line)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("length", range(65_530, 65_535))
def test_the_longest_line_is_buildkits(length: int, end: str) -> None:
    text = f"FROM a\nRUN {'x' * length}{end}"
    assert ours(text) == theirs(text)


def test_many_lines_joined_may_be_longer_than_one_may_be() -> None:
    text = "FROM a\nRUN " + "\\\n".join(["x" * 40_000] * 3)
    assert ours(text) == theirs(text) != "refused"


@pytest.mark.parametrize("length", range(65_526, 65_532))
def test_the_byte_order_mark_counts_in_the_length_of_a_line(length: int) -> None:
    text = f"\ufeffARG {'x' * length}\nFROM a\n"
    assert ours(text) == theirs(text)


@pytest.mark.parametrize(
    "trigger",
    ["RUN --mount=type=cache,target=/x --network=none make", "COPY --from=a --link <<EOF /x\nhi\nEOF", 'CMD ["x"]'],
)
def test_a_trigger_is_read_like_the_instruction_itself(trigger: str) -> None:
    alone, triggered = theirs(f"{trigger}\n"), ours(f"ONBUILD {trigger}\n")
    assert isinstance(alone, list)
    assert isinstance(triggered, list)
    # the flags of the instruction inside are not in the oracle's answer for ONBUILD
    assert [each[3:] for each in alone] == [(*each[3:4], alone[0][4], *each[5:]) for each in triggered]
