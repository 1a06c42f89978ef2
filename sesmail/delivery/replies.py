"""What SES, its SMTP interface and botocore say, and what becomes of the mail then.

``reply_rows`` is the one table; here is how a reply finds its row. The first row that fits counts,
so rows that look at the text stand before those that look at the code alone: MessageRejected has
six meanings. What no row knows is deferred, never failed. Texts of replies reach the log and the
caller as one line of printable ASCII, cut; texts that could hold a secret or mail never do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.delivery.reply_row import Row
from sesmail.delivery.reply_rows import ROWS
from sesmail.sysexits import EX_UNAVAILABLE

LONGEST_TEXT = 200  # characters of what the other side said
_ADDRESS = re.compile(r"[^\s<>,;:]+@[^\s<>,;:]+")
_FAILED_CHECK = re.compile(r"failed the check in region [^:]*:(.*)", re.DOTALL)
_DENIED = re.compile(
    r"not authorized to perform:? [`']?(?P<action>\w+:\w+)[`']?"
    r" on resource:? [`']?(?P<resource>[^\s`']+)"
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply in the terms of the table.

    ``code`` is an API error code or an SMTP reply code, ``http`` an HTTP status or 0, ``command``
    the SMTP command it answers ("" for the API), ``exceptions`` the class names of an error on our
    own side, ``blames_recipient`` whether all that it blames are forward-paths.
    """

    code: str = ""
    http: int = 0
    text: str = ""
    command: str = ""
    exceptions: frozenset[str] = frozenset()
    blames_recipient: bool = False


def classify_api(
    error: Exception,
    forward_paths: Sequence[str] = (),
    source: str = "",
    relay: str = "none",
    smtp_secret: bool = False,
) -> Result:
    """Return the result that ``error``, raised by a botocore client, means.

    ``smtp_secret``: the secret in use is shaped like an SES SMTP password.
    """
    if not isinstance(error, ClientError):
        return _result(_of_exception(error, ""), relay)
    said = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    text = str(said.get("Message", ""))
    reply = Reply(
        code=str(said.get("Code", "")),
        http=metadata.get("HTTPStatusCode", 0),
        text=text,
        blames_recipient=_blames_recipient(text, forward_paths, source),
    )
    advice = "; the secret is an SES SMTP password, the API needs the IAM secret access key"
    headers = metadata.get("HTTPHeaders", {})
    return _result(reply, relay, advice if smtp_secret else "", headers.get("date", ""))


def classify_smtp(
    code: int,
    text: bytes | str,
    command: str,
    forward_paths: Sequence[str] = (),
    source: str = "",
    relay: str = "none",
) -> Result:
    """Return the result that an SMTP reply to ``command`` means.

    ``command`` is CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, or TEXT for the reply after the
    final dot.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    text = " ".join(text.split("\n"))
    blames = _blames_recipient(text, forward_paths, source)
    return _result(Reply(str(code), 0, text, command, blames_recipient=blames), relay)


def classify_smtp_error(error: Exception, command: str, relay: str = "none") -> Result:
    """Return the result that an error of the connection, met at ``command``, means."""
    return _result(_of_exception(error, command), relay)


def clean(text: str) -> str:
    """Return ``text`` as printable ASCII, cut; everything else becomes ``?``."""
    plain = "".join(character if " " <= character <= "~" else "?" for character in text)
    return plain if len(plain) <= LONGEST_TEXT else plain[: LONGEST_TEXT - 3] + "..."


def find(reply: Reply) -> Row | None:
    """Return the first row of the table that fits, or None."""
    return next((row for row in ROWS if _fits(row, reply)), None)


def _of_exception(error: Exception, command: str) -> Reply:
    names = frozenset(kind.__name__ for kind in type(error).__mro__)
    return Reply(type(error).__name__, 0, str(error), command, names)


def _fits(row: Row, reply: Reply) -> bool:
    if reply.exceptions:
        found = not row.exceptions.isdisjoint(reply.exceptions)
    else:
        found = reply.code in row.codes or reply.http in row.http
    return (
        found
        and (reply.command in row.commands or not (reply.command or row.commands))
        and (row.said is None or row.said.search(reply.text) is not None)
        and (not row.blames_recipient or reply.blames_recipient)
    )


def _result(reply: Reply, relay: str, secret_advice: str = "", date: str = "") -> Result:
    row = find(reply)
    if row is None:
        return _unknown(reply, relay)
    remedy = row.remedy
    if row.about_secret:
        remedy += secret_advice
    if row.about_clock:
        remedy += _skew(date)
    if denied := _DENIED.search(reply.text) if row.about_policy else None:
        remedy = f"the key's policy must allow {denied['action']} on {clean(denied['resource'])}"
    return Result(
        row.outcome,
        row.status,
        _text(reply, row.quotes, remedy),
        relay,
        "",
        row.exit_code,
        row.retry,
        row.singly,
        row.other_interface,
        row.scope,
    )


def _unknown(reply: Reply, relay: str) -> Result:
    """Return the result of what nobody foresaw: deferred.

    Ambiguous unless the message cannot have been taken: a broken answer may follow an accepted one.
    """
    if reply.command:
        untaken = reply.command != "TEXT" or reply.code[:1] in ("4", "5")
    else:
        untaken = 400 <= reply.http < 500
    text = _text(reply, not reply.exceptions, "not a known reply, so it will be tried again")
    retry = Retry.LATER if untaken else Retry.AMBIGUOUS
    return Result(Outcome.DEFERRED, "4.0.0", text, relay, "", EX_UNAVAILABLE, retry)


def _text(reply: Reply, quote: bool, remedy: str) -> str:
    # Only the first line: what follows "signature does not match" repeats the signed header.
    said = reply.text.strip().partition("\n")[0].strip() if quote else ""
    if said and reply.exceptions:
        return f"{clean(said)}; {remedy}"
    separator = " " if reply.command else ": "
    return f"{clean(separator.join(part for part in (reply.code, said) if part))}; {remedy}"


def _blames_recipient(text: str, forward_paths: Sequence[str], source: str) -> bool:
    """Tell whether the identities that failed SES's check are all forward-paths.

    Then the account is in the sandbox. One that is the source too proves nothing.
    """
    found = _FAILED_CHECK.search(text)
    failed = {address.lower() for address in _ADDRESS.findall(found[1])} if found else set()
    ours = {path.lower() for path in forward_paths} - {source.lower()}
    return bool(failed) and failed <= ours


def _skew(date: str) -> str:
    """Return by how much the clock is off, as a clause, from the Date field of an HTTP answer."""
    try:
        seconds = round(time.time() - parsedate_to_datetime(date).timestamp())
    except (TypeError, ValueError):
        return ""
    return f" ({abs(seconds)} seconds {'ahead' if seconds > 0 else 'behind'})"
