"""Installs of a repository that are made again: in other words, on top of other layers, among others, from source."""

from __future__ import annotations

import pytest
from support.checks import findings

APT = "RUN apt-get update && apt-get install -y"
RULES = ("ML304", "ML305", "ML308", "ML311")


def two(one: str, other: str, base: str = "debian:12") -> dict[str, str]:
    return {"a/Dockerfile": f"FROM {base}\n{one}\n", "b/Dockerfile": f"FROM {base}\n{other}\n"}


def told(files: dict[str, str]) -> dict[str, list[str]]:
    """Rule → where, of the rules about installs."""
    found = {}
    for rule in RULES:
        places = [
            f"{each.location.path[0]}{each.location.span.line}" for each in findings(rule, files) if each.location.span
        ]
        if places:
            found[rule] = places
    return found


CASES: dict[str, tuple[str, str, dict[str, list[str]]]] = {
    "the same": (f"{APT} libpq5", f"{APT} libpq5", {"ML311": ["a2"]}),
    "the same, then something of its own": (
        f"{APT} libpq5\nCOPY a /a\nRUN a",
        f"{APT} libpq5\nCOPY b /b",
        {"ML311": ["a2"]},
    ),
    "the same twice": (f"{APT} libpq5\n{APT} curl", f"{APT} libpq5\n{APT} curl", {"ML311": ["a3"]}),
    "another order": (f"{APT} libpq5 curl", f"{APT} curl libpq5", {"ML305": ["b2"]}),
    "another option": (f"{APT} libpq5", f"{APT} --no-install-recommends libpq5", {"ML305": ["b2"]}),
    "other blanks": (f"{APT} libpq5  curl", f"{APT} libpq5 curl", {"ML305": ["b2"]}),
    "another grouping": (f"{APT} libpq5 curl", f"{APT} libpq5\n{APT} curl", {"ML305": ["b2"]}),
    "caches removed in one": (f"{APT} libpq5", f"{APT} libpq5 && rm -rf /var/lib/apt/lists/*", {"ML305": ["b2"]}),
    "other words on the same instruction": (
        f"ENV A=1\n{APT} libpq5",
        f"ENV A=1\n{APT} -q libpq5",
        {"ML305": ["b3"]},
    ),
    "below a COPY": (f"{APT} libpq5", f"COPY b /b\n{APT} libpq5", {"ML308": ["b3"]}),
    "below an ENV": (f"{APT} libpq5", f"ENV B=1\n{APT} libpq5", {"ML308": ["b3"]}),
    "below a WORKDIR, in other words": (f"{APT} libpq5 curl", f"WORKDIR /b\n{APT} curl libpq5", {"ML308": ["b3"]}),
    "below other things each": (f"COPY a /a\n{APT} libpq5", f"COPY b /b\n{APT} libpq5", {"ML308": ["b3"]}),
    "below what the manager reads": (
        f"{APT} libpq5",
        f"COPY b.list /etc/apt/sources.list.d/\n{APT} libpq5",
        {"ML304": ["a2"]},
    ),
    "below a variable that it uses": (
        f"ENV A=1\n{APT} libpq5=$A",
        f"ENV A=1\nENV B=2\n{APT} libpq5=${{A}}",
        {"ML304": ["a3"]},
    ),
    "below a variable of another name": (
        f"{APT} libpq5",
        f"ENV LIB=2\nARG A\n{APT} libpq5",
        {"ML308": ["b4"]},
    ),
    "below another RUN": (f"{APT} libpq5", f"RUN b\n{APT} libpq5", {"ML304": ["a2"]}),
    "below a LABEL": (f"{APT} libpq5", f"LABEL b=1\n{APT} libpq5", {"ML311": ["a2"]}),
    "below the same COPY": (f"COPY . /srv\n{APT} libpq5", f"COPY . /srv\n{APT} libpq5", {}),  # perhaps of one context
    "among others": (f"{APT} libpq5 nginx", f"{APT} libpq5 redis", {"ML304": ["a2"]}),
    "with more than packages": (f"{APT} libpq5 && a", f"{APT} libpq5 && b", {"ML304": ["a2"]}),
    "nothing in common": (f"{APT} libpq5", f"{APT} redis", {}),
    "another version": (f"{APT} libpq5=1", f"{APT} libpq5=2", {}),
    "data": (f"{APT} tzdata a", f"{APT} tzdata b", {}),
    "compilers": (f"{APT} build-essential libpq-dev", f"{APT} build-essential libpq-dev", {}),
    "removed again": (
        f"{APT} libpq5 a && apt-get purge -y libpq5",
        f"{APT} libpq5 b && apt-get purge -y libpq5",
        {},
    ),
    "not for certain": ("RUN if a; then apt-get install -y libpq5; fi", f"{APT} libpq5 b", {}),
    "unknown words": (f"{APT} $A", f"{APT} $A", {}),
    "in a stage that stays behind": (
        f"{APT} nginx\nFROM debian:12",
        f"{APT} nginx curl\nFROM debian:12",
        {},
    ),
}


