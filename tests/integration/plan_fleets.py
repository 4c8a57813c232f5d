"""Three fleets of services that hold the same bytes twice, each for a reason of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from .daemons import Daemon

CLEAN = "rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin"
_LIBRARIES = "/usr/lib/x86_64-linux-gnu"
_VENDORED = "/venv/lib/python3.11/site-packages/demo.libs"
INSTALL = "apt-get update && apt-get install -y --no-install-recommends"
_SLEEP = "import ssl, time; time.sleep(1000000)"


class Fleet(NamedTuple):
    """Services by name, each with its Dockerfile and a word that its container prints once it works."""

    name: str
    dockerfiles: dict[str, str]

    @property
    def images(self) -> list[str]:
        return [f"{self.name}/{service}" for service in self.dockerfiles]


APT = Fleet(
    "apt",
    {
        "api": f"""
            FROM debian:12
            RUN {INSTALL} python3 && {CLEAN}
            COPY app.py /srv/
            CMD ["python3", "/srv/app.py"]
        """,
        # the same by another wording, above the application instead of below it
        "worker": f"""
            # the queue's worker
            FROM debian:12 AS worker
            COPY app.py /srv/
            RUN {INSTALL} \\
                  openssl \\
                  python3 \\
             && {CLEAN}
            CMD ["python3", "/srv/app.py"]
        """,
        # on another service, so on that one's next build
        "cron": """
            FROM apt/api
            COPY app.py /srv/cron.py
            CMD ["python3", "/srv/cron.py"]
        """,
        "web": f"""
            ARG RELEASE=12
            FROM debian:${{RELEASE}}
            RUN {INSTALL} nginx-light && {CLEAN}
            CMD ["nginx", "-g", "daemon off;"]
        """,
        "cache": f"""
            FROM debian:12
            RUN {INSTALL} redis-server && {CLEAN}
            USER redis
            CMD ["redis-server", "--save", "", "--dir", "/tmp"]
        """,
    },
)

DRIFT = Fleet(
    "drift",
    {
        "old": f"""
            FROM debian:12
            RUN {INSTALL} python3 && {CLEAN}
            COPY app.py /srv/
            CMD ["python3", "/srv/app.py"]
        """,
        "new": f"""
            FROM debian:12b
            RUN {INSTALL} python3 && {CLEAN}
            COPY app.py /srv/
            CMD ["python3", "/srv/app.py"]
        """,
        "plain": """
            FROM debian:12b
            CMD ["sleep", "1000000"]
        """,
    },
)

_BUILD = f"""
            FROM debian:12 AS build
            RUN {INSTALL} python3 python3-venv libssl3 && {CLEAN}
            RUN python3 -m venv --without-pip /venv && mkdir -p {_VENDORED} \\
             && (cat {_LIBRARIES}/libcrypto.so.3; echo vendored) > {_VENDORED}/libcrypto-1a2b3c4d.so.3 \\
             && chmod 755 {_VENDORED}/libcrypto-1a2b3c4d.so.3
