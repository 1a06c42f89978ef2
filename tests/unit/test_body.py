"""Line ends and dots of what callers write (differential.md, section body)."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sesmail.message.body import Lines, clean

PIECES = st.sampled_from([b"\n", b"\r\n", b"\r", b".", b"..", b"a", b"\0", b"\xff", b" ", b"From "])
TEXTS = st.lists(PIECES, max_size=40).map(b"".join)
LONG = 1 << 16  # bytes of a line without end that are held back


def read(text: bytes, *, ignore_dots: bool = False, cuts: tuple[int, ...] = ()) -> bytes:
    """Feed ``text`` in the chunks that end at ``cuts``; return what comes out."""
    lines = Lines(ignore_dots)
    ends = [*sorted(cuts), len(text)]
    chunks = [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return b"".join([*map(lines.feed, chunks), lines.finish()])


def plainly(text: bytes, ignore_dots: bool) -> bytes:
    """The same by the rules one after the other, on the whole text: CRs, dots, last line end."""
    text = re.sub(rb"\r+\n", b"\n", text)
    if text and not text.endswith(b"\n"):
        text = text.rstrip(b"\r") + b"\n"
    if not ignore_dots:
        text = re.sub(rb"^\.\n.*", b"", text, count=1, flags=re.MULTILINE | re.DOTALL)
        text = re.sub(rb"^\.\.", b".", text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize(
    ("text", "out"),
    [
        (b"", b""),
        (b"a", b"a\n"),
        (b"a\n", b"a\n"),
        (b"a\n\n\n", b"a\n\n\n"),
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\r\nb\nc\r\r\r\nd", b"a\nb\nc\nd\n"),
        (b"a\rb\n", b"a\rb\n"),
        (b"\r\n\n", b"\n\n"),
        (b"a\r", b"a\n"),
        (b"\n", b"\n"),
    ],
)
@pytest.mark.parametrize("ignore_dots", [True, False])
def test_line_ends(text: bytes, out: bytes, ignore_dots: bool) -> None:
    """LF, CRLF and several CR before LF end a line, mixed too; the last line gets its end."""
    assert read(text, ignore_dots=ignore_dots) == out


@pytest.mark.parametrize(
    ("text", "out"),
    [
        (b"a\n.\nb\n", b"a\n"),
        (b"a\r\n.\r\nb\r\n", b"a\n"),
        (b".\nb\n", b""),
        (b"a\n.", b"a\n"),
        (b"a\n.\r", b"a\n"),
        (b"a\n.\r\r\nb", b"a\n"),
        (b".a\n..\n...b\n", b".a\n.\n..b\n"),
        (b"..", b".\n"),
        (b"a.\n. \n", b"a.\n. \n"),
        (b"a\n.\n.\n", b"a\n"),
    ],
)
def test_dots(text: bytes, out: bytes) -> None:
    """A lone dot ends the message, also at the end of the input; of two leading dots one goes."""
    assert read(text) == out


@pytest.mark.parametrize("text", [b"a\n.\nb\n", b".\n", b"..\n...\n", b".a\n"])
def test_dots_are_text_where_they_are_ignored(text: bytes) -> None:
    """With -i all dots stay."""
    assert read(text, ignore_dots=True) == text


def test_the_end_is_told() -> None:
    """``ended`` says that a lone dot was read: a person who typed it is waiting."""
    lines = Lines(ignore_dots=False)
    seen = [(lines.feed(chunk), lines.ended) for chunk in (b"a\n.", b"\nmore\n", b"more\n")]
    assert seen == [(b"a\n", False), (b"", True), (b"", True)]
    assert lines.finish() == b""


def test_a_line_without_end_is_not_hoarded() -> None:
    """What comes in goes out: of a line of 10 MB no more than two chunks are held back."""
    lines = Lines(ignore_dots=False)
    chunk = b"x" * LONG
    out = sum(len(lines.feed(chunk)) for _ in range(160))
    assert 160 * LONG - out <= 2 * LONG
    assert out + len(lines.finish()) == 160 * LONG + 1


@pytest.mark.parametrize("start", [b"", b".", b"..", b"\r"])
@pytest.mark.parametrize("end", [b"", b"\r", b"\r\n", b"\r\r\n", b"\n.\nx", b"\n..\n"])
@pytest.mark.parametrize("cut", [LONG - 1, LONG, LONG + 1, LONG + 2])
def test_long_lines_by_the_same_rules(start: bytes, end: bytes, cut: int) -> None:
    """Where a chunk ends in a long line makes no difference, next to a CR or a dot neither."""
    text = start + b"x" * LONG + end
    assert read(text, cuts=(cut, cut + 1)) == plainly(text, ignore_dots=False)
    assert read(text, ignore_dots=True, cuts=(cut,)) == plainly(text, ignore_dots=True)


@given(TEXTS, st.booleans())
@example(b"a\r\r", False)
@example(b".\r", False)
def test_as_by_the_rules_one_after_the_other(text: bytes, ignore_dots: bool) -> None:
    """The same comes out as by plain replacements on the whole text."""
    assert read(text, ignore_dots=ignore_dots) == plainly(text, ignore_dots)


@given(TEXTS, st.booleans(), st.lists(st.integers(0, 100)).map(tuple))
def test_chunks_make_no_difference(text: bytes, ignore_dots: bool, cuts: tuple[int, ...]) -> None:
    """However a pipe cuts the text, the same comes out."""
    whole = read(text, ignore_dots=ignore_dots)
    assert read(text, ignore_dots=ignore_dots, cuts=cuts) == whole
    every = tuple(range(len(text)))
    assert read(text, ignore_dots=ignore_dots, cuts=every) == whole


@given(st.binary())
def test_what_goes_in_comes_out(text: bytes) -> None:
    """With -i, text with LF line ends stays as it is, byte for byte, NUL and 8-bit too."""
    text = text.replace(b"\r", b"") + b"\n"
    assert read(text, ignore_dots=True) == text


@given(TEXTS)
def test_doubled_dots_come_out_single(text: bytes) -> None:
    """What Symfony sends without -i, leading dots doubled, arrives as it was meant."""
    text = re.sub(rb"\r+", b"", text) + b"\n"
    assert read(re.sub(rb"^\.", b"..", text, flags=re.MULTILINE)) == text


def test_a_cr_that_stands_alone_ends_a_line_of_the_body() -> None:
    """Receivers guard against smuggling; a text with CR line ends stays readable."""
    assert clean(b"a\rb\r\rc\n") == b"a\nb\n\nc\n"
