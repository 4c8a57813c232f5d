"""What the name of a base image tells for certain: its repository, tag and digest, and by firm conventions its system.

The conventions are those of the official images and of the vendors named below; for any other name only what its tag
spells out (`-alpine3.20`, `-bookworm`, `-ubi9`) is taken.
"""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec

_NAME = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}"
_DOCKER_HUB = frozenset(("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"))
_MIRRORS = ("mirror.gcr.io/library/", "public.ecr.aws/docker/library/")

GLIBC, MUSL = "glibc", "musl"


class BaseImage(msgspec.Struct, frozen=True):
    """A reference in its shortest form: `docker.io/library/debian` is `debian`.

    - `family`: the system's distribution, by its name in os-release ("debian", "ubuntu", "alpine", "rhel", "wolfi" …),
      "windows" or "scratch"; None when the name does not tell.
    - `libc`: "glibc" or "musl"; None when not known, or when there is none.
    - `release`: "bookworm", "jammy", "alpine3.20", "ubi9", "al2023"; None when the name leaves it open.
    - `variant`: the smaller build that it is ("slim", "alpine", "distroless", "minimal", "micro", "chiseled",
      "busybox", "scratch"); "" for a full one, None when not known.
    """

    repository: str
    tag: str | None
    digest: str | None

    @property
    def family(self) -> str | None:
        return _traits(self)[0]

    @property
    def libc(self) -> str | None:
        return _libc(self)

    @property
    def release(self) -> str | None:
        return _traits(self)[1]

    @property
    def variant(self) -> str | None:
        return _traits(self)[2]


def parse_base(text: str) -> BaseImage | None:
    """The image that FROM names; None when the text is no reference (it may still hold a variable)."""
    name, at, digest = text.partition("@")
    path, tag = name, None
    if ":" in name.rpartition("/")[2]:
        path, _, tag = name.rpartition(":")
    repository = _repository(path)
    if (
        not repository
        or (tag is not None and not re.fullmatch(_TAG, tag))
        or (at and not re.fullmatch(_DIGEST, digest))
    ):
        return None
    return BaseImage(repository, tag, digest or None)


def _repository(path: str) -> str | None:
    registry, slash, rest = path.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, rest = "docker.io", path
    if not all(re.fullmatch(_NAME, part) for part in rest.split("/")):
        return None
    registry = registry.lower()
    if registry not in _DOCKER_HUB:
        return f"{registry}/{rest}"
    return rest.removeprefix("library/")


# Systems

