"""One fleet through every transport: the same report, to the byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Memlint
from .daemons import Daemon, need, podman, without
from .fleet import NAMES
from .recorder import Recorder, recording
from .transports import as_docker_25, media_types, skopeo

pytestmark = pytest.mark.integration


def references(form: str) -> list[str]:
    """Every image of the fleet as `form` writes it; `tag` is its name less the slash that layouts refuse."""
    return [form.format(name=name, tag=name.replace("/", "-")) for name in NAMES]


def copy(source: str, target: str, *options: str) -> None:
    """Copy every image of the fleet between two forms of reference."""
    for one, other in zip(references(source), references(target), strict=True):
        skopeo(one, other, *options)


def normalised(report: str) -> str:
    """`report` with what the user or the transport calls each image replaced by its number; no other byte differs."""
    parsed = json.loads(report)
    names = {image["name"]: number for number, image in enumerate(parsed["images"])}
    for number, image in enumerate(parsed["images"]):
        report = report.replace(json.dumps(image["ref"]), f'"image {number}"')
    report = re.sub(r'("ref": "image \d+",\s*"name": )"[^"]*"', r'\1"-"', report)
    # texts of findings speak of images by name, and their fingerprints follow what the image is called
    body, findings = report.split('\n  "findings": ')
    findings = re.sub(r'("fingerprint": )"[0-9a-f]+"', r'\1"-"', findings)
    for name in sorted(names, key=len, reverse=True):
        findings = re.sub(
            rf"(layer \d+ of |\"image\": \")({re.escape(name)})(?![\w.:-])", rf"\1<{names[name]}>", findings
        )
    return body + findings


@pytest.fixture(scope="module")
def expected(docker: Daemon, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report from the overlay2 directories, read in place."""
    memlint = Memlint(tmp_path_factory.mktemp("expected"), docker.host)
    return normalised(memlint.json(*references("docker-daemon:{name}")))


@pytest.fixture
def recorder(docker: Daemon, tmp_path: Path) -> Iterator[Recorder]:
    """The tests' daemon, listened to."""
    with recording(tmp_path / "sock", docker.socket) as recorder:
        yield recorder


@pytest.fixture(scope="module")
def layout(home: Path, saved: Path) -> Path:
    """skopeo's copy to an OCI layout, its layers compressed by gzip."""
    need("skopeo")
    layout = home / "layout"
    copy(f"docker-archive:{saved}:{{name}}:latest", f"oci:{layout}:{{tag}}", "--dest-compress-level", "1")
    return layout


def test_the_daemons_directories_are_read_in_place(memlint: Memlint, recorder: Recorder, expected: str) -> None:
    report = memlint.json(*references("docker-daemon:{name}"), host=recorder.host)
    assert normalised(report) == expected
    assert recorder.asked()
    assert not recorder.streams()


def test_a_daemon_elsewhere_is_read_through_one_stream(
    memlint: Memlint, recorder: Recorder, docker: Daemon, expected: str
) -> None:
    report = memlint.json(*references("docker-daemon:{name}"), host=recorder.host, before=without(docker.home / "data"))
    assert normalised(report) == expected
    assert len(recorder.streams()) == 1


def test_a_forbidden_data_root_is_read_through_one_stream(
    memlint: Memlint, recorder: Recorder, docker: Daemon, expected: str
) -> None:
    data = docker.home / "data"
    mode = data.stat().st_mode
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    data.chmod(0)  # dockerd itself may still pass: it is root with all capabilities
    try:
        report = memlint.json(*references("docker-daemon:{name}"), host=recorder.host, before=powerless)
    finally:
        data.chmod(mode)
    assert normalised(report) == expected
    assert len(recorder.streams()) == 1


@pytest.mark.parametrize("first", ["in place", "streamed"])
def test_nothing_is_read_when_all_is_cached(
    memlint: Memlint, recorder: Recorder, docker: Daemon, expected: str, first: str
) -> None:
    elsewhere = without(docker.home / "data")
    memlint.json(*references("docker-daemon:{name}"), before=elsewhere if first == "streamed" else [])
    report = memlint.json(*references("docker-daemon:{name}"), host=recorder.host, before=elsewhere)
    assert normalised(report) == expected
    assert recorder.asked()
    assert not recorder.streams()


def test_docker_archive(memlint: Memlint, saved: Path, expected: str) -> None:
    assert normalised(memlint.json(*references(f"docker-archive:{saved}:{{name}}:latest"))) == expected


def test_docker_archive_through_a_pipe(memlint: Memlint, saved: Path) -> None:
    """Without names all of the archive's images are meant, in its order, through a pipe as through a file."""
    pipe = ["sh", "-c", 'cat "$0" | "$@"', str(saved)]
    piped = memlint.json("docker-archive:/dev/stdin", before=pipe)
    assert normalised(piped) == normalised(memlint.json(f"docker-archive:{saved}"))


def test_docker_archive_of_docker_25(memlint: Memlint, saved: Path, scratch: Path, expected: str) -> None:
    archive = scratch / "saved25.tar"
    as_docker_25(saved, archive)
    assert normalised(memlint.json(*references(f"docker-archive:{archive}:{{name}}:latest"))) == expected


def test_oci_with_gzip(memlint: Memlint, layout: Path, expected: str) -> None:
    assert media_types(layout) == {"application/vnd.oci.image.layer.v1.tar+gzip"}
    assert normalised(memlint.json(*references(f"oci:{layout}:{{tag}}"))) == expected


def test_oci_with_zstd(memlint: Memlint, saved: Path, scratch: Path, expected: str) -> None:
    need("skopeo")
    copy(f"docker-archive:{saved}:{{name}}:latest", f"oci:{scratch}:{{tag}}", "--dest-compress-format", "zstd")
    assert media_types(scratch) == {"application/vnd.oci.image.layer.v1.tar+zstd"}
    assert normalised(memlint.json(*references(f"oci:{scratch}:{{tag}}"))) == expected


def test_oci_archive(memlint: Memlint, layout: Path, scratch: Path, expected: str) -> None:
    copy(f"oci:{layout}:{{tag}}", f"oci-archive:{scratch}/{{tag}}.tar:v1")
    assert normalised(memlint.json(*references(f"oci-archive:{scratch}/{{tag}}.tar:v1"))) == expected


def test_podman(memlint: Memlint, saved: Path, home: Path, expected: str) -> None:
    place = home / "podman"
    place.mkdir()
    with podman(place) as daemon:
        daemon.docker("load", "--input", str(saved))
        images = references("docker-daemon:localhost/{name}")
        assert json.loads(memlint.json(*images, host=daemon.host))["storage"] == "containers-storage-overlay"
        report = memlint.json(*images, "--storage", "overlay2", host=daemon.host)
    assert normalised(report) == expected
