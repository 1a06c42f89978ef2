"""A queue id on the command line."""

from __future__ import annotations

from sesmail.drop import layout
from sesmail.sysexits import UsageError


def queue_id(text: str) -> str:
    """Return a queue id. Raises UsageError where it is none."""
    if not layout.is_queue_id(text):
        raise UsageError(f"{text[:100]!a} is no queue id; the mail log and mailq have them")
    return text