DEBIAN = {
    "7": "wheezy",
    "8": "jessie",
    "9": "stretch",
    "10": "buster",
    "11": "bullseye",
    "12": "bookworm",
    "13": "trixie",
    "14": "forky",
}
UBUNTU = {
    "14.04": "trusty",
    "16.04": "xenial",
    "18.04": "bionic",
    "20.04": "focal",
    "22.04": "jammy",
    "22.10": "kinetic",
    "23.04": "lunar",
    "23.10": "mantic",
    "24.04": "noble",
    "24.10": "oracular",
    "25.04": "plucky",
    "25.10": "questing",
}
CODENAMES = {
    **dict.fromkeys((*DEBIAN.values(), "sid"), "debian"),
    **dict.fromkeys(UBUNTU.values(), "ubuntu"),
}
_ALPINE = r"alpine(\d+\.\d+)?(?:\.\d+)?"
_MARKED = (
    r"(?P<rhel>ubi\d+)|(?P<centos>centos\d+)|rocky(?:linux)?(?P<rocky>\d+)|(?P<almalinux>almalinux\d+)"
    r"|(?:oraclelinux|ol)(?P<ol>\d+)|(?:amazonlinux|al)(?P<amzn>20\d\d|2)|(?P<fedora>fedora\d+)"
    r"|ubuntu-?(?P<ubuntu>\d\d\.\d\d)|debian-?(?P<debian>\d+)|(?:cbl-)?(?P<mariner>mariner\d[\d.]*)"
    r"|(?P<azurelinux>azurelinux\d[\d.]*)"
)
_SHORT = {"rocky": "rocky", "ol": "ol", "amzn": "al"}
"""What the release begins with where the tag's own text is not taken."""
_WINDOWS = ("nanoserver", "windowsservercore", "windows")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DEBIAN_BASED = _names("""
    bitnami/minideb buildpack-deps continuumio/anaconda3 continuumio/miniconda3 dart denoland/deno drupal elixir erlang
    gcr.io/google.com/cloudsdktool/cloud-sdk gcr.io/google.com/cloudsdktool/google-cloud-cli golang google/cloud-sdk
    haproxy haskell httpd influxdb joomla julia memcached nginx nginxinc/nginx-unprivileged node oven/bun perl php
    postgis/postgis postgres pypy python r-base redis ruby rust telegraf valkey/valkey
""")
_UBUNTU_BASED = _names("""
    condaforge/mambaforge condaforge/miniforge3 eclipse-temurin jupyter/base-notebook mariadb mongo pytorch/pytorch
    quay.io/jupyter/base-notebook rabbitmq tensorflow/tensorflow mcr.microsoft.com/playwright
""")
_ALPINE_BASED = _names("alpine bash caddy composer docker registry")
_OTHERS = {
    "almalinux": "almalinux",
    "amazoncorretto": "amzn",
    "amazonlinux": "amzn",
    "archlinux": "arch",
    "centos": "centos",
    "fedora": "fedora",
    "kalilinux/kali-rolling": "kali",
    "mcr.microsoft.com/azurelinux/base/core": "azurelinux",
    "mcr.microsoft.com/cbl-mariner/base/core": "mariner",
    "opensuse/leap": "opensuse-leap",
    "opensuse/tumbleweed": "opensuse-tumbleweed",
    "oraclelinux": "ol",
    "photon": "photon",
    "public.ecr.aws/amazonlinux/amazonlinux": "amzn",
    "quay.io/centos/centos": "centos",
    "quay.io/fedora/fedora": "fedora",
    "quay.io/fedora/fedora-minimal": "fedora",
    "registry.fedoraproject.org/fedora": "fedora",
    "registry.fedoraproject.org/fedora-minimal": "fedora",
    "rockylinux": "rocky",
    "rockylinux/rockylinux": "rocky",
}
_VERSIONED = frozenset(_OTHERS) - {"amazoncorretto"}
"""The repositories whose tag is the system's version."""
_DOTNET = {
    "2.1": ("debian", "stretch"),
    "3.1": ("debian", "buster"),
    "5.0": ("debian", "buster"),
    "6.0": ("debian", "bullseye"),
    "7.0": ("debian", "bullseye"),
    "8.0": ("debian", "bookworm"),
    "9.0": ("debian", "bookworm"),
    "10.0": ("ubuntu", "noble"),
}
UBI = r"(?:registry\.access\.redhat\.com|registry\.redhat\.io|redhat)/(?P<release>ubi\d+)(?P<rest>(?:[-/].*)?)"
_DISTROLESS = r"gcr\.io/distroless/.+?(?:-debian(?P<major>\d+))?"
_CHAINGUARD = ("cgr.dev/chainguard/", "cgr.dev/chainguard-private/", "chainguard/")
_GLIBC_FAMILIES = _names("""
    almalinux amzn arch azurelinux centos debian fedora kali mariner ol opensuse-leap opensuse-tumbleweed photon rhel
    rocky ubuntu wolfi
""")
_SMALL = ("slim", "chiseled", "distroless", "minimal", "micro")

Traits = tuple[str | None, str | None, str | None]


def _traits(image: BaseImage) -> Traits:
    """Family, release, variant."""
    repository = unmirrored(image.repository)
    parts = (image.tag or "").split("-")
    for read in (_scratch, _windows, _distroless, _chainguard, _ubi):
        if (traits := read(repository, parts)) is not None:
            return traits
    family, release = _spelled(parts)
    if family is None or release is None:
        known = _by_repository(repository, parts)
        if family in (None, known[0]):
            family, release = known[0], release or known[1]
    return family, release, _variant(repository, parts, family)


def unmirrored(repository: str) -> str:
    """An official image by its own name, where it is taken from a mirror of Docker Hub."""
    for mirror in _MIRRORS:
        repository = repository.removeprefix(mirror)
    return repository


def _scratch(repository: str, _: list[str]) -> Traits | None:
    return {"scratch": ("scratch", None, "scratch"), "busybox": ("busybox", None, "busybox")}.get(repository)


def _windows(repository: str, parts: list[str]) -> Traits | None:
    named = any(part.startswith(_WINDOWS) for part in parts) or repository.startswith("mcr.microsoft.com/windows")
    return ("windows", None, "") if named else None


