"""``author =`` of a credentials file."""

from __future__ import annotations

import pytest

from sesmail.delivery import author as rewriting
from sesmail.message import header
from sesmail.sysexits import ConfigurationError


def put_in(section: str, author: str) -> str:
    """Return the header section ``section`` with ``author`` put in."""
    fields = rewriting.put_in(header.split(section.encode()), author)
    return header.join(fields).decode()


@pytest.mark.parametrize(
    ("old", "author", "new", "reply_to"),
    [
        (
            '"(Cron Daemon)" <root@ip-10-0-0-7.ec2.internal>',
            "cron@example.com",
            '"(Cron Daemon)" <cron@example.com>',
            '"(Cron Daemon)" <root@ip-10-0-0-7.ec2.internal>',
        ),
        (
            "root@ip-10-0-0-7.ec2.internal (Cron Daemon)",
            "cron@example.com",
            '"Cron Daemon" <cron@example.com>',
            "root@ip-10-0-0-7.ec2.internal (Cron Daemon)",
        ),
        ("root@host.internal", "cron@example.com", "<cron@example.com>", "root@host.internal"),
        ("Bob <b@x.org>", "Cron <c@example.com>", "Cron <c@example.com>", "Bob <b@x.org>"),
        ("root (Cron Daemon)", "c@example.com", '"Cron Daemon" <c@example.com>', None),
        ("root@localhost", "c@example.com", "<c@example.com>", None),
        ("j\u00f6@example.org", "c@example.com", "<c@example.com>", None),
        ("J\u00f6 <jo@x.org>", "c@example.com", "J\u00f6 <c@example.com>", "J\u00f6 <jo@x.org>"),
        ("a@x.org,\n b@x.org", "c@example.com", "<c@example.com>", "a@x.org,\n b@x.org"),
        ("<broken", "c@example.com", "<c@example.com>", None),
        ("Sue <c@EXAMPLE.com>", "c@example.com", "Sue <c@EXAMPLE.com>", None),
        ("Sue <c@example.com>", "Cron <c@example.com>", "Cron <c@example.com>", None),
    ],
)  # fmt: skip
def test_author(old: str, author: str, new: str, reply_to: str | None) -> None:
    """From becomes the author of the credentials; the old one is where replies go, if they can."""
    expected = f"From: {new}\n" + (f"Reply-To: {reply_to}\n" if reply_to else "")
    assert put_in(f"From: {old}\nX: y\n", author) == expected + "X: y\n"


def test_a_reply_to_stays() -> None:
    """The caller's Reply-To is better than the old author."""
    rewritten = put_in("From: r@x.org\nReply-To: bob@x.org\n", "c@example.com")
    assert rewritten == "From: <c@example.com>\nReply-To: bob@x.org\n"


@pytest.mark.parametrize("section", ["From: r@x.org\n", "To: r@x.org\n"])
def test_nothing_to_rewrite(section: str) -> None:
    """Without the setting, or without From, nothing changes."""
    assert put_in(section, "") == section
    assert put_in("To: r@x.org\n", "c@example.com") == "To: r@x.org\n"


@pytest.mark.parametrize("author", ["root", "a@x.org, b@x.org", "<a", "a@x.org\n", "j\u00f6@x.org"])
def test_author_that_is_no_address(author: str) -> None:
    """That is for whoever wrote the credentials file: exit code 78."""
    with pytest.raises(ConfigurationError, match="author = "):
        put_in("From: r@x.org\n", author)
