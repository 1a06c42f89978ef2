"""What an attempt ended in: the value with which every transport answers (RFC 3463, RFC 3464)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sesmail.sysexits import EX_OK, EX_UNAVAILABLE


class Outcome(enum.Enum):
    """The end of one attempt for one forward-path."""

    DELIVERED = "sent"
    DEFERRED = "deferred"  # try again; also all that is not understood
    FAILED = "bounced"  # this message, or this forward-path, never will
    HELD = "held"  # the configuration must be mended first


class Retry(enum.Enum):
    """When a deferred attempt is worth repeating."""

    NOW = "now"  # on a new connection; nothing was sent
    SOON = "soon"  # seconds
    LATER = "later"  # minutes to an hour
    AMBIGUOUS = "ambiguous"  # the request was sent and no answer came: SES may have the message


@dataclass(frozen=True, slots=True)
class Result:
    """One forward-path's result.

    ``exit_code`` is what a foreground caller gets, ``status`` an RFC 3463 code, ``text`` one line
    in printable ASCII without secrets: what was said, why, and the remedy. ``singly`` asks to
    repeat the attempt for each forward-path alone, once: the reply blames one of them without
    naming it. ``other_interface``: the key's policy forbids SESv2, but perhaps not SES v1 and SMTP.
    ``scope`` says what is held: the ``identity``, the ``author`` or the ``recipient``.
    """

    outcome: Outcome
    status: str = "2.0.0"
    text: str = ""
    relay: str = "none"
    remote_id: str = ""
    exit_code: int = EX_OK
    retry: Retry | None = None
    singly: bool = False
    other_interface: bool = False
    scope: str = "identity"


def delivered(relay: str, remote_id: str) -> Result:
    """Return the result of an accepted message; ``remote_id`` is what SES calls it."""
    return Result(Outcome.DELIVERED, "2.0.0", f"SES {remote_id}", relay, remote_id)


def not_tried(text: str, relay: str = "none") -> Result:
    """Return the result where time ran out before anything was sent."""
    return Result(Outcome.DEFERRED, "4.4.7", text, relay, "", EX_UNAVAILABLE, Retry.LATER)
