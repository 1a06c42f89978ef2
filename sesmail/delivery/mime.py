"""The body for SES: leaves in transfer encodings of 7 bit and short lines, the rest as it was.

One pass over the lines that begin with ``--`` (RFC 2046, 5.1.1) with a table of the boundaries that
are open, so that neither depth nor number of parts costs more than their bytes. What is clean is
copied. What is signed or encrypted (RFC 1847) is copied whatever it is. The standard library's
parser is not used: it recurses, and does not give back byte for byte what it read.
"""

from __future__ import annotations

import enum
import re

from sesmail.delivery import leaf
from sesmail.delivery.entity import ENCODED, Entity
from sesmail.message import header
from sesmail.message.header import Field

_DELIMITER = re.compile(rb"^--([^\n]*+)", re.MULTILINE)
_VERBATIM = ("multipart/signed", "multipart/encrypted")
_MESSAGES = ("message/rfc822", "message/global")


def repair(fields: list[Field], message: bytes, start: int) -> tuple[list[Field], list[bytes]]:
    """Return the message's fields and, in pieces, its body, which begins at ``start``.

    Lines of ``message`` end in LF, those of the pieces in CRLF.
    """
    body = message[start:]
    entity = Entity(fields, b"", "text/plain")
    entity.is_message = True
    if entity.type.startswith("multipart/") and not _has_parts(entity.boundary(), body):
        entity.become_text(body)  # SES: "Missing start boundary"
    if leaf.is_clean(body):
        return entity.fields, _with_last_line_end([_crlf(body)])
    return _Walk(entity, body).run()


def _has_parts(boundary: bytes | None, body: bytes) -> bool:
    if boundary is None:
        return False
    return re.search(rb"^--%b[ \t]*+$" % re.escape(boundary), body, re.MULTILINE) is not None


class _Role(enum.Enum):
    """What the text is that is being read."""

    LEAF = enum.auto()
    VERBATIM = enum.auto()
    PREAMBLE = enum.auto()
    EPILOGUE = enum.auto()


