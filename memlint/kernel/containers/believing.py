"""Which processes are believed to be engines: any process can bear the name of one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from memlint.kernel.containers.cgroups import Identifying, cgroups_of
from memlint.kernel.containers.interface import Runtime, Task
from memlint.kernel.host import Host, text_or_none

_EFFECTIVE = re.compile(r"^CapEff:\s*([0-9a-f]+)$", re.MULTILINE)
_USERS = re.compile(r"^Uid:\t(\d+)\t(\d+)\t(\d+)\t", re.MULTILINE)
_SYS_ADMIN = 1 << 21


def believed(speakers: Iterable[Task], runtimes: Iterable[Runtime], host: Host) -> list[Task]:
    """Those of root and of this user, if they are outside of containers, in ours, or rule the host anyway, as engines
    in privileged containers do. What others say of containers may be a lie, and reading what they name, or listening
    to them, may never end."""
    identifying = Identifying(runtimes, {})
    own = identifying.among(cgroups_of(text_or_none(f"{host.proc}/self/cgroup") or ""))
    found = []
    for each in speakers:
        status = text_or_none(f"{host.proc}/{each.pid}/status") or ""
        if _is_ours(status) and (identifying.among(each.cgroups) in (None, own) or _rules(each.pid, status, host)):
            found.append(each)
    return found


def _is_ours(status: str) -> bool:
    """Whether a process is root's or this user's: by its real, its effective and its saved user ID."""
    users = _USERS.search(status)
    return users is not None and {int(user) for user in users.groups()} <= {0, os.geteuid()}


def _rules(pid: int, status: str, host: Host) -> bool:
    """Whether a process has CAP_SYS_ADMIN in the user namespace that the host's first process has."""
    found = _EFFECTIVE.search(status)
    try:
        first, namespace = os.readlink(f"{host.proc}/1/ns/user"), os.readlink(f"{host.proc}/{pid}/ns/user")
    except OSError:
        return False
    return found is not None and bool(int(found[1], 16) & _SYS_ADMIN) and namespace == first
