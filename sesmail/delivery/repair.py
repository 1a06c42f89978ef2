"""A message made fit for SES: which fields it has, and the order of the work.

SES refuses a field that it allows once and finds twice, an empty address field, and a Sender that
is not verified; it does not promise to hide Bcc, and obeys X-SES-* fields. ``fields`` makes each
field ASCII, ``mime`` the body; ``author`` puts in the credentials' own author.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sesmail import identity
from sesmail.delivery import author, fields, mime
from sesmail.envelope import Envelope
from sesmail.message import address, header
from sesmail.message.address import AddressError, Mailbox
from sesmail.message.header import Field
from sesmail.sysexits import DataError

# SES developer guide, "Amazon SES header fields"; of a second one SES says "Duplicate header".
_ONCE = frozenset(
    b"""accept-language acceptlanguage archived-at auto-submitted bounces-to comments
    content-alternative content-base content-class content-description content-disposition
    content-duration content-id content-language content-length content-location content-md5
    content-transfer-encoding content-type date delivered-to disposition-notification-options
    disposition-notification-to errors-to from importance in-reply-to keywords list-archive
    list-help list-id list-owner list-post list-subscribe list-unsubscribe list-unsubscribe-post
    message-context message-id mime-version organization original-from original-message-id
    original-recipient original-subject precedence priority references reply-to
    return-receipt-to sender solicitation sensitivity subject thread-index thread-topic user-agent
    vbr-info""".split()
)
_NEVER = frozenset(
    # SES changes Date and Message-ID, so an old signature is wrong, and signs anew itself.
    b"""bcc resent-bcc return-path content-length dkim-signature domainkey-signature""".split()
)
_MERGED = (b"to", b"cc")


@dataclass(frozen=True, slots=True)
class Options:
    """What the credentials file and the settings say about repair.

    ``find_identity`` names the file that serves an address. ``author`` is an address, with or
    without a display name, or "".
    """

    find_identity: Callable[[str], str | None]
    author: str = ""
    keep_x_ses: bool = False


def repair(message: bytes, envelope: Envelope, options: Options) -> bytes:
    """Return ``message`` (lines ending in LF) as SES takes it, lines ending in CRLF.

    Raises DataError where that cannot be done without guessing at an address.
    """
    if b"\r" in message:
        message = re.sub(rb"\r++\n", b"\n", message)
    section, start = _section(message)
    if b"\r" in message:
        message = message[:start] + message[start:].replace(b"\r", b"\n")
    kept = _choose(header.split(section), envelope, options)
    kept, body = mime.repair(kept, message, start)
    head = b"".join(fields.encode(field) + b"\n" for field in kept)
    return b"".join([head.replace(b"\n", b"\r\n"), b"\r\n", *body])


def _section(message: bytes) -> tuple[bytes, int]:
    """Return the header section and where the body starts."""
    section = header.Section()
    section.feed(message, final=True)
    return bytes(section.text[section.start : section.end]), section.body


def _choose(given: list[Field], envelope: Envelope, options: Options) -> list[Field]:
    """Return the fields that SES may have, each that it allows once, once."""
    if sum(field.key == b"from" for field in given) > 1:
        raise DataError("two From fields: SES refuses them, and which one is meant is unknown")
    kept = [field for field in given if _may_stay(field, options)]
    kept = author.put_in(kept, options.author)
    first = _first_author(kept)
    kept = [
        field
        for field in kept
        if field.key != b"sender" or _is_ours(field, first, envelope, options)
    ]
    seen: set[bytes] = set()
    return [field for field in _merge(kept) if field.key not in _ONCE or _is_new(field.key, seen)]


def _is_new(key: bytes, seen: set[bytes]) -> bool:
    is_new = key not in seen
    seen.add(key)
    return is_new


def _may_stay(field: Field, options: Options) -> bool:
    if field.key in _NEVER or (field.key.startswith(b"x-ses-") and not options.keep_x_ses):
        return False
    return field.key not in fields.SES_ADDRESSES or field.key == b"from" or not _is_empty(field)


def _is_empty(field: Field) -> bool:
    """Tell whether an address field holds nothing; an empty group is something."""
    return not field.value.strip(b" \t\n,;")


def _merge(kept: list[Field]) -> list[Field]:
    """Return ``kept`` with several To, or Cc, as one, in the place of the first."""
    for key in _MERGED:
        same = [field for field in kept if field.key == key]
        if len(same) > 1:
            merged = Field(same[0].name, b",\n".join(_listed(field.value) for field in same))
            kept = [
                merged if field is same[0] else field
                for field in kept
                if field.key != key or field is same[0]
            ]
    return kept


def _listed(value: bytes) -> bytes:
    """Return the value of an address field as it stands in a longer list."""
    value = value.rstrip(b" \t\n,")
    return value if value[:1] in (b" ", b"\t") else b" " + value


def _first_author(kept: list[Field]) -> Mailbox:
    """Return the first address of From; raise DataError unless SES can read all of them."""
    field = header.first(kept, b"from")
    try:
        mailboxes = address.parse(field.text()) if field else []
    except AddressError as error:
        raise DataError(f"From: {error}") from None
    if not mailboxes:
        raise DataError("no address in From: SES needs one")
    for mailbox in mailboxes:
        if not mailbox.domain:
            raise DataError(f"From: {mailbox.local_part[:100]!a} has no domain")
    return mailboxes[0]


def _is_ours(field: Field, first: Mailbox, envelope: Envelope, options: Options) -> bool:
    """Tell whether the message's identity stands for this Sender: SES checks it as it does From."""
    try:
        (sender,) = address.parse(field.text())
    except (AddressError, ValueError):
        return False
    if options.find_identity(sender.address()) != envelope.identity:
        return False
    is_same_domain = identity.a_labels(sender.domain) == identity.a_labels(first.domain)
    return envelope.identity != identity.DEFAULT or is_same_domain
