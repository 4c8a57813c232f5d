"""What well-known base images bring: the runtime they are made for, and the directories it lies in."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.paths import is_below, is_data, is_library

if TYPE_CHECKING:
    from memlint.dockerfile.reference import BaseImage


class Runtime(msgspec.Struct, frozen=True):
    """A runtime as its images have it.

    - `roots`: the directories below which its programs and libraries lie; but for /usr/local nobody else's do.
    - `programs`: the names of its programs in a `bin` below a root.
    - `libraries`: below /usr/local, paths of its libraries from there, as patterns, each number in them a 0.
    - `packages`: what packages of the distribution that bring another build of it are called.
    """

    name: str
    roots: tuple[str, ...]
    programs: frozenset[str] = frozenset()
    packages: str = r"(?!)"
    libraries: tuple[str, ...] = ()


def _runtime(name: str, roots: str, programs: str = "", packages: str = r"(?!)", libraries: str = "") -> Runtime:
    return Runtime(name, tuple(roots.split()), frozenset(programs.split()), packages, tuple(libraries.split()))


_SHARED_ROOT = "/usr/local"


_PYTHON = _runtime(
    "Python",
    "/usr/local",
    "python python3",
    r"python3?(?:\.\d+)?(?:-(?!doc|docs|examples)[a-z0-9.+-]+)?|py3-[a-z0-9._+-]+",
    "lib/libpython0.so lib/libpython0.0.so lib/libpython0.0.so.0.0 lib/python0.0/lib-dynload/*.so",
)
_NODE = _runtime("Node.js", "/usr/local", "node", r"nodejs(?:-current|-lts)?|npm")
_RUBY = _runtime(
    "Ruby",
    "/usr/local",
    "ruby",
    r"ruby(?:\d\.\d)?(?:-(?:full|dev|bundler))?|ruby-bundler|bundler",
    "lib/libruby.so lib/libruby.so.0.0 lib/libruby.so.0.0.0",
)
_PHP = _runtime("PHP", "/usr/local", "php php-fpm", r"php(?:\d(?:\.?\d)?)?(?:-(?:cli|fpm|common|mysql|curl|gd|xml))?")
_JAVA = r"default-j(?:re|dk)(?:-headless)?|openjdk-?\d+(?:-j(?:re|dk))?(?:-headless)?|java-[\d.]+-openjdk(?:-headless)?"
_CONDA = _runtime("conda", "/opt/conda", "python python3")

_RUNTIMES: dict[str, Runtime] = {
    "python": _PYTHON,
    "node": _NODE,
    "ruby": _RUBY,
    "php": _PHP,
    "golang": _runtime("Go", "/usr/local/go", "go gofmt", r"golang(?:-go)?"),
    "rust": _runtime("Rust", "/usr/local/cargo /usr/local/rustup", "cargo rustc rustup", r"rustc|cargo|rust"),
    "perl": _runtime("Perl", "/usr/local", "perl"),
    "httpd": _runtime("Apache httpd", "/usr/local/apache2", "httpd"),
    "haproxy": _runtime("HAProxy", "/usr/local", "haproxy"),
    "memcached": _runtime("memcached", "/usr/local", "memcached"),
    "redis": _runtime("Redis", "/usr/local", "redis-server redis-cli"),
    "valkey": _runtime("Valkey", "/usr/local", "valkey-server valkey-cli"),
    "traefik": _runtime("Traefik", "/usr/local", "traefik"),
    "erlang": _runtime("Erlang", "/usr/local", "erl"),
    "elixir": _runtime("Erlang", "/usr/local", "erl"),
    "julia": _runtime("Julia", "/usr/local/julia", "julia"),
    "openjdk": _runtime("Java", "/usr/local/openjdk /usr/java", "java", _JAVA),
    "eclipse-temurin": _runtime("Java", "/opt/java", "java", _JAVA),
    "amazoncorretto": _runtime("Java", "/usr/lib/jvm", "java", _JAVA),
    "tomcat": _runtime("Java", "/usr/local/tomcat /opt/java /usr/local/openjdk", "java", _JAVA),
    "continuumio/miniconda3": _CONDA,
    "continuumio/anaconda3": _CONDA,
    "condaforge/miniforge3": _CONDA,
    "condaforge/mambaforge": _CONDA,
    "mambaorg/micromamba": _CONDA,
    "pytorch/pytorch": _CONDA,
    "elasticsearch": _runtime("Elasticsearch", "/usr/share/elasticsearch", "java"),
    "kibana": _runtime("Kibana", "/usr/share/kibana", "node"),
    "logstash": _runtime("Logstash", "/usr/share/logstash", "java"),
}
_VENDOR = r"(?:docker\.elastic\.co/\w+/|public\.ecr\.aws/docker/library/|mirror\.gcr\.io/library/)"


def runtime_of(base: BaseImage | None) -> Runtime | None:
    """The runtime that a base image brings, if it is one of those known here."""
    if base is None:
        return None
    repository = re.sub(_VENDOR, "", base.repository)
    if repository.startswith(("quay.io/jupyter/", "jupyter/")):
        return _CONDA
    return _RUNTIMES.get(repository)


def brings(runtime: Runtime | None, path: str) -> bool:
    """Whether a path is one of the runtime's own programs or libraries."""
    if runtime is None or not any(is_below(path, root) for root in runtime.roots):
        return False
    directory, _, name = path.rpartition("/")
    if is_library(name):
        return _is_its_own(runtime, path) or any(fnmatchcase(_zeroed(name), each) for each in _in(runtime, directory))
    stem = re.sub(r"[\d.]+\Z", "", name)
    return _holds_commands(directory) and stem in {re.sub(r"\d+\Z", "", each) for each in runtime.programs}


