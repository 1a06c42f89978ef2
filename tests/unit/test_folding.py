"""Folds of a field."""

from __future__ import annotations

from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.delivery.folding import fold, fold_long_lines, unfold, without_blank_lines

WORDS = st.sampled_from(
    [b"a", b"word", b"x" * 75, b"y" * 600, b"z" * 998, b"w" * 3000, b"a,b;" * 400]
)
BLANKS = st.sampled_from([b" ", b"\t", b"  ", b" " * 99, b" " * 3000])


def test_unfold() -> None:
    """Line ends go, the blanks after them stay, those at the end go."""
    assert unfold(b" a\n\tb\n  c \n ") == b" a\tb  c"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b" a\n \t\n b", b" a\n b"), (b"\n ", b""), (b" a\n b", b" a\n b"), (b" ", b" ")],
)
def test_without_blank_lines(value: bytes, expected: bytes) -> None:
    """Only continuation lines of blanks go."""
    assert without_blank_lines(value) == expected


@given(st.lists(st.tuples(BLANKS, WORDS), min_size=1, max_size=30), st.sampled_from([76, 998]))
def test_lines_fit(pairs: list[tuple[bytes, bytes]], width: int) -> None:
    """No line is over 998, none of blanks alone, and nothing but blanks comes or goes."""
    line = b"Name:" + b"".join(blanks + word for blanks, word in pairs)
    folded = fold(line, width)
    lines = folded.split(b"\n")
    assert all(len(one) <= 998 and one.strip() for one in lines)
    assert all(one[:1] in (b" ", b"\t") for one in lines[1:])
    assert b"".join(folded.split()) == b"".join(line.split())
    assert lines[0].rstrip() != b"Name:"


@given(st.lists(st.sampled_from([b"a", b"word", b"x" * 50]), min_size=1, max_size=60))
def test_blanks_are_enough(words: list[bytes]) -> None:
    """Where blanks allow the width the text unfolds to what it was."""
    line = b"Name: " + b" ".join(words)
    folded = fold(line, 76)
    assert folded.replace(b"\n", b"") == line
    assert max(map(len, folded.split(b"\n"))) <= 76


def test_only_long_lines() -> None:
    """A line that fits stays as it is beside one that does not."""
    field = b"X: a b\n " + b"word " * 300 + b"\n\tc  d"
    folded = fold_long_lines(field)
    assert folded.startswith(b"X: a b\n word ")
    assert folded.endswith(b"word\n\tc  d")
    assert b"\n" in folded[10:-10]


def test_a_list_is_broken_after_a_comma() -> None:
    """Addresses without a blank between them are not cut in two."""
    value = ",".join(f"recipient{number}@example.org" for number in range(200))
    folded = fold(b"To: " + value.encode(), 998).decode().replace("\n", "")
    found = getaddresses([folded.removeprefix("To: ")])
    assert [address for _, address in found] == value.split(",")


def test_a_name_without_room() -> None:
    """A name over the length of a line cannot be mended, and is not cut."""
    line = b"x" * 1000 + b": value " + b"y" * 1000
    assert fold(line, 998) == line