def _distroless(repository: str, _: list[str]) -> Traits | None:
    match = re.fullmatch(_DISTROLESS, repository)
    return ("debian", DEBIAN.get(match["major"] or ""), "distroless") if match else None


def _chainguard(repository: str, parts: list[str]) -> Traits | None:
    if not repository.startswith(_CHAINGUARD):
        return None
    full = repository.endswith("/wolfi-base") or parts[-1] == "dev"
    return "wolfi", None, "" if full else "distroless"


def _ubi(repository: str, _: list[str]) -> Traits | None:
    match = re.fullmatch(UBI, repository)
    if not match:
        return None
    return "rhel", match["release"], next((name for name in _SMALL if match["rest"].endswith(f"-{name}")), "")


def _spelled(parts: list[str]) -> tuple[str | None, str | None]:
    """What the tag itself names; an Alpine or a codename before a version of another system."""
    for part in reversed(parts):
        if alpine := re.fullmatch(_ALPINE, part):
            return "alpine", _alpine(alpine[1])
        if part in CODENAMES:
            return CODENAMES[part], part
    pairs = [f"{one}-{other}" for one, other in pairwise(parts)]
    for part in (*pairs, *parts):
        if match := re.fullmatch(_MARKED, part):
            return _marked(match)
    return ("debian", None) if "debian" in parts else (None, None)


def _alpine(version: str | None) -> str | None:
    return f"alpine{version}" if version else None


def _marked(match: re.Match[str]) -> tuple[str, str | None]:
    family = match.lastgroup or ""
    text = match[family]
    if family == "ubuntu":
        return family, UBUNTU.get(text)
    if family == "debian":
        return family, DEBIAN.get(text)
    return family, _SHORT.get(family, "") + text


def _by_repository(repository: str, parts: list[str]) -> tuple[str | None, str | None]:
    """What the repository stands for where the tag does not say."""
    version = parts[0]
    if repository.startswith("mcr.microsoft.com/dotnet/"):
        return _DOTNET.get(".".join(version.split(".")[:2]), (None, None))
    if repository == "alpine":
        match = re.match(r"(\d+\.\d+)(?:\.\d+)?\Z", version)
        return "alpine", _alpine(match and match[1])
    if repository in ("debian", "bitnami/minideb"):
        return "debian", DEBIAN.get(version.partition(".")[0])
    if repository == "ubuntu":
        return "ubuntu", UBUNTU.get(version)
    if repository in _OTHERS:
        return _OTHERS[repository], _versioned(repository, version)
    if repository in ("openjdk", "maven"):
        return _java(repository, parts), None
    if repository in _DEBIAN_BASED:
        return "debian", None
    if repository in _UBUNTU_BASED:
        return "ubuntu", None
    return ("alpine" if repository in _ALPINE_BASED else None), None


def _versioned(repository: str, version: str) -> str | None:
    family = _OTHERS[repository]
    major = re.match(r"(?:stream)?(\d+)", version)
    return _SHORT.get(family, family) + major[1] if major and repository in _VERSIONED else None


def _java(repository: str, parts: list[str]) -> str | None:
    """Images of openjdk stand on Debian up to 11, later ones on Oracle Linux; those of maven on many."""
    if "slim" in parts:
        return "debian"
    if repository == "maven":
        if "temurin" in parts:
            return "ubuntu"
        return "amzn" if "amazoncorretto" in parts else None
    if "oracle" in parts or "oraclelinux" in parts:
        return "ol"
    major = re.match(r"\d+", parts[0])
    return ("debian" if int(major[0][:3]) <= 11 else "ol") if major else None


def _variant(repository: str, parts: list[str], family: str | None) -> str | None:
    if family == "alpine":
        return "alpine"
    small = next((name for name in _SMALL if name in parts), None)
    if small is None and repository.endswith("-minimal"):
        small = "minimal"
    return small or ("" if _by_repository(repository, parts)[0] else None)


def _libc(image: BaseImage) -> str | None:
    family, _, variant = _traits(image)
    parts = (image.tag or "").split("-")
    if family == "busybox":
        return next((name for name in (GLIBC, MUSL) if name in parts), None)
    static = image.repository.rpartition("/")[2].partition("-")[0] == "static"
    if variant == "distroless" and static:
        return GLIBC if "glibc" in parts else None
    if family == "alpine":
        return MUSL
    return GLIBC if family in _GLIBC_FAMILIES else None
