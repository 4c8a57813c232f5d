"""The stores that engines keep images in on this host, what they share, and where they share nothing."""

from memlint.kernel.stores.finding import stores

__all__ = ["stores"]
