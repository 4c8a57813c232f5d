"""Which processes are believed to be engines: any process can bear the name of one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from memlint.kernel.containers.cgroups import Identifying, cgroups_of
from memlint.kernel.containers.interface import Runtime, Task
from memlint.kernel.host import Host, text_or_none

_EFFECTIVE = re.compile(r"^CapEff:\s*([0-9a-f]+)$", re.MULTILINE)
_SYS_ADMIN = 1 << 21


def believed(speakers: Iterable[Task], runtimes: Iterable[Runtime], host: Host) -> list[Task]:
    """Those outside of containers, those in ours, and those that rule the host anyway, as engines in privileged
    containers do. What others say of other containers may be a lie, and reading what they name may never end."""
    identifying = Identifying(runtimes, {})
    own = identifying.among(cgroups_of(text_or_none(f"{host.proc}/self/cgroup") or ""))
    return [each for each in speakers if identifying.among(each.cgroups) in (None, own) or _rules(each.pid, host)]


def _rules(pid: int, host: Host) -> bool:
    """Whether a process has CAP_SYS_ADMIN in the user namespace that the host's first process has."""
    found = _EFFECTIVE.search(text_or_none(f"{host.proc}/{pid}/status") or "")
    try:
        first, namespace = os.readlink(f"{host.proc}/1/ns/user"), os.readlink(f"{host.proc}/{pid}/ns/user")
    except OSError:
        return False
    return found is not None and bool(int(found[1], 16) & _SYS_ADMIN) and namespace == first
