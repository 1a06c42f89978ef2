"""The session's two descriptors: lines and text in, replies out.

Replies are kept until the client's bytes are used up, so that a client that pipelines (RFC 2920)
gets them together; they are out before anything is waited for.
"""

from __future__ import annotations

import posix

from sesmail.submission.input import STDIN
from sesmail.sysexits import IOFailure

STDOUT = 1
_CHUNK = 1 << 16  # bytes
_LONGEST_KEPT = 4096  # bytes of a line without end; none so long is a command


class EndOfInput(Exception):
    """The client has closed its side."""


class Stream:
    """What a session reads and writes. A person at a terminal types LF and means CRLF."""

    __slots__ = ("_input", "_is_terminal", "_output", "_reading", "_writing")

    def __init__(self, reading: int = STDIN, writing: int = STDOUT) -> None:
        self._reading = reading
        self._writing = writing
        self._input = bytearray()
        self._output = b""
        self._is_terminal = posix.isatty(reading)

    def line(self) -> bytes:
        """Return the next line with its end; the beginning of one that no command can have.

        A line that holds a bare LF is returned up to the CRLF after it, or with all that is there:
        a client that writes no CR waits for an answer, and what follows an LF in an address must
        not become a command. Raises EndOfInput, IOFailure.
        """
        beginning = b""
        while (end := self._input.find(b"\n")) < 0:
            if len(self._input) > _LONGEST_KEPT:
                beginning = beginning or bytes(self._input[:_LONGEST_KEPT])
                del self._input[:]
            self._fill()
        if self._input[max(end - 1, 0) : end] != b"\r":
            complete = self._input.find(b"\r\n")
            end = complete + 1 if complete >= 0 else self._input.rfind(b"\n")
        line = bytes(self._input[: end + 1])
        del self._input[: end + 1]
        return beginning or line

    def chunk(self) -> bytes:
        """Return what comes next, of whatever length. Raises EndOfInput, IOFailure."""
        if not self._input:
            self._fill()
        chunk = bytes(self._input)
        del self._input[:]
        return chunk

    def put_back(self, rest: bytes) -> None:
        """Take back what a chunk holds beyond the message."""
        self._input[:0] = rest

    def reply(self, text: str) -> None:
        """Answer, at the latest when there is nothing to read."""
        self._output += text.encode("ascii") + b"\r\n"

    def end(self, text: str) -> None:
        """Say the last word, and show that it is: whoever waits for more would wait for ever."""
        self.reply(text)
        self.flush()
        posix.close(self._writing)

    def flush(self) -> None:
        """Write the answers that were kept. Raises IOFailure where nobody reads them."""
        view, self._output = memoryview(self._output), b""
        try:
            while view:
                view = view[posix.write(self._writing, view) :]
        except OSError as error:
            raise IOFailure(f"cannot write to standard output: {error.strerror}") from None

    def _fill(self) -> None:
        self.flush()
        try:
            chunk = posix.read(self._reading, _CHUNK)
        except OSError as error:
            raise IOFailure(f"cannot read standard input: {error.strerror}") from None
        if not chunk:
            raise EndOfInput
        self._input += chunk.replace(b"\n", b"\r\n") if self._is_terminal else chunk