def brings_matching(runtime: Runtime | None, pattern: str) -> bool:
    """Whether a pattern in the last part of a path finds programs or libraries of the runtime."""
    directory, _, name = pattern.rpartition("/")
    if runtime is None or not any(is_below(directory, root) for root in runtime.roots):
        return False
    if ".so" in name and _is_its_own(runtime, directory):
        return True
    names = [*_in(runtime, directory), *(map(_zeroed, runtime.programs) if _holds_commands(directory) else ())]
    return any(fnmatchcase(each.replace("*", "x"), _zeroed(name)) for each in names)


def _holds_commands(directory: str) -> bool:
    return directory.endswith(("/bin", "/sbin"))


def _is_its_own(runtime: Runtime, path: str) -> bool:
    return any(root != _SHARED_ROOT and is_below(path, root) for root in runtime.roots)


def _in(runtime: Runtime, directory: str) -> list[str]:
    """The names, as patterns, of its libraries directly in a directory that others use, too."""
    parted = (each.rpartition("/") for each in runtime.libraries)
    return [name for below, _, name in parted if f"{_SHARED_ROOT}/{below}" == _zeroed(directory)]


def _zeroed(text: str) -> str:
    """Without the versions."""
    return re.sub(r"\d+", "0", text)


def holds_runtime(runtime: Runtime | None, directory: str) -> bool:
    """Whether the runtime's programs or libraries lie in a directory."""
    if runtime is None:
        return False
    return any(is_below(root, directory) or _holds(root, directory) for root in runtime.roots)


def _holds(root: str, directory: str) -> bool:
    """/usr/local is nobody's own: only where programs and libraries lie in it, and no others were installed."""
    below = directory.removeprefix(root).split("/")[1:]
    if not is_below(directory, root) or is_data("/".join(below)):
        return False
    if root != _SHARED_ROOT:
        return True
    return below[0] in ("bin", "sbin", "lib", "libexec") and not {"site-packages", "dist-packages"}.intersection(below)


def brings_again(runtime: Runtime, package: str) -> bool:
    """Whether a package of the distribution is another build of the runtime, or needs one."""
    return re.fullmatch(runtime.packages, package) is not None
