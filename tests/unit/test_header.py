"""Where the header section ends, and its fields (differential.md, section hdr)."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sesmail.message import header
from sesmail.message.header import Field, Section

LINES = st.lists(
    st.sampled_from(
        [b"To: a@x", b"a b: c", b"", b" fold", b"\t", b"From x", b">From x", b"X:", b"no field"]
    ),
    max_size=12,
)
NAME = "!\"#$%&'()*+,-./09;<=>?@AZ[\\]^_`az{|}~"


def read(text: bytes, cuts: tuple[int, ...] = ()) -> tuple[bytes, bytes]:
    """Feed ``text`` in pieces until the section's end is known; return section and body."""
    section = Section()
    fed = 0
    for end in [*sorted(cuts), len(text)]:
        known = section.feed(text[fed:end])
        fed = max(fed, end)
        if known:
            break
    else:
        section.feed(b"", final=True)
    found = bytes(section.text)
    return found[section.start : section.end], found[section.body :] + text[fed:]


def plainly(text: bytes) -> tuple[bytes, bytes]:
    """The same with one expression: a line of an mbox, fields with their folds, a blank line."""
    field = rb"[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*"
    match = re.match(rb"(>?From [^\n]*\n)?((?:%b)*)(\n?)" % field, text)
    assert match is not None
    return match[2], text[match.end() :]


@pytest.mark.parametrize(
    ("text", "section", "body"),
    [
        (b"", b"", b""),
        (b"To: a\n", b"To: a\n", b""),
        (b"To: a\n\n", b"To: a\n", b""),
        (b"To: a\n\nhello\n", b"To: a\n", b"hello\n"),
        (b"To: a\n\n\nhello\n", b"To: a\n", b"\nhello\n"),
        (b"\nTo: a\n\nhello\n", b"", b"To: a\n\nhello\n"),
        (b"\n\nhello\n", b"", b"\nhello\n"),
        (b"To: a\nno field\nX: b\n\n", b"To: a\n", b"no field\nX: b\n\n"),
        (b"hello\nTo: a\n", b"", b"hello\nTo: a\n"),
        (b"To: a\n b\n\tc\nX: d\n\n", b"To: a\n b\n\tc\nX: d\n", b""),
        (b"To: a\n \nX: b\n\nhello\n", b"To: a\n \nX: b\n", b"hello\n"),
        (b" To: a\n\nhello\n", b"", b" To: a\n\nhello\n"),
        (b"To : a\n\n", b"To : a\n", b""),
        (b": a\n\n", b"", b": a\n\n"),
        (b"http://x/: a\n\n", b"http://x/: a\n", b""),
        (b"T\xc3\xb6: a\n\n", b"", b"T\xc3\xb6: a\n\n"),
        (b"a b: c\n\n", b"", b"a b: c\n\n"),
        (b"From bob Mon Nov  2\nTo: a\n\nx\n", b"To: a\n", b"x\n"),
        (b">From bob Mon Nov  2\nTo: a\n\nx\n", b"To: a\n", b"x\n"),
        (b"From bob\nFrom bob\n\n", b"", b"From bob\n\n"),
        (b"To: a\nFrom bob\n\n", b"To: a\n", b"From bob\n\n"),
        (b"From bob\n fold\nTo: a\n\n", b"", b" fold\nTo: a\n\n"),
        (b"From bob\n\nhello\n", b"", b"hello\n"),
        (b"Text:\nMessage: x\n\nhello\n", b"Text:\nMessage: x\n", b"hello\n"),
    ],
)
def test_the_section_ends(text: bytes, section: bytes, body: bytes) -> None:
    """At a blank line, or before the first line that is neither field nor fold.

    One blank line is no part of the body; the line that parts messages in an mbox file is dropped.
    """
    assert read(text) == (section, body)


@given(LINES, st.lists(st.integers(0, 80)).map(tuple))
@example([b"From x", b" fold"], ())
def test_chunks_make_no_difference(lines: list[bytes], cuts: tuple[int, ...]) -> None:
    """However the text arrives, section and body are what one expression finds in the whole."""
    text = b"".join(line + b"\n" for line in lines)
    assert read(text) == plainly(text)
    assert read(text, cuts) == plainly(text)


