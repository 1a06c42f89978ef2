"""``author =`` of a credentials file: From becomes that address, the old one goes to Reply-To.

So cron's ``root@ip-10-0-0-7.ec2.internal`` can be sent by an identity that SES knows. The old
display name stays where the setting has none: it says which program or host speaks.
"""

from __future__ import annotations

from sesmail.delivery.address_fields import is_usable
from sesmail.message import address, header
from sesmail.message.address import AddressError, Mailbox
from sesmail.message.header import Field
from sesmail.sysexits import ConfigurationError


def put_in(fields: list[Field], author: str) -> list[Field]:
    """Return ``fields`` with ``author`` in From; as they are if it is "" or there already.

    Raises ConfigurationError where ``author`` is no single address.
    """
    old = header.first(fields, b"from")
    if not author or old is None:
        return fields
    new = _read(author)
    mailboxes = _mailboxes(old)
    if [_compared(mailbox) for mailbox in mailboxes] == [_compared(new)] and not new.name:
        return fields
    value = author if new.name else _named(old.text(), mailboxes) + f"<{new.address()}>"
    written = [Field(old.name, b" " + _bytes(value))]
    if header.first(fields, b"reply-to") is None and _is_worth_a_reply(mailboxes, new):
        written.append(Field(b"Reply-To", old.value))
    place = fields.index(old)
    return [*fields[:place], *written, *fields[place + 1 :]]


def _read(author: str) -> Mailbox:
    try:
        (mailbox,) = address.parse(author)
    except (AddressError, ValueError):
        mailbox = None
    if mailbox is None or not is_usable(mailbox) or not author.isprintable():
        raise ConfigurationError(f"author = {author[:100]!a} is not one address")
    return mailbox


def _mailboxes(field: Field) -> list[Mailbox]:
    try:
        return address.parse(field.text())
    except AddressError:
        return []


def _compared(mailbox: Mailbox) -> str:
    local_part, _, domain = mailbox.address().rpartition("@")
    return f"{local_part}@{domain.lower()}"


def _named(value: str, mailboxes: list[Mailbox]) -> str:
    """Return the old display name as it was written, and a blank; "" where there was none."""
    if not mailboxes:
        return ""
    start, end = mailboxes[0].name_span
    if start < end:
        return value[start:end] + " "
    # ``root (Cron Daemon)``: the way before RFC 822, and cron's.
    comments = [token.text for token in address.scan(value) if token.kind == "comment"]
    quoted = "".join(comments[:1]).replace("\\", "").replace('"', "")
    return f'"{quoted}" ' if quoted else ""


def _is_worth_a_reply(mailboxes: list[Mailbox], new: Mailbox) -> bool:
    return (
        bool(mailboxes)
        and all(is_usable(mailbox) for mailbox in mailboxes)
        and [_compared(mailbox) for mailbox in mailboxes] != [_compared(new)]
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