@pytest.mark.parametrize(("one", "other", "expected"), CASES.values(), ids=CASES)
def test_two(one: str, other: str, expected: dict[str, list[str]]) -> None:
    assert told(two(one, other)) == expected


def test_another_base_is_another_matter() -> None:
    files = {"a/Dockerfile": f"FROM debian:12\n{APT} libpq5\n", "b/Dockerfile": f"FROM debian:11\n{APT} libpq5\n"}
    assert told(files) == {}


def test_one_digest_is_one_base() -> None:
    digest = "sha256:" + "a" * 64
    files = {
        "a/Dockerfile": f"FROM debian:12@{digest}\n{APT} libpq5 a\n",
        "b/Dockerfile": f"FROM debian:bookworm@{digest}\n{APT} libpq5 b\n",
    }
    assert told(files) == {"ML304": ["a2"]}


def test_arguments_with_other_defaults_part_chains() -> None:
    one, other = (f"ARG V={v}\nFROM debian:12\nARG V\n{APT} libpq5\n" for v in (1, 2))
    assert told({"a/Dockerfile": one, "b/Dockerfile": other}) == {"ML308": ["b4"]}


def test_the_proposed_base_is_what_they_have_in_common() -> None:
    files = {
        "a/Dockerfile": f"FROM debian:12\n{APT} libpq5 nginx libxml2\n",
        "b/Dockerfile": f"FROM debian:12\n{APT} libxml2 libpq5 redis\n",
        "c/Dockerfile": f"FROM debian:12\n{APT} curl libpq5\n",
    }
    (found,) = findings("ML304", files)
    assert found.evidence["packages"] in {"libpq5, libxml2", "libpq5"}
    assert found.suggestion is not None
    *comments, base, run = found.suggestion.split("\n")
    assert (len(comments), base) == (2, "FROM debian:12")
    assert run.startswith("RUN apt-get update && apt-get install -y --no-install-recommends libpq5")


def test_the_proposed_start_is_the_text_of_the_file() -> None:
    start = "ENV A=1\nRUN apt-get update && \\\n    # a comment\n    apt-get install -y libpq5\n"
    files = {"a/Dockerfile": f"FROM debian:12\n{start}COPY a /a\n", "b/Dockerfile": f"FROM debian:12\n{start}"}
    (found,) = findings("ML311", files)
    assert found.suggestion is not None
    assert found.suggestion.endswith("FROM debian:12\n" + start.rstrip())


def test_packages_of_python_that_are_mapped() -> None:
    base = "FROM python:3.13-slim\n"
    files = {
        "a/Dockerfile": f"{base}COPY a /a\nRUN pip install numpy==2.3.1 flask==3.0\n",
        "b/Dockerfile": f"{base}COPY b /b\nRUN pip install numpy==2.3.1 flask==3.0 redis\n",
    }
    (found,) = findings("ML304", files)
    assert found.evidence["packages"] == "numpy==2.3.1"
    cpu = {path: text.replace("install", "install --index-url https://a.example/cpu") for path, text in files.items()}
    assert findings("ML304", {**files, "b/Dockerfile": cpu["b/Dockerfile"]}) == []  # other builds, perhaps


PROBE = "COPY --from=registry.example/probe:1 /bin/probe /bin/probe"


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (f"COPY a /a\n{PROBE}", f"COPY b /b\n{PROBE}", True),
        (f"{PROBE}\nCOPY a /a", f"COPY b /b\n{PROBE}", True),
        (f"{PROBE}\nCOPY a /a", f"{PROBE}\nCOPY b /b", False),
        (f"COPY a /a\n{PROBE}", f"COPY b /b\n{PROBE.replace(':1', ':2')}", False),
        (f"COPY . /a\n{PROBE}", f"COPY . /a\n{PROBE}", False),
        (
            "COPY a /a\nCOPY --from=composer:2 /usr/bin/composer /usr/bin/",
            "COPY --from=composer:2 /usr/bin/composer /b",
            False,
        ),
        (
            "COPY a /a\nCOPY --from=vendor/data:1 /srv/data.json /srv/",
            "COPY --from=vendor/data:1 /srv/data.json /srv/",
            False,
        ),
    ],
)
def test_repeated_copies(one: str, other: str, found: bool) -> None:
    assert bool(findings("ML310", two(one, other))) == found


