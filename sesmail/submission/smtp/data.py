"""The text after DATA (RFC 5321, section 4.5.2): where it ends, and its dots.

Only CRLF, a dot, CRLF end it, and only after CRLF goes a leading dot. A bare LF or CR is a part of
the message, a line end as in all mail that comes to us (RFC 5321, 2.3.8, has clients not send
it). A dot alone between other line ends is an end of data to some servers: what follows it
would be a message that its author never sent ("SMTP smuggling"), so the whole is refused.
"""

from __future__ import annotations

from sesmail.message.body import Lines
from sesmail.submission.smtp import replies
from sesmail.sysexits import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sesmail.submission.kept import Kept
    from sesmail.submission.smtp.stream import Stream

_END = b"\r\n.\r\n"
_FALSE_ENDS = tuple(before + b"." + after for before in (b"\r", b"\n") for after in (b"\r", b"\n"))
_LONGEST_HELD = 1 << 16  # bytes of an unfinished line
_OVERLAP = 4  # bytes: an end of data, or a false one, may begin in them


class Data:
    """Turns chunks as they come into text with LF line ends.

    ``ended``: the end was read, and ``rest`` came after it. ``has_false_end``: do not use it.
    """

    __slots__ = ("_held", "_is_begun", "_lines", "ended", "has_false_end", "rest")

    def __init__(self) -> None:
        self._held = b"\r\n"  # the end of the line DATA, before which a lone dot may stand
        self._is_begun = False
        self._lines = Lines(ignore_dots=True)
        self.ended = False
        self.has_false_end = False
        self.rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return the text that ``chunk`` completes. Not after the end."""
        text = self._held + chunk
        end = text.find(_END)
        if end >= 0:
            self.ended = True
            self.rest = text[end + len(_END) :]
            self._look_at(text[: end + 1])
            return self._settle(text[:end] + b"\r\n") + self._lines.finish()
        cut = text.rfind(b"\r\n")
        if cut <= 0 and len(text) > _LONGEST_HELD:
            cut = len(text) - _OVERLAP
            self._look_at(text)
        elif cut > 0:
            self._look_at(text[: cut + 1])
        else:
            cut = 0
        self._held = text[cut:]
        return self._settle(text[:cut])

    def _look_at(self, text: bytes) -> None:
        """Look for a lone dot in text that cannot hold the beginning of an end of data."""
        if b"." in text and any(false_end in text for false_end in _FALSE_ENDS):
            self.has_false_end = True

    def _settle(self, text: bytes) -> bytes:
        """Undo the dots and the CRLFs of text that starts and ends outside of any CRLF."""
        text = text.replace(b"\r\n.", b"\r\n").replace(b"\r\n", b"\n")
        if text and not self._is_begun:
            self._is_begun = True
            text = text[1:]  # the end of the line DATA
        return self._lines.feed(text)


def receive(stream: Stream, message: Kept, limit: int) -> None:
    """Read up to the end of data, into ``message``.

    Raises Refusal where it cannot be used, but not before its end was read; EndOfInput.
    """
    data = Data()
    failure: Failure | None = None
    while not data.ended:
        text = data.feed(stream.chunk())
        if failure or data.has_false_end or message.size > limit:
            continue
        try:
            message.write(text)
        except Failure as error:
            failure = error
    stream.put_back(data.rest)
    if data.has_false_end:
        raise replies.Refusal(replies.FALSE_END)
    if message.size > limit:
        raise replies.Refusal(replies.too_large(limit))
    if failure:
        raise replies.Refusal(replies.refused(failure.exit_code, str(failure)))
