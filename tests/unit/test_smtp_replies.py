"""Exit codes as replies: the issue's table, and texts of any kind as one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.submission.smtp import replies


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        (64, "554 5.5.4"),
        (65, "554 5.6.0"),
        (67, "550 5.1.1"),
        (68, "550 5.1.2"),
        (77, "550 5.7.1"),
        (69, "451 4.3.0"),
        (70, "451 4.3.0"),
        (73, "451 4.3.0"),
        (75, "451 4.3.0"),
        (78, "451 4.3.5"),
        (1, "451 4.3.0"),
        (127, "451 4.3.0"),
        (-9, "451 4.3.0"),
    ],
)
def test_exit_codes(code: int, reply: str) -> None:
    """What another try may mend is 4xx, and so is what nobody knows."""
    assert replies.refused(code, "why") == f"{reply} why"


@given(st.integers(-70, 255), st.text())
def test_a_reply_is_one_line(code: int, text: str) -> None:
    """Printable ASCII, and at most 512 bytes with its CRLF."""
    reply = replies.refused(code, text * 100)
    assert reply.isascii()
    assert reply.isprintable()
    assert len(reply) <= 510


@pytest.mark.parametrize(
    "reply",
    [value for value in vars(replies).values() if isinstance(value, str) and value[:1].isdigit()],
)
def test_each_constant_has_its_status(reply: str) -> None:
    """The enhanced status code is of the class of the reply code (RFC 2034); 354 has none."""
    code, status, _ = reply.split(" ", 2)
    assert len(reply) <= 510
    if code == "354":
        assert not status[0].isdigit()
    else:
        assert status[0] == code[0]
        assert status.count(".") == 2
