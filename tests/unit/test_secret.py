"""The shapes of AWS secrets, and the derivation of SMTP passwords."""

from __future__ import annotations

import base64

import pytest

from sesmail.delivery import secret


@pytest.mark.parametrize(
    ("key", "region", "password"),
    [
        ("some+secret+key", "eu-central-1", "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"),
        ("another+secret+key", "eu-central-1", "BBbphbrQmrKMx42d1N6+C7VINYEBGI5v9VsZeTxwskfh"),
        ("some+secret+key", "us-west-1", "BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj"),
    ],
)
def test_smtp_password(key: str, region: str, password: str) -> None:
    """The passwords of known keys are those that AWS derives (Terraform's AWS provider agrees)."""
    assert secret.smtp_password(key, region) == password


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2", 4),
        (base64.b64encode(b"\x02" + bytes(32)).decode(), 2),
        (base64.b64encode(b"\x03" + bytes(32)).decode(), None),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None),
        ("!" * 44, None),
        ("é" * 44, None),
        ("", None),
    ],
)
def test_smtp_version(text: str, version: int | None) -> None:
    """Only 44 characters of base64 whose first byte is 4 or 2 are an SMTP password."""
    assert secret.smtp_version(text) == version


def test_key_ids() -> None:
    """A key id has 20 characters and begins with AKIA, or ASIA for temporary keys."""
    assert secret.is_key_id("AKIAIOSFODNN7EXAMPLE")
    assert secret.is_key_id("ASIAIOSFODNN7EXAMPLE")
    assert secret.is_temporary("ASIAIOSFODNN7EXAMPLE")
    assert not secret.is_temporary("AKIAIOSFODNN7EXAMPLE")
    assert not secret.is_key_id("AKIAIOSFODNN7EXAMPL")
    assert not secret.is_key_id("AROAIOSFODNN7EXAMPLE")
    assert not secret.is_key_id("ses-smtp-user.202611")
