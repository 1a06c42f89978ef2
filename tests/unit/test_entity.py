"""An entity's fields: what they say, and what repair makes them say."""

from __future__ import annotations

import pytest

from sesmail.delivery.entity import Entity
from sesmail.message import header


def entity(section: bytes) -> Entity:
    """Return the entity with this header section."""
    return Entity(header.split(section), section + b"\n", "text/plain")


def described(section: bytes, content: bytes, *, is_message: bool = False) -> bytes:
    """Return the header section after ``content`` was encoded in base64."""
    changed = entity(section)
    changed.is_message = is_message
    changed.describe(content, b"base64")
    return changed.header()


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"", b"7bit"),
        (b"Content-Transfer-Encoding: Base64 (comment)\n", b"base64"),
        (b"Content-Transfer-Encoding:\n", b"7bit"),
        (b"content-transfer-encoding:\n\t8BIT\n", b"8bit"),
    ],
)
def test_encoding(field: bytes, expected: bytes) -> None:
    """The first word of the field; 7bit is the default (RFC 2045, 6.1)."""
    assert entity(field).encoding() == expected


@pytest.mark.parametrize(
    ("type_", "is_text"),
    [(b"", True), (b"text/html", True), (b"nonsense", True), (b"multipart/mixed", True),
     (b"message/delivery-status", True), (b"image/png", False), (b"application/json", False)],
)  # fmt: skip
def test_is_text(type_: bytes, is_text: bool) -> None:
    """Without a readable type it is text (RFC 2045, 5.2)."""
    assert entity(b"Content-Type: " + type_ + b"\n").is_text() is is_text
    assert entity(b"").is_text()


def test_a_header_that_nobody_changed() -> None:
    """It comes back byte for byte, with the blank line that it may lack."""
    section = b"content-type:text/plain ;x\nX:  y\n\tz\n"
    assert entity(section).header() == section + b"\n"
    assert Entity(header.split(section), section, "text/plain").header() == section + b"\n"
    assert Entity([], b"", "text/plain").header() == b""


def test_a_header_that_has_to_change() -> None:
    """Fields beyond ASCII are encoded, a line of blanks goes."""
    assert entity(b"X: \xc3\xa9\nY: z\n").header() == b"X: =?utf-8?q?=C3=A9?=\nY: z\n\n"
    assert entity(b"X: y\n \nY: z\n").header() == b"X: y\nY: z\n\n"


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (b"text/html", b"text/html; charset=utf-8"),
        (b"text/html; charset=iso-8859-1", b"text/html; charset=iso-8859-1"),
        (b"text/plain; format=flowed;", b"text/plain; format=flowed; charset=utf-8"),
        (b"image/png", b"image/png"),
        (b"nonsense", b"nonsense"),
    ],
)
def test_charset(type_: bytes, expected: bytes) -> None:
    """Text that turns out to be UTF-8 says so unless it says something else."""
    section = b"Content-Type: " + type_ + b"\n"
    expected_field = b"Content-Type: " + expected + b"\n"
    assert (
        described(section, b"\xc3\xa9") == expected_field + b"Content-Transfer-Encoding: base64\n\n"
    )
    assert described(section, b"\xff").startswith(b"Content-Type: " + type_ + b"\n")


@pytest.mark.parametrize(
    ("content", "charset"),
    [(b"a\0", b"us-ascii"), (b"\xc3\xa9", b"utf-8"), (b"\xff", b"unknown-8bit")],
)
def test_no_mime_fields(content: bytes, charset: bytes) -> None:
    """A message gets all three, a part needs no MIME-Version."""
    two = (
        b"Content-Type: text/plain; charset=" + charset + b"\nContent-Transfer-Encoding: base64\n\n"
    )
    assert described(b"A: b\n", content) == b"A: b\n" + two
    assert described(b"A: b\n", content, is_message=True) == b"A: b\nMIME-Version: 1.0\n" + two


def test_what_is_encoded_already() -> None:
    """Encoded content is no guide to the charset."""
    section = b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n"
    assert described(section, b"\xc3\xa9") == section + b"\n"


def test_labels() -> None:
    """8bit and binary become 7bit, in place, and a second label goes."""
    section = b"A: b\nContent-Transfer-Encoding: %b\nC: d\nContent-Transfer-Encoding: 8bit\n"
    for label in (b"8bit", b"BINARY"):
        corrected = entity(section % label)
        corrected.correct_label()
        assert corrected.header() == b"A: b\nContent-Transfer-Encoding: 7bit\nC: d\n\n"
    kept = entity(section % b"quoted-printable")
    kept.correct_label()
    assert kept.header() == section % b"quoted-printable" + b"\n"


def test_plain_text_in_place_of_a_multipart() -> None:
    """The type that cannot be true is replaced."""
    changed = entity(b"Content-Type: multipart/mixed\nA: b\n")
    changed.become_text(b"\xc3\xa9")
    assert changed.type == "text/plain"
    assert changed.header() == b"Content-Type: text/plain; charset=utf-8\nA: b\n\n"