"""
_LOADS = f"import ctypes, time; ctypes.CDLL('{_VENDORED}/libcrypto-1a2b3c4d.so.3'); {_SLEEP}"

VENDORED = Fleet(
    "vendored",
    {
        "one": f"""
            {_BUILD}
            FROM debian:12
            RUN {INSTALL} python3 && {CLEAN}
            COPY --from=build /venv /venv
            USER nobody
            CMD ["/venv/bin/python", "-c", "{_LOADS}"]
        """,
        # what a plan is not to disturb: SHELL, ONBUILD, a user per stage, and a chmod that changes nothing
        "two": f"""
            ARG BASE=debian:12
            {_BUILD}
            FROM ${{BASE}} AS runtime
            SHELL ["/bin/bash", "-o", "pipefail", "-c"]
            RUN {INSTALL} python3 openssl && {CLEAN}
            ONBUILD RUN true
            FROM runtime
            COPY --from=build /venv /venv
            RUN chmod -R a+rX /usr/bin {_LIBRARIES}
            USER nobody
            CMD ["/venv/bin/python", "-c", "{_LOADS}"]
        """,
    },
)

FLEETS = (APT, DRIFT, VENDORED)

# one root file system below all: what a base adds to it, or only sets, is lost where an image is moved to another one
COMPANY_BASES = Fleet(
    "company",
    {
        "base": """
            FROM debian:12
            COPY app.py /etc/company/ca.crt
            RUN printf '#!/bin/sh\\nexec "$@"\\n' > /usr/local/bin/entry && chmod 755 /usr/local/bin/entry \\
             && useradd -u 1234 app
            ENV COMPANY_CA=/etc/company/ca.crt LANG=C.UTF-8
            WORKDIR /srv
            ENTRYPOINT ["/usr/local/bin/entry"]
            EXPOSE 8080
            LABEL team=company
            USER app
        """,
        "settings": """
            FROM debian:12
            ENV COMPANY_MODE=production
            STOPSIGNAL SIGINT
        """,
    },
)
COMPANY = Fleet(
    "services",
    {
        "pay": f"""
            FROM company/base
            USER root
            RUN {INSTALL} openssl && {CLEAN}
            USER app
            COPY app.py /srv/
            CMD ["sleep", "1000000"]
        """,
        "bill": f"""
            FROM company/base
            COPY app.py /srv/
            USER root
            RUN {INSTALL} openssl && {CLEAN}
            USER app
            CMD ["sleep", "1000000"]
        """,
        "web": f"""
            FROM debian:12
            COPY app.py /srv/
            RUN {INSTALL} openssl && {CLEAN}
            CMD ["sleep", "1000000"]
        """,
        "settings": """
            FROM company/settings
            COPY app.py /srv/settings.py
            CMD ["sleep", "1000000"]
        """,
    },
)

INDEX_PORT = 18_374
INDEXED = Fleet(
    "indexed",
    {
        "ground": f"""
            FROM debian:12
            RUN {INSTALL} python3 python3-pip && {CLEAN}
            RUN printf '[global]\\nindex-url = http://127.0.0.1:{INDEX_PORT}/\\nbreak-system-packages = true\\n' \
              > /etc/pip.conf
        """,
    },
)
_ACME = "mkdir -p /tmp/acme/DEBIAN /tmp/acme/opt/acme && cp /bin/dash /tmp/acme/opt/acme/ && printf \
 'Package: acme\\nVersion: 3.1\\nArchitecture: all\\nMaintainer: a <a@b.c>\\nDescription: x\\n' \
 > /tmp/acme/DEBIAN/control && dpkg-deb --build /tmp/acme /tmp/acme.deb >/dev/null"
_PIP = "python3 -m pip install --no-cache-dir demo==1.0"
_VENV = "python3 -m venv --without-pip /opt/venv && python3 -m pip --python /opt/venv/bin/python install demo==1.0"

# both have a package of no archive, one of Python where pip puts it, and the same in a virtual environment; one has
# what its packages recommend as well
PACKAGES = Fleet(
    "packages",
    {
        "generous": f"""
            FROM indexed/ground
            COPY app.py /srv/
            RUN apt-get update && apt-get install -y curl && {CLEAN}
            RUN {_ACME} && apt-get install -y /tmp/acme.deb && rm -r /tmp/acme*
            RUN {_PIP} && {_VENV}
            CMD ["sleep", "1000000"]
        """,
        "frugal": f"""
            FROM indexed/ground
            RUN {_VENV}
            RUN {INSTALL} curl openssl && {CLEAN}
            RUN {_ACME} && dpkg -i /tmp/acme.deb && rm -r /tmp/acme*
            COPY app.py /srv/
            RUN {_PIP}
            CMD ["sleep", "1000000"]
        """,
    },
)


def options() -> list[str]:
    """What each build here needs."""
    return ["--network=host", *(f"--build-arg={key}" for key in os.environ if key.lower().endswith("_proxy"))]


def build(daemon: Daemon, fleet: Fleet, directory: Path) -> dict[str, Path]:
    """Build the fleet as it is; service → its Dockerfile."""
    found = write_contexts(fleet.dockerfiles, directory)
    for service, dockerfile in found.items():
        daemon.docker("build", f"--tag={fleet.name}/{service}", *options(), str(dockerfile.parent))
    return found


def write_contexts(dockerfiles: Mapping[str, str], directory: Path) -> dict[str, Path]:
    """A build context for each service, below the directory; service → its Dockerfile."""
    found = {}
    for service, text in dockerfiles.items():
        context = directory / service
        context.mkdir(parents=True)
        (context / "app.py").write_text(f"{_SLEEP.replace('; ', chr(10))}\n")
        place = context / "Dockerfile"
        place.write_text("\n".join(line.strip() for line in dedent(text).strip().splitlines()) + "\n")
        found[service] = place
    return found
