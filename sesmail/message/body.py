"""Callers' bytes as lines: line ends and dots, before anybody looks at fields or MIME.

LF, CRLF and several CR before LF all end a line. Unless dots are ignored (``-i``) a line that is a
lone dot ends the message, and of two leading dots one goes, as in Sendmail: Symfony and SwiftMailer
double them where they do not pass ``-i``. A CR that is left stands alone: a blank in a field, a
line end in the body.
"""

from __future__ import annotations

_LONGEST_HELD = 1 << 16  # bytes of an unfinished line that are held back


class Lines:
    """Turns chunks as they come into text with LF line ends. ``ended``: a lone dot was read."""

    __slots__ = ("_at_line_start", "_held", "_ignore_dots", "ended")

    def __init__(self, ignore_dots: bool) -> None:
        self._ignore_dots = ignore_dots
        self._held = b""
        self._at_line_start = True
        self.ended = False

    def feed(self, chunk: bytes) -> bytes:
        """Return the text that ``chunk`` completes; after the end of the message, nothing."""
        if self.ended:
            return b""
        chunk = self._held + chunk
        if self._is_plain(chunk):
            return self._pass(chunk)
        lines = chunk.split(b"\n")
        self._held = lines.pop()
        text = b"".join(self._finish(line) for line in lines if not self.ended)
        if len(self._held) > _LONGEST_HELD and not self.ended:
            text += self._release()
        return text

    def finish(self) -> bytes:
        """Return what was held back, with the final line end that may be missing."""
        last, self._held = self._held, b""
        if self.ended or (not last and self._at_line_start):
            return b""
        return self._finish(last)

    def _is_plain(self, chunk: bytes) -> bool:
        """Tell whether ``chunk`` needs no look at its lines: the case that has to be fast."""
        if b"\r" in chunk:
            return False
        return self._ignore_dots or not (chunk.startswith(b".") or b"\n." in chunk)

    def _pass(self, chunk: bytes) -> bytes:
        end = chunk.rfind(b"\n") + 1
        if self._ignore_dots:
            end = len(chunk)  # a dot at the start of the next chunk means nothing
        self._held = chunk[end:]
        if len(self._held) > _LONGEST_HELD:
            end, self._held = len(chunk), b""
        if end:
            self._at_line_start = chunk[end - 1] == 10
        return chunk[:end]

    def _finish(self, line: bytes) -> bytes:
        line = line.rstrip(b"\r")
        if self._at_line_start and not self._ignore_dots:
            if line == b".":
                self.ended = True
                return b""
            if line.startswith(b".."):
                line = line[1:]
        self._at_line_start = True
        return line + b"\n"

    def _release(self) -> bytes:
        """Let go of a long unfinished line, but not of CRs that may belong to its end."""
        text = self._held.rstrip(b"\r") or self._held
        self._held = self._held[len(text) :]
        if self._at_line_start and not self._ignore_dots and text.startswith(b".."):
            text = text[1:]
        self._at_line_start = False
        return text


def clean(text: bytes) -> bytes:
    """Return body text in which a CR that stands alone is a line end."""
    return text.replace(b"\r", b"\n")
