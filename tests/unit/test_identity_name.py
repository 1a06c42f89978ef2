"""Names of identities as people type them, and what can never be one."""

from __future__ import annotations

import pytest

from sesmail.control import identity_name
from sesmail.sysexits import UsageError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("example.com", "example.com"),
        (" Example.COM. ", "example.com"),
        ("Wiki@Example.com", "Wiki@example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a_b.example.com", "a_b.example.com"),
    ],
)
def test_names(text: str, name: str) -> None:
    """The domain in lower case and ASCII; the local part letter by letter."""
    assert identity_name.read(text) == name
    assert identity_name.domain(name) == name.rpartition("@")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "localhost",
        "*",
        "*.example.com",
        "../x.com",
        "a/b.com",
        "-a.example.com",
        "a..b",
        "127.0.0.1",
        "a b@example.com",
        "@example.com",
        "a@b@example.com",
        "é@example.com",
        f"{'x' * 65}@example.com",
        f"{'x' * 64}.com",
        "exam\nple.com",
        "exam\0ple.com",
        "\x1b[2J.com",
    ],
)
def test_no_names(text: str) -> None:
    """One line of printable ASCII says so."""
    with pytest.raises(UsageError) as failure:
        identity_name.read(text)
    assert str(failure.value).isascii()
    assert str(failure.value).isprintable()


def test_the_file_for_everybody() -> None:
    """``default`` is a name of a file, and no domain."""
    identity_name.check("default")
    with pytest.raises(UsageError):
        identity_name.read("default")
