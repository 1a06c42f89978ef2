"""The aliases file (aliases(5)): local names to addresses. No programs, files or includes.

    name: address, address          # names in any case; a continuation line begins with a blank

A name that stands for anything but addresses stays local: the real sendmail knows such things.
"""

from __future__ import annotations

from sesmail.message import address
from sesmail.message.address import AddressError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sesmail.message.address import Mailbox

_DEEPEST = 10  # aliases of aliases
_FOREIGN = ("|", "/", '"|', '"/', ":include:")


class Aliases:
    """The aliases of one file; a file that is not there, or not readable, has none."""

    def __init__(self, path: str) -> None:
        self._values = _read(path)

    def expand(self, name: str) -> list[Mailbox] | None:
        """Return the mailboxes behind a local name, bare names among them expanded in turn.

        None: there is no such alias, or it cannot be told by addresses alone.
        """
        return self._expand(name.lower(), frozenset())

    def _expand(self, name: str, above: frozenset[str]) -> list[Mailbox] | None:
        value = self._values.get(name)
        if value is None or len(above) > _DEEPEST:
            return None
        mailboxes = _mailboxes(value)
        if mailboxes is None:
            return None
        expanded: list[Mailbox] = []
        for mailbox in mailboxes:
            inner = mailbox.local_part.lower()
            if not mailbox.domain and inner not in above | {name}:
                expanded += self._expand(inner, above | {name}) or [mailbox]
            else:
                expanded.append(mailbox)
        return expanded


def _mailboxes(value: str) -> list[Mailbox] | None:
    words = value.replace(",", " ").split()
    if any(word.startswith(_FOREIGN) for word in words):
        return None
    try:
        return address.parse(value) or None
    except AddressError:
        return None


def _read(path: str) -> dict[str, str]:
    values: dict[str, str] = {}
    name = ""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                if not line.strip() or line.startswith("#"):
                    continue
                if line[0] in " \t" and name:
                    values[name] += " " + line.strip()
                    continue
                name, _, value = line.partition(":")
                name = name.strip().strip('"').lower()
                values[name] = value.strip()
    except OSError:
        return {}
    return values
