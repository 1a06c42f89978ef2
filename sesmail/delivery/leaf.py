"""One leaf's content in a transfer encoding that SES passes on unchanged (RFC 2045, section 6).

SES wants 7 bit, no NUL, lines of at most 998 bytes. Content that is that is not touched. Text
becomes quoted-printable, or base64 where that is shorter or a NUL says that it is no text; all
else becomes base64. Content that is encoded already, but badly, is mended so that a reader decodes
the same bytes.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterator

from sesmail.delivery.folding import LONGEST_LINE

BASE64 = b"base64"
QUOTED_PRINTABLE = b"quoted-printable"
# Per byte, base64 costs 0.37, and quoted-printable 2 for each that is escaped but stays legible.
_MOST_ESCAPED = 0.25
_BLOCK = 57 * 8192  # bytes that make whole lines of base64
_ENCODED_LINE = 76  # RFC 2045, 6.7 and 6.8
_LITERAL = bytes(byte for byte in range(32, 127) if byte != ord("=")) + b"\t\n"
_BEYOND_ASCII = [b"\0", *(bytes([byte]) for byte in range(128, 256))]
_NO_BASE64 = bytes(
    {*range(256)} - {*b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\n"}
)
_BASE64_LINE = re.compile(rb"\s*+([A-Za-z0-9+/]++={0,2})[ \t]*+(?:\n|\Z)")
_STRAY_EQUALS = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*+(?:\n|\Z))")
_QUOTED_PIECE = re.compile(rb"(?:=[0-9A-Fa-f]{2}|[^\n]){1,24}")


def is_clean(text: bytes) -> bool:
    """Tell whether ``text`` can go as it is: 7 bit, no NUL, no line over 998 bytes."""
    return text.isascii() and b"\0" not in text and not has_long_line(text)


def has_long_line(text: bytes) -> bool:
    """Tell whether a line of ``text`` is over 998 bytes; reads it in leaps of about that."""
    start = 0
    while len(text) - start > LONGEST_LINE:
        newline = text.rfind(b"\n", start, start + LONGEST_LINE + 1)
        if newline < 0:
            return True
        start = newline + 1
    return False


def encode(content: bytes, encoding: bytes, is_text: bool) -> tuple[bytes, bytes]:
    """Return encoding and encoded lines for ``content``, which is not clean.

    ``encoding`` is what its field says, in lower case. Lines end in LF.
    """
    if encoding == BASE64 and _is_base64(content):
        return BASE64, _mend_base64(content)
    if encoding == QUOTED_PRINTABLE:
        return QUOTED_PRINTABLE, _mend_quoted(content)
    if is_text and b"\0" not in content and _escapes(content) <= len(content) * _MOST_ESCAPED:
        quoted = b2a_qp(content, istext=True)
        if b"=\n--" not in quoted:  # a line that was broken there could read as a boundary
            return QUOTED_PRINTABLE, quoted
    if is_text and b"\0" not in content:
        content = content.replace(b"\n", b"\r\n")  # text's canonical form; RFC 2045, 6.8
    return BASE64, b"".join(_base64(content))


def quote(text: bytes) -> bytes:
    """Return text that no reader decodes, such as a preamble, legible and clean."""
    return b2a_qp(text.replace(b"\0", b""), istext=True).replace(b"=\n--", b"=\n=2D-")


def _escapes(content: bytes) -> int:
    return len(content.translate(None, _LITERAL))


def _base64(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _BLOCK):
        yield encodebytes(content[start : start + _BLOCK])


def _is_base64(content: bytes) -> bool:
    """Tell whether ``content`` is base64, junk in it or not, and no text with a wrong label."""
    line = _BASE64_LINE.match(content)
    junk = len(content) - len(content.translate(None, _NO_BASE64))
    return line is not None and len(line[1]) % 4 == 0 and junk * 10 <= len(content)


def _mend_base64(content: bytes) -> bytes:
    """Return base64 in short lines; bytes that decoders pass over become ``?``, passed over too."""
    for byte in _BEYOND_ASCII:
        content = content.replace(byte, b"?")
    return b"\n".join(
        line if len(line) <= LONGEST_LINE else b"\n".join(_slices(line))
        for line in content.split(b"\n")
    )


def _slices(line: bytes) -> Iterator[bytes]:
    for start in range(0, len(line), _ENCODED_LINE):
        yield line[start : start + _ENCODED_LINE]


def _mend_quoted(content: bytes) -> bytes:
    """Return quoted-printable in which bytes beyond ASCII, NUL and stray ``=`` are escaped too."""
    content = _STRAY_EQUALS.sub(b"=3D", content)
    for byte in _BEYOND_ASCII:
        content = content.replace(byte, b"=%02X" % ord(byte))
    return b"\n".join(
        line if len(line) <= LONGEST_LINE else _soft_broken(line.rstrip(b" \t"))
        for line in content.split(b"\n")
    )


def _soft_broken(line: bytes) -> bytes:
    broken = b"=\n".join(_QUOTED_PIECE.findall(line))
    return broken.replace(b"=\n--", b"=\n=2D-")  # could read as a boundary
