"""The shell of a RUN: which commands, with which words, in which directory, and what is left unknown."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from support.effort import effort

from memlint.dockerfile.shell import Command, parse_shell

ENVIRONMENT = {"A": "one", "B": "x y", "E": "", "U": None, "V": "3.12.4", "P": "/opt/x/lib.tar.gz", "HOME": "/root"}


def parsed(script: str, directory: str | None = "/") -> tuple[Command, ...]:
    commands = parse_shell(script, ENVIRONMENT, directory)
    assert commands is not None, script
    return commands


def lines(script: str) -> list[str]:
    """Each command as its words; `?` is one that is not known."""
    return [" ".join("?" if word.text is None else word.text for word in command.words) for command in parsed(script)]


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("apt-get update && apt-get install -y curl", ["apt-get update", "apt-get install -y curl"]),
        ("set -eux; a;b ; c", ["set -eux", "a", "b", "c"]),
        ("a | b |& c || d & e", ["a", "b", "c", "d", "e"]),
        ("a\nb\n\n# a comment && c\nd # another", ["a", "b", "d"]),
        ("echo a#b '#c' \\#d", ["echo a#b #c #d"]),
        ("(a; b) && { c; d; }", ["a", "b", "c", "d"]),
        ("if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]),
        ("for x in 1 2 3; do a; done; b", ["a", "b"]),
        ("for x\nin 1 2\ndo a\ndone", ["a"]),
        ("for x; do a; done", ["a"]),
        ("for ((i=0; i<3; i++)); do a; done", ["a"]),
        ("while read -r x; do a; done < file; until b; do c; done", ["read -r x", "a", "b", "c"]),
        ('case "$(uname -m)" in x86_64|amd64) a;; (arm*) b ;; *) c; esac', ["a", "b", "c"]),
        ("case x in\n  y)\n    a\n    ;;\nesac", ["a"]),
        ("f() { a; }; function g { b; }\nfunction h() ( c )", ["a", "b", "c"]),
        ("[[ a == b* && ( -n c || ! -f d ) ]] && e", ["[[ a == b* -n c ! -f d ]]", "e"]),
        ("[[ $x =~ ^(a|b)$ ]]", ["[[ ? =~ ^ a b $ ]]"]),
        ("((i > 3)) && a", ["((", "a"]),
        ("((a; b) || c)", ["a", "b", "c"]),
        ("! a && ! b", ["a", "b"]),
        ("time { a; b; }", ["a", "b"]),
        ("a >x 2>&1 </dev/null &>>y <<<z b", ["a b"]),
        ("a 2>&- 3<>f >|g b2>h", ["a b2"]),
        ("cat <<EOF > f && a\nnot $(a command\nEOF\nb", ["cat", "a", "b"]),
        ("cat <<-'E F' <<G\n\tone\n\tE F\ntwo\nG\nb", ["cat", "b"]),
        ("cat <<EOF\nnever ended", ["cat"]),
        ("echo $(a; case x in y) z;; esac) `b \\` c` $((1 + (2 * 3))) $((a) | b) d", ["echo ? ? ? ? d"]),
        ("diff <(a) >(b) c", ["diff ? ? c"]),
        ("a \\\n  b\\\nc", ["a bc"]),
        ("", []),
        ("  # nothing\n", []),
        ("echo if then fi { } done in", ["echo if then fi { } done in"]),
        ("echo $'a\\'b' $\"c\" d", ["echo ? ? d"]),
        ("find / -name '*.pyc' -exec rm {} +", ["find / -name *.pyc -exec rm {} +"]),
        ("a {b,c} d{1..3} {e} {,f}", ["a ? ? {e} ?"]),
        ("arr=(a 'b c'); x \"${arr[@]}\" ${arr[0]} ${#arr[@]}", ["", "x a b c ? ?"]),
        ("for i in 1; do for j in 2; do a; done; done", ["a"]),
        ("{ { { a; } } }", ["a"]),
        ("sh -c 'X= a'", ["a"]),
        ("coproc a", ["coproc a"]),
    ],
)
def test_the_commands_of_a_script(script: str, commands: list[str]) -> None:
    assert lines(script) == commands


@pytest.mark.parametrize(
    "script",
    [
        *("a &&", "a || ", "| a", "a ; ; b", "a && && b", "&& a", "a | | b"),
        *("'a", '"a', "a `b", "$(a", "${a", "$((1", "(a", "{ a", "a )", "a; }"),
        *("if a; then b", "if a; b; fi", "for x in a; b; done", "while a; do b", "case a in b) c", "fi", "do a; done"),
        *("f() a", "a() {", "a >", "a <<", "[[ a", "${a b}", "function f g", "x=(a", "a (b)", "echo ${}"),
        *("for ((i=0; i<3 do; done", "for ((a) b); do c; done", '"f"() { a; }', "for 1 in a; do b; done"),
        "{ " * 60 + "a; " + "}; " * 60,
        "$url = ('https://{0}/{1}' -f ($env:X -replace 'a', ''), $env:X); \tWrite-Host ('x' -f $url)",
        "( " * 100 + "a" + " )" * 100,
    ],
)
def test_what_is_no_script_has_no_commands(script: str) -> None:
    assert parse_shell(script, ENVIRONMENT) is None


@pytest.mark.parametrize(
    ("word", "texts"),
    [
        *[("a", ["a"]), ("'a b'c", ["a bc"]), ('"a  b"', ["a  b"]), ("a\\ b", ["a b"]), ("''", [""]), ('""', [""])],
        *[('"\\$A \\x \\""', ['$A \\x "']), ("'$A'", ["$A"]), ("\\$A", ["$A"]), ("$", ["$"]), ('"$"', ["$"])],
        *[("$A", ["one"]), ("${A}b", ["oneb"]), ("$B", ["x", "y"]), ('"$B"', ["x y"]), ("a$B-b", ["ax", "y-b"])],
        *[
            ("$E", []),
            ('"$E"', [""]),
            ("a$E", ["a"]),
            ("$U", [None]),
            ("a$U", [None]),
            ("$X", [None]),
            ('"$X"', [None]),
        ],
        *[
            ("${E:-d e}", ["d", "e"]),
            ('"${E:-d e}"', ["d e"]),
            ("${A:-d}", ["one"]),
            ("${E-d}", []),
            ("${X:-d}", [None]),
        ],
        *[("${A:+z}", ["z"]), ("${E:+z}", []), ("${E+z}", ["z"]), ("${A:?no}", ["one"]), ("${E:?no}", [None])],
        *[("${E:-$A}", ["one"]), ("${E:-${A}2}", ["one2"]), ("${E:-$X}", [None]), ('${E:-"d e"}', [None])],
        *[
            ("${V%.*}", ["3.12"]),
            ("${V%%.*}", ["3"]),
            ("${V#*.}", ["12.4"]),
            ("${V##*.}", ["4"]),
            ("${P##*/}", ["lib.tar.gz"]),
        ],
        *[("${P%/*}", ["/opt/x"]), ("${V%%[a-z]*}", ["3.12.4"]), ("${V%'.4'}", ["3.12"]), ('"${B#x }"', ["y"])],
        *[
            ("${V//./_}", ["3_12_4"]),
            ("${V/./}", ["312.4"]),
            ("${V/[.]/}", [None]),
            ("${#V}", ["6"]),
            ("${!A}", [None]),
        ],
        *[("${V:0:1}", [None]), ("${A^^}", [None]), ("${A@Q}", [None]), ("$1", [None]), ("$@", [None]), ("$?", [None])],
        *[
            ("~", ["/root"]),
            ("~/x", ["/root/x"]),
            ("~other", [None]),
            ("a~", ["a~"]),
            ("'~'", ["~"]),
            ("$PWD", ["/"]),
            ("${E:-a\\}b}", ["a}b"]),
        ],
        *[("*.d?b", ["*.d?b"]), ("[ab]", ["[ab]"]), ("a=$A", ["a=one"]), ("${A}$", [None])],
    ],
)
def test_what_a_word_stands_for(word: str, texts: list[str | None]) -> None:
    (command,) = parsed(f"x {word}")
    assert [each.text for each in command.words[1:]] == texts
    assert all(each.raw == word for each in command.words[1:])


@pytest.mark.parametrize(
    ("word", "prefix"),
    [
        ("nginx=$X", "nginx="),
        ('"foo==${U}"', "foo=="),
        ("$X/a", ""),
        ("--opt=$(cmd)", "--opt="),
        ("a{b,c}", ""),
        ("a$B$X", "a"),
    ],
)
def test_how_a_word_begins_is_known_before_all_of_it_is(word: str, prefix: str) -> None:
    (command,) = parsed(f"x {word}")
    assert (command.words[1].text, command.words[1].prefix) == (None, prefix)


@pytest.mark.parametrize(
    ("script", "last"),
    [
        *[("X=a; x $X", "x a"), ("X='a b' && x $X", "x a b"), ('X=$A$B; x "$X"', "x onex y"), ("X=$(a); x $X", "x ?")],
        *[("X=a Y=b; x $X$Y", "x ab"), ("X=a y; x $X", "x ?"), ("X=a; X+=b; x $X", "x ab"), ("X=~/a; x $X", "x ?")],
        *[("export X=a; x $X", "x a"), ('export X="a b" Y; x $X', "x a b"), ("readonly X=a; x $X", "x a")],
        *[("declare -i X=1+1; x $X", "x ?"), ("local X=a; x $X", "x a"), ("A=2; unset A; x $A", "x ?")],
        *[("read A; x $A", "x ?"), ("A=1; read -r A < f; x $A", "x ?"), ("printf -v A b; x $A", "x ?")],
        *[
            (". ./env; x $A", "x ?"),
            (". venv/bin/activate; x $A", "x one"),
            ("source /etc/os-release; x $A $ID", "x one ?"),
        ],
        *[("eval $Y; x $A", "x ?"), ("IFS=,; x $B", "x ?"), ('IFS=,; x "$B"', "x x y"), ("${Q:=1}; x $Q", "x ?")],
        *[(": ${E:=d}; x $E", "x d"), ("X=a; (X=b); x $X", "x a"), ("X=a; { X=b; }; x $X", "x b")],
        *[("X=a; X=b | y; x $X", "x a"), ("X=a; X=b & x $X", "x a"), ("X=a && true && x $X", "x a")],
        *[("true && X=a; x $X", "x ?"), ("X=a; y && X=b && x $X", "x b"), ("X=a; y && X=b || z; x $X", "x ?")],
        *[("X=a; y || X=b; x $X", "x ?"), ("X=a; y || exit 1; x $X", "x a"), ("y && X=a || exit 1; x $X", "x a")],
        *[("y && X=a || { z; exit 1; }; x $X", "x a"), ("X=a || y; x $X", "x a"), ("y && X=a || x $X", "x ?")],
        *[
            ("if y; then X=a; fi; x $X", "x ?"),
            ("X=a; if y; then X=b; fi; x $X", "x ?"),
            ("if X=a; then y; fi; x $X", "x a"),
        ],
        *[("X=a; if y; then X=b; else x $X; fi", "x a"), ("case $A in o*) X=a;; *) x $X;; esac", "x ?")],
        *[("for X in a b; do x $X; done", "x ?"), ("X=a; for i in 1 2; do x $X; done", "x a")],
        *[("X=a; for i in 1 2; do y $X; X=b; done; x $X", "x ?"), ("for i in 1; do X=a; x $X; done", "x a")],
        *[("X=a; while y; do x $X; X=b; done", "x ?"), ("X=a; f() { X=b; }; x $X", "x a")],
        *[("X=a; f() { X=b; }; f; x $X", "x ?"), ("X=a; f() { x $X; }", "x ?"), ("f() { X=a; x $X; }", "x a")],
        *[("f() { x $A; }", "x ?"), ("set -- a b; x $@", "x a b"), ('set -- a "b c"; x "$@"', "x a b c")],
        *[('set -- a; set -- "$@" b; x $@', "x a b"), ("set -- a; shift; x $@", "x ?"), ('set --; x "$@"', "x")],
        *[
            ("arr=(a b); arr+=(c); x ${arr[@]}", "x a b c"),
            ("arr=($X); x ${arr[@]}", "x ?"),
            ("arr=(a); arr[1]=b; x ${arr[@]}", "x ?"),
        ],
        *[
            ("while X=a; y; do x $X; done", "x a"),
            ("unset $Y; x $A", "x ?"),
            ("a=$A$A; " * 20 + "x $a", "x " + "one" * 2),
        ],
        ("a=$A; " + "a=$a$a; " * 40 + "x $a", "x ?"),
        ("a=' b'; " + "a=$a$a; " * 14 + "y $a; " * 90 + "x $a", "x ?"),
        *[("y || . ./f; x $A", "x ?"), ("y || eval z; x $A", "x ?"), ("X=(a); X=b; x ${X[@]}", "x ?")],
        *[
            ("export $Y; x $A", "x ?"),
            ("read -a arr; x ${arr[@]}", "x ?"),
            ("set $Y; x $@", "x ?"),
            ("set -x; x $@", "x ?"),
        ],
        *[('x "${V%[^a]}"', "x ?"), ("x ${V%[ab}", "x ?"), ("x ${V//}", "x ?"), ("x ${A:-$(y)}", "x one")],
        *[("env A=2 -- B=3 sh -c 'x $A'", "x ?"), ("bash --norc --rcfile f -c 'x'", "x")],
    ],
)
def test_a_variable_is_known_while_it_is_certain(script: str, last: str) -> None:
    assert [line for line in lines(script) if line[:1] == "x"][-1] == last


@pytest.mark.parametrize(
    ("script", "directory"),
    [
        *[("x", "/w"), ("cd /tmp && x", "/tmp"), ("cd a; cd b; x", "/w/a/b"), ("cd ..; x", "/"), ("cd; x", "/root")],
        *[
            ("cd -; x", None),
            ("cd $X; x", None),
            ("cd $A/b; x", "/w/one/b"),
            ("cd -P -- a; x", "/w/a"),
            ("cd a b; x", None),
        ],
        *[("(cd /tmp); x", "/w"), ("{ cd /tmp; }; x", "/tmp"), ("cd /tmp | y; x", "/w"), ("cd /tmp & x", "/w")],
        *[("if y; then cd /tmp; fi; x", None), ("y && cd /tmp; x", None), ("y && cd /tmp && x", "/tmp")],
        *[
            ("cd /tmp || exit 1; x", "/tmp"),
            ("cd /tmp || true; x", None),
            ("cd /tmp || x", None),
            ("y || cd /tmp; x", None),
        ],
        *[("for i in 1 2; do x; cd a; done", None), ("for i in 1 2; do (cd a); x; done", "/w"), ("f() { x; }", None)],
        *[
            ("f() { cd a; }; x", "/w"),
            ("f() { cd a; }; f; x", None),
            ("pushd /a; x", "/a"),
            ("pushd /a; popd; x", None),
        ],
        *[
            ("pushd; x", None),
            ("pushd +1; x", None),
            ("cd */; x", None),
            ("sh -c 'cd /tmp; x'", "/tmp"),
            ("sh -c 'cd /tmp'; x", "/w"),
            ("command cd /a; x", "/a"),
        ],
        *[("cd /a/../b//c/.; x", "/b/c"), ('eval "$Y"; x', None), (". ./f; x", "/w"), ("cd //a; x", "/a")],
    ],
)
def test_the_directory_of_a_command(script: str, directory: str | None) -> None:
    (command,) = [each for each in parsed(script, "/w") if each.name == "x"]
    assert command.directory == directory


@pytest.mark.parametrize(
    ("script", "joined", "conditional"),
    [
        *[("x", "", False), ("a && x", "&&", False), ("a; x", ";", False), ("a\nx", ";", False), ("a | x", "|", False)],
        *[
            ("a & x", "&", False),
            ("a || x", "||", True),
            ("(x)", "", False),
            ("a && { x; }", "&&", False),
            ("! x", "", False),
        ],
        *[("if x; then a; fi", "", False), ("if a; then x; fi", ";", True), ("if a; then b; else x; fi", ";", True)],
        *[("if a; then b; elif x; then c; fi", ";", True), ("if a; then b; fi; x", ";", False)],
        *[
            ("while a; do x; done", ";", True),
            ("for i in 1; do x; done", "", True),
            ("case a in b) x;; esac", "", True),
        ],
        *[
            ("f() { x; }", "", True),
            ("f() { a; }; x", ";", False),
            ("a && b || x", "||", True),
            ("a || b; x", ";", False),
        ],
        *[("[ a ] && x", "&&", False), ("[ a ] && x; b", "&&", True), ("[ a ] && x || true", "&&", True)],
        *[("test a && b && x\nc", "&&", True), ("! a && x; b", "&&", True), ("{ [ a ] && x; }", "&&", True)],
        *[
            ("[ a ]; x", ";", False),
            ("a && sh -c 'x'", "&&", False),
            ("a || sh -c 'b; x'", ";", True),
            ("X=1; x", ";", False),
        ],
    ],
)
def test_how_a_command_is_joined_to_what_is_before_it(script: str, joined: str, conditional: bool) -> None:
    (command,) = [each for each in parsed(script) if each.name == "x"]
    assert (command.joined, command.conditional) == (joined, conditional)


@pytest.mark.parametrize(
    ("script", "name", "arguments"),
    [
        *[
            ("x a b", "x", "a b"),
            ("/usr/bin/x a", "x", "a"),
            ("A=1 B=2 x a", "x", "a"),
            ("A=1", None, ""),
            ("$X a", None, ""),
        ],
        *[
            ("sudo x a", "x", "a"),
            ("sudo -E -u root x a", "x", "a"),
            ("sudo -uroot A=1 x a", "x", "a"),
            ("sudo -l", "sudo", "-l"),
        ],
        *[
            ("env A=1 B=$U x a", "x", "a"),
            ("env -u A -i x a", "x", "a"),
            ("env", "env", ""),
            ("env -S 'x a'", "env", "-S x a"),
        ],
        *[("exec x a", "x", "a"), ("exec -a n x a", "x", "a"), ("exec 2>&1", "exec", ""), ("command x a", "x", "a")],
        *[
            ("command -v x", "command", "-v x"),
            ("time -p x a", "x", "a"),
            ("nice -n 5 x a", "x", "a"),
            ("nice -10 x a", "x", "a"),
        ],
        *[("timeout -k 5 -s KILL 10m x a", "x", "a"), ("timeout --signal=9 10 x a", "x", "a"), ("nohup x a", "x", "a")],
        *[
            ("xargs -0 -n1 -I {} x a", "x", "a ?"),
            ("xargs --max-args=2 x", "x", "?"),
            ("gosu user:group x a", "x", "a"),
        ],
        *[
            ("tini -g -- x a", "x", "a"),
            ("eatmydata x a", "x", "a"),
            ("ionice -c 3 x a", "x", "a"),
            ("stdbuf -oL x a", "x", "a"),
        ],
        *[("conda run -n e --no-capture-output x a", "x", "a"), ("conda install a", "conda", "install a")],
        *[
            ("sudo env A=1 nice x a", "x", "a"),
            ("bundle exec x a", "x", "a"),
            ("sudo $X a", None, ""),
            ("sudo -$X a", None, ""),
        ],
        *[("busybox x a", "x", "a"), ("sudo -- x a", "x", "a"), ("sudo", "sudo", ""), ("x() { y; }; x a", None, "")],
    ],
)
def test_wrappers_are_seen_through(script: str, name: str | None, arguments: str) -> None:
    command = parsed(script)[-1]
    assert command.name == name
    assert " ".join("?" if word.text is None else word.text for word in command.arguments) == arguments


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("sh -c 'a && b c'; d", ["a", "b c", "d"]),
        ('bash -lc "a \\"b c\\" $A"', ["a b c one"]),
        ("/bin/bash -euxo pipefail -c 'a' name arg", ["a"]),
        ("sudo -H sh -c 'a $A'", ["a ?"]),
        ("env -i sh -c 'a $A'", ["a ?"]),
        ("env A=2 sh -c 'a $A'", ["a ?"]),
        ("A=2 sh -c 'a $A'", ["a 2"]),
        ("A=2; sh -c 'a $A'", ["", "a 2"]),
        ("X=2; sh -c 'a $X'", ["", "a ?"]),
        ("export A=2; sh -c 'a $A'", ["export A=2", "a 2"]),
        ("sh -c \"sh -c 'a $A'\"", ["a one"]),
        ("conda run -n e bash -c 'a'", ["a"]),
        ('sh -c "a $X"', ["sh -c ?"]),
        ("sh -c $B", ["sh -c x y"]),
        ("sh -c 'a &&'", ["sh -c a &&"]),
        ("sh script.sh -c 'a'", ["sh script.sh -c a"]),
        ("curl x | sh -s -- -y", ["curl x", "sh -s -- -y"]),
        ("python -c 'import os; os.x()'", ["python -c import os; os.x()"]),
        ("bash <<EOF\na\nb $A\nEOF\nc", ["a", "b one", "c"]),
        ("bash -e <<'EOF'\na $A\nEOF", ["a one"]),
        ("bash <<EOF\na $X\nEOF\nc", ["bash", "c"]),
        ('bash <<EOF\na \\\n  b \\$A "c\\"" \\\\\nEOF', ['a b one c"']),
        ("bash <<-EOF\n\ta\n\tEOF", ["bash"]),
        ("bash script <<EOF\na\nEOF", ["bash script"]),
        ("bash <<EOF\n$(a\nEOF", ["bash"]),
        ("bash --norc -c 'a'", ["a"]),
        ("bash --rcfile f -c 'a'", ["a"]),
        ("cat <<EOF | bash\na\nEOF", ["cat", "bash"]),
        ("xargs sh -c 'a'", ["xargs sh -c a ?"]),
    ],
)
def test_scripts_of_shells_are_seen_through(script: str, commands: list[str]) -> None:
    assert lines(script) == commands


def test_places_in_a_script_within_a_script() -> None:
    script = 'true && sh -c "apt-get \\"install\\" $A; chmod +x /f"'
    install, chmod = parsed(script)[1:]
    assert [(word.raw, word.text) for word in chmod.words] == [("chmod", "chmod"), ("+x", "+x"), ("/f", "/f")]
    assert script[chmod.start : chmod.end] == "chmod +x /f"
    assert [word.raw for word in install.words] == ["apt-get", '"install\\"', "$A"]
    assert (install.joined, chmod.joined) == ("&&", ";")


def test_assignments_of_a_command() -> None:
    script = 'X="a b" Y=$U Z= DEBIAN_FRONTEND=noninteractive apt-get install'
    (command,) = parsed(script)
    assert [(name, word.text, word.raw) for name, word in command.assignments] == [
        ("X", "a b", '"a b"'),
        ("Y", None, "$U"),
        ("Z", "", ""),
        ("DEBIAN_FRONTEND", "noninteractive", "noninteractive"),
    ]


# Properties

PIECES = st.sampled_from(
    [
        *(
            " ",
            "  ",
            "\n",
            "\t",
            "\\\n",
            ";",
            "&&",
            "||",
            "|",
            "&",
            "(",
            ")",
            "{ ",
            " }",
            "\\",
            "'",
            '"',
            "`",
            "$",
            "#",
        ),
        *("$A", "$B", "${E:-d}", "${V%.*}", "${", "}", "$(", "$((", "))", "<<E", "\nE\n", ">", "<", "2>", "[[ ", " ]]"),
        *("if ", "then ", "fi", "for x in ", "do ", "done", "case ", " in ", "esac", ";;", "while ", "f() ", "!", "~"),
        *(
            "a",
            "b=",
            "cd ",
            "sh -c ",
            "bash <<E",
            "export ",
            "set -- ",
            "*",
            "é",
            "\ud800",
            "\0",
            "\xa0",
            "\r",
            "=(",
            "[0]",
        ),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
@example("a 'b' \"c $A\" $B; sh -c 'd \"e\"'")
@example("bash <<E\na $A\nE\n")
def test_places_are_places_of_the_script_whatever_it_is(script: str) -> None:
    for command in parse_shell(script, ENVIRONMENT) or ():
        assert 0 <= command.start <= command.end <= len(script)
        for word in (*command.words, *(word for _, word in command.assignments)):
            assert 0 <= word.start <= word.end <= len(script)
            assert word.raw == script[word.start : word.end]
            assert command.start <= word.start
            assert word.end <= command.end
            assert word.text is None or word.text.startswith(word.prefix)
        assert isinstance(command.name, str | None)
        assert len(command.arguments) <= len(command.words)


@given(st.text(alphabet=" abc'\"\\=/.:,@%+-_é", max_size=40))
def test_words_without_variables_are_those_of_shlex(script: str) -> None:
    assume(not script.endswith("\\"))
    try:
        expected = shlex.split(f"x {script}")
    except ValueError:
        assert parse_shell(f"x {script}") is None
        return
    (command,) = parsed(f"x {script}")
    assert [word.text for word in command.words] == expected


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "x;",
            "X=1 && ",
            "cd a; ",
            "sh -c 'a b';",
            "f() { X=1; }; f; ",
            "[ a ] && b; ",
            "a || X=1; ",
            "eval x; ",
            "'",
            '"',
        ),
        *(
            "(",
            "$(",
            "$((",
            "`",
            "{a,",
            "${a:-",
            "a=$a$a; ",
            "cat <<A\n",
            "if a; then X=1; fi; ",
            "A+=(a); ",
            "x > y ",
            "\\",
        ),
        *(
            "xargs ",
            "sudo x; ",
            "# a\n",
            "[[ a && ",
            "case a in ",
            "a | ",
            "~",
            "(eval x; X=1) || a; ",
            "$((a) b) ",
            "x $PWD ",
        ),
    ],
)
def test_time_grows_with_the_length_alone(unit: str) -> None:
    small, large = (effort(parse_shell, unit * (size // len(unit)) + "x", ENVIRONMENT) for size in (4_000, 32_000))
    assert large < 12 * small  # 8 where linear, 64 where quadratic


def test_names_that_differ_are_not_counted_again_and_again() -> None:
    def named(count: int) -> None:
        names = [f"X{number}" for number in range(count)]
        parse_shell(" || ".join(f"{name}=1" for name in names))
        parse_shell("f() { " + "; ".join(f"{name}=1" for name in names) + "; }\n" + "f\n" * count)

    assert effort(named, 2000) < 12 * effort(named, 250)


@settings(max_examples=25)
@given(st.integers(1, 60), st.sampled_from(["(", "{ ", "if a; then ", "$(", "while a; do ", "echo ${a:-"]))
def test_deep_nesting_is_refused_not_suffered(depth: int, opening: str) -> None:
    assert parse_shell(opening * depth + "x") is None
