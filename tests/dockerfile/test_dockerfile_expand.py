"""Variables in arguments are expanded as BuildKit expands them, and not at all where a value is not known."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memlint.dockerfile.expand import expand

VALUES: Mapping[str, str | None] = {
    "A": "alpha",
    "EMPTY": "",
    "SP": "a  b",
    "PATHS": "/usr/local/bin:/usr/bin",
    "VERSION": "v1.22.3-rc.1",
    "STAR": "a*b*c",
    "QUOTE": "'\"",
    "UNKNOWN": None,
    "é1": "accent",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # nothing to do
        ("", ""),
        ("plain:text-1.0", "plain:text-1.0"),
        # names
        ("$A", "alpha"),
        ("${A}", "alpha"),
        ("$A$A", "alphaalpha"),
        ("x$A.y", "xalpha.y"),
        ("$A_B", ""),
        ("${A}_B", "alpha_B"),
        ("$NOT", ""),
        ("${NOT}", ""),
        ("[$EMPTY]", "[]"),
        ("$é1", "accent"),
        ("$", "$"),
        ("a$", "a$"),
        ("$ A", "$ A"),
        ("$.A", "$.A"),
        ("$$A", "A"),  # $$ is a parameter of its own, unset
        ("$1x", "x"),
        ("$10", ""),
        ("$-x", "x"),
        # quotes and escapes
        ("'$A'", "$A"),
        ('"$A"', "alpha"),
        ("\"'$A'\"", "'alpha'"),
        ("a'b'\"c\"d", "abcd"),
        (r"\$A", "$A"),
        (r"\\$A", r"\alpha"),
        (r"'\$A'", r"\$A"),
        (r'"\$A"', "$A"),
        (r'"\"\\\n"', '"\\\\n'),
        (r"a\ b", "a b"),
        ("a\\", "a"),
        ("$QUOTE", "'\""),  # quotes that come out of a variable are none
        # :- and -
        ("${A:-x}", "alpha"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${NOT:-x}", "x"),
        ("${NOT-x}", "x"),
        ("${NOT:-}", ""),
        ("${NOT:-$A}", "alpha"),
        ("${NOT:-${NOR:-${EMPTY:-deep}}}", "deep"),
        ('${NOT:-"a }b"}', "a }b"),
        (r"${NOT:-a\}b}", "a}b"),
        ("${NOT:-'$A'}", "$A"),
        # :+ and +
        ("${A:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${NOT:+x}", ""),
        ("${NOT+x}", ""),
        ("debian${A:+-$A}", "debian-alpha"),
        # :? and ?
        ("${A:?no}", "alpha"),
        ("${EMPTY?no}", ""),
        ("${EMPTY:?no}", None),
        ("${NOT?no}", None),
        ("${NOT:?}", None),
        # # and ##
        ("${VERSION#v}", "1.22.3-rc.1"),
        ("${VERSION#x}", "v1.22.3-rc.1"),
        ("${PATHS#*/}", "usr/local/bin:/usr/bin"),
        ("${PATHS##*/}", "bin"),
        ("${PATHS#/*/}", "local/bin:/usr/bin"),
        ("${PATHS##*:}", "/usr/bin"),
        ("${VERSION#v?.}", "22.3-rc.1"),
        ("${VERSION#v??.}", "v1.22.3-rc.1"),
        ("${VERSION#*}", "v1.22.3-rc.1"),
        ("${VERSION##*}", ""),
        ("${VERSION##}", "v1.22.3-rc.1"),
        (r"${STAR#a\*}", "b*c"),
        (r"${STAR##*\*}", "c"),
        ("${NOT#x}", ""),
        # % and %%
        ("${VERSION%-*}", "v1.22.3"),
        ("${VERSION%.*}", "v1.22.3-rc"),
        ("${VERSION%%.*}", "v1"),
        ("${PATHS%/*}", "/usr/local/bin:/usr"),
        ("${PATHS%%/*}", ""),
        ("${VERSION%%-rc.?}", "v1.22.3"),
        ("${VERSION%x}", "v1.22.3-rc.1"),
        (r"${STAR%\**}", "a*b"),
        (r"${STAR%%\**}", "a"),
        # / and //
        ("${VERSION/./_}", "v1_22.3-rc.1"),
        ("${VERSION//./_}", "v1_22_3-rc_1"),
        ("${VERSION//[0-9]/_}", "v1.22.3-rc.1"),  # no brackets
        ("${PATHS/usr*bin/x}", "/x"),
        ("${PATHS//u?r/opt}", "/opt/local/bin:/opt/bin"),
        (r"${PATHS//\//-}", "-usr-local-bin:-usr-bin"),
        ("${A//a/}", "lph"),
        ("${A/x/y}", "alpha"),
        ("${A//p/$A}", "alalphaha"),
        ("${A/*/z}", "z"),
        ("${A//*/z}", "z"),
        ("${A//x*/z}", "alpha"),
        ("${EMPTY//*/z}", "z"),
        # nothing is split, and spaces stay
        ("$SP", "a  b"),
        ("x $A y", "x alpha y"),
        # what BuildKit refuses
        ("${A", None),
        ("${", None),
        ("${}", None),
        ("${{A}}", None),
        ("${:-x}", None),
        ("${A!}", None),
        ("${A:}", None),
        ("${A:x}", None),
        ("${A:#x}", None),
        ("${A^^}", None),
        ("${A/x}", None),
        ("'x", None),
        ('"x', None),
        ("${NOT:-'x}", None),
        (r"${A#\x}", None),
        # what is not known
        ("$UNKNOWN", None),
        ("a${UNKNOWN}b", None),
        ('"$UNKNOWN"', None),
        ("${UNKNOWN:-x}", None),
        ("${UNKNOWN:+x}", None),
        ("${UNKNOWN#x}", None),
        ("${A#$UNKNOWN}", None),
        ("${A/$UNKNOWN/x}", None),
        ("${NOT:-$UNKNOWN}", None),
        # what is known although a part is not
        ("${A:-$UNKNOWN}", "alpha"),
        ("${EMPTY-$UNKNOWN}", ""),
        ("${NOT:+$UNKNOWN}", ""),
        ("'$UNKNOWN'", "$UNKNOWN"),
        # Go reads a $ in a replacement of // as the name of a group
        (r"${A//p/\$x}", None),
    ],
)
def test_expansion(text: str, expected: str | None) -> None:
    assert expand(text, VALUES) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("`$A", "$A"), (r"C:\$A", r"C:\alpha"), ('"`""', '"'), ("``", "`"), ("${NOT:-`}}", "}"), (r"\x", r"\x")],
)
def test_the_backquote_can_be_the_escape(text: str, expected: str) -> None:
    assert expand(text, VALUES, "`") == expected


def test_an_environment_may_answer_for_names_it_lacks() -> None:
    class Foreign(dict[str, str | None]):
        def __missing__(self, name: str) -> None:
            return None

    assert expand("$A", Foreign(A="x")) == "x"
    assert expand("$B", Foreign(A="x")) is None
    assert expand("${B:-y}", Foreign(A="x")) is None


class TestBounds:
    def test_nesting_ends(self) -> None:
        deep = "${N:-" * 40 + "x" + "}" * 40
        assert expand(deep, {}) == "x"
        assert expand("${N:-" * 100_000 + "x" + "}" * 100_000, {}) is None

    def test_length_ends(self) -> None:
        assert expand("$A" * 60, {"A": "x" * 1000}) == "x" * 60_000
        assert expand("$A" * 70, {"A": "x" * 1000}) is None

    @pytest.mark.parametrize("pattern", ["*a" * 300 + "b", "a?" * 300 + "b", "?" * 600, "*" * 600])
    @pytest.mark.parametrize("operator", ["#", "##", "%", "%%", "/", "//"])
    def test_no_pattern_takes_long(self, operator: str, pattern: str) -> None:
        end = "/x}" if operator.startswith("/") else "}"
        before = time.process_time()
        expand("${A" + operator + pattern + end, {"A": "a" * 5000})
        assert time.process_time() - before < 2


words = st.text(st.sampled_from("ab"), max_size=6)
globs = st.text(st.sampled_from("ab*?"), max_size=5)


@settings(max_examples=500, deadline=None)
@given(words, globs)
def test_patterns_cut_what_a_shells_patterns_cut(value: str, pattern: str) -> None:
    from fnmatch import fnmatchcase

    lengths = range(len(value) + 1)
    heads = [length for length in lengths if fnmatchcase(value[:length], pattern)]
    tails = [length for length in lengths if fnmatchcase(value[len(value) - length :], pattern)]
    environment = {"V": value}
    if not pattern.startswith(("#", "%")):
        assert expand(f"${{V#{pattern}}}", environment) == value[min(heads, default=0) :]
        assert expand(f"${{V##{pattern}}}", environment) == value[max(heads, default=0) :]
        assert expand(f"${{V%{pattern}}}", environment) == value[: len(value) - min(tails, default=0)]
        assert expand(f"${{V%%{pattern}}}", environment) == value[: len(value) - max(tails, default=0)]


@settings(max_examples=500, deadline=None)
@given(words, globs, st.sampled_from(("", "x", "ab")))
def test_replacements_are_those_of_go(value: str, pattern: str, replacement: str) -> None:
    """Leftmost, longest; `.` for `?`; and an empty match right after another is none."""
    import re

    regex = re.compile(pattern.replace("*", ".*").replace("?", "."))
    parts, last = [], 0
    for match in regex.finditer(value):
        parts.append(value[last : match.start()])
        if match.end() > last or match.start() == 0:
            parts.append(replacement)
        last = match.end()
    expected = "".join([*parts, value[last:]])
    environment = {"V": value}
    assert expand(f"${{V//{pattern}/{replacement}}}", environment) == expected
    assert expand(f"${{V/{pattern}/{replacement}}}", environment) == (
        regex.sub(lambda _: replacement, value, count=1) if pattern else None
    )


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from("$ {}AB:-+?#%/\\'\"<`é\ufeff"), max_size=40), st.sampled_from(("\\", "`")))
def test_any_text_is_expanded_or_not_known(text: str, escape: str) -> None:
    expanded = expand(text, {"A": "a$B", "B": None}, escape)
    assert expanded is None or isinstance(expanded, str)
