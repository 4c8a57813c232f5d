"""The images under test: every cause of a duplicate and every way of hiding a file, built in on purpose."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from textwrap import dedent

from support.lacking import lacking

from .daemons import Daemon

LIBRARIES = "usr/lib/x86_64-linux-gnu"
LIBC = f"{LIBRARIES}/libc.so.6"
LIBCRYPTO = f"{LIBRARIES}/libcrypto.so.3"
OPENSSL = "usr/bin/openssl"

_CLEAN = "rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin"

# Later ones stand on earlier ones. debian:12 and debian:12b are one root file system, imported twice.
DOCKERFILES = {
    "fleet/base": f"""
        FROM debian:12
        RUN apt-get update && apt-get install -y --no-install-recommends openssl python3-minimal && {_CLEAN}
        CMD ["/usr/bin/python3", "-V"]
    """,
    "fleet/api": """
        FROM fleet/base
        COPY app.py /srv/
        ENTRYPOINT ["python3", "/srv/app.py"]
    """,
    # The packages of fleet/base on another chain, by an instruction of another wording.
    "fleet/worker": f"""
        FROM debian:12
        COPY app.py /srv/
        RUN apt-get -q update; apt-get -qy --no-install-recommends install python3-minimal openssl; {_CLEAN}
        CMD openssl speed
    """,
    "fleet/drift": """
        FROM debian:12b
        COPY app.py /srv/
    """,
    "fleet/chmod": """
        FROM fleet/base
        RUN chmod -R a+rX /usr/bin
    """,
    # The context's fixed times make this layer's diff ID the same on both parents.
    "fleet/tool": """
        FROM debian:12
        COPY tree/ /
    """,
    "fleet/tool-on-base": """
        FROM fleet/base
        COPY tree/ /
    """,
    "fleet/vendored": f"""
        FROM fleet/base
        RUN mkdir -p /opt/vendor/lib && cp /{LIBCRYPTO} /opt/vendor/lib/
    """,
    # A whiteout; an opaque directory; a file, a directory and a link to one, each replaced by another kind.
    "fleet/hidden": f"""
        FROM fleet/base
        RUN rm /{LIBRARIES}/libexpat.so.1*
        RUN mkdir /opt/dir && cp /bin/tar /opt/dir/gone && cp /bin/tar /opt/file && ln -s /bin /opt/link
        RUN rm -rf /opt/dir && mkdir /opt/dir && cp /usr/bin/find /opt/dir/new
        RUN rm /opt/file && mkdir /opt/file && cp /usr/bin/grep /opt/file/inner
        RUN rm /opt/link && mkdir /opt/link && cp /usr/bin/sed /opt/link/tar
    """,
    # And back again: what was a directory with files is a file, what was a file is an empty directory.
    "fleet/hidden-again": """
        FROM fleet/hidden
        RUN rm -rf /opt/dir /opt/file && cp /usr/bin/find /opt/dir && mkdir /opt/file
    """,
    # Names of one inode in one layer; upper layers take one away, change one, and link to a file from below.
    "fleet/links": f"""
        FROM fleet/base
        RUN cp /usr/bin/tar /opt/first && ln /opt/first /opt/second && ln /opt/first /opt/third
        RUN rm /opt/first && (cat /usr/bin/sed; echo) > /opt/fourth && ln /opt/fourth /opt/fifth
        RUN ln /{OPENSSL} /opt/sixth && chmod 700 /opt/second
    """,
}
# The same instruction on the same parent, run twice: the stamp makes the two layers' diff IDs differ.
REBUILT = f"""
    FROM fleet/base
    RUN (cat /{OPENSSL}; echo rebuilt) > /opt/rebuilt && date +%s.%N > /opt/stamp
"""
REBUILDS = ("fleet/rebuilt-monday", "fleet/rebuilt-tuesday")

NAMES = (*DOCKERFILES, *REBUILDS)
"""Every image of the fleet."""


def build(daemon: Daemon, rootfs: Path, context: Path) -> None:
    """Build all images of the fleet into `daemon`."""
    _import(daemon, rootfs, "2024-01-01", "debian:12")
    _import(daemon, rootfs, "2024-02-01", "debian:12b")
    _fill(context, rootfs)
    for name, dockerfile in DOCKERFILES.items():
        build_image(daemon, context, name, dockerfile)
    for name in REBUILDS:
        build_image(daemon, context, name, REBUILT, "--no-cache")


def bootstrap(rootfs: Path) -> None:
    """A minimal Debian 12 in `rootfs`, installed as this host's own apt is set up to fetch it."""
    command = ["debootstrap", "--variant=minbase", "bookworm", str(rootfs), *_mirror()]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        lacking(f"a working debootstrap:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    settings = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    acquire = [line for line in settings.splitlines() if line.startswith("Acquire::")]
    (rootfs / "etc/apt/apt.conf.d/99host").write_text("\n".join(acquire) + "\n")
    for leftover in (*rootfs.glob("var/cache/apt/archives/*.deb"), *rootfs.glob("var/lib/apt/lists/*_*")):
        leftover.unlink()


def _mirror() -> list[str]:
    """Where this host gets Debian 12 from, if it says so; debootstrap knows a mirror otherwise."""
    asked = ["Identifier: Packages", "Origin: Debian", "Codename: bookworm"]
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", *asked]
    return subprocess.run(command, capture_output=True, text=True).stdout.split()[:1]


def _import(daemon: Daemon, rootfs: Path, day: str, name: str) -> None:
    """`rootfs` as a one-layer image, all dated `day`: another day makes another layer of the same files."""
    pack = ["tar", "-C", str(rootfs), "--sort=name", f"--mtime={day} 00:00Z", "-c", "."]
    with subprocess.Popen(pack, stdout=subprocess.PIPE) as tar:
        daemon.docker("import", "-", name, stdin=tar.stdout)
    assert tar.returncode == 0


def _fill(context: Path, rootfs: Path) -> None:
    """The build context: a text, and a tree with a program that is nowhere else."""
    (context / "app.py").write_text("print('hello')\n")
    tool = context / "tree/opt/tool"
    tool.parent.mkdir(parents=True)
    tool.write_bytes((rootfs / "usr/bin/tar").read_bytes() + b"tool")
    tool.chmod(0o755)
    for path in (tool, *tool.parents[:2]):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def build_image(daemon: Daemon, context: Path, name: str, dockerfile: str, *options: str) -> None:
    """One image, by the daemon's classic builder."""
    (context / "Dockerfile").write_text(dedent(dockerfile))
    proxies = [f"--build-arg={key}" for key in os.environ if key.lower().endswith("_proxy")]
    daemon.docker("build", "--network=host", f"--tag={name}", *proxies, *options, str(context))
