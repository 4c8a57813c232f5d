"""What a look at a host becomes as a profile, and how profiles join."""

from __future__ import annotations

from collections import Counter
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sights import Maps, Runs, sight

from memlint.kernel.recording import merge, profile, wholly
from memlint.model.digest import ContentID
from memlint.model.profile import Profile, Ran

PYTHON, NGINX, LIBC, LIBSSL = (ContentID(f"blake3:{name}") for name in ("python", "nginx", "libc", "libssl"))


def pages_of(profile: Profile, content: ContentID, program: ContentID) -> tuple[int, dict[int, int]]:
    """In how many containers a program ran beside a content, and in how many of these each page was resident."""
    for resident in profile.contents:
        for use in resident.uses:
            if (resident.content, use.program) == (content, program):
                return use.seen, {page: n for first, length, n in use.runs for page in range(first, first + length)}
    return 0, {}


def always(_: int, __: str, ___: int) -> bool:
    return True


def never(_: int, __: str, ___: int) -> bool:
    return False


def _number(*what: object) -> int:
    return crc32(repr(what).encode())


def runs(name: str, program: ContentID, **pages: tuple[int, ...]) -> Runs:
    """A container whose pages are each in a frame of its own."""
    maps = (
        Maps(
            f"/lib/{key}",
            ContentID(f"blake3:{key}"),
            _number(name, key),
            {page: _number(name, key, page) for page in own},
        )
        for key, own in pages.items()
    )
    return Runs(name, "x", program, tuple(maps))


def test_containers_that_were_looked_into_in_part_are_no_part_of_it() -> None:
    """A process that was not walked, one that could not be read, one that was not asked for; and one that is gone."""
    parts = [runs("whole", PYTHON, libc=(0, 1)), runs("half", PYTHON, libc=(0,)), Runs("half", "x", NGINX, ())]
    seen = sight([*parts, runs("blind", PYTHON, libc=(0,)), runs("asked", PYTHON, libc=(0,))])
    processes = [msgspec.structs.replace(each, blind=each.container == "blind") for each in seen.processes]
    gone = msgspec.structs.replace(seen.containers[0], id="gone", pids=(99,))
    seen = msgspec.structs.replace(seen, processes=tuple(processes), containers=(*seen.containers, gone))
    whole, others = wholly(seen, {"asked"})
    assert [each.id for each in whole.containers] == ["whole"]
    assert [each.id for each in others] == ["half", "blind", "asked"]
    assert profile(whole) == profile(sight(parts[:1]))
    assert profile(whole).ran == (Ran((PYTHON,), 1),)


def test_pages_are_counted_by_program() -> None:
    seen = profile(
        sight([runs("a", PYTHON, libc=(0, 1, 5)), runs("b", PYTHON, libc=(1, 2)), runs("c", NGINX, libc=(9,))]), never
    )
    assert pages_of(seen, LIBC, PYTHON) == (2, {0: 1, 1: 2, 2: 1, 5: 1})
    assert pages_of(seen, LIBC, NGINX) == (1, {9: 1})
    assert seen.recordings == 1


def test_processes_of_a_container_are_one() -> None:
    """They are forks: what they map is one set of pages, not two observations."""
    one = sight([runs("a", PYTHON, libc=(0, 1)), runs("a", PYTHON, libc=(1, 2))])
    assert pages_of(profile(one, never), LIBC, PYTHON) == (1, {0: 1, 1: 1, 2: 1})


def test_a_file_that_is_there_and_not_mapped_counts_as_seen() -> None:
    host = sight([runs("a", PYTHON, libc=(0,), libssl=(3,)), runs("b", PYTHON, libc=(0,))])
    assert pages_of(profile(host, always), LIBSSL, PYTHON) == (2, {3: 1})
    assert pages_of(profile(host, never), LIBSSL, PYTHON) == (1, {3: 1})


def test_nothing_is_known_of_processes_outside_of_containers_or_that_were_not_looked_into() -> None:
    host = sight([runs("a", PYTHON, libc=(0,)), runs("b", PYTHON)])
    assert pages_of(profile(host, always), LIBC, PYTHON) == (1, {0: 1})
    assert [(each.programs, each.seen) for each in profile(host, always).ran] == [((PYTHON,), 1)]


def test_what_ran_together_is_known() -> None:
    host = sight([runs("a", PYTHON, libc=(0,)), runs("a", NGINX, libc=(0,)), runs("b", NGINX, libc=(0,))])
    assert [(each.programs, each.seen) for each in profile(host, never).ran] == [((NGINX,), 1), ((NGINX, PYTHON), 1)]


def test_no_names_are_kept() -> None:
    text = msgspec.json.encode(profile(sight([runs("secret-name", PYTHON, libc=(0,))]), never)).decode()
    assert not any(name in text for name in ("secret-name", "/lib/", "overlay2", '"x"'))


PAGES = st.frozensets(st.integers(0, 12), max_size=8)
CONTAINERS = st.lists(st.tuples(st.sampled_from([PYTHON, NGINX]), PAGES, PAGES), min_size=1, max_size=4)
PROFILES = CONTAINERS.map(
    lambda each: profile(
        sight(
            runs(f"c{number}", program, libc=tuple(one), libssl=tuple(two))
            for number, (program, one, two) in enumerate(each)
        ),
        always,
    )
)


@given(PROFILES, PROFILES, PROFILES)
def test_merging_is_associative_and_commutative(one: Profile, two: Profile, three: Profile) -> None:
    assert merge([one, two]) == merge([two, one])
    assert merge([merge([one, two]), three]) == merge([one, merge([two, three])]) == merge([three, two, one])
    assert merge([one]) == one


@given(PROFILES, PROFILES)
def test_merging_adds_up_page_by_page(one: Profile, two: Profile) -> None:
    both = merge([one, two])
    assert both.recordings == 2
    for content in (LIBC, LIBSSL):
        for program in (PYTHON, NGINX):
            (seen, pages), (a, first), (b, second) = (pages_of(each, content, program) for each in (both, one, two))
            assert (seen, Counter(pages)) == (a + b, Counter(first) + Counter(second))


def test_a_profile_s_pages_are_of_4_kib_whatever_the_host_s_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host of 16 KiB pages has four of a profile's in each of its own, as far as the file goes."""
    monkeypatch.setattr("memlint.kernel.recording.PAGE", 16384)
    program = ContentID("p")
    (residency,) = sight([runs("a", program, x=(0, 2))]).residencies
    file = msgspec.structs.replace(residency.file, size=2 * 16384 + 4097)
    seen = sight([runs("a", program, x=(0, 2))])
    seen = msgspec.structs.replace(seen, residencies=(msgspec.structs.replace(residency, file=file),))
    (content,) = profile(seen, never).contents
    assert [run[:2] for run in content.uses[0].runs] == [(0, 4), (8, 2)]
