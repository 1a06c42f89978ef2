"""The shapes of AWS secrets, and the SES SMTP password that belongs to a secret access key.

An IAM secret access key has 40 characters. What the SES console calls "SMTP password" has 44:
base64 of a version byte and an HMAC-SHA256 (SES developer guide, "Obtaining Amazon SES SMTP
credentials"). Version 4 is bound to one region; version 2 (keys before 2019-01-10) is not, and SES
throttles it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

_SECRET = re.compile(r"[A-Za-z0-9/+]{40}")
_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{16}")
_SMTP_PASSWORD_LENGTH = 44
_VERSION_4 = b"\x04"
_VERSION_2 = b"\x02"


def is_key_id(text: str) -> bool:
    """Tell whether ``text`` is shaped like an access key id: long-term AKIA, temporary ASIA."""
    return _KEY_ID.fullmatch(text) is not None


def is_temporary(key_id: str) -> bool:
    """Tell whether the key is a temporary one: it needs a session token and cannot use SMTP."""
    return key_id.startswith("ASIA")


def is_api_secret(text: str) -> bool:
    """Tell whether ``text`` is shaped like a secret access key."""
    return _SECRET.fullmatch(text) is not None


def smtp_version(text: str) -> int | None:
    """Return 4 or 2 if ``text`` is shaped like an SES SMTP password of that version, else None."""
    if len(text) != _SMTP_PASSWORD_LENGTH:
        return None
    try:
        first = base64.b64decode(text, validate=True)[:1]
    except (binascii.Error, ValueError):
        return None
    return {_VERSION_4: 4, _VERSION_2: 2}.get(first)


def smtp_password(secret: str, region: str) -> str:
    """Return the SMTP password, version 4, of a secret access key in ``region``."""
    key = _sign(b"AWS4" + secret.encode(), "11111111")
    for step in (region, "ses", "aws4_request", "SendRawEmail"):
        key = _sign(key, step)
    return base64.b64encode(_VERSION_4 + key).decode("ascii")


def _sign(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