def test_a_stage_that_is_an_image_by_another_name() -> None:
    text = "FROM registry.example/probe:1 AS p\nFROM debian:12\nCOPY {0} /{0}\nCOPY --from=p /bin/probe /bin/probe\n"
    files = {f"{name}/Dockerfile": text.format(name) for name in "ab"}
    assert len(findings("ML310", files)) == 1
    built = {path: each.replace(" AS p\n", " AS p\nRUN a\n") for path, each in files.items()}
    assert findings("ML310", built) == []


FETCH = "RUN curl -fsSL https://www.python.org/ftp/python/3.13.5/Python-3.13.5.tgz | tar xz"
BUILD = "RUN cd Python-3.13.5 && ./configure && make -j4 && make install"


@pytest.mark.parametrize(
    ("one", "other", "program"),
    [
        (f"{FETCH}\n{BUILD}", f"{FETCH} --strip-components=1\n{BUILD}", "python 3.13.5"),
        (f"{FETCH}\n{BUILD}", f"{FETCH.replace('3.13.5', '3.12.1')}\n{BUILD}", "python (3.12.1, 3.13.5)"),
        (
            "RUN git clone https://github.com/openssl/openssl.git && cd openssl && ./config && make install",
            "RUN wget https://github.com/openssl/openssl/archive/refs/tags/3.2.1.tar.gz && make install",
            "openssl 3.2.1",
        ),
        (FETCH, FETCH, None),
        (f"{BUILD}\n{FETCH}", f"{BUILD}\n{FETCH}", None),
        (f"{FETCH}\n{BUILD}", BUILD, None),
        (f"{FETCH}\n{BUILD}\nFROM debian:12", f"{FETCH}\n{BUILD}", None),
        (
            "RUN curl -L https://a.example/tool-linux-amd64 -o /bin/tool\nRUN make install",
            "RUN curl -L https://a.example/tool-linux-amd64 -o /bin/tool\nRUN make install",
            None,
        ),
    ],
)
def test_built_from_source(one: str, other: str, program: str | None) -> None:
    assert [each.evidence["program"] for each in findings("ML307", two(one, other))] == ([program] if program else [])


def test_built_in_a_stage_that_the_image_copies_from() -> None:
    text = f"FROM debian:12 AS b\n{FETCH}\n{BUILD}\nFROM debian:12\nCOPY --from=b /usr/local /usr/local\n"
    assert len(findings("ML307", {"a/Dockerfile": text, "b/Dockerfile": text})) == 1


def test_long_and_many_files_are_no_matter() -> None:
    start = "".join(f"RUN step {number}\n" for number in range(1200)) + f"{APT} libpq5\n"
    (found,) = findings("ML311", two(start + "RUN a", start + "RUN b"))
    assert found.evidence["instructions"] == 1201
    many = {f"s{n}/Dockerfile": f"FROM debian:12\n{APT} libpq5 own{n}\n" for n in range(150)}
    (found,) = findings("ML304", many)
    assert (found.evidence["count"], found.evidence["packages"], len(found.related)) == (150, "libpq5", 10)


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        (f"{APT} libpq5", f"{APT} libpq5", "ML311"),
        (f"{APT} libpq5 curl", f"{APT} curl libpq5", "ML305"),
        (f"{APT} libpq5", f"ENV B=1\n{APT} libpq5", "ML308"),
        (f"{APT} libpq5 && a", f"{APT} libpq5 && b", "ML304"),
    ],
)
def test_two_names_of_one_base(one: str, other: str, rule: str) -> None:
    files = {"a/Dockerfile": f"FROM debian:12\n{one}\n", "b/Dockerfile": f"FROM debian:bookworm\n{other}\n"}
    assert list(told(files)) == [rule]
    assert told({**files, "b/Dockerfile": f"FROM debian:12.5\n{other}\n"}) == {}
