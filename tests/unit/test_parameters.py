"""Content-Type and Content-Disposition: read and written."""

from __future__ import annotations

import email
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.delivery import parameters


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" text/plain", "text/plain"),
        (b" TEXT / HTML;charset=x", "text/html"),
        (b"\n multipart/mixed(c);x", "multipart/mixed"),
        (b" text", ""),
        (b"", ""),
        (b"/plain", ""),
        (b" \xff/\xfe", "\ufffd/\ufffd"),
    ],
)
def test_media_type(value: bytes, expected: str) -> None:
    """Type and subtype in lower case, "" where there are not both."""
    assert parameters.media_type(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"a/b; x=y", b"y"),
        (b"a/b;\n\tX = y (comment); z", b"y"),
        (b'a/b; x="y; z=\\"1\\""', b'y; z="1"'),
        (b'a/b; w="; x=no"; x=yes', b"yes"),
        (b'a/b; x="not closed', b"not closed"),
        (b"a/b; x=", b""),
        (b"a/b; xx=y", None),
        (b"a/b", None),
        (b"a/b; x=1; x=2", b"1"),
    ],
)
def test_parameter(value: bytes, expected: bytes | None) -> None:
    """The first of the name counts; names in quotes do not."""
    assert parameters.parameter(value, b"x") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"multipart/x; boundary=a", b"a"),
        (b'multipart/x; BOUNDARY="a b "', b"a b"),
        (b"multipart/x; boundary*=us-ascii''a%20b", b"a b"),
        (b"multipart/x; boundary*0=a; boundary*1=b", b"ab"),
        (b"multipart/x", None),
        (b'multipart/x; boundary=""', None),
        (b"multipart/x; boundary=\xc3\xa9", None),
        (b'multipart/x; boundary="\xe9"', None),
        (b"multipart/x; boundary=" + b"x" * 901, None),
        (b'multipart/x; boundary="a\0b"', None),
    ],
)
def test_boundary(value: bytes, expected: bytes | None) -> None:
    """What readers take for it, unless its delimiters could not be sent."""
    assert parameters.boundary(value) == expected


tokens = st.from_regex(r"[a-z0-9_.-]{1,60}", fullmatch=True)


@given(tokens.filter(lambda token: not token.startswith(("'", "."))))
def test_boundary_agrees_with_the_standard_library(token: str) -> None:
    """Quoted or not, it is the boundary that the standard library sees."""
    for value in (
        f"multipart/mixed; a=b; boundary={token}",
        f'multipart/mixed; boundary="{token}"',
    ):
        message = Message()
        message["Content-Type"] = value
        assert parameters.boundary(value.encode()) == (message.get_boundary() or "").encode()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="\u00c4 b.pdf"', "\u00c4 b.pdf"),
        ("attachment; size=3; filename=\u00c4 b.pdf; x=y", "\u00c4 b.pdf"),
        ('attachment; filename="' + "\u6f22" * 80 + '.pdf"', "\u6f22" * 80 + ".pdf"),
        ('attachment; filename="a\\"\u00e4.pdf', 'a"\u00e4.pdf'),
    ],
)
def test_file_names(value: str, name: str) -> None:
    """They go in the form of RFC 2231, in several sections if they are long."""
    encoded = parameters.encode(value.encode()).decode("ascii")
    parsed = email.message_from_string(f"Content-Disposition: {encoded}\n")
    assert parsed.get_content_disposition() == "attachment"
    assert parsed.get_filename() == name


@given(
    st.text(st.characters(min_codepoint=32, blacklist_categories=["C"]), max_size=99), st.booleans()
)
def test_file_names_are_read_back(name: str, is_utf8: bool) -> None:
    """Whatever characters or bytes a name has, they are there, and the other parameters stay."""
    data = name.encode() if is_utf8 else name.encode() + b"\xff"
    quoted = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    value = parameters.encode(b'inline; a=b; filename="%b"; c=d' % quoted)
    if data.isascii():
        assert value == b'inline; a=b; filename="%b"; c=d' % quoted
        return
    message = email.message_from_bytes(b"Content-Disposition: " + value)
    assert message.get_param("a", header="content-disposition") == "b"
    assert message.get_param("c", header="content-disposition") == "d"
    found = message.get_param("filename", header="content-disposition")
    assert isinstance(found, tuple)
    assert found[0] == ("utf-8" if is_utf8 else "unknown-8bit")
    assert unquote(found[2], encoding="latin-1").encode("latin-1") == data


@pytest.mark.parametrize(
    "value", [b"\xc3\xa9/x; a=b", b"a/b (\xff)", b"a/b; \xe9=x", b"a/b;\xc3\xa9"]
)
def test_bytes_beyond_ascii_elsewhere(value: bytes) -> None:
    """They have no form of their own there, but they do not leave as they are."""
    assert parameters.encode(value).isascii()
