"""The end of DATA and its dots, in whatever chunks they come."""

from __future__ import annotations

import itertools
import os
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sesmail.submission.kept import Kept
from sesmail.submission.smtp import data as smtp_data
from sesmail.submission.smtp.data import Data
from sesmail.submission.smtp.replies import Refusal
from sesmail.submission.smtp.stream import EndOfInput, Stream

END = b"\r\n.\r\n"
PIECES = st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"a", b"\0", b"\xff", b"\r\n."])
TEXTS = st.lists(PIECES, max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 80), max_size=6)


def feed(text: bytes, cuts: list[int]) -> tuple[bytes, Data]:
    """Feed ``text`` in the chunks that end at ``cuts``, up to the end of data."""
    data = Data()
    out = b""
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    for start, end in itertools.pairwise(places):
        if data.ended:
            data.rest += text[start:end]
        else:
            out += data.feed(text[start:end])
    return out, data


def plainly(text: bytes) -> bytes:
    """The message between DATA and the end: CRLF lines without their dots, then LF line ends."""
    lines = [line.removeprefix(b".") for line in text.split(b"\r\n")]
    out = re.sub(rb"\r+\n", b"\n", b"\n".join(lines))
    return re.sub(rb"\r*\Z", b"", out) + b"\n"


@given(TEXTS, TEXTS, CUTS)
@example(b"", b"QUIT\r\n", [])
@example(b".", b"", [1, 2, 3])
@example(b"a\r\n..\r\n.", b"", [2, 3, 4, 5])
def test_only_crlf_dot_crlf_ends_it(before: bytes, after: bytes, cuts: list[int]) -> None:
    """The first one, in any chunks; what follows is left for the next commands."""
    stream = before + END + after
    whole = b"\r\n" + stream
    end = whole.index(END)
    out, data = feed(stream, cuts)
    assert data.ended
    assert data.rest == whole[end + 5 :]
    assert out == (plainly(whole[2:end]) if end else b"")
    false_end = re.search(rb"[\r\n]\.(?=[\r\n])", whole[: end + 1])
    assert data.has_false_end == bool(false_end)


@given(st.lists(st.binary(max_size=20).filter(lambda line: not set(line) & {10, 13})), CUTS)
def test_what_a_client_stuffs_comes_back(lines: list[bytes], cuts: list[int]) -> None:
    """Dots that a client doubles, as it must, are undone; nothing else is changed."""
    stuffed = b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines)
    out, data = feed(stuffed + b".\r\n", cuts)
    assert data.ended
    assert not data.has_false_end
    assert out == b"".join(line + b"\n" for line in lines)


@pytest.mark.parametrize("before", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("after", [b"\n", b"\r", b"\r\n", b"\r\r\n"])
@pytest.mark.parametrize("size", [1, 70_000])
@pytest.mark.parametrize("chunk", [1, 7, 1 << 16])
def test_smuggling(before: bytes, after: bytes, size: int, chunk: int) -> None:
    """A lone dot between other line ends ends nothing, and is seen, however long the line."""
    if before == after == b"\r\n":
        return
    hidden = b"MAIL FROM:<evil@example.com>\r\n"
    text = b"x" * size + before + b"." + after + hidden + b"last" + END + b"QUIT\r\n"
    cuts = list(range(chunk, len(text), chunk)) if size == 1 or chunk > 1 else [size + 1, size + 2]
    out, data = feed(text, cuts)
    assert data.has_false_end
    assert data.rest == b"QUIT\r\n"
    assert b"evil" in out


def test_dots_after_a_bare_lf_stay() -> None:
    """A client that doubles dots only after CRLF, as it must, has not doubled these."""
    out, data = feed(b"a\n..b\n.c\r\n..d" + END, [])
    assert out == b"a\n..b\n.c\n.d\n"
    assert not data.has_false_end


def test_a_long_line_is_not_held() -> None:
    """A line of any length passes, and never more than 64 KiB of it waits."""
    data = Data()
    size = sum(len(data.feed(b"x" * 10_000)) for _ in range(100))
    assert size > 900_000
    assert len(data.feed(b".y" + END)) > 0
    assert data.ended


def receive(text: bytes, limit: int = 1 << 20, kept: Kept | None = None) -> tuple[bytes, bytes]:
    """Receive from a file; return the message and what is left for the next command."""
    reading = os.memfd_create("input")
    os.write(reading, text)
    os.lseek(reading, 0, os.SEEK_SET)
    writing = os.memfd_create("output")
    try:
        stream = Stream(reading, writing)
        message = kept or Kept({})
        smtp_data.receive(stream, message, limit)
        return b"".join(message.pieces()), stream.line()
    finally:
        os.close(reading)
        os.close(writing)


def test_the_message_and_the_next_command() -> None:
    """The message is kept, and what the client pipelined after it comes next."""
    assert receive(b"a\r\n..b\r\n.\r\nNOOP\r\nQUIT\r\n") == (b"a\n.b\n", b"NOOP\r\n")


def test_too_large() -> None:
    """552 once its end was read; the limit itself is taken."""
    with pytest.raises(Refusal, match=r"^552 5\.3\.4 "):
        receive(b"x" * 100 + END, 100)
    assert receive(b"x" * 99 + END + b"N\r\n", 100)[0] == b"x" * 99 + b"\n"


def test_a_false_end_is_refused() -> None:
    """554, and nothing of it remains."""
    with pytest.raises(Refusal, match=r"^554 5\.5\.2 "):
        receive(b"a\n.\r\nMAIL FROM:<b@c>\r\n.\r\n")


def test_the_end_of_input_within_the_message() -> None:
    """It is an end, however much of the last line is there."""
    for text in (b"", b"a", b"a\r\n", b"a\r\n.", b"a\r\n.\r"):
        with pytest.raises(EndOfInput):
            receive(text)


def test_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the message cannot be kept, it is read to its end and refused for now."""

    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    kept = Kept({})
    monkeypatch.setattr(Kept, "_create", refuse)
    with pytest.raises(Refusal, match=r"^451 4\.3\.0 .*No space left"):
        receive((b"x" * 70 + b"\r\n") * 30_000 + END, 1 << 30, kept)
