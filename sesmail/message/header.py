"""The header section (RFC 5322, section 2.2): fields, their folds, and where the section ends.

The section ends at a blank line, or at the first line that is neither a field nor a continuation;
such a line already belongs to the body. Lines end in LF here; ``body`` has made them so.
"""

from __future__ import annotations

# RFC 5322, 3.6.8: a field name is printable ASCII without the colon.
_NAME_BYTES = frozenset(range(33, 127)) - {ord(":")}


class Field:
    """One field: ``name`` as written, ``value`` = all after the colon, folds with their LF."""

    __slots__ = ("key", "name", "value")

    def __init__(self, name: bytes, value: bytes) -> None:
        self.name = name
        self.value = value
        self.key = name.lower()

    def __bytes__(self) -> bytes:
        return self.name + b":" + self.value

    def text(self) -> str:
        """Return the value unfolded (RFC 5322, 2.2.3) and trimmed; invalid UTF-8 as surrogates."""
        return self.value.replace(b"\n", b"").decode("utf-8", "surrogateescape").strip(" \t")


def split(section: bytes) -> list[Field]:
    """Return the fields of a header section that ``measure`` found; folds stay as they are."""
    fields: list[Field] = []
    lines = section.removesuffix(b"\n").split(b"\n") if section else []
    start = 0
    for index in range(1, len(lines) + 1):
        if index == len(lines) or lines[index][:1] not in (b" ", b"\t"):
            name, _, value = b"\n".join(lines[start:index]).partition(b":")
            fields.append(Field(name.rstrip(b" \t"), value))
            start = index
    return fields


def join(fields: list[Field]) -> bytes:
    """Return the header section of ``fields``, each line ending in LF."""
    return b"".join(b"%b:%b\n" % (field.name, field.value) for field in fields)


def is_field(line: bytes) -> bool:
    """Tell whether ``line`` begins a field. ``To : x`` does (RFC 5322, 4.5.8, obsolete syntax)."""
    name, colon, _ = line.partition(b":")
    name = name.rstrip(b" \t")
    return bool(colon and name and _NAME_BYTES.issuperset(name))


def first(fields: list[Field], key: bytes) -> Field | None:
    """Return the first field whose lower-case name is ``key``."""
    for field in fields:
        if field.key == key:
            return field
    return None
