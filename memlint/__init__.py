"""memlint finds the executables and shared libraries that container images keep in RAM more than once, and why."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant would cost its import on every start

__version__ = "0.1.0"
__all__ = [
    "Measurement",
    "MemlintError",
    "Nodes",
    "Plan",
    "Report",
    "Verification",
    "__version__",
    "compare",
    "measure",
    "nodes",
    "plan",
    "verify",
]

if TYPE_CHECKING:
    from typing import Any

    from memlint.api import compare, measure, nodes, plan, verify
    from memlint.errors import MemlintError
    from memlint.model.measure import Measurement
    from memlint.model.nodes import Nodes
    from memlint.model.plan import Plan
    from memlint.model.report import Report
    from memlint.model.verify import Verification

_HOMES = {
    "compare": "memlint.api",
    "measure": "memlint.api",
    "nodes": "memlint.api",
    "plan": "memlint.api",
    "verify": "memlint.api",
    "Measurement": "memlint.model.measure",
    "MemlintError": "memlint.errors",
    "Nodes": "memlint.model.nodes",
    "Plan": "memlint.model.plan",
    "Report": "memlint.model.report",
    "Verification": "memlint.model.verify",
}


def __getattr__(name: str) -> Any:
    """Import the API when it is first asked for: `memlint --version` must not pay for it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'memlint' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
