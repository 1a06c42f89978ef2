"""To whom a DSN goes: who is behind a reverse-path, if anybody SES can reach.

PHP's usual www-data@host leads nowhere: a bare name, or one at this host, goes through the aliases
file, as it would in any MTA. An identity's own domain is never local.
"""

from __future__ import annotations

import os
import pwd

from sesmail import identity
from sesmail.delivery import recipients
from sesmail.message import address
from sesmail.message.address import AddressError, Mailbox
from sesmail.settings import Settings
from sesmail.submission import caller
from sesmail.submission.aliases import Aliases
from sesmail.sysexits import NotPermitted

_THIS_HOST = ("localhost", "localhost.localdomain")


def of(reverse_path: str | None, uid: int, settings: Settings) -> list[str]:
    """Return who is told what became of a message; ``postmaster`` where that is nobody else.

    None: the caller gave no reverse-path, which makes it its login, as everywhere.
    """
    return resolve(_login(uid) if reverse_path is None else reverse_path, settings) or resolve(
        settings.postmaster, settings
    )


def resolve(path: str, settings: Settings) -> list[str]:
    """Return the addresses that mail to ``path`` goes to, local names by the aliases file."""
    try:
        mailboxes = address.parse(path)
    except AddressError:
        return []
    if len(mailboxes) == 1 and is_local(mailboxes[0], settings):
        mailboxes = Aliases(settings.aliases).expand(mailboxes[0].local_part) or []
        mailboxes = [mailbox for mailbox in mailboxes if not is_local(mailbox, settings)]
    addresses = dict.fromkeys(mailbox.address() for mailbox in mailboxes)
    return [one for one in addresses if recipients.check(one).refused is None]


def is_local(mailbox: Mailbox, settings: Settings) -> bool:
    """Tell whether only this host could know the address."""
    domain = identity.a_labels(mailbox.domain)
    if "." not in domain or domain in _THIS_HOST:
        return True
    ours = (caller.origin(settings).lower(), os.uname().nodename.lower(), *settings.local_domains)
    return domain in ours and not _has_identity(domain, settings)


def _has_identity(domain: str, settings: Settings) -> bool:
    try:
        found = identity.find(f"@{domain}", settings.credentials_directory, "exact")
    except NotPermitted:
        return False
    return found not in (None, identity.DEFAULT)


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
