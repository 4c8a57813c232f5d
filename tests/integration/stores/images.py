"""The fleet that runs on every store: one Python program on three chains. vfs copies an image per layer: small."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from ..daemons import Daemon
from ..fleet import LIBCRYPTO, build_image

PROGRAM = "usr/bin/python3.11"
NAMES = ("store/a", "store/b", "store/c", "store/d", "store/e")
READY = "memlint-ready"
"""What the program calls itself once its children are started."""

_PROGRAMS = " ".join(f"usr/bin/{name}" for name in ("python3.11", *"dash sh sleep cp ln mkdir chmod cat rm".split()))
_COMMAND = 'ENTRYPOINT ["/usr/bin/python3.11", "-I", "/srv/app.py"]'

# Each on the earlier ones. FROM scratch: the chains are these lines alone.
DOCKERFILES = {
    "store/whole": f"""
        FROM fleet/base
        RUN mkdir /small && ln -s usr/bin usr/lib usr/lib64 /small/ && \\
            cp -a --parents usr/lib/python3.11 {_PROGRAMS} /small/ && \\
            ldd {_PROGRAMS} $(find usr/lib/python3.11 -name "*.so") | grep -oE "\\s/lib\\S+" | sort -u | \\
            while read file; do cp -a --parents usr$file $(readlink -f $file) /small/; done
    """,
    "store/base": """
        FROM scratch
        COPY --from=store/whole /small /
        COPY app.py /srv/
    """,
    "store/a": f"""
        FROM store/base
        COPY a /srv/
        {_COMMAND}
    """,
    # The same layers the other way round: of equal diff IDs, on another chain.
    "store/b": f"""
        FROM scratch
        COPY app.py /srv/
        COPY --from=store/whole /small /
        {_COMMAND}
    """,
    # An opaque directory: what was there before is hidden, and is none of what its name says.
    "store/c": f"""
        FROM store/base
        COPY c /srv/
        RUN mkdir /opt && cp /usr/bin/cat /opt/sleep && cp /usr/bin/cat /opt/nap
        RUN cd / && rm -r opt && mkdir opt && cp /usr/bin/sleep /opt/sleep
        {_COMMAND}
    """,
    # Copies: under two names of one inode, and of a library at another path.
    "store/d": f"""
        FROM store/base
        RUN mkdir -p /opt && cp /usr/bin/sleep /opt/sleep && ln /opt/sleep /opt/nap && cp /{LIBCRYPTO} /opt/
        {_COMMAND}
    """,
    # All copied up by the first layer; by the second another file again, of two names.
    "store/e": f"""
        FROM store/a
        RUN chmod -R a+rX /usr
        RUN ln /usr/bin/sleep /usr/bin/doze
        {_COMMAND}
    """,
}

# Its children are what else an image has: the same programs, and a library that is nothing but a copy.
PROGRAM_TEXT = f"""
import os, time
import _hashlib, _ssl

def start(path, **env):
    if os.path.exists(path):
        os.posix_spawn(path, [path, "1000000"], env)

start("/usr/bin/sleep")
start("/usr/bin/doze")
start("/opt/sleep")
start("/opt/nap", LD_PRELOAD="/opt/libcrypto.so.3")
with open("/proc/self/comm", "w") as file:
    file.write("{READY}")
time.sleep(1000000)
"""


def build(daemon: Daemon, context: Path, archive: Path) -> None:
    """All images, built in a `daemon` that has fleet/base, saved to `archive`: all stores get the same chains."""
    (context / "app.py").write_text(PROGRAM_TEXT)
    for name in "ac":
        (context / name).write_text(name)
    for name, dockerfile in DOCKERFILES.items():
        build_image(daemon, context, name, dedent(dockerfile))
    daemon.docker("save", "--output", str(archive), *NAMES)
