"""The text of a DSN: multipart/report (RFC 6522) with three parts, in ASCII.

    text/plain                 for people
    message/delivery-status    for programs (RFC 3464)
    text/rfc822-headers        the header section of the message that failed

The body is not returned: it may be large, and whoever gets a DSN by mistake should not read it.
"""

from __future__ import annotations

import quopri
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from os import urandom

from sesmail.message import header
from sesmail.message.header import Field

MOST_LISTED = 100  # forward-paths, of the thousands that one message may have
LONGEST_SECTION = 64 << 10  # bytes of the header section that are returned
_LONGEST_LINE = 998  # RFC 5322, 2.1.1
_LONGEST_ID = 250


@dataclass(frozen=True, slots=True)
class Failed:
    """A forward-path and why it failed; ``relay`` is the host that said so, or ``none``.

    ``diagnostic`` is the type of the text (RFC 3464, 2.3.6): ours, or ``smtp`` for a receiver's.
    """

    address: str
    status: str
    text: str
    relay: str = "none"
    diagnostic: str = "X-sesmail"


@dataclass(frozen=True, slots=True)
class Original:
    """The message that failed; ``arrived`` in milliseconds."""

    queue_id: str
    arrived: int
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Head:
    """Who speaks to whom; ``host`` is the name of this machine, ``now`` in milliseconds."""

    queue_id: str
    author: str
    addressees: Sequence[str]
    host: str
    postmaster: str
    now: int


def compose(head: Head, original: Original, failed: Sequence[Failed]) -> bytes:
    """Return the message, with LF line ends."""
    more = len(failed) - MOST_LISTED
    failed = failed[:MOST_LISTED]
    boundary = f"{head.queue_id}.{urandom(8).hex()}"  # nobody can put it into a field beforehand
    lines = [
        *opening(head, "Undelivered Mail Returned to Sender", "auto-replied"),
        *_references(original),
        "Content-Type: multipart/report; report-type=delivery-status;",
        f' boundary="{boundary}"',
        "",
        "This is a delivery status notification in MIME format (RFC 3464).",
        "",
    ]
    parts = [
        ("text/plain; charset=us-ascii", _for_people(head, original, failed, more)),
        ("message/delivery-status", _for_programs(head, original, failed)),
        *_returned(original),
    ]
    for kind, text in parts:
        lines += [f"--{boundary}", f"Content-Type: {kind}", "", text]
    return "\n".join([*lines, f"--{boundary}--", ""]).encode("ascii")


def opening(head: Head, subject: str, submitted: str) -> list[str]:
    """Return the lines of the fields that any message of the daemon has."""
    return [
        f"From: Mail Delivery System <{head.author}>",
        "To: " + ",\n ".join(head.addressees),
        f"Subject: {subject}",
        f"Date: {_date(head.now)}",
        f"Message-ID: <{head.queue_id}@{head.author.rpartition('@')[2]}>",
        f"Auto-Submitted: {submitted}",
        "MIME-Version: 1.0",
    ]


def _references(original: Original) -> list[str]:
    field = header.first(list(original.fields), b"message-id")
    value = field.text() if field else ""
    is_usable = value.isascii() and value.isprintable() and " " not in value
    if not (is_usable and value[:1] == "<" and value[-1:] == ">" and len(value) <= _LONGEST_ID):
        return []
    return [f"In-Reply-To: {value}", f"References: {value}"]


def _for_people(head: Head, original: Original, failed: Sequence[Failed], more: int) -> str:
    addresses = "addresses" if len(failed) > 1 else "address"
    sent = _date(original.arrived)
    paragraphs = [
        f"This is the mail system of {head.host}.",
        (
            f"A message that you, or a program in your name, sent on {sent} could not be "
            f"delivered to the {addresses} below, and will not be tried again."
        ),
    ]
    paragraphs += [
        f"<{one.address}>:\n{textwrap.indent(_filled(_reason(one), 72), '    ')}" for one in failed
    ]
    if more > 0:
        paragraphs.append(f"And {more} more addresses, which are not listed here.")
    if original.fields:
        paragraphs.append("The header section of the message follows.")
    whom = f"<{head.postmaster}>" if head.postmaster else "whoever looks after this machine"
    paragraphs.append(f"For help ask {whom}, and name the queue id {original.queue_id}.")
    filled = [text if text.startswith("<") else _filled(text, 76) for text in paragraphs]
    return "\n\n".join(filled) + "\n"


def _reason(one: Failed) -> str:
    """Return the text without the address, which stands above it."""
    return one.text.removeprefix(f"<{one.address}>: ")


def _for_programs(head: Head, original: Original, failed: Sequence[Failed]) -> str:
    groups = [[f"Reporting-MTA: dns; {head.host}", f"Arrival-Date: {_date(original.arrived)}"]]
    for one in failed:
        group = [
            f"Final-Recipient: rfc822; {one.address}",
            "Action: failed",
            f"Status: {one.status}",
        ]
        if one.relay != "none":
            group.append(f"Remote-MTA: dns; {one.relay}")
        text = f"Diagnostic-Code: {one.diagnostic}; {one.text}"
        group.append(_filled(text, 76, " "))
        group.append(f"Last-Attempt-Date: {_date(head.now)}")
        groups.append(group)
    return "\n\n".join("\n".join(group) for group in groups) + "\n"


def _returned(original: Original) -> list[tuple[str, str]]:
    """Return the third part; in quoted-printable where the section is no mail of today.

    There is none where SES told of a message without its fields.
    """
    if not original.fields:
        return []
    section = header.join(_first(original.fields))
    is_plain = section.isascii() and max(map(len, section.split(b"\n"))) <= _LONGEST_LINE
    if is_plain:
        return [("text/rfc822-headers", section.decode("ascii"))]
    kind = "text/rfc822-headers\nContent-Transfer-Encoding: quoted-printable"
    return [(kind, quopri.encodestring(section).decode("ascii"))]


def _first(fields: Sequence[Field]) -> list[Field]:
    """Return as many fields as there is room for."""
    kept: list[Field] = []
    size = 0
    for field in fields:
        size += len(field.name) + len(field.value) + 2
        if size > LONGEST_SECTION:
            break
        kept.append(field)
    return kept


def _filled(text: str, width: int, indent: str = "") -> str:
    """Return ``text`` in lines; a word that is longer is not torn."""
    return textwrap.fill(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _date(milliseconds: int) -> str:
    return formatdate(milliseconds / 1000, localtime=True)
