"""The form of a row in the table of replies (``reply_rows``), and short ways to write one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sesmail.delivery.outcome import Outcome, Retry
from sesmail.sysexits import EX_UNAVAILABLE

# Commands an SMTP reply can answer; TEXT is the final dot. Before it nothing has been sent.
BEFORE_TEXT = frozenset({"CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA"})
ANY_COMMAND = BEFORE_TEXT | {"TEXT"}


@dataclass(frozen=True, slots=True)
class Example:
    """A reply that a row is for.

    ``interface`` is v2, v1 or smtp, where ``code`` is the error code or reply code; or client,
    where ``code`` is the class of an error on our side and ``text`` how a server brings it about:
    ``refused`` (nobody listens), ``silent`` (no answer to the request), ``dropped`` (the connection
    ends instead of one), ``untrusted`` (unknown authority of the certificate); "" if no server can.
    """

    interface: str
    code: str
    text: str = ""
    http: int = 0
    command: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One meaning.

    It fits a reply by its ``codes``, ``http`` status or ``exceptions`` (class names), and by all
    of ``commands`` (for SMTP), ``said`` and ``blames_recipient`` that are given. ``status``,
    ``retry``, ``singly``, ``other_interface`` and ``scope`` are those of the ``Result``.
    ``quotes``: the text of the reply may be shown. ``about_clock``, ``about_policy`` and
    ``about_secret``: something that only the reply or the caller knows belongs to the remedy.
    """

    id: str
    outcome: Outcome
    exit_code: int
    status: str
    remedy: str
    codes: frozenset[str] = frozenset()
    http: frozenset[int] = frozenset()
    exceptions: frozenset[str] = frozenset()
    commands: frozenset[str] = frozenset()
    said: re.Pattern[str] | None = None
    blames_recipient: bool = False
    retry: Retry | None = None
    singly: bool = False
    other_interface: bool = False
    scope: str = "identity"
    quotes: bool = True
    about_clock: bool = False
    about_policy: bool = False
    about_secret: bool = False
    examples: tuple[Example, ...] = ()


def deferred(id_: str, retry: Retry, status: str, remedy: str, **match: Any) -> Row:
    """Return a row for what time mends."""
    return Row(id_, Outcome.DEFERRED, EX_UNAVAILABLE, status, remedy, retry=retry, **match)


def held(id_: str, exit_code: int, status: str, remedy: str, **match: Any) -> Row:
    """Return a row for what the administrator must mend."""
    return Row(id_, Outcome.HELD, exit_code, status, remedy, **match)


def failed(id_: str, exit_code: int, status: str, remedy: str, **match: Any) -> Row:
    """Return a row for what will never be sent."""
    return Row(id_, Outcome.FAILED, exit_code, status, remedy, **match)


def said(*texts: str) -> re.Pattern[str]:
    """Return a pattern for any of these regular expressions, in any case."""
    return re.compile("|".join(texts), re.IGNORECASE)


def words(text: str) -> frozenset[str]:
    """Return the words of ``text``."""
    return frozenset(text.split())


def v2(code: str, http: int, text: str = "") -> Example:
    """Return an answer of SESv2."""
    return Example("v2", code, text, http)


def v1(code: str, http: int, text: str = "") -> Example:
    """Return an answer of SES v1."""
    return Example("v1", code, text, http)


def smtp(code: str, command: str, text: str) -> Example:
    """Return an SMTP reply to a command."""
    return Example("smtp", code, text, 0, command)


def client(code: str, fault: str = "", command: str = "") -> Example:
    """Return an error on our own side and the fault that causes it."""
    return Example("client", code, fault, 0, command)
