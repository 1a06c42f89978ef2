"""Folds of a field (RFC 5322, 2.2.3): lines of at most 998 bytes, and none of blanks alone.

A field that fits is not touched. One that was encoded is folded anew for RFC 2047's 76 characters
where blanks allow it. A line over 998 is broken at a blank; where there is none, after a comma or
semicolon; where there is none either, as Postfix does: at byte 998, with a blank put in.
"""

from __future__ import annotations

import re

LONGEST_LINE = 998  # bytes without the line end; RFC 5322, 2.1.1
ENCODED_LINE = 76  # RFC 2047, 2

_LONGEST_NAME = 900  # bytes
_BLANK_LINE = re.compile(rb"\n[ \t]++(?=\n|\Z)")
_LONG_BLANKS = re.compile(rb"[ \t]{100,}+")
_WORD = re.compile(rb"[ \t]*+[^ \t]++")


def unfold(value: bytes) -> bytes:
    """Return ``value`` as one line, without blanks at its end."""
    return value.replace(b"\n", b"").rstrip(b" \t")


def without_blank_lines(value: bytes) -> bytes:
    """Return ``value`` without continuation lines that hold only blanks."""
    return _BLANK_LINE.sub(b"", value)


def fold(line: bytes, width: int) -> bytes:
    """Return a field, or a line of one, in lines of ``width`` where it has blanks, 998 anyhow.

    A name that leaves no room for a value stays as it is: no fold can mend it.
    """
    # Nothing but "Name:" on a line: some programs read such a field as empty.
    name = line.find(b":", 0, _LONGEST_NAME) + 1 if line[:1] not in (b" ", b"\t") else -1
    if name == 0:
        return line
    folded = bytearray()
    size = 0  # of the line that is being written
    for match in _WORD.finditer(_LONG_BLANKS.sub(b" ", line)):
        word = match[0]
        if size + len(word) > width and size and len(folded) != name:
            folded += b"\n"
            size = 0
        for piece in _pieces(word, LONGEST_LINE - size):
            folded += piece
            size = len(piece) if piece[:1] == b"\n" else size + len(piece)
    return bytes(folded)


def fold_long_lines(field: bytes) -> bytes:
    """Return ``field`` with its lines over 998 bytes broken and all others as they are."""
    return b"\n".join(
        line if len(line) <= LONGEST_LINE else fold(line, LONGEST_LINE)
        for line in field.split(b"\n")
    )


def _pieces(word: bytes, room: int) -> list[bytes]:
    """Cut a word that no line can hold; each piece but the first begins with a fold."""
    if len(word) <= room:
        return [word]
    pieces = []
    start = 0
    while len(word) - start > room:
        end = max(
            word.rfind(b",", start + 1, start + room), word.rfind(b";", start + 1, start + room)
        )
        end = end + 1 if end > 0 else start + room
        pieces.append(word[start:end])
        start = end
        room = LONGEST_LINE - 1  # the blank of the fold
    pieces.append(word[start:])
    return [pieces[0], *(b"\n " + piece for piece in pieces[1:])]
