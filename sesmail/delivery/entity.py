"""A MIME entity, that is a message or a part: its header section, and what its fields say.

(RFC 2045, sections 2.4 and 3 to 6.) The bytes of a header section that nobody changed are kept and
given back; ``mime`` finds the entities and their text.
"""

from __future__ import annotations

from sesmail.delivery import fields as field_encoder
from sesmail.delivery import leaf, parameters
from sesmail.delivery.encoded_words import is_utf8
from sesmail.delivery.folding import without_blank_lines
from sesmail.message import header
from sesmail.message.header import Field

ENCODED = (leaf.BASE64, leaf.QUOTED_PRINTABLE)


class Entity:
    """An entity; ``section`` is its header section with the blank line after it, as it came.

    ``type`` is in lower case, "" where it cannot be read.
    """

    __slots__ = ("_is_changed", "_section", "fields", "is_message", "type")

    def __init__(self, fields: list[Field], section: bytes, default: str) -> None:
        self.fields = fields
        self.is_message = False
        self._section = section
        self._is_changed = False
        content_type = header.first(fields, b"content-type")
        self.type = parameters.media_type(content_type.value) if content_type else default

    def encoding(self) -> bytes:
        """Return the content transfer encoding that the fields claim, in lower case."""
        field = header.first(self.fields, b"content-transfer-encoding")
        words = field.value.lower().split() if field else []
        return words[0] if words else b"7bit"

    def is_text(self) -> bool:
        """Tell whether the content is lines; that of a multipart without parts is."""
        return not self.type or self.type.startswith(("text/", "message/", "multipart/"))

    def boundary(self) -> bytes | None:
        """Return the boundary between the parts, None where there is none."""
        content_type = header.first(self.fields, b"content-type")
        return parameters.boundary(content_type.value) if content_type else None

    def header(self) -> bytes:
        """Return the header section and the blank line, as SES takes them, lines ending in LF."""
        as_it_came = without_blank_lines(self._section)
        if leaf.is_clean(as_it_came) and not self._is_changed:
            # Where a line that is no field ended it: what follows must not become part of it.
            lacks_blank_line = as_it_came and not (b"\n" + as_it_came).endswith(b"\n\n")
            return as_it_came + b"\n" if lacks_blank_line else as_it_came
        lines = [field_encoder.encode(field, is_part=True) + b"\n" for field in self.fields]
        return b"".join(lines) + b"\n"

    def correct_label(self) -> None:
        """Say ``7bit`` where the field says ``8bit`` or ``binary`` (RFC 2045, 6.4)."""
        if self.encoding() in (b"8bit", b"binary"):
            self._set(b"Content-Transfer-Encoding", b"7bit")

    def describe(self, content: bytes, encoding: bytes) -> None:
        """Say that ``content`` is now in ``encoding`` and, where nothing said it, what it is."""
        if self.is_message and header.first(self.fields, b"mime-version") is None:
            self._set(b"MIME-Version", b"1.0")
        content_type = self._content_type(content)
        if content_type:
            self._set(b"Content-Type", content_type)
        self._set(b"Content-Transfer-Encoding", encoding)

    def become_text(self, content: bytes) -> None:
        """Say that ``content`` is plain text, whatever the fields say."""
        self.type = "text/plain"
        self._set(b"Content-Type", b"text/plain; charset=" + _charset(content))

    def _content_type(self, content: bytes) -> bytes:
        """Return the Content-Type that a leaf needs, "" where its own will do."""
        field = header.first(self.fields, b"content-type")
        if self.encoding() in ENCODED:
            return b""
        if field is None or self.type.startswith("multipart/"):
            return b"text/plain; charset=" + _charset(content)
        if (
            self.type.startswith("text/")
            and parameters.parameter(field.value, b"charset") is None
            and _charset(content) == b"utf-8"
        ):
            return field.value.strip(b" \t\n;") + b"; charset=utf-8"
        return b""

    def _set(self, name: bytes, value: bytes) -> None:
        """Put the field in place of the first of its name, or at the end; drop the others."""
        field = Field(name, b" " + value)
        old = header.first(self.fields, field.key)
        place = self.fields.index(old) if old else len(self.fields)
        others = [other for other in self.fields if other.key != field.key]
        self.fields = [*others[:place], field, *others[place:]]
        self._is_changed = True


def _charset(content: bytes) -> bytes:
    if content.isascii():
        return b"us-ascii"
    return b"utf-8" if is_utf8(content) else b"unknown-8bit"
