"""A program that may read no more than its permissions say, even when root starts it."""

from __future__ import annotations

import os

_EVERYTHING = "-dac_override,-dac_read_search"
WITHOUT_PRIVILEGE = ("setpriv", "--bounding-set", _EVERYTHING, "--inh-caps", _EVERYTHING) if os.geteuid() == 0 else ()
"""What its command begins with."""
