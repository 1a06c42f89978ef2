"""Content-Type and Content-Disposition: value and parameters (RFC 2045, 5.1; RFC 2231).

Read as mail readers do, with missing quotes and blanks in values. A parameter beyond ASCII is
written in RFC 2231's form; the rest of the field stays as it was.
"""

from __future__ import annotations

import re
from email.message import Message
from urllib.parse import quote_from_bytes

from sesmail.delivery.encoded_words import encode_unstructured, is_utf8

_LONGEST_SECTION = 20  # bytes of a value in one line, 60 characters when all are escaped
_LONGEST_RFC2231 = 4096  # bytes of a field in which a boundary may be written as RFC 2231 allows
_LONGEST_BOUNDARY = 900  # bytes; RFC 2046 allows 70, a line 998
_TYPE = re.compile(rb"\s*+([^\s;(/]++)\s*+/\s*+([^\s;(/]++)")
_PARAMETER = re.compile(
    rb';\s*+(?:([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)"?+|([^;"]*+)))?+', re.DOTALL
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def media_type(value: bytes) -> str:
    """Return ``type/subtype`` in lower case; "" where it cannot be read."""
    match = _TYPE.match(value)
    return b"/".join(match.groups()).lower().decode("ascii", "replace") if match else ""


def parameter(value: bytes, name: bytes) -> bytes | None:
    """Return the first parameter ``name``, without quotes; None where there is none."""
    for match in _PARAMETER.finditer(value):
        if match[1] and match[1].lower() == name:
            if match[2] is not None:
                return _ESCAPED.sub(rb"\1", match[2].replace(b"\n", b""))
            return b"".join(re.split(rb"[\s(]", match[3].strip(), maxsplit=1)[:1])
    return None


def boundary(value: bytes) -> bytes | None:
    """Return the boundary of a multipart type (RFC 2046, 5.1.1); None where none can be sent."""
    found = parameter(value, b"boundary")
    if found is None and len(value) < _LONGEST_RFC2231 and b"boundary*" in value.lower():
        message = Message()
        message["Content-Type"] = value.replace(b"\n", b"").decode("utf-8", "replace")
        found = (message.get_boundary() or "").encode()
    found = (found or b"").rstrip(b" \t")
    can_be_sent = 0 < len(found) <= _LONGEST_BOUNDARY and found.isascii() and b"\0" not in found
    return found if can_be_sent else None


def encode(value: bytes) -> bytes:
    """Return ``value`` in ASCII: parameters by RFC 2231, anything else as encoded-words."""
    encoded = _PARAMETER.sub(_encode_parameter, value)
    return encoded if encoded.isascii() else encode_unstructured(encoded)


def _encode_parameter(match: re.Match[bytes]) -> bytes:
    name, quoted, bare = match.groups()
    text = _ESCAPED.sub(rb"\1", quoted) if quoted is not None else (bare or b"").strip()
    if text.isascii() or not name.isascii():
        return match[0]
    charset = b"utf-8" if is_utf8(text) else b"unknown-8bit"
    if len(text) <= _LONGEST_SECTION * 2:
        return b"; %b*=%b''%b" % (name, charset, _escape(text))
    sections = [
        text[start : start + _LONGEST_SECTION] for start in range(0, len(text), _LONGEST_SECTION)
    ]
    first = b"; %b*0*=%b''%b" % (name, charset, _escape(sections[0]))
    return first + b"".join(
        b"; %b*%d*=%b" % (name, number, _escape(section))
        for number, section in enumerate(sections[1:], 1)
    )


def _escape(text: bytes) -> bytes:
    return quote_from_bytes(text, safe="").encode("ascii")
