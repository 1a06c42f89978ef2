"""mailq and ``sendmail -bp``: what waits, in Postfix's form, after the real sendmail's own listing.

The last line counts both, as long as the real one's is Postfix's: programs that watch a queue
(check_mailq) read that line, and only it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

from sesmail.submission import children, daemon, relay, signals
from sesmail.sysexits import EX_OK, Failure, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sesmail.settings import Settings

LIMIT = 10.0  # seconds for the real one's listing
_EMPTY = "Mail queue is empty"
_HELD_BACK = 256  # bytes, more than the last line has
_HEADING = f"{'-Queue ID-':29} --Size-- ---Arrival Time---- --Sender/Recipient------\n"
_INDENTED = " " * 59
_WIDTH = 78  # a reason ends there, as Postfix has it


class Real:
    """What came of the real sendmail's listing; counts only from a last line of Postfix's form."""

    __slots__ = ("exit_code", "is_shown", "kbytes", "messages")

    def __init__(self) -> None:
        self.exit_code = EX_OK
        self.kbytes = self.messages = 0
        self.is_shown = False  # something of it


def show(
    argv: list[str],
    name: str,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    is_running: bool,
) -> int:
    """Print the listing of the real sendmail, run as ``name``, and ours; return the exit code.

    Raises Unavailable where sesmaild does not run or answer.
    """
    signals.restore()  # `mailq | head` ends us silently
    real = Real()
    try:
        if path := relay.find_queue(settings, environ, argv[0], name):
            _show_real(real, path, [name, *argv[1:]], environ)
    except Failure as failure:
        _complain(str(failure))
        real.exit_code = failure.exit_code
    try:
        if not is_running:
            raise Unavailable("sesmaild does not run, so what waits for it is not shown; start it")
        lines = daemon.ask(settings.spool_directory, "list", "total ")
        messages, size = _show_ours(lines, is_first=not real.is_shown)
    except Failure:
        _print(_summary(real.messages, real.kbytes) if real.messages else "")
        sys.stdout.flush()
        raise
    kbytes = real.kbytes + (size + 1023) // 1024
    if messages or real.messages:
        _print(_summary(real.messages + messages, kbytes))
    elif not real.is_shown:
        _print(f"{_EMPTY}\n")
    sys.stdout.flush()
    return real.exit_code


def _summary(messages: int, kbytes: int) -> str:
    return f"\n-- {kbytes} Kbytes in {messages} Request{'' if messages == 1 else 's'}.\n"


def _show_ours(lines: Iterator[str], *, is_first: bool) -> tuple[int, int]:
    """Print the entries; return the messages and bytes of everybody."""
    total = (0, 0)
    heading = _HEADING
    for line in lines:
        kind, _, text = line.partition(" ")
        if kind == "entry":
            _print(("" if is_first else "\n") + heading + _entry(text))
            is_first, heading = False, ""
        elif kind == "because" and text:
            _print(f"({text})".rjust(_WIDTH) + "\n")
        elif kind == "to":
            _print(f"{_INDENTED}{text}\n")
        elif kind == "total":
            messages, _, size = text.partition(" ")
            total = (int(messages), int(size))
    return total


def _entry(text: str) -> str:
    queue_id, mark, size, arrived, sender = text.split(" ", 4)
    marked = queue_id + mark.replace("-", " ")
    moment = time.asctime(time.localtime(int(arrived)))[:19]
    return f"{marked:29} {size:>8} {moment} {sender or 'MAILER-DAEMON'}\n"


def _show_real(real: Real, path: str, argv: list[str], environ: Mapping[str, str]) -> None:
    """Run the real sendmail and pass its listing on, all but a last line of Postfix's form."""
    reader, writer = os.pipe()
    try:
        child = children.start(path, argv, relay.environment(environ), [(writer, 1)])
    except OSError as error:
        raise Unavailable(f"cannot run the real sendmail {path}: {error.strerror}") from None
    finally:
        os.close(writer)
    held_back, is_whole = _pass_on(real, reader)
    os.close(reader)
    if not is_whole:
        os.kill(child, signal.SIGKILL)
        _complain(f"the listing of {path} took more than {LIMIT:.0f} s and was cut")
    real.exit_code = children.wait(child)
    _take_summary(real, held_back)


def _pass_on(real: Real, reader: int) -> tuple[bytes, bool]:
    """Copy to standard output; return the last bytes, not written, and whether it came in time."""
    end = time.monotonic() + LIMIT
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    held_back = b""
    while (left := end - time.monotonic()) > 0:
        if not poll.poll(left * 1000):
            break
        data = os.read(reader, 65536)
        if not data:
            return held_back, True
        held_back += data
        _write(real, held_back[:-_HELD_BACK])
        held_back = held_back[-_HELD_BACK:]
    return held_back, False


def _take_summary(real: Real, held_back: bytes) -> None:
    """Print what was held back, but for the last line if we can count on with it."""
    text, _, last = held_back.rstrip(b"\n").rpartition(b"\n")
    words = last.split()
    if last == _EMPTY.encode("ascii"):
        _write(real, text and text + b"\n")
    elif _is_summary(words):
        real.kbytes, real.messages = int(words[1]), int(words[4])
        _write(real, text.rstrip(b"\n") + b"\n")
    else:
        _write(real, held_back)


def _is_summary(words: list[bytes]) -> bool:
    """Tell whether a line is Postfix's ``-- 3 Kbytes in 2 Requests.``."""
    if len(words) != 6 or not (words[1].isdigit() and words[4].isdigit()):
        return False
    fixed = [words[0], *words[2:4], words[5].rstrip(b"s.")]
    return fixed == [b"--", b"Kbytes", b"in", b"Request"]


def _print(text: str) -> None:
    sys.stdout.write(text)


def _write(real: Real, data: bytes) -> None:
    real.is_shown = real.is_shown or bool(data)
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _complain(text: str) -> None:
    sys.stdout.flush()
    os.write(2, f"sendmail: {text}\n".encode("ascii", "replace"))
