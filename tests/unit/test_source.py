"""The source: whom SES tells about bounces."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesmail.delivery import source
from sesmail.delivery.credentials import Credentials
from sesmail.envelope import Envelope
from sesmail.settings import Settings

FEEDBACK = "bounces@example.com"


def chosen(
    directory: Path,
    identity: str,
    author: str,
    reverse_path: str | None,
    feedback_address: str = "",
    rewritten: str = "",
    lookup: str = "parents",
) -> str:
    """Return the source of a message that the file ``identity`` serves."""
    (directory / identity).touch()
    settings = Settings()
    settings.credentials_directory = str(directory)
    settings.identity_lookup = lookup
    credentials = Credentials(
        str(directory / identity),
        identity,
        "api",
        "us-east-1",
        feedback_address=feedback_address,
        author=rewritten,
    )
    return source.choose(
        Envelope("ID", identity, author, reverse_path, ["b@example.org"]), settings, credentials
    )


@pytest.mark.parametrize("path", ["sue@example.com", "sue@EXAMPLE.com", "sue@list.example.com"])
def test_a_reverse_path_of_the_identity(tmp_path: Path, path: str) -> None:
    """-f counts if its lookup ends at the author's file, and stays as it was written."""
    assert chosen(tmp_path, "example.com", "a@example.com", path, FEEDBACK) == path


@pytest.mark.parametrize("path", ["sue@example.net", "www-data@host", "", None])
def test_any_other_reverse_path(tmp_path: Path, path: str | None) -> None:
    """A foreign -f, the null reverse-path or none: the feedback address, else the author."""
    assert chosen(tmp_path, "example.com", "a@example.com", path, FEEDBACK) == FEEDBACK
    assert chosen(tmp_path, "example.com", "a@example.com", path) == "a@example.com"


def test_another_file_serves_the_reverse_path(tmp_path: Path) -> None:
    """-f of a subdomain with credentials of its own does not count."""
    (tmp_path / "sub.example.com").touch()
    path = "sue@sub.example.com"
    assert chosen(tmp_path, "example.com", "a@example.com", path) == "a@example.com"


def test_exact_lookup(tmp_path: Path) -> None:
    """With identity_lookup = exact a subdomain is not served by its parent's file."""
    path = "sue@list.example.com"
    found = chosen(tmp_path, "example.com", "a@example.com", path, lookup="exact")
    assert found == "a@example.com"


def test_an_address_as_identity(tmp_path: Path) -> None:
    """A file named like one address serves no other of its domain."""
    found = chosen(tmp_path, "a@example.com", "a@example.com", "sue@example.com")
    assert found == "a@example.com"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("sue@example.com", "sue@example.com"),
        ("sue@Example.COM", "sue@Example.COM"),
        ("sue@example.net", "a@example.com"),
        ("sue@sub.example.com", "a@example.com"),
    ],
)
def test_default_needs_the_authors_domain(tmp_path: Path, path: str, expected: str) -> None:
    """``default`` serves everybody, so there -f must have the author's domain."""
    assert chosen(tmp_path, "default", "a@example.com", path) == expected


@pytest.mark.parametrize("identity", ["default", "internal"])
def test_a_rewritten_author(tmp_path: Path, identity: str) -> None:
    """With ``author =`` that address is the author: SES need not know the domain it replaces."""
    old, new = "root@ip-10-0-0-7.ec2.internal", "noreply@example.com"
    (tmp_path / "ec2.internal").symlink_to(tmp_path / "default")
    if identity == "internal":
        identity = "ec2.internal"
    assert chosen(tmp_path, identity, old, old, rewritten=new) == new
    assert chosen(tmp_path, identity, old, None, rewritten=new) == new
    assert chosen(tmp_path, identity, old, old, FEEDBACK, new) == FEEDBACK


def test_a_rewritten_author_within_the_identity(tmp_path: Path) -> None:
    """With ``author =`` of the same domain, -f of that domain still counts."""
    found = chosen(
        tmp_path, "example.com", "a@example.com", "sue@example.com", rewritten="wiki@example.com"
    )
    assert found == "sue@example.com"


def test_a_dsn_is_its_own_source(tmp_path: Path) -> None:
    """A bounce of a bounce reaches nobody, unless SES knows only the author of the credentials."""
    daemon = "MAILER-DAEMON@example.com"
    assert chosen(tmp_path, "example.com", daemon, "", FEEDBACK) == daemon
    rewritten = chosen(tmp_path, "example.com", daemon, "", rewritten="cron@example.com")
    assert rewritten == "cron@example.com"
    assert chosen(tmp_path, "example.com", daemon, None, FEEDBACK) == FEEDBACK
