"""A session's lines and replies: when what is read, and when what is written."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator

import pytest

from sesmail.submission.smtp.stream import EndOfInput, Stream
from sesmail.sysexits import IOFailure


class Pipes:
    """The client's ends of a stream."""

    def __init__(self) -> None:
        reading, self.to = os.pipe()
        self.back, writing = os.pipe()
        os.set_blocking(self.back, False)
        self._ours = [reading, writing]
        self.stream = Stream(reading, writing)

    def send(self, data: bytes) -> None:
        """Write as a client."""
        os.write(self.to, data)

    def received(self) -> bytes:
        """Return what was written to the client so far."""
        try:
            return os.read(self.back, 1 << 16)
        except BlockingIOError:
            return b""

    def end(self) -> None:
        """Close the client's side."""
        os.close(self.to)
        self.to = -1

    def close(self) -> None:
        """Close what is open."""
        for descriptor in (self.to, self.back, *self._ours):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    """A stream over two pipes."""
    made = Pipes()
    yield made
    made.close()


def test_lines_come_one_by_one(pipes: Pipes) -> None:
    """Each with its end, however they were written; then the end."""
    pipes.send(b"A\r\nB\r\nC")
    assert [pipes.stream.line(), pipes.stream.line()] == [b"A\r\n", b"B\r\n"]
    pipes.send(b"\r\nD")
    assert pipes.stream.line() == b"C\r\n"
    pipes.end()
    with pytest.raises(EndOfInput):
        pipes.stream.line()


def test_replies_wait_until_there_is_nothing_to_read(pipes: Pipes) -> None:
    """A client that pipelines gets them together, and at the latest before it is waited for."""
    pipes.send(b"A\r\nB\r\n")
    for _ in range(2):
        pipes.stream.line()
        pipes.stream.reply("250 Ok")
    assert pipes.received() == b""
    pipes.end()
    with pytest.raises(EndOfInput):
        pipes.stream.line()
    assert pipes.received() == b"250 Ok\r\n" * 2


@pytest.mark.parametrize(
    ("sent", "line", "then"),
    [
        (b"RCPT TO:<a\nDATA\r\nQUIT\r\n", b"RCPT TO:<a\nDATA\r\n", b"QUIT\r\n"),
        (b"HELO x\nMAIL\nQUIT\nN", b"HELO x\nMAIL\nQUIT\n", b"N\r\n"),
        (b"\nQUIT\r\n", b"\nQUIT\r\n", b"\r\n"),
    ],
)
def test_what_follows_a_bare_lf_is_no_command(
    pipes: Pipes, sent: bytes, line: bytes, then: bytes
) -> None:
    """It goes with its line, which ends at CRLF, or with what is there."""
    pipes.send(sent)
    assert pipes.stream.line() == line
    pipes.send(b"\r\n")
    assert pipes.stream.line() == then


def test_a_line_without_end_is_cut(pipes: Pipes) -> None:
    """It costs no memory, and the next line is the next line."""
    pipes.send(b"A" * 60_000)
    pipes.send(b"\r\nQUIT\r\n")
    line = pipes.stream.line()
    assert len(line) > 512
    assert set(line) <= set(b"A\r\n")
    assert pipes.stream.line() == b"QUIT\r\n"


def test_chunks_and_what_is_put_back(pipes: Pipes) -> None:
    """A chunk is what there is; what was too much is read again."""
    pipes.send(b"A\r\nBC")
    assert pipes.stream.line() == b"A\r\n"
    assert pipes.stream.chunk() == b"BC"
    pipes.stream.put_back(b"D\r\n")
    assert pipes.stream.line() == b"D\r\n"
    pipes.end()
    with pytest.raises(EndOfInput):
        pipes.stream.chunk()


def test_a_client_that_does_not_read(pipes: Pipes) -> None:
    """A closed output is a failure of ours."""
    os.close(pipes.back)
    pipes.back = -1
    pipes.stream.reply("220 hi")
    with pytest.raises(IOFailure, match="standard output"):
        pipes.stream.flush()


def test_an_input_that_cannot_be_read() -> None:
    """So is an input that fails."""
    directory = os.open("/", os.O_RDONLY)
    with pytest.raises(IOFailure, match="standard input"):
        Stream(directory, 1).line()
    os.close(directory)


def test_a_person_at_a_terminal() -> None:
    """The return key makes an LF, and means CRLF."""
    terminal, ours = pty.openpty()
    output = os.open("/dev/null", os.O_WRONLY)
    os.write(terminal, b"NOOP\n")
    assert Stream(ours, output).line() == b"NOOP\r\n"
    for descriptor in (terminal, ours, output):
        os.close(descriptor)
