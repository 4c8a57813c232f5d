"""`compose.override.yaml`: the services of a compose file on what the plan builds."""

from __future__ import annotations

import json
from collections.abc import Sequence

from memlint.planner.write.service import TAG, Service


def compose_override(services: Sequence[Service]) -> str | None:
    """The file; None where no service is one of a compose file."""
    lines = [
        "# Written by memlint plan. Run build.sh first; then: docker compose -f COMPOSE_FILE -f THIS_FILE up",
        "services:",
    ]
    for service in services:
        for name in service.compose:
            image = service.repository.replace("$", "$$") + f":${{TAG:-{TAG}}}{service.variant}"
            lines += [f"  {json.dumps(name)}:", f"    image: {json.dumps(image)}", "    pull_policy: never"]
    return "\n".join(lines) + "\n" if len(lines) > 2 else None
