"""What overlayfs notes of a copy's origin, as a stranger may have written it."""

from __future__ import annotations

import struct
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from memlint.kernel.origins import origin


@given(st.binary(max_size=200))
def test_whatever_is_noted_is_no_accident(noted: bytes) -> None:
    assert origin(noted, ["/nowhere"]) is None


@given(st.integers(0, 255), st.binary(min_size=1, max_size=150))
def test_a_handle_of_nothing_leads_nowhere(kind: int, handle: bytes) -> None:
    noted = struct.pack("BBBBB16s", 0, 0xFB, (21 + len(handle)) & 0xFF, 0, kind, b"") + handle
    assert origin(noted, [str(Path(__file__).parent)]) is None