@pytest.mark.parametrize("length", [996, 997, 998, 2000])
@pytest.mark.parametrize("line", [b"x%b: a", b"x%b : a", b"From %b", b">From x%b", b"x%b"])
def test_chunks_make_no_difference_in_a_long_line(line: bytes, length: int) -> None:
    """The longest name of a field fills a line of 998 bytes with its colon, however it arrives."""
    text = line % (b"y" * (length - 1)) + b"\nTo: a\n\nhello\n"
    section, body = read(text)
    for cut in range(990, len(text), 7):
        assert read(text, (cut,)) == (section, body)
        assert read(text, (cut, cut + 1)) == (section, body)


def test_the_longest_name() -> None:
    """997 bytes are a name, 998 are not."""
    assert header.is_field(b"x" * 997 + b": a")
    assert not header.is_field(b"x" * 998 + b": a")


@pytest.mark.parametrize("start", [b"x", b"x y", b"\0", b"To"])
def test_a_long_line_that_cannot_be_a_field_is_not_waited_for(start: bytes) -> None:
    """A binary body without a line end is known for what it is after one line's length."""
    assert Section().feed(start + b"x" * 1000)


@pytest.mark.parametrize("start", [b"X: ", b"X:", b"X: a\n "])
def test_a_long_field_is_waited_for(start: bytes) -> None:
    """A field has no longest line here; the end of the input is its end."""
    section = Section()
    text = start + b"x" * 100_000
    assert not section.feed(text)
    section.feed(b"", final=True)
    assert bytes(section.text[section.start : section.end]) == text


@pytest.mark.parametrize(
    ("section", "fields"),
    [
        (b"", []),
        (b"To: a\n", [(b"To", b" a")]),
        (b"To: a\nCC:b\n", [(b"To", b" a"), (b"CC", b"b")]),
        (b"To:\n a\n\tb\nX:\n", [(b"To", b"\n a\n\tb"), (b"X", b"")]),
        (b"To \t: a\n", [(b"To", b" a")]),
        (b"X: a:b\n", [(b"X", b" a:b")]),
        (b"X: a\rb\0c\n", [(b"X", b" a bc")]),
        (b"X: a\r\n", [(b"X", b" a ")]),
        (b"X: a", [(b"X", b" a")]),
        (b"X: \xff\n", [(b"X", b" \xff")]),
    ],
)
def test_fields(section: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    """Name and value as written, folds kept; a bare CR becomes a blank, and a NUL goes."""
    assert [(field.name, field.value) for field in header.split(section)] == fields


@given(LINES)
def test_what_is_split_is_joined(lines: list[bytes]) -> None:
    """A section without CR, NUL and blanks before colons comes back byte for byte."""
    section, _ = read(b"".join(line + b"\n" for line in lines))
    fields = header.split(section)
    assert header.join(fields) == section
    assert b"".join(bytes(field) + b"\n" for field in fields) == section


@given(st.binary())
def test_no_cr_and_no_nul_reach_a_field(text: bytes) -> None:
    """Whatever the callers write, and no line of a field begins a new one."""
    section, _ = read(text)
    for field in header.split(section):
        assert not {0, 13} & set(field.name + field.value)
        assert all(line[:1] in (b" ", b"\t") for line in field.value.split(b"\n")[1:])
        assert field.name


@pytest.mark.parametrize("char", NAME)
def test_names_of_printable_ascii(char: str) -> None:
    """RFC 5322, 3.6.8: any printable character but the colon may stand in a name."""
    assert header.is_field(f"{char}: x".encode())


@pytest.mark.parametrize(
    "line", [b"", b":", b" :", b" X: a", b"X", b"X\x7f: a", b"X\0: a", b"X y: a", b"\xc3\xb6: a"]
)
def test_lines_that_are_no_field(line: bytes) -> None:
    """No name, no colon, or a name with a blank, a control or 8-bit in it."""
    assert not header.is_field(line)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b" a", "a"),
        (b" a\n b\n\tc ", "a b\tc"),
        (b"\n a", "a"),
        (b"", ""),
        (b" gr\xc3\xbc\xc3\x9fe", "gr\u00fc\u00dfe"),
        (b" gr\xfc", "gr\udcfc"),
    ],
)
def test_the_text_of_a_field(value: bytes, text: str) -> None:
    """Unfolded and trimmed; bytes that are no UTF-8 as surrogates."""
    assert Field(b"X", value).text() == text


def test_the_first_of_a_name() -> None:
    """Names compare in any case."""
    fields = header.split(b"A: 1\nto: 2\nTO: 3\n")
    assert header.first(fields, b"to") is fields[1]
    assert header.first(fields, b"cc") is None
