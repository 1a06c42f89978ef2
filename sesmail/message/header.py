"""The header section (RFC 5322, section 2.2): fields, their folds, and where the section ends.

The section ends at a blank line, or at the first line that is neither a field nor a continuation;
such a line already belongs to the body. Lines end in LF here; ``body`` has made them so.
"""

from __future__ import annotations

# RFC 5322, 3.6.8: a field name is printable ASCII without the colon.
_NAME_BYTES = frozenset(range(33, 127)) - {ord(":")}
_LONGEST_NAME = 997  # bytes: with its colon a line of RFC 5322, 2.1.1
_BLANKS = (b" ", b"\t")
_PIECE = 1 << 16  # bytes; most header sections end within the first
_MBOX = (b"From ", b">From ")  # begins the line that parts messages in an mbox file


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


class Section:
    """Finds the header section in text that arrives in pieces.

    ``text`` is what came so far; once ``feed`` has returned True, ``text[start:end]`` is the
    section and ``text[body:]`` the beginning of the body.
    """

    __slots__ = ("body", "end", "start", "text")

    def __init__(self) -> None:
        self.text = bytearray()
        self.start = 0
        self.end = 0
        self.body = 0

    def feed(self, text: bytes, final: bool = False) -> bool:
        """Take more text; return whether the end of the section is known."""
        self.text += text
        while (line := self._next_line(final)) is not None:
            if not self._takes(line):
                self.body = self.end + (not line and self.end < len(self.text))
                return True
            self.end += len(line) + 1
        return False

    def _next_line(self, final: bool) -> bytes | None:
        newline = self.text.find(b"\n", self.end)
        if newline >= 0:
            return bytes(self.text[self.end : newline])
        if final:
            return bytes(self.text[self.end :])
        line = bytes(self.text[self.end : self.end + _LONGEST_NAME + 1])
        is_open = len(line) <= _LONGEST_NAME or line[:1] in _BLANKS or is_field(line)
        return None if is_open or self._is_mbox_line(line) else line

    def _takes(self, line: bytes) -> bool:
        if self._is_mbox_line(line):
            self.start = len(line) + 1
            return True
        if line[:1] in _BLANKS:
            return self.end > self.start
        return is_field(line)

    def _is_mbox_line(self, line: bytes) -> bool:
        return self.end == 0 and line.startswith(_MBOX)


def read(message: bytes) -> list[Field]:
    """Return the fields of a message that is there as a whole."""
    section = Section()
    for start in range(0, len(message), _PIECE):
        if section.feed(message[start : start + _PIECE]):
            break
    else:
        section.feed(b"", final=True)
    return split(bytes(section.text[section.start : section.end]))


def split(section: bytes) -> list[Field]:
    """Return the fields of a header section that ``Section`` found; folds stay as they are.

    A NUL goes and a CR becomes a blank: neither may reach a header.
    """
    section = section.replace(b"\0", b"").replace(b"\r", b" ")
    fields: list[Field] = []
    lines = section.removesuffix(b"\n").split(b"\n") if section else []
    start = 0
    for index in range(1, len(lines) + 1):
        if index == len(lines) or lines[index][:1] not in _BLANKS:
            name, _, value = b"\n".join(lines[start:index]).partition(b":")
            fields.append(Field(name.rstrip(b" \t"), value))
            start = index
    return fields


def join(fields: list[Field]) -> bytes:
    """Return the header section of ``fields``, each line ending in LF."""
    return b"".join(b"%b:%b\n" % (field.name, field.value) for field in fields)


def is_field(line: bytes) -> bool:
    """Tell whether ``line`` begins a field. ``To : x`` does (RFC 5322, 4.5.8, obsolete syntax)."""
    written, colon, _ = line.partition(b":")
    name = written.rstrip(b" \t")
    is_short = len(written) <= _LONGEST_NAME
    return bool(colon and name and is_short and _NAME_BYTES.issuperset(name))


def first(fields: list[Field], key: bytes) -> Field | None:
    """Return the first field whose lower-case name is ``key``."""
    for field in fields:
        if field.key == key:
            return field
    return None
