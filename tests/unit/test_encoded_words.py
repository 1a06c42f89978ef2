"""Encoded-words: ASCII that the standard library reads back."""

from __future__ import annotations

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.delivery.encoded_words import (
    encode,
    encode_unstructured,
    is_encoded_word,
    is_utf8,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Gr\u00fc\u00dfe", "=?utf-8?b?R3LDvMOfZQ==?="),
        ("all \u00e4 b \u00f6 \u00fc end", "all =?utf-8?q?=C3=A4?= b =?utf-8?b?w7Ygw7w=?= end"),
        ("=?utf-8?q?a?= \u00e4", "=?utf-8?q?a?= =?utf-8?q?_=C3=A4?="),
        ("\u00e4 =?utf-8?q?a?=", "=?utf-8?q?=C3=A4_?= =?utf-8?q?a?="),
        ("\udce4 x", "=?unknown-8bit?q?=E4?= x"),
    ],
)
def test_unstructured(value: str, expected: str) -> None:
    """Words beyond ASCII become encoded-words, the blanks between two of them inside one."""
    assert encode_unstructured(value.encode("utf-8", "surrogateescape")) == expected.encode()


words = st.lists(
    st.text(
        st.characters(min_codepoint=33, blacklist_categories=("C", "Z")), min_size=1, max_size=90
    ),
    min_size=1,
    max_size=20,
)


@given(words.filter(lambda words: not any("=?" in word for word in words)))
def test_text_is_read_back(words: list[str]) -> None:
    """The standard library decodes what was written, word for word."""
    text = " ".join(words)
    encoded = encode_unstructured(text.encode())
    assert encoded.isascii()
    assert str(make_header(decode_header(encoded.decode()))) == text


visible = st.lists(st.sampled_from([*range(33, 61), *range(64, 127), *range(128, 256)]), min_size=1)


@given(st.lists(visible.map(bytes), min_size=1, max_size=9))
def test_unknown_bytes_are_read_back(words: list[bytes]) -> None:
    """Bytes of an unknown charset are all there."""
    text = b" ".join(words)
    decoded = [
        part if isinstance(part, bytes) else part.encode("latin-1")
        for part, _ in decode_header(encode_unstructured(text).decode())
    ]
    assert b"".join(decoded) == text


@given(st.text(min_size=1))
def test_an_encoded_word_stands_for_whole_characters(text: str) -> None:
    """Each is at most 75 long and decodes by itself (RFC 2047, section 2 and 5)."""
    encoded = encode(text.encode())
    assert all(len(word) <= 75 and is_encoded_word(word) for word in encoded)
    assert "".join(str(make_header(decode_header(word.decode()))) for word in encoded) == text


@given(st.binary(), st.text(max_size=5))
def test_is_utf8(noise: bytes, text: str) -> None:
    """It is what Python's decoder takes, also where a character lies across two blocks."""
    for data in (noise, b"x" * 65535 + text.encode(), b"x" * 65534 + noise):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            assert not is_utf8(data)
        else:
            assert is_utf8(data)
