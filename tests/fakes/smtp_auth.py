"""The two AUTH mechanisms that SES offers: PLAIN (RFC 4616) and LOGIN, with or without an initial
response (RFC 4954).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable


def exchange(mechanism: str, initial: str, ask: Callable[[str], str]) -> tuple[str, str] | None:
    """User and password; None for another mechanism.  `ask(prompt)` is a 334 and its answer."""
    if mechanism == "PLAIN":
        _, _, both = _decoded(initial or ask("")).partition("\0")
        user, _, password = both.partition("\0")
    elif mechanism == "LOGIN":
        user = _decoded(initial or ask("Username:"))
        password = _decoded(ask("Password:"))
    else:
        return None
    return user, password


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
