"""Bytes as an SMTP dialogue (``-bs``), through the whole of submission, up to its children.

An input is one byte (bits 0 and 1 as in ``submission``, bits 2 to 4 choose how children end), and
standard input. After any of them this holds:

  - the replies are lines of printable ASCII with a code, each at most 512 bytes long;
  - the session ends with 0, or with 64 or 65 and one printable line on stderr;
  - a message was handed on for each 250 to a final dot, and for no other but refused ones;
  - no more messages than CRLF, dot, CRLF are in the input, and each is fit to be sent.

Like ``submission`` it replaces calls of ``posix``, here for as long as an input runs.
"""

from __future__ import annotations

import os
import posix
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sesmail.submission.main import main
from tests.fuzz import submission

_ENDS = (0, 0, 64 << 8, 65 << 8, 67 << 8, 75 << 8, 77 << 8, 9)  # as waitpid has them
_CHILD = 12345


def check(data: bytes, world: Path) -> None:
    """Run one input in a world of ``submission.make_world``, and assert what must hold after it."""
    bits = data[0] if data else 0
    end = _ENDS[bits >> 2 & 7]
    children = _Children(end)
    posix.environ[b"SESMAIL_CONFIG"] = f"{world}/{bits & 1}.conf".encode()
    with submission.standard_input(data[1:], as_pipe=bool(bits & 2)), _standard_output() as output:
        with children:
            code = main(["/usr/sbin/sendmail", "-bs"], str(world))
        said = os.pread(output, 1 << 24, 0)
    assert code in (0, 64, 65), code
    submission.check_errors(code)
    replies = _replies(said)
    _check_number(replies, children, data[1:])
    if end == 0:
        accepted = sum(replies[place].startswith("250") for place in _after_data(replies))
        assert accepted == len(children.messages), replies


def _replies(said: bytes) -> list[str]:
    lines = said.decode("ascii").split("\r\n")
    assert lines.pop() == "", said
    for line in lines:
        assert line.isprintable(), line
        assert len(line) <= 510, line
        assert line[:3].isdigit(), line
        assert "internal error" not in line, line
    assert lines[0].startswith("220 ")
    return lines


def _after_data(replies: list[str]) -> list[int]:
    """Return the places of the replies to final dots: those after each 354."""
    return [place + 1 for place, reply in enumerate(replies) if reply.startswith("354")]


def _check_number(replies: list[str], children: _Children, dialogue: bytes) -> None:
    assert len(children.messages) <= (b"\r\n" + dialogue).count(b"\r\n.\r\n")
    assert len(children.messages) <= len(_after_data(replies))
    assert all(replies[place][:1] in "245" for place in _after_data(replies))


class _Children:
    """Takes the place of the programs that submission starts; checks what each is given."""

    def __init__(self, end: int) -> None:
        self.messages: list[bytes] = []
        self._end = end
        self._delivered = b""  # what the delivery half got just now
        self._calls = (posix.posix_spawn, posix.waitpid)

    def __enter__(self) -> None:
        posix.posix_spawn, posix.waitpid = self._spawn, self._wait  # type: ignore[assignment]

    def __exit__(self, *_: object) -> None:
        posix.posix_spawn, posix.waitpid = self._calls

    def _spawn(self, path: str, words: Sequence[str], environ: object, **options: Any) -> int:
        given = submission.read_all(options["file_actions"][0][1])
        if not (path == submission.REAL and given and given == self._delivered):
            self.messages.append(given)  # else for the local recipients of that message
        is_delivery = path != submission.REAL
        self._delivered = given.partition(b"\n\n")[2] if is_delivery else b""
        if path != submission.REAL:
            submission.check_delivery(given, [])
        else:
            assert list(words[:3]) == ["sendmail", "-i", "-f"]
            assert words[4] == "--"
            assert all(word.isascii() and word for word in words)
            assert not given or given.endswith(b"\n")
            assert b"\r\n" not in given
        return _CHILD

    def _wait(self, child: int, _: int) -> tuple[int, int]:
        assert child == _CHILD
        return child, self._end


@contextmanager
def _standard_output() -> Iterator[int]:
    """Put a file on descriptor 1 and yield another descriptor of it."""
    before = os.dup(1)
    output = os.memfd_create("stdout")
    os.dup2(output, 1)
    try:
        yield output
    finally:
        os.dup2(before, 1)
        os.close(before)
        os.close(output)
