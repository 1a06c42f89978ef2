"""Encoded-words (RFC 2047): how bytes beyond ASCII travel in the header section.

Text that is UTF-8 says so; other bytes are labelled ``unknown-8bit`` (RFC 1428), so that nothing is
lost. An encoded-word here uses only the characters of RFC 2047, section 5, rule 3: it is valid in
unstructured text, in a phrase and in a comment. Lines are the business of ``folding``.
"""

from __future__ import annotations

import re
from base64 import b64encode
from codecs import getincrementaldecoder
from email import quoprimime

# RFC 2047, 2 allows 75 characters. This, with "=?unknown-8bit?q?" and "?=", leaves room for a
# field's name on the same line.
_LONGEST_TEXT = 52  # characters; also a multiple of 4 for base64
_BLOCK = 1 << 16  # bytes
_LONGEST_CHARACTER = 12  # "=F0=9F=98=80"
_WORD = re.compile(rb"([ \t]*+)([^ \t]++)")
_ENCODED = re.compile(rb"=\?[^?]++\?[bBqQ]\?[^?]*+\?=")


def encode(text: bytes) -> list[bytes]:
    """Return the encoded-words for ``text``, to be joined by blanks, which readers drop."""
    charset = b"utf-8" if is_utf8(text) else b"unknown-8bit"
    quoted = quoprimime.header_encode(text, "").encode("ascii")[len("=??q?") : -len("?=")]
    if len(quoted) <= len(text) * 4 / 3 + 4:
        return [b"=?%b?q?%b?=" % (charset, chunk) for chunk in _quoted_chunks(quoted)]
    return [b"=?%b?b?%b?=" % (charset, b64encode(chunk)) for chunk in _chunks(text)]


def encode_unstructured(text: bytes) -> bytes:
    """Return unfolded ``text`` with its words beyond ASCII encoded, all others as they are.

    Readers drop the blanks between two encoded-words (RFC 2047, 6.2), so those blanks go into one.
    """
    result = bytearray()
    run = -1  # where the words to encode begin, with the blanks between them
    after_encoded = False
    end = 0
    for match in _WORD.finditer(text):
        blanks, word = match.groups()
        if not word.isascii():
            if run < 0:
                run = match.start() if after_encoded else match.start(2)
                result += b" " if after_encoded else blanks
        else:
            after_encoded = is_encoded_word(word)
            if run >= 0:
                result += _words(text[run : match.start(2) if after_encoded else end])
                run = -1
                blanks = b" " if after_encoded else blanks
            result += blanks + word
        end = match.end()
    if run >= 0:
        result += _words(text[run:end])
    return bytes(result)


def is_utf8(text: bytes) -> bool:
    """Tell whether ``text``, which may be large, is valid UTF-8 (RFC 3629)."""
    decoder = getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(text), _BLOCK):
            decoder.decode(text[start : start + _BLOCK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def is_encoded_word(word: bytes) -> bool:
    """Tell whether ``word`` is an encoded-word already."""
    return _ENCODED.fullmatch(word) is not None


def _words(text: bytes) -> bytes:
    return b" ".join(encode(text))


def _quoted_chunks(quoted: bytes) -> list[bytes]:
    """Cut Q-encoded text, never inside a character (RFC 2047, section 5, rule 3)."""
    chunks = []
    start = 0
    while len(quoted) - start > _LONGEST_TEXT:
        end = _character_start(quoted, start + _LONGEST_TEXT)
        chunks.append(quoted[start:end])
        start = end
    chunks.append(quoted[start:])
    return chunks


def _character_start(quoted: bytes, position: int) -> int:
    """Return the last start of a character at or before ``position``."""
    escape = quoted.rfind(b"=", position - 2, position)
    end = position if escape < 0 else escape
    for candidate in range(end, end - _LONGEST_CHARACTER, -3):
        if quoted[candidate : candidate + 2] not in (b"=8", b"=9", b"=A", b"=B"):
            return candidate
    return end  # no UTF-8


def _chunks(text: bytes) -> list[bytes]:
    """Cut ``text`` into pieces for base64, never inside a character of UTF-8."""
    chunks = []
    start = 0
    size = _LONGEST_TEXT // 4 * 3
    while len(text) - start > size:
        end = start + size
        while text[end] & 0xC0 == 0x80 and end > start + size - 4:
            end -= 1
        chunks.append(text[start:end])
        start = end
    chunks.append(text[start:])
    return chunks
