"""memlint finds the executables and shared libraries that container images keep in RAM more than once, and why."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant would cost its import on every start

__version__ = "0.1.0"
__all__ = ["MemlintError", "Plan", "Report", "__version__", "compare", "plan"]

if TYPE_CHECKING:
    from typing import Any

    from memlint.api import compare, plan
    from memlint.errors import MemlintError
    from memlint.model.plan import Plan
    from memlint.model.report import Report

_HOMES = {
    "compare": "memlint.api",
    "plan": "memlint.api",
    "MemlintError": "memlint.errors",
    "Plan": "memlint.model.plan",
    "Report": "memlint.model.report",
}


def __getattr__(name: str) -> Any:
    """Import the API when it is first asked for: `memlint --version` must not pay for it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'memlint' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
