"""Where an SMTP session goes, and how a text is made ready for DATA."""

from __future__ import annotations

import pytest

from sesmail.delivery.credentials import Credentials
from sesmail.delivery.transport import smtp_session


@pytest.mark.parametrize(
    ("port", "tls", "doors"),
    [
        (None, "", [(465, "wrapper"), (587, "starttls")]),
        (465, "", [(465, "wrapper")]),
        (2465, "", [(2465, "wrapper")]),
        (587, "", [(587, "starttls")]),
        (2525, "", [(2525, "starttls")]),
        (2525, "wrapper", [(2525, "wrapper")]),
        (None, "wrapper", [(465, "wrapper")]),
        (None, "starttls", [(587, "starttls")]),
        (None, "none", [(25, "none")]),
    ],
)
def test_doors(port: int | None, tls: str, doors: list[tuple[int, str]]) -> None:
    """Two doors if nothing is said; else the one that is meant."""
    meant = Credentials("FILE", "x", "smtp", "eu-west-1", smtp_port=port, smtp_tls=tls)
    assert smtp_session.doors(meant) == doors


def test_host() -> None:
    """The host is that of the region, unless there is another."""
    assert smtp_session.host(Credentials("FILE", "x", "smtp", "eu-west-1")) == (
        "email-smtp.eu-west-1.amazonaws.com"
    )
    other = Credentials("FILE", "x", "smtp", "eu-west-1", smtp_host="localhost")
    assert smtp_session.host(other) == "localhost"


@pytest.mark.parametrize(
    ("text", "stuffed"),
    [
        (b"", b"\r\n"),
        (b"a\r\n", b"a\r\n"),
        (b"a", b"a\r\n"),
        (b".\r\n..\r\na.\r\n.b", b"..\r\n...\r\na.\r\n..b\r\n"),
        (b"a\r.b\r\n", b"a\r.b\r\n"),
    ],
)
def test_dots(text: bytes, stuffed: bytes) -> None:
    """A dot at the beginning of a line is doubled; the text ends with a line end."""
    assert smtp_session.stuff_dots(text) == stuffed
