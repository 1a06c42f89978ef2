"""A person at a terminal: a program runs on a pseudo-terminal, what it shows is read, keys typed.

    with Person(["sesmailctl", "setup", "example.com"], environ) as person:
        person.expect("Access key id")
        person.type("AKIA...")
        assert person.ended() == 0

Nothing is typed before the program has asked: ``expect`` waits for the text.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 30.0  # seconds; only a failing test waits for so long
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PIECE = 1 << 16


class Person:
    """The terminal is the controlling one, as for a shell: /dev/tty leads to it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environ: Mapping[str, str],
        columns: int = 80,
        lines: int = 24,
        patience: float = PATIENCE,
    ) -> None:
        self._patience = patience
        self._terminal, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.raw = b""
        self._seen = 0
        try:
            self.process = subprocess.Popen(
                ["/usr/bin/setsid", "--ctty", *command],
                stdin=other,
                stdout=other,
                stderr=other,
                env={"TERM": "xterm", **environ},
                cwd="/",
            )
        finally:
            os.close(other)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)

    @property
    def screen(self) -> str:
        """All that was shown so far, without colours and movements of the cursor."""
        return _COLOURS.sub("", self.raw.decode("utf-8", "replace")).replace("\r\n", "\n")

    def expect(self, text: str) -> str:
        """Read until ``text`` is shown; return what was shown since the last that was expected."""
        end = time.monotonic() + self._patience
        while (place := self.screen.find(text, self._seen)) < 0:
            assert self._read(end), f"no {text!r}; the screen:\n{self.screen}"
        new = self.screen[self._seen : place + len(text)]
        self._seen = place + len(text)
        return new

    def expect_one_of(self, texts: Sequence[str]) -> str:
        """Read until one of these is shown; return that which is shown first."""
        end = time.monotonic() + self._patience
        while not (found := self._first_of(texts)):
            assert self._read(end), f"none of {texts}; the screen:\n{self.screen}"
        self._seen, text = found
        return text

    def _first_of(self, texts: Sequence[str]) -> tuple[int, str] | None:
        """Return where the first of these ends, and which it is."""
        places = [(self.screen.find(text, self._seen), text) for text in texts]
        return min(((at + len(text), text) for at, text in places if at >= 0), default=None)

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._terminal, line.encode() + b"\n")

    def interrupt(self) -> None:
        """Press Ctrl-C, once the program sleeps.

        Between its prompt and its read, where nobody is quick enough to hit it, Python would note
        the signal and then wait for a key all the same.
        """
        stat = Path(f"/proc/{self.process.pid}/stat")
        end = time.monotonic() + self._patience
        while stat.read_text().rpartition(")")[2].split()[0] != "S":
            assert time.monotonic() < end, "it never sleeps"
            time.sleep(0.01)
        os.write(self._terminal, b"\x03")

    def is_echoing(self) -> bool:
        """Tell whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._terminal)[3] & termios.ECHO)

    def ended(self) -> int:
        """Read to the end; return the exit code, or the signal as a negative number."""
        end = time.monotonic() + self._patience
        while self._read(end):
            pass
        try:
            return self.process.wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            raise AssertionError(f"it does not end; the screen:\n{self.screen}") from None

    def _read(self, end: float) -> bool:
        """Read what there is; False at the end of the output, or if nothing comes in time."""
        ready, _, _ = select.select([self._terminal], [], [], max(end - time.monotonic(), 0))
        if not ready:
            return False
        try:
            piece = os.read(self._terminal, _PIECE)
        except OSError:  # EIO: nobody has the other side open any more
            return False
        self.raw += piece
        return bool(piece)
