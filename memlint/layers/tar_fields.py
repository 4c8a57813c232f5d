"""What the headers of a tar are made of: numbers, texts, checksums, names of members, and the records of PAX."""

from __future__ import annotations

from memlint.errors import LayerError
from memlint.layers.limits import MAX_DEPTH

RECORD = 512
END = bytes(RECORD)
_NAME_MAX = 4 * 4096
"""Linux's PATH_MAX, when no byte of a name is UTF-8 and each is spelled `\\xNN`."""
DAMAGED = "the layer is damaged or is no tar: save, pull or build the image again"
_ABSOLUTE = "few builders write such names (ko does): --absolute-names takes them from the image's root, as Docker does"
HOSTILE = "no honest builder writes this: do not run the image, and look at where it comes from"


def clean_path(path: str, *, absolute: bool = False) -> str:
    """A member's name as a path below the root, "" for the root itself; LayerError when it leads anywhere else.

    `absolute` names count from the root, too; without it they are refused.
    """
    if path.startswith("./"):
        path = path[2:].lstrip("/")
    if path.endswith("/"):
        path = path.rstrip("/")
    if len(path) > _NAME_MAX or path.count("/") > MAX_DEPTH:
        raise LayerError(f"has an entry with a name of {len(path)} characters: {path[:200]!r}", HOSTILE)
    if "\0" in path:
        raise LayerError(f"has an entry with a NUL byte in it: {path[:200]!r}", HOSTILE)
    if path.startswith("/") and not absolute:
        raise LayerError(f"has an entry with an absolute name: {path[:200]!r}", _ABSOLUTE)
    if "/." in path or "//" in path or path.startswith((".", "/")):
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise LayerError(f"has an entry that leads out of the image: {path[:200]!r}", HOSTILE)
        return "/".join(parts)
    return path


def is_header(record: bytes) -> bool:
    """Whether 512 bytes look like a tar's first header, for which its checksum vouches."""
    return len(record) == RECORD and record != END and checksum_holds(record)


def text_of(raw: bytes) -> str:
    """Names are UTF-8; other bytes become `\\xNN`, so that every later text is printable and valid JSON."""
    return raw.decode("utf-8", "backslashreplace")


def checksum_holds(header: bytes) -> bool:
    field = header[148:156]
    try:
        stored = int(field[:6] if field[6] == 0 else field.strip(b"\0 ") or b"0", 8)
    except ValueError:
        return False
    unsigned = sum(header) - sum(field) + 256
    if stored == unsigned:
        return True
    return stored == unsigned - 256 * sum(byte > 127 for byte in header[:148] + header[156:])  # signed, in old tars


def number(header: bytes, start: int, end: int) -> int:
    """An octal field, or the base-256 that GNU tar writes for what octal cannot hold."""
    if header[start] & 0x80:
        value = int.from_bytes(header[start:end], "big") & ((1 << (8 * (end - start) - 1)) - 1)
        if header[start] & 0x40:
            raise LayerError("has an entry of negative size", DAMAGED)
        return value
    if header[end - 1] in (0, 0x20):
        try:
            value = int(header[start : end - 1], 8)  # as nearly all are: digits, and one byte to end them
        except ValueError:
            value = _blank_padded(header[start:end])
    else:
        value = _blank_padded(header[start:end])
    if value < 0:
        raise LayerError("has an entry of negative size", DAMAGED)
    return value


def _blank_padded(field: bytes) -> int:
    try:
        return int(field.strip(b"\0 ").partition(b"\0")[0] or b"0", 8)
    except ValueError:
        raise LayerError("is damaged: a number in a header is none", DAMAGED) from None


def decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise LayerError(f"is damaged: {text[:40]!r} stands where a size should", DAMAGED)
    return int(text)


def pax_records(data: bytes) -> dict[str, str]:
    """The records of a PAX header: `LENGTH KEY=VALUE\\n`. Sparse format 0.0's repeated keys become 0.1's map."""
    found: dict[str, str] = {}
    sparse: list[str] = []
    while data:
        head, space, _ = data[:12].partition(b" ")
        length = int(head) if space and head.isdigit() else 0
        record = data[len(head) + 1 : length]
        key, equals, value = record[:-1].partition(b"=")
        if not equals or len(record) + len(head) + 1 != length or record[-1:] != b"\n":
            raise LayerError("is damaged: a PAX record's length is wrong", DAMAGED)
        name = text_of(key)
        if name in ("GNU.sparse.offset", "GNU.sparse.numbytes"):
            sparse.append(text_of(value))
        else:
            found[name] = text_of(value)
        data = data[length:]
    if sparse:
        found["GNU.sparse.map"] = ",".join(sparse)
    return found
