"""What the name of a base image tells for certain: its repository, tag and digest, and by firm conventions its system.

The conventions are those of the official images and of the vendors named below; for any other name only what its tag
spells out (`-alpine3.20`, `-bookworm`, `-ubi9`) is taken.
"""

from __future__ import annotations

import re

import msgspec

_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
_DOCKER_HUB = frozenset(("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"))
_MIRRORS = ("mirror.gcr.io/library/", "public.ecr.aws/docker/library/")

GLIBC, MUSL = "glibc", "musl"


class BaseImage(msgspec.Struct, frozen=True):
    """A reference in its shortest form: `docker.io/library/debian` is `debian`.

    - `family`: the system's distribution, by its name in os-release ("debian", "ubuntu", "alpine", "rhel", "wolfi" …),
      "windows" or "scratch"; None when the name does not tell.
    - `libc`: "glibc" or "musl"; None when not known, or when there is none.
    - `release`: "bookworm", "jammy", "alpine3.20", "ubi9", "fedora40"; None when the name leaves it open.
    - `variant`: the smaller build of a family that it is ("slim", "alpine", "distroless", "minimal", "micro", "chiseled",
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
    if at and not _DIGEST.fullmatch(digest):
        return None
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        path, tag = name, ""
    if colon and "/" not in name.rpartition(":")[2] and not _TAG.fullmatch(tag):
        return None
    repository = _repository(path)
    return BaseImage(repository, tag or None, digest or None) if repository else None


def _repository(path: str) -> str | None:
    registry, slash, rest = path.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, rest = "docker.io", path
    if not all(_NAME.fullmatch(part) for part in rest.split("/")):
        return None
    registry = registry.lower()
    if registry not in _DOCKER_HUB:
        return f"{registry}/{rest}"
    official = rest.removeprefix("library/")
    return official if "/" not in official else rest


# Systems

_DEBIAN = {
    "7": "wheezy",
    "8": "jessie",
    "9": "stretch",
    "10": "buster",
    "11": "bullseye",
    "12": "bookworm",
    "13": "trixie",
    "14": "forky",
}
_UBUNTU = {
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
_CODENAMES = {name: "debian" for name in (*_DEBIAN.values(), "sid")} | {name: "ubuntu" for name in _UBUNTU.values()}
_ALPINE = re.compile(r"alpine(\d+\.\d+)?(?:\.\d+)?")
_MARKED = re.compile(
    r"(?P<ubi>ubi[789])|(?P<centos>centos\d+)|(?P<rockylinux>rockylinux\d+)|(?P<almalinux>almalinux\d+)"
    r"|(?P<oraclelinux>oraclelinux\d+|ol\d+)|(?P<amzn>al20\d\d|amazonlinux(?:20\d\d|2)?)|(?P<fedora>fedora\d+)"
    r"|(?P<ubuntu>ubuntu(?P<release>\d\d\.\d\d))|(?P<mariner>cbl-mariner\d[\d.]*)|(?P<azurelinux>azurelinux\d[\d.]*)"
)
_WINDOWS = ("nanoserver", "windowsservercore", "windows")

_DEBIAN_BASED = frozenset(
    "buildpack-deps clojure dart drupal elixir erlang golang haproxy haskell httpd influxdb joomla julia memcached mono nginx"
    " node perl php postgres pypy python r-base redis ruby rust valkey wordpress nginxinc/nginx-unprivileged oven/bun"
    " denoland/deno continuumio/miniconda3 continuumio/anaconda3 bitnami/minideb postgis/postgis".split()
)
_SLIM_TAGS = frozenset("elixir erlang haskell node openjdk perl pypy python ruby rust oven/bun".split())
_UBUNTU_BASED = frozenset(
    "eclipse-temurin mariadb mongo rabbitmq condaforge/mambaforge condaforge/miniforge3 tensorflow/tensorflow"
    " pytorch/pytorch mcr.microsoft.com/playwright quay.io/jupyter/base-notebook jupyter/base-notebook".split()
)
_ALPINE_BASED = frozenset("alpine bash caddy composer docker registry".split())
_PLAIN = {
    "almalinux": "almalinux",
    "amazoncorretto": "amzn",
    "amazonlinux": "amzn",
    "public.ecr.aws/amazonlinux/amazonlinux": "amzn",
    "archlinux": "arch",
    "centos": "centos",
    "fedora": "fedora",
    "kalilinux/kali-rolling": "kali",
    "opensuse/leap": "opensuse-leap",
    "opensuse/tumbleweed": "opensuse-tumbleweed",
    "oraclelinux": "ol",
    "photon": "photon",
    "rockylinux": "rocky",
    "rockylinux/rockylinux": "rocky",
    "registry.fedoraproject.org/fedora": "fedora",
    "registry.fedoraproject.org/fedora-minimal": "fedora",
    "quay.io/fedora/fedora": "fedora",
    "quay.io/fedora/fedora-minimal": "fedora",
    "quay.io/centos/centos": "centos",
    "mcr.microsoft.com/cbl-mariner/base/core": "mariner",
    "mcr.microsoft.com/azurelinux/base/core": "azurelinux",
}
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
_UBI = re.compile(r"(?:registry\.access\.redhat\.com|registry\.redhat\.io|redhat)/ubi(?P<major>\d+)(?P<rest>(?:[-/].*)?)")
_DISTROLESS = re.compile(r"gcr\.io/distroless/(?P<name>.+?)(?:-debian(?P<major>\d+))?")
_GLIBC_FAMILIES = frozenset(
    "almalinux amzn arch azurelinux centos debian fedora kali mariner ol opensuse-leap opensuse-tumbleweed photon rhel rocky ubuntu"
    " wolfi".split()
)

Traits = tuple[str | None, str | None, str | None]
_UNKNOWN: Traits = (None, None, None)


def _traits(image: BaseImage) -> Traits:
    """Family, release, variant."""
    repository = _unmirrored(image.repository)
    tag = image.tag or ""
    if repository == "scratch":
        return "scratch", None, "scratch"
    parts = tag.split("-")
    if any(part.startswith(_WINDOWS) for part in parts) or repository.startswith("mcr.microsoft.com/windows"):
        return "windows", None, ""
    for read in (_distroless, _chainguard, _ubi, _busybox):
        if (traits := read(repository, tag)) is not None:
            return traits
    family, release = _spelled(parts)
    if family is None or release is None:
        family, release = _by_repository(repository, tag, family)
    if family is None and repository not in _DEBIAN_BASED and not _alpine_based(repository):
        return None, None, "slim" if "slim" in parts else None
    return family, release, _variant(repository, parts, family)


def _unmirrored(repository: str) -> str:
    for mirror in _MIRRORS:
        repository = repository.removeprefix(mirror)
    return repository


def _distroless(repository: str, tag: str) -> Traits | None:
    match = _DISTROLESS.fullmatch(repository)
    if not match:
        return None
    return "debian", _DEBIAN.get(match["major"] or ""), "distroless"


def _chainguard(repository: str, tag: str) -> Traits | None:
    if repository.startswith(("cgr.dev/chainguard/", "chainguard/", "cgr.dev/chainguard-private/")):
        full = repository.endswith("/wolfi-base") or tag == "latest-dev" or tag.endswith("-dev")
        return "wolfi", None, "" if full else "distroless"
    return None


def _ubi(repository: str, tag: str) -> Traits | None:
    match = _UBI.fullmatch(repository)
    if not match:
        return None
    kind = match["rest"].rpartition("ubi-")[2] if "ubi-" in match["rest"] else match["rest"].lstrip("-/")
    small = next((name for name in ("minimal", "micro") if kind == name or kind.endswith(f"-{name}")), "")
    return "rhel", f"ubi{match['major']}", small


def _busybox(repository: str, tag: str) -> Traits | None:
    return ("busybox", None, "busybox") if repository == "busybox" else None


def _spelled(parts: list[str]) -> tuple[str | None, str | None]:
    """What the tag itself names: the last of its parts that is a system decides."""
    for part in reversed(parts):
        alpine = _ALPINE.fullmatch(part)
        if alpine:
            return "alpine", f"alpine{alpine[1]}" if alpine[1] else None
        if part in _CODENAMES:
            return _CODENAMES[part], part
    marked = next((match for part in _joined(parts) if (match := _MARKED.fullmatch(part))), None)
    return _marked(marked) if marked else (None, None)


def _joined(parts: list[str]) -> list[str]:
    """The parts, and pairs of neighbours: `cbl-mariner2.0` holds a dash itself."""
    return [*parts, *(f"{one}-{other}" for one, other in zip(parts, parts[1:], strict=False))]


_KINDS = {"ubi": "rhel", "rockylinux": "rocky", "oraclelinux": "ol"}


def _marked(match: re.Match[str]) -> tuple[str, str | None]:
    kind = next(name for name, value in match.groupdict().items() if value and name != "release")
    if kind == "ubuntu":
        return "ubuntu", _UBUNTU.get(match["release"])
    text = match.group()
    if kind == "oraclelinux":
        text = "ol" + text.lstrip("oraclelinux")
    return _KINDS.get(kind, kind), text


def _by_repository(repository: str, tag: str, family: str | None) -> tuple[str | None, str | None]:
    """What the repository stands for when the tag leaves something open; `family` is what the tag tells."""
    version = tag.partition("-")[0]
    if repository.startswith("mcr.microsoft.com/dotnet/") and family is None:
        return _DOTNET.get(".".join(version.split(".")[:2]), (None, None))
    if repository == "alpine":
        match = re.match(r"(\d+\.\d+)(?:\.\d+)?\Z", tag)
        return "alpine", f"alpine{match[1]}" if match else None
    if family is not None:
        return family, None
    if repository in ("debian", "bitnami/minideb"):
        return "debian", _DEBIAN.get(version.partition(".")[0])
    if repository == "ubuntu":
        return "ubuntu", _UBUNTU.get(version)
    if repository in _PLAIN:
        major = re.match(r"(?:stream)?(\d+)", version)
        return _PLAIN[repository], f"{_PLAIN[repository]}{major[1]}" if major else None
    if repository in _DEBIAN_BASED:
        return "debian", None
    if repository in _UBUNTU_BASED:
        return "ubuntu", None
    if _alpine_based(repository):
        return "alpine", None
    return None, None


def _alpine_based(repository: str) -> bool:
    return repository in _ALPINE_BASED


def _variant(repository: str, parts: list[str], family: str | None) -> str | None:
    if family == "alpine":
        return "alpine"
    for name in ("slim", "chiseled", "distroless", "minimal", "micro"):
        if name in parts:
            return name
    if repository.endswith("-minimal"):
        return "minimal"
    return ""


def _libc(image: BaseImage) -> str | None:
    family, _, variant = _traits(image)
    tag = image.tag or ""
    parts = tag.split("-")
    if family == "busybox":
        return next((name for name in (GLIBC, MUSL) if name in parts), None)
    static = image.repository.rpartition("/")[2].partition("-")[0] == "static"
    if variant == "distroless" and static:
        return GLIBC if "glibc" in parts else None
    if family == "alpine":
        return MUSL
    return GLIBC if family in _GLIBC_FAMILIES else None
