"""Sentences that several reports have in common."""

from __future__ import annotations

from memlint.model.report import ProfileReport, Totals
from memlint.model.units import percent


def known_of(profile: ProfileReport, startup: Totals) -> str:
    """How far a profile goes for images, of which `startup` is what starting them maps."""
    if not startup.page_cache_bytes:
        return "starting these images maps no file that counts"
    return f"{percent(profile.coverage)} of what starting these images maps is known to it"
