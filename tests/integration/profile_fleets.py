"""Another fleet of the software that `plan_fleets.APT` runs: other images, other chains, other counts of containers."""

from __future__ import annotations

from .plan_fleets import CLEAN, INSTALL, Fleet

OTHER = Fleet(
    "other",
    {
        # Python is there, and Redis runs
        "queue": f"""
            FROM debian:12
            RUN {INSTALL} redis-server python3 && {CLEAN}
            USER redis
            CMD ["redis-server", "--save", "", "--dir", "/tmp"]
        """,
        "jobs": f"""
            FROM debian:12b
            RUN {INSTALL} python3 && {CLEAN}
            COPY app.py /srv/
            CMD ["python3", "/srv/app.py"]
        """,
        "front": f"""
            FROM debian:12b
            RUN {INSTALL} nginx-light && {CLEAN}
            CMD ["nginx", "-g", "daemon off;"]
        """,
        "edge": f"""
            FROM debian:12
            COPY app.py /srv/
            RUN {INSTALL} nginx-light && {CLEAN}
            CMD ["nginx", "-g", "daemon off;"]
        """,
        # nginx is there, and Python runs
        "shop": f"""
            FROM debian:12
            COPY app.py /srv/
            RUN {INSTALL} nginx-light python3 && {CLEAN}
            CMD ["python3", "/srv/app.py"]
        """,
    },
)
COUNTS = {"jobs": 2, "queue": 1, "front": 1, "edge": 2, "shop": 1}
