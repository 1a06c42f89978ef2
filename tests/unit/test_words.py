"""Display names that we write: nothing in them can end the field or start another."""

from __future__ import annotations

from email.header import decode_header, make_header
from email.utils import parseaddr

from hypothesis import given
from hypothesis import strategies as st

from sesmail.message import words


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc"))).map(str.strip))
def test_the_standard_library_reads_the_same_name(name: str) -> None:
    """Quoted or encoded, a reader gets back what was given."""
    phrase = words.phrase(name)
    assert phrase.isascii()
    read, address = parseaddr(f"{phrase} <a@example.org>")
    assert address == "a@example.org"
    assert str(make_header(decode_header(read))) == name


@given(st.text())
def test_no_control_ever_comes_out(name: str) -> None:
    """CR, LF and NUL of -F and NAME never reach a header."""
    assert words.phrase(name).isprintable()


def test_an_encoded_word_has_at_most_75_characters() -> None:
    """RFC 2047, section 2."""
    assert all(len(word) <= 75 for word in words.phrase("ü" * 500).split(" "))


def test_bytes_that_are_no_utf_8() -> None:
    """A name in Latin-1 loses the letter, not the mail."""
    assert words.phrase(b"J\xf6rg".decode("utf-8", "surrogateescape")) == "=?utf-8?b?Sj9yZw==?="


def test_what_looks_like_an_encoded_word_is_quoted() -> None:
    """A caller's text stays text."""
    assert words.phrase("=?utf-8?q?x?=") == '"=?utf-8?q?x?="'
