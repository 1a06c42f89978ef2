"""Whether a drop may be sent as it claims. Everybody may drop, and may write anything into it.

What is believed is the owner uid. The author is read from the message again, with the scanner that
submission used, and what the envelope says of it does not count. A refusal is never answered with
a DSN: that would go out through the very identity which this uid may not use.

A forward-path that cannot be used is no matter of policy: it fails alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sesmail import identity
from sesmail.delivery import credentials
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.maillog import printable
from sesmail.drop.take import Taken
from sesmail.message import address, header
from sesmail.message.address import AddressError
from sesmail.message.header import Field
from sesmail.settings import Settings
from sesmail.sysexits import Failure, NotPermitted

STATUS = "5.7.1"  # RFC 3463, 3.8: not authorized
LONGEST_ADDRESS = 320  # RFC 3696, 3
_MOST_REMEMBERED = 500  # authors, and reverse-paths
_LONGEST_REMEMBERED = 500  # characters

# Returns the credentials of an identity, or raises a Failure.
Load = Callable[[str], Credentials]


class Refused(Exception):
    """The uid may not send this; the text says why, in one line of printable ASCII.

    ``identity`` and ``author`` are what would have served, "" where nobody knows: should the
    administrator want the message sent after all, it must not go as it claimed.
    """

    def __init__(self, reason: str, identity: str = "", author: str = "") -> None:
        super().__init__(printable(reason, 500))
        self.identity = identity
        self.author = author


class Undecided(Exception):
    """Nobody can tell while the credentials directory is out of reach: the drop has to wait."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Who sends, as the message itself says, and through which identity."""

    identity: str
    author: str


def check(taken: Taken, fields: Sequence[Field], settings: Settings, load: Load) -> Allowed:
    """Return through which identity the drop, with these ``fields``, is sent.

    Raises Refused, Undecided.
    """
    envelope = taken.envelope
    _check_reverse_path(envelope.reverse_path)
    if not envelope.forward_paths:
        raise Refused("no forward-path")
    author = read_author(fields)
    found = _find(author, settings)
    claimed = envelope.identity
    candidates = identity.candidates(author, settings.identity_lookup)
    if found is None:
        name = claimed if claimed in candidates else ""
        raise Refused(f"no identity serves the author <{author}>: {claimed} is gone", name, author)
    # Where the claim is another name that could serve this author, a credentials file has come or
    # gone since the message was dropped; what there is now counts, with its submitters.
    if claimed != found and claimed not in candidates:
        reason = f"claims the identity {claimed}, but the author <{author}> leads to {found}"
        raise Refused(reason, found, author)
    try:
        check_submitter(found, taken.uid, load)
    except Refused as refused:
        raise Refused(str(refused), found, author) from None
    return Allowed(found, author)


def check_submitter(name: str, uid: int, load: Load) -> None:
    """Raise Refused if the credentials file says that this uid may not use it.

    A file that cannot be read says nothing: the mail is queued, and asked about again when the
    file can be read, before its attempt.
    """
    try:
        loaded = load(name)
    except Failure:
        return
    try:
        credentials.check_submitter(loaded, uid)
    except NotPermitted as failure:
        raise Refused(str(failure)) from None


def read_fields(message: bytes) -> list[Field]:
    """Return the fields of a message, read as ``repair`` reads them."""
    if b"\r" in message:
        message = re.sub(rb"\r++\n", b"\n", message)
    return header.read(message)


def read_author(fields: Sequence[Field]) -> str:
    """Return the first address of From. Raises Refused unless there is one that SES can send as."""
    given = [field for field in fields if field.key == b"from" and field.text()]
    if len(given) != 1:
        raise Refused("several From fields" if given else "no From field")
    return _first_address(given[0].text())


def _first_address(value: str) -> str:
    """Return the first address of From; the same few authors come again and again."""
    return _remembered_address(value) if len(value) <= _LONGEST_REMEMBERED else _read_address(value)


def _read_address(value: str) -> str:
    try:
        mailboxes = address.parse(value)
    except AddressError as error:
        raise Refused(f"malformed From: {error}") from None
    if not mailboxes or not mailboxes[0].domain:
        raise Refused("no address with a domain in From")
    author = mailboxes[0].address()
    if not _is_usable(author):
        raise Refused("the address in From is not printable ASCII")
    return author


_remembered_address = lru_cache(_MOST_REMEMBERED)(_read_address)


def _find(author: str, settings: Settings) -> str | None:
    directory = settings.credentials_directory
    try:
        found = identity.find(author, directory, settings.identity_lookup)
    except NotPermitted as failure:
        raise Undecided(str(failure)) from None
    if found is None and not os.path.isdir(directory):
        raise Undecided(f"{directory} is not there")
    return found


def _check_reverse_path(path: str | None) -> None:
    if path and not (_is_usable(path) and _is_one_address(path)):
        raise Refused("the reverse-path is not one address")


@lru_cache(_MOST_REMEMBERED)
def _is_one_address(path: str) -> bool:
    try:
        mailboxes = address.parse(path)
    except AddressError:
        return False
    return len(mailboxes) == 1 and mailboxes[0].address() == path


def _is_usable(text: str) -> bool:
    return text.isascii() and text.isprintable() and len(text) <= LONGEST_ADDRESS
