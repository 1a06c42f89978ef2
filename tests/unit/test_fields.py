"""One field for SES."""

from __future__ import annotations

import pytest

from sesmail.delivery import fields
from sesmail.message.header import Field
from sesmail.sysexits import DataError


def encoded(name: str, value: str, *, is_part: bool = False) -> str:
    """Return the field as it goes to SES."""
    field = Field(name.encode(), value.encode("utf-8", "surrogateescape"))
    return fields.encode(field, is_part=is_part).decode("ascii")


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "x",
        " a\n\tb\n  c  ",
        "\n folded",
        "  \t x",
        " =?utf-8?q?a?=",
        " g:;",
        " a@x.org, b",
    ],
)
@pytest.mark.parametrize("name", ["To", "SUBJECT", "content-type", "X-Unknown"])
def test_what_is_fine_stays(name: str, value: str) -> None:
    """ASCII in short lines is left byte for byte."""
    assert encoded(name, value) == f"{name}:{value}"


@pytest.mark.parametrize("value", ["\n \n\t", " a\n \n b\n\t"])
def test_lines_of_blanks(value: str) -> None:
    """A continuation line that holds only blanks is not written."""
    lines = encoded("X", value).split("\n")
    assert all(line.strip() for line in lines)
    assert "".join(lines).split() == ["X:", *value.split()]


@pytest.mark.parametrize("name", ["To", "Cc", "Reply-To", "Sender", "Resent-From", "From"])
def test_a_refused_address_is_named(name: str) -> None:
    """With its field, because SES would tell neither; in a part it refuses nothing."""
    with pytest.raises(DataError, match=rf"^{name}: 'j\\xf6@x\.org': "):
        encoded(name, " j\u00f6@x.org")
    assert encoded(name, " j\u00f6@x.org", is_part=True) == f"{name}: =?utf-8?b?asO2QHgub3Jn?="


@pytest.mark.parametrize("name", ["Errors-To", "Disposition-Notification-To"])
def test_other_address_fields_refuse_nothing(name: str) -> None:
    """SES does not look at them; names in them are encoded all the same."""
    assert encoded(name, " j\u00f6@x.org") == f"{name}: =?utf-8?b?asO2QHgub3Jn?="
    assert encoded(name, " J\u00f6 <j@x.org>") == f"{name}: =?utf-8?q?J=C3=B6?= <j@x.org>"


def test_an_address_field_that_cannot_be_read() -> None:
    """Nothing is guessed: it stays, or if it must be ASCII, goes as text."""
    assert encoded("To", " <a; b") == "To: <a; b"
    assert encoded("To", " <\u00e4 b") == "To: =?utf-8?b?PMOk?= b"


def test_semicolons() -> None:
    """Between addresses a comma is meant, in the fields that SES reads and nowhere else."""
    assert encoded("Cc", " a@x.org;\n b@x.org") == "Cc: a@x.org,\n b@x.org"
    assert encoded("Subject", " a@x.org; b@x.org") == "Subject: a@x.org; b@x.org"
    assert encoded("To", " a@x.org; b@x.org", is_part=True) == "To: a@x.org; b@x.org"


def test_lines_with_encoded_words_are_short() -> None:
    """At most 76 characters where blanks allow it (RFC 2047, section 2)."""
    for words in range(1, 80):
        field = encoded("Subject", " \u00e4 a b: " * words)
        assert all(len(line) <= 76 for line in field.split("\n"))
