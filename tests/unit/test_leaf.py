"""The content of one leaf in a transfer encoding."""

from __future__ import annotations

from base64 import b64decode, b64encode
from quopri import decodestring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.delivery import leaf

LINES = st.lists(
    st.sampled_from([b"", b"a", b"x" * 997, b"x" * 998, b"x" * 999, b"y" * 5000]), max_size=20
)


@given(LINES)
def test_has_long_line(lines: list[bytes]) -> None:
    """It is what looking at each line tells."""
    assert leaf.has_long_line(b"\n".join(lines)) == any(len(line) > 998 for line in lines)


@pytest.mark.parametrize("text", [b"", b"a\n", b"x" * 998, b"\x01\x7f\t"])
def test_clean(text: bytes) -> None:
    """7 bit, no NUL and short lines are clean."""
    assert leaf.is_clean(text)


@pytest.mark.parametrize("text", [b"\x80", b"a\0", b"x" * 999])
def test_not_clean(text: bytes) -> None:
    """One such byte or line is enough."""
    assert not leaf.is_clean(text)


@pytest.mark.parametrize(
    ("content", "is_text", "encoding"),
    [
        (b"mostly ASCII \xe9\n", True, leaf.QUOTED_PRINTABLE),
        (b"\xe9\xe9\xe9\n", True, leaf.BASE64),
        (b"x" * 999, True, leaf.QUOTED_PRINTABLE),
        (b"x" * 999, False, leaf.BASE64),
        (b"mostly ASCII \xe9\n", False, leaf.BASE64),
        (b"mostly ASCII \0\n", True, leaf.BASE64),
    ],
)
def test_choice(content: bytes, is_text: bool, encoding: bytes) -> None:
    """Legible where it can be, base64 for all that is not text."""
    assert leaf.encode(content, b"8bit", is_text)[0] == encoding


def test_line_ends() -> None:
    """In base64 the lines of text end in CRLF (RFC 2045, 6.8), other bytes stay as they are."""
    assert b64decode(leaf.encode(b"\xe9\n\xe9\n", b"", True)[1]) == b"\xe9\r\n\xe9\r\n"
    assert b64decode(leaf.encode(b"\xe9\n\xe9\n", b"", False)[1]) == b"\xe9\n\xe9\n"
    assert b64decode(leaf.encode(b"\0\n\xe9\n", b"", True)[1]) == b"\0\n\xe9\n"


@given(st.binary(max_size=300).filter(lambda content: b"\r" not in content), st.booleans())
def test_encoded_content_decodes(content: bytes, is_text: bool) -> None:
    """In short lines of ASCII, and to the same bytes."""
    encoding, encoded = leaf.encode(content, b"binary", is_text)
    assert leaf.is_clean(encoded)
    assert max(map(len, encoded.split(b"\n"))) <= 76
    decode = b64decode if encoding == leaf.BASE64 else decodestring
    assert decode(encoded).replace(b"\r\n", b"\n") == content.replace(b"\r\n", b"\n")


def test_large_content() -> None:
    """Blocks of base64 join without a seam."""
    content = bytes(range(256)) * 8000
    assert b64decode(leaf.encode(content, b"", False)[1], validate=False) == content


def test_base64_in_one_line() -> None:
    """It is cut into lines, and not decoded."""
    line = b64encode(b"x" * 3000)
    encoding, encoded = leaf.encode(line, leaf.BASE64, True)
    assert encoding == leaf.BASE64
    assert encoded.replace(b"\n", b"") == line
    assert max(map(len, encoded.split(b"\n"))) == 76


def test_junk_in_base64() -> None:
    """Bytes that no decoder reads become others that no decoder reads."""
    good = b64encode(b"x" * 600)
    encoding, encoded = leaf.encode(good + b"\n-- \n\xe9\0\n", leaf.BASE64, True)
    assert (encoding, leaf.is_clean(encoded)) == (leaf.BASE64, True)
    assert b64decode(encoded) == b"x" * 600


@pytest.mark.parametrize(
    "content", [b"Gr\xc3\xbc\xc3\x9fe an alle\n", b"Dear\n\xe9\xe9\xe9\n", b"\xe9"]
)
def test_text_with_a_wrong_label(content: bytes) -> None:
    """What cannot be base64 is encoded as what it is."""
    encoding, encoded = leaf.encode(content, leaf.BASE64, True)
    decode = b64decode if encoding == leaf.BASE64 else decodestring
    assert decode(encoded).replace(b"\r\n", b"\n") == content


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a=E9\xe9=\nb\n", b"a=E9=E9=\nb\n"),
        (b"\0\xc3\xa9\n", b"=00=C3=A9\n"),
        (b"1 = 2 \xe9\n", b"1 =3D 2 =E9\n"),
        (b"\xe9=  \nx\n", b"=E9=  \nx\n"),
        (b"\xe9=", b"=E9="),
    ],
)
def test_bad_quoted_printable(content: bytes, expected: bytes) -> None:
    """What is missing is escaped; what is right stays."""
    assert leaf.encode(content, leaf.QUOTED_PRINTABLE, True) == (leaf.QUOTED_PRINTABLE, expected)


def test_long_lines_of_quoted_printable() -> None:
    """They get soft breaks, none inside an escape."""
    content = b"=C3=A9x" * 300 + b"=\n" + b"y" * 1000 + b"\n"
    _, encoded = leaf.encode(content, leaf.QUOTED_PRINTABLE, True)
    assert leaf.is_clean(encoded)
    assert decodestring(encoded) == decodestring(content)


@pytest.mark.parametrize("encoding", [b"8bit", leaf.QUOTED_PRINTABLE])
def test_a_soft_break_makes_no_boundary(encoding: bytes) -> None:
    """No line of the result begins with ``--`` that did not before."""
    for length in range(20, 120):
        content = b"x" * length + b"--" + b"y" * 1000
        assert b"\n--" not in leaf.encode(content, encoding, True)[1]
    assert b"\n--" not in leaf.quote(b"x" * 73 + b"--------")


def test_a_preamble() -> None:
    """Text that no reader decodes stays legible, without NUL."""
    assert leaf.quote(b"caf\xe9\0\n") == b"caf=E9\n"
