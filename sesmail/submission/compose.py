"""The header section as it goes on: what must not leave is taken out, what is missing is added.

Fields that are not touched keep their bytes and their folds. RFC 5322, section 3.6, says which are
needed; what SES wants beyond that is the delivery half's repair.
"""

from __future__ import annotations

import time

from sesmail.message import address
from sesmail.message.address import AddressError
from sesmail.message.header import Field
from sesmail.sysexits import DataError, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST_HOPS = 100  # Received fields; more is a loop through a forward
_REMOVED = frozenset((b"bcc", b"resent-bcc", b"return-path", b"content-length"))
_ADDRESS_FIELDS = frozenset(
    prefix + name
    for prefix in (b"", b"resent-")
    for name in (b"from", b"sender", b"reply-to", b"to", b"cc")
)
_RECIPIENT_FIELDS = frozenset((b"to", b"cc", b"resent-to", b"resent-cc"))
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def finish(fields: list[Field], origin: str) -> list[Field]:
    """Return ``fields`` without those that must not leave, and without addresses without domain.

    Raises DataError for two From fields, Unavailable for a message that goes in circles.
    """
    if sum(field.key == b"from" and bool(field.text()) for field in fields) > 1:
        raise DataError("two From fields; a message has one")
    if sum(field.key == b"received" for field in fields) > MOST_HOPS:
        raise Unavailable(f"over {MOST_HOPS} Received fields: the message goes in circles")
    return [
        _qualify(field, origin) if field.key in _ADDRESS_FIELDS else _mend(field)
        for field in fields
        if field.key not in _REMOVED and not (field.key == b"from" and not field.text())
    ]


def add_missing(
    fields: list[Field], sender: Callable[[], bytes], queue_id: str, origin: str, is_null: bool
) -> None:
    """Append From, Date, Message-ID, or their Resent forms, where they are missing.

    ``sender`` makes the value of a From that is needed; ``is_null`` tells of a null reverse-path,
    which SES does not know: Auto-Submitted (RFC 3834, section 5) keeps replies from looping.
    """
    keys = {field.key for field in fields}
    needed = [(b"From", sender)]
    prefix = b""
    if any(key.startswith(b"resent-") for key in keys):
        needed.append((b"Resent-From", sender))
        prefix = b"Resent-"
    needed += [
        (prefix + b"Date", lambda: date(time.time()).encode("ascii")),
        (prefix + b"Message-ID", lambda: f"<{queue_id}@{origin}>".encode("ascii")),
    ]
    if is_null:
        needed.append((b"Auto-Submitted", lambda: b"auto-generated"))
    fields += [Field(name, b" " + make()) for name, make in needed if name.lower() not in keys]


def from_value(name: str, path: str) -> bytes:
    """Return the value of a From field; ``name`` is hostile text and may be empty."""
    from sesmail.message import words  # most messages bring their From

    phrase = words.phrase(name)
    return f"{phrase} <{path}>".encode("ascii") if phrase else path.encode("ascii")


def date(seconds: float) -> str:
    """Return a date-time of RFC 5322, section 3.3, in the local zone."""
    now = time.localtime(seconds)
    minutes = now.tm_gmtoff // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    return (
        f"{_DAYS[now.tm_wday]}, {now.tm_mday:02} {_MONTHS[now.tm_mon - 1]} {now.tm_year} "
        f"{now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02} {zone}"
    )


def _mend(field: Field) -> Field:
    """Leave out lines of white space alone, which end a header section for some receivers."""
    if b"\n" not in field.value:
        return field
    first, *folds = field.value.split(b"\n")
    return Field(field.name, b"\n".join([first, *(fold for fold in folds if fold.strip(b" \t"))]))


def _qualify(field: Field, origin: str) -> Field:
    """Give bare names in an address field this host's domain; leave what cannot be read alone.

    Names that only blanks part, where that makes them recipients, get the comma they lack.
    """
    field = _mend(field)
    value = field.value.decode("utf-8", "surrogateescape")
    try:
        mailboxes = address.parse(value, split_at_blanks=field.key in _RECIPIENT_FIELDS)
    except AddressError:
        return field
    if not mailboxes:
        return field
    pieces = []
    position = 0
    for mailbox, following in zip(mailboxes, [*mailboxes[1:], None], strict=True):
        start, end = mailbox.span
        pieces.append(value[position:start])
        pieces.append(value[start:end] if mailbox.domain else f"{mailbox.local_part}@{origin}")
        if following and not value[end : following.span[0]].strip():
            pieces.append(",")
        position = end
    text = "".join(pieces) + value[position:]
    return Field(field.name, text.encode("utf-8", "surrogateescape"))
