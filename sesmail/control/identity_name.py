"""The name of an identity, as it is typed: a domain or an address, held to what can be a file.

Internationalized domains become A-labels. What ``sesmail.identity`` would never look up is refused
here, so that nobody writes credentials which serve nobody, or a path.
"""

from __future__ import annotations

import re

from sesmail import identity
from sesmail.submission.log import printable
from sesmail.sysexits import UsageError

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
_ANY_AUTHOR = "anybody"  # for the question where a domain's authors are looked up


def read(text: str) -> str:
    """Return the identity that ``text`` names: its domain in lower case, as A-labels.

    The local part of an address stays: SES compares it letter by letter. Raises UsageError.
    """
    local_part, at, host = text.strip().rpartition("@")
    host = identity.a_labels(host)
    labels = host.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(map(_LABEL.fullmatch, labels)):
        raise UsageError(f"{printable(text)!a} is no domain or address, such as example.com")
    name = local_part + at + host
    if at and not 0 < len(local_part) <= _LONGEST_LOCAL_PART:
        raise UsageError(f"{printable(text)!a} is no address, such as wiki@example.com")
    check(name)
    return name


def check(name: str) -> None:
    """Raise UsageError unless a file of this name would ever be looked up (``default`` is)."""
    author = name if "@" in name else f"{_ANY_AUTHOR}@{name}"
    if name != identity.DEFAULT and identity.candidates(author, "exact")[0] != author:
        raise UsageError(
            f"{printable(name)!a} cannot be the name of a credentials file: only letters, digits, "
            "-, _ and . can, and an @; the domain in lower case"
        )


def domain(name: str) -> str:
    """Return the domain of an identity."""
    return name.rpartition("@")[2]