class _Walk:
    """One pass over a body that is not clean."""

    def __init__(self, message: Entity, text: bytes) -> None:
        self._text = text
        self._message = message
        self._entity = message  # whose text is being read
        self._role = _Role.LEAF
        self._start = 0  # of the text that is being read
        self._open: list[tuple[bytes, str]] = []  # boundary, default type of its parts
        self._depths: dict[bytes, int] = {}  # boundary: its place in _open
        self._pieces: list[bytes] = []
        self._containers: list[tuple[int, Entity]] = []  # their headers are written last
        self._is_7bit = True

    def run(self) -> tuple[list[Field], list[bytes]]:
        """Return the message's fields and the pieces of its body."""
        self._begin(self._message)
        while delimiter := self._next_delimiter():
            self._pass(*delimiter)
        self._end(len(self._text), -1)
        for slot, container in self._containers:
            if self._is_7bit:
                container.correct_label()
            self._pieces[slot] = self._header(container)
        return self._message.fields, _with_last_line_end(self._pieces)

    def _next_delimiter(self) -> tuple[re.Match[bytes], int, bool] | None:
        """Return the next delimiter of an open multipart, its depth, and whether it closes it."""
        if self._depths:
            for match in _DELIMITER.finditer(self._text, self._start):
                depth, is_close = self._depth(match[1])
                if depth >= 0:
                    return match, depth, is_close
        return None

    def _depth(self, line: bytes) -> tuple[int, bool]:
        """Return whose delimiter ``--line`` is, -1 for nobody's, and whether it is the last one."""
        line = line.rstrip(b" \t")
        depth = self._depths.get(line, -1)
        if depth < 0 and line.endswith(b"--"):
            return self._depths.get(line[:-2], -1), True
        return depth, False

    def _pass(self, match: re.Match[bytes], depth: int, is_close: bool) -> None:
        """End the text before a delimiter, write that, and begin what comes after it."""
        end = match.start()
        has_line_end = end > self._start  # it belongs to the delimiter; RFC 2046, 5.1.1
        self._end(end - has_line_end, depth)
        # Without blanks at its end, which may be many and mean nothing.
        self._pieces.append(b"\r\n" * has_line_end + match[0].rstrip(b" \t") + b"\r\n")
        self._start = min(match.end() + 1, len(self._text))
        default = self._open[depth][1]
        self._forget(depth if is_close else depth + 1)
        if is_close:
            self._role = _Role.EPILOGUE
        else:
            self._begin(self._read_header(default))

    def _forget(self, depth: int) -> None:
        """Forget the multiparts from ``depth`` on: the end of an outer one ends the inner ones."""
        while len(self._open) > depth:
            del self._depths[self._open.pop()[0]]

    def _read_header(self, default: str) -> Entity:
        """Read the header section of a part, which may lack its blank line, or be missing."""
        first = end = self._start
        has_blank_line = False
        while end < len(self._text) and not has_blank_line:
            newline = self._text.find(b"\n", end)
            line = self._text[end : newline if newline >= 0 else len(self._text)]
            is_more = end > first and line[:1] in (b" ", b"\t")
            if line and (self._is_delimiter(line) or not (is_more or header.is_field(line))):
                break
            has_blank_line = not line
            end = min(end + len(line) + 1, len(self._text))
        self._start = end
        section = self._text[first:end]
        fields = header.split(section.removesuffix(b"\n") if has_blank_line else section)
        return Entity(fields, section, default)

    def _is_delimiter(self, line: bytes) -> bool:
        return line.startswith(b"--") and self._depth(line[2:])[0] >= 0

    def _begin(self, entity: Entity) -> None:
        """Begin the text of ``entity``, or of the message in it, or in that, and so on."""
        while entity.type in _MESSAGES and entity.encoding() not in ENCODED:
            self._defer(entity)
            entity = self._read_header("text/plain")
            entity.is_message = True
        self._entity = entity
        self._role = _Role.LEAF
        if entity.type in _VERBATIM:
            self._role = _Role.VERBATIM
        elif entity.type.startswith("multipart/"):
            self._begin_multipart(entity.boundary())

    def _begin_multipart(self, boundary: bytes | None) -> None:
        if boundary is None or boundary in self._depths:
            return  # readers find no parts in it either
        self._role = _Role.PREAMBLE
        is_digest = self._entity.type == "multipart/digest"  # RFC 2046, 5.1.5
        self._depths[boundary] = len(self._open)
        self._open.append((boundary, "message/rfc822" if is_digest else "text/plain"))

    def _end(self, end: int, depth: int) -> None:
        """Write what ends at ``end``, before a delimiter of ``depth``."""
        text = self._text[self._start : end]
        if self._role is _Role.EPILOGUE:
            self._pieces.append(_crlf(_legible(text)))
        elif self._role is _Role.PREAMBLE and depth == len(self._open) - 1:
            self._defer(self._entity)
            self._pieces.append(_crlf(_legible(text)))
        elif self._role is _Role.VERBATIM:
            self._is_7bit = self._is_7bit and leaf.is_clean(text)
            self._pieces += [self._header(self._entity), _crlf(text)]
        else:
            self._end_leaf(text)

    def _end_leaf(self, text: bytes) -> None:
        if leaf.is_clean(text):
            self._entity.correct_label()
        else:
            content = text
            encoding, text = leaf.encode(text, self._entity.encoding(), self._entity.is_text())
            self._entity.describe(content, encoding)
            if self._open and encoding == leaf.BASE64:
                text = text.removesuffix(b"\n")  # the delimiter brings one
        self._pieces += [self._header(self._entity), _crlf(text)]

    def _defer(self, entity: Entity) -> None:
        """Keep a place for the header of an entity whose label depends on what is inside it."""
        self._containers.append((len(self._pieces), entity))
        self._pieces.append(b"")

    def _header(self, entity: Entity) -> bytes:
        """Return what goes before the text; the message's own header is the caller's to write."""
        return b"" if entity is self._message else _crlf(entity.header())


def _legible(text: bytes) -> bytes:
    return text if leaf.is_clean(text) else leaf.quote(text)


def _crlf(text: bytes) -> bytes:
    return text.replace(b"\n", b"\r\n")


def _with_last_line_end(pieces: list[bytes]) -> list[bytes]:
    last = next((piece for piece in reversed(pieces) if piece), b"\r\n")
    return pieces if last.endswith(b"\r\n") else [*pieces, b"\r\n"]
