"""What a path inside an image tells of the file there: a program or library, a script, mere data."""

from __future__ import annotations

from posixpath import basename, dirname, normpath

_PROGRAM_DIRECTORIES = {"bin", "sbin", "libexec"}
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr")
_SYSTEM_DATA = ("/usr/share", "/usr/include", "/usr/src", "/usr/local", "/usr/games", "/usr/app")
_SHARED_TREES = ("/", "/usr", "/opt/conda", "/opt/java", "/opt/bitnami")
_LIBRARY_ENDINGS = (".so", ".node", ".a", ".dylib", ".jsa", ".pyd")
_SCRIPT_NAMES = ("entrypoint", "docker-", "wait-for", "start-", "run-", "healthcheck", "startup", "init-")


def join(directory: str | None, path: str) -> str | None:
    """The absolute, normalised form of `path`; None where the directory is not known."""
    if not path.startswith("/"):
        if directory is None:
            return None
        path = f"{directory}/{path}"
    return "/" + normpath(path).lstrip("/").removeprefix(".")


def is_below(path: str, directory: str) -> bool:
    """Whether a path is that directory or lies in it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def is_library(path: str) -> bool:
    """A shared library or native module, by its name."""
    name = basename(path)
    return name.endswith(_LIBRARY_ENDINGS) or ".so." in name


def is_program(path: str) -> bool:
    """A program in a directory of programs, or a library: by its name no script and no data."""
    if is_library(path):
        return True
    return basename(dirname(path)) in _PROGRAM_DIRECTORIES and looks_binary(path)


def looks_binary(path: str) -> bool:
    """A name that programs have: no ending that speaks of text, data or an archive, and no usual name of a script."""
    name = basename(path).lower()
    stem, dot, ending = name.rpartition(".")
    if dot and stem and not ending.isdigit() and ending not in {"exe", "bin", "node", "so"}:
        return False  # python3.11 ends in digits; .sh, .py, .conf, .jar, .tgz do not
    return not any(part in name for part in _SCRIPT_NAMES)


def is_system_file(path: str) -> bool:
    """A file where the base and the distribution's packages put programs and libraries."""
    return any(is_below(path, top) for top in _SYSTEM) and not any(is_below(path, top) for top in _SYSTEM_DATA)


def holds_system_programs(directory: str) -> bool:
    """A directory that holds programs or libraries of any base: `/`, `/usr`, `/usr/bin`, `/lib/x86_64-linux-gnu`, …"""
    if directory in {"/", "/usr"}:
        return True
    tops = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64")
    return directory in tops or directory in {f"/{usr}lib/{cpu}-linux-gnu" for usr in ("", "usr/") for cpu in _CPUS}


_CPUS = ("x86_64", "aarch64")
