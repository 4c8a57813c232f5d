from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_files import owners
from rpm_files import DATABASE, STRINGS, Values, database, header, package

from memlint.model.layer import Package

# The row that rpm 4.18.0 wrote for a package made by rpmbuild: memlint-sample 2:1.4-3 with /etc/sample.conf,
# /usr/bin/sample, /usr/lib64/libsample.so (a symlink) and /usr/lib64/libsample.so.1.
SAMPLE = zlib.decompress(
    base64.b64decode(
        """
        eNqNlcuLXEUUh6t7OjqJiSbMRKMEycJFgnZP3aq6VXUFH2FCnAEfA4mg4CP1nGnsnm67e8IoLpydKwn4F0SyFHQn7gKCK5WAGxFB
        FzEY327ERXSsO/UbMo4iFn3u6a9OnXNPVZ2qSwh5iJDWOULII0luJWTqg6QPJvFJpklujdT/bdK3JGmCr4MPgb8DHwZ/n3QryRHw
        D0nvTXIU/CP4XvBPGH8M/DPi3Qf+FfYHwL/BTsG/I54A/wH7o+A/waczt1qIt5R1q7ZNJTkH3gteAe/D+CH4NqzP6+D9mRunwAey
        bjwDvgP27XgHwa+BZ3N+jQvI7zD834P9Loy/DPsR2K/kPFt3w/4l+J7MzfvBx3P85kn4P5b9mwuID93czncR/tv5or/Zg/+zsA/B
        z8G+jvHPw/4G+AXw+8jHIp/P4O/BX4AD+CtwBF8F98DXwBO8/wbet5b11H7w+fz+qaO5hmfegv149p/5KMebQn3NXMV4Bv4G4yfg
        67CvZ240YP8YvAfn6Uo+T40DiP817Icyb9VZXZ+/IM/HMZ890Nv1eSf0WfQv79iXmrf3qd6Hxjzph36vuzppj01/2Auk6AjCt85y
        c5yO9ktTb16wa92eD6O6b/aJxbPk6dXxMLhu7AZPkuvaOlkdmJFbwR3QhNxe641LG5cubm5cgm0r3k4x3JRBFWWkzpVKGMUdj5UN
        1krrmIicxehLK5XlWjEhHHMVrbxRqjKFUJpQJrlmVaUrK6OvShEVs8ZEFp0UKURgkRZeVswLHxSrtAxGUx1lSD4FT8WilWA6upIx
        TbnnBZUpI+sCd5HyGIQqaSUlL0IZqLLWK0OjD5I64SIrnUqz6nVtXr7OeNApyL+00WAw+T+Pv+9GO+1Gm3fGI9cZDft1nM1dbdfu
        1Ru8b1uSS0rs+PygPxyF8Tj4091eeNL0w/gEga3uOdVdDuPJzb4l80pvYLYGjxfM+bA0CrG7foLwDk3ZFER0ZIdu6fwsdIfi7v+H
        NHE3trAM0+zBrSmRm9+LXC9YPjdYjQRz2bmou1d4LkzcHJlbG4/mbHcV/9IYKeZI+yl2rL1M3LA7IMuvdoekQn22fbBds9rONfuf
        rc6LnDwzv7h4bBLWJzn3tUlsa8KsCsaWhXCV8Fa7QqtCa6a0j1pWjitTllo6IWkql8CoY4X1XhahKmRhRa6O6Sgsp4YrlYo/Bitd
        EU2hmBKU2ehd8KYUzBWGV0pU1GrNpa8CNcJTH7it78D8Id7cvHEZH+JEH55598WHVxZelp/Pvt2/+En/08pS5stUuqUsNUsHKv2k
        FCI4W8TSUitKUUmrSNQxUMurovCxEjFKw6NjZSkCjVSn6aQTw5WWvOLM0MoJJaQ12honS0qLEmcbV8A79b7X/BfAjF00
        """
    )
)


def test_a_row_that_rpm_wrote() -> None:
    paths = ["etc/sample.conf", "usr/bin/sample", "usr/lib64/libsample.so", "usr/lib64/libsample.so.1"]
    sample = Package("memlint-sample", "2:1.4-3", "rpm")
    assert owners({DATABASE: database(SAMPLE)}, [*paths, "etc/other"]) == dict.fromkeys(paths, sample)


@pytest.mark.parametrize(
    ("values", "path", "version"),
    [
        (package("a", ["/usr/lib64/"], [(0, "a.so")]), "usr/lib64/a.so", "1.4-3.fc40"),
        (package("a", ["/usr/lib64/"], [(0, "a.so")], epoch=0), "usr/lib64/a.so", "0:1.4-3.fc40"),
        (package("a", ["/", "/lib64/"], [(0, "x"), (1, "a.so"), (0, "y")]), "usr/lib64/a.so", "1.4-3.fc40"),
        (package("a", ["/", "/lib64/"], [(0, "x"), (1, "a.so"), (0, "y")]), "y", "1.4-3.fc40"),
        (package("a", [], []) | {1027: (STRINGS, ["/sbin/a", "/sbin/b"])}, "sbin/b", "1.4-3.fc40"),
    ],
    ids=["plain", "epoch", "merged", "root", "old names"],
)
def test_a_file_has_the_version_of_the_header(values: Values, path: str, version: str) -> None:
    assert owners({DATABASE: database(header(values))}, [path]) == {path: Package("a", version, "rpm")}


names = st.text("abc.+-_é", min_size=1, max_size=9)


@given(st.dictionaries(names, st.lists(st.tuples(st.integers(0, 2), names), unique=True)))
def test_what_a_database_lists_is_found_again(fleet: dict[str, list[tuple[int, str]]]) -> None:
    directories = {name: [f"/opt/{name}/{i}/" for i in range(3)] for name in fleet}
    blobs = [header(package(name, directories[name], files)) for name, files in fleet.items()]
    listed = {f"opt/{name}/{i}/{base}": name for name, files in fleet.items() for i, base in files}
    assert owners({DATABASE: database(*blobs)}, listed) == {
        path: Package(name, "1.4-3.fc40", "rpm") for path, name in listed.items()
    }
