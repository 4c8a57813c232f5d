"""The containers that run on this host, as the kernel knows them: by cgroup, with names and images where files tell."""

from memlint.kernel.containers.narrowing import narrowed
from memlint.kernel.containers.running import RUNTIMES, running

__all__ = ["RUNTIMES", "narrowed", "running"]
