"""Who gets the message: operands and, with ``-t``, the header's fields; local names apart.

With ``-t`` and any Resent-To, Resent-Cc or Resent-Bcc only Resent fields count (RFC 5322, 3.6.6).
A recipient that cannot be read stops the whole message: half a delivery cannot be repeated.
"""

from __future__ import annotations

from sesmail import identity
from sesmail.message import address
from sesmail.sysexits import DataError, NoUser, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sesmail.message.address import Mailbox
    from sesmail.message.header import Field
    from sesmail.settings import Settings
    from sesmail.submission.aliases import Aliases
    from sesmail.submission.commandline import CommandLine

_FIELDS = frozenset((b"to", b"cc", b"bcc"))
_RESENT_FIELDS = frozenset((b"resent-to", b"resent-cc", b"resent-bcc"))


class Recipients:
    """``forward_paths`` go to SES, ``local`` names to the real sendmail; each once, in order."""

    __slots__ = ("forward_paths", "local")

    def __init__(self) -> None:
        self.forward_paths: list[str] = []
        self.local: list[str] = []


def collect(command: CommandLine, fields: list[Field], settings: Settings) -> Recipients:
    """Read all recipients. Raises UsageError where there are none, DataError for a bad one."""
    mailboxes: list[Mailbox] = []
    for operand in command.operands:
        mailboxes += address.parse(operand, split_at_blanks=True)
    if command.recipients_from_header:
        for field in _recipient_fields(fields):
            mailboxes += address.parse(field.text(), split_at_blanks=True)
    if not mailboxes:
        where = " in header" if command.recipients_from_header else ""
        raise UsageError(f"No recipient addresses found{where}")
    return _sort(_expand(mailboxes, settings), settings)


def no_local_delivery(names: list[str], settings: Settings) -> NoUser:
    """Return the failure for local recipients where no real sendmail is there to take them."""
    return NoUser(
        f"{', '.join(names)[:200]!a} is local to this host, and there is no real sendmail; nothing "
        f"sent; add an alias with a full address to {settings.aliases}"
    )


def _recipient_fields(fields: list[Field]) -> list[Field]:
    resent = [field for field in fields if field.key in _RESENT_FIELDS]
    return resent or [field for field in fields if field.key in _FIELDS]


def _expand(mailboxes: list[Mailbox], settings: Settings) -> list[Mailbox]:
    """Put what an alias stands for in the place of a local name."""
    aliases: Aliases | None = None
    expanded: list[Mailbox] = []
    for mailbox in mailboxes:
        behind = None
        if _is_local(mailbox, settings):
            from sesmail.submission.aliases import Aliases  # few messages go to local names

            aliases = aliases or Aliases(settings.aliases)
            behind = aliases.expand(mailbox.local_part)
        expanded += behind or [mailbox]
    return expanded


def _sort(mailboxes: list[Mailbox], settings: Settings) -> Recipients:
    """Part local names from forward-paths; leave out what came before."""
    recipients = Recipients()
    seen = set()
    for mailbox in mailboxes:
        path = mailbox.address()
        if not path.isascii():
            raise DataError(f"SES cannot deliver to {path!a}: not ASCII; use an ASCII address")
        key = (mailbox.local_part, mailbox.domain.lower())
        if key not in seen:
            seen.add(key)
            is_local = _is_local(mailbox, settings)
            (recipients.local if is_local else recipients.forward_paths).append(path)
    return recipients


def _is_local(mailbox: Mailbox, settings: Settings) -> bool:
    """Tell whether a name is this host's; an identity's domain never is."""
    domain = identity.a_labels(mailbox.domain)
    if not domain or domain == "localhost":
        return True
    if domain not in settings.local_domains:
        return False
    directory = settings.credentials_directory
    found = identity.find(f"@{domain}", directory, settings.identity_lookup)
    return found in (None, identity.DEFAULT)
