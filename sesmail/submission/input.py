"""Standard input: read once, kept until it is clear that nobody needs its first byte again.

It may be a pipe, a file, a socket, /dev/null or a terminal. Every caller wants it read to its end,
also when the answer is an error: an early end kills some callers by SIGPIPE and makes others
report a failure of their own.
"""

from __future__ import annotations

import posix
import stat
from io import SEEK_CUR, SEEK_SET

from sesmail.submission.kept import Kept
from sesmail.sysexits import IOFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_CHUNK = 1 << 16  # bytes
STDIN = 0


class Input:
    """Descriptor 0. ``read`` until b""; then ``rewind`` for another program, or go on."""

    __slots__ = ("_at_end", "_is_file", "_is_needed", "_kept", "_start")

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._at_end = False
        self._is_needed = True
        self._start = -1
        self._kept = Kept(environ)
        try:
            self._is_file = stat.S_ISREG(posix.fstat(STDIN).st_mode)
            if self._is_file:
                self._start = posix.lseek(STDIN, 0, SEEK_CUR)  # a shell may have read some already
        except OSError as error:
            raise IOFailure(f"standard input: {error.strerror}") from None

    def read(self) -> bytes:
        """Return the next bytes, b"" at the end. Raises IOFailure, CannotCreate."""
        if self._at_end:
            return b""
        try:
            chunk = posix.read(STDIN, _CHUNK)
        except OSError as error:
            self._at_end = True
            reason = error.strerror
            raise IOFailure(f"cannot read the message from standard input: {reason}") from None
        self._at_end = not chunk
        if self._is_needed and not self._is_file:
            self._kept.write(chunk)
        return chunk

    def end_of_typing(self) -> None:
        """Take no more from a terminal: a person who typed the lone dot is waiting."""
        self._at_end = posix.isatty(STDIN)

    def forget(self) -> None:
        """Keep nothing from here on: the message is ours."""
        self._is_needed = False

    def rewind(self) -> None:
        """Make descriptor 0 stand at the first byte that we were given. Not after ``forget``."""
        if self._is_file:
            posix.lseek(STDIN, self._start, SEEK_SET)
            return
        while not self._at_end:
            self.read()
        posix.dup2(self._kept.open(), STDIN)


def drain() -> None:
    """Read what is left of standard input, unless a person is typing it."""
    try:
        if not posix.isatty(STDIN):
            while posix.read(STDIN, _CHUNK):
                pass
    except OSError:
        pass
