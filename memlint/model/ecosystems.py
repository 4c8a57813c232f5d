"""The types of packages, as package URLs name them."""

from __future__ import annotations

DISTRIBUTION = ("deb", "apk", "rpm")
"""Those of a distribution: one database names every package of the image."""
