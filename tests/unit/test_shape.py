"""What a pasted value seems to be, by its shape; and no text has the value."""

from __future__ import annotations

import pytest

from sesmail.control.setup import shape
from sesmail.delivery import secret
from tests.fakes.signatures import smtp_password
from tests.fakes.state import KEY_ID, SECRET

VERSION_4 = smtp_password(SECRET, "eu-west-1")
VERSION_2 = smtp_password(SECRET, "", 2)


@pytest.mark.parametrize("text", [KEY_ID])
def test_a_key_id(text: str) -> None:
    """Long-term, 20 characters."""
    assert shape.of_key_id(text) == ""


@pytest.mark.parametrize("text", [SECRET, VERSION_4, VERSION_2])
def test_a_secret(text: str) -> None:
    """Of the API or of SMTP, old and new."""
    assert shape.of_secret(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SECRET, "that is the secret"),
        (VERSION_4, "that is the secret"),
        ("ASIA" + "A" * 16, "a temporary key"),
        ("SES-SMTP-user.20261124", "the name of the IAM user"),
        ("arn:aws:iam::123456789012:user/wiki", "an id of a user or role"),
        ("AROAIOSFODNN7EXAMPLE", "an id of a user or role"),
        (KEY_ID.lower(), "that has 20 characters"),
        ("AKIA", "that has 4 characters"),
    ],
)
def test_no_key_id(text: str, said: str) -> None:
    """Each slip has its own text."""
    assert said in shape.of_key_id(text)
    assert text not in shape.of_key_id(text) or text == "AKIA"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (KEY_ID, "an access key id once more"),
        (SECRET[:-1], "that has 39 characters"),
        (SECRET + "x", "that has 41 characters"),
        (SECRET[:-1] + " ", "that has a character"),
        ("B" + VERSION_4[1:43] + "é", "is no SMTP password"),
        ("", "that has 0 characters"),
    ],
)
def test_no_secret(text: str, said: str) -> None:
    """Each slip has its own text."""
    assert said in shape.of_secret(text)
    assert not text or text not in shape.of_secret(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [(SECRET, "API"), (VERSION_4, "cannot be asked"), (VERSION_2, "before 2019")],
)
def test_what_a_secret_is_for(text: str, said: str) -> None:
    """The person is told which way the mail will go."""
    assert said in shape.kind(text)
    assert (secret.smtp_version(text) is None) == ("API" in shape.kind(text))
