"""Which records a domain needs, how each stands in the DNS, and how that is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sesmail.control import records
from sesmail.control.dns import Dns, DnsError
from sesmail.control.records import Found, Record
from sesmail.control.setup import at_ses
from sesmail.control.terminal import Terminal
from sesmail.delivery.replies import clean
from sesmail.sysexits import CannotCreate, ConfigurationError

UNKNOWN = "not known"  # nobody answered


class Published:
    """The records of one domain.

    ``found`` has them as the DNS was last seen, ``dmarc`` the DMARC record that was there before
    (its text, "" if none, None if nobody answered).
    """

    def __init__(self, domain: str, dns: Dns) -> None:
        self.found: list[Found] = []
        self.dmarc: str | None = None
        self._own_key = ""
        self._domain = domain
        self._dns = dns

    def decide(self, identity: Mapping[str, Any] | None, region: str, mail_from: str) -> None:
        """Find out what is needed, and look. Without an ``identity`` the DKIM records are missing.

        An existing DMARC record is never touched; where none is, the mildest one is proposed.
        Raises ConfigurationError for a domain that waits with a DKIM key of its owner's.
        """
        identity = identity or {}
        try:
            needed = records.wanted(self._domain, identity, region, mail_from)
        except ConfigurationError as error:
            if not at_ses.is_verified(identity):
                raise
            self._own_key = str(error)
            needed = records.wanted(self._domain, {}, region, mail_from)
        try:
            name, self.dmarc = records.dmarc_in_force(self._domain, self._dns)
        except DnsError:
            name = "?"
        if not name:
            needed.append(records.dmarc(self._domain))
        self.found = [self._look(record) for record in needed]

    def look_again(self) -> None:
        """Look at those again that were not as they should be."""
        self.found = [
            one if one.state == records.OK else self._look(one.record) for one in self.found
        ]

    def are_dkim_right(self) -> bool:
        """Tell whether the records that verify the domain are there."""
        return all(
            one.state == records.OK for one in self.found if one.record.purpose == records.DKIM
        )

    def count(self) -> str:
        """Return how many are there, as "3 of 6"."""
        return f"{sum(one.state == records.OK for one in self.found)} of {len(self.found)}"

    def _look(self, record: Record) -> Found:
        try:
            return records.look(record, self._dns)
        except DnsError as error:
            return Found(record, UNKNOWN, "", str(error))

    # Showing.

    def show(self, terminal: Terminal) -> None:
        """Show the records, what is wrong with which, and what is missing as a zone file."""
        if self._own_key:
            terminal.say(self._own_key)
        rows = [
            (one.record.name, one.record.type, one.record.value, one.state) for one in self.found
        ]
        terminal.records(("Name", "Type", "Value", "DNS"), rows)
        for one in self.found:
            if one.state not in (records.OK, records.MISSING):
                terminal.say(one.text())
        if self.dmarc:
            terminal.say(f"There is a DMARC record already, which stays: {self.dmarc}")
        missing = [one.record for one in self.found if one.state != records.OK]
        if missing:
            terminal.say()
            terminal.say("As lines of a zone file:")
            for line in records.zone_file(missing).splitlines():
                terminal.say(line)

    def write_zone(self, path: str) -> None:
        """Write all records to a file. Raises CannotCreate."""
        try:
            with open(path, "w", encoding="ascii") as stream:
                stream.write(records.zone_file(self.all()))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a file name"
            raise CannotCreate(f"--zone: cannot write {clean(path)!a}: {reason}") from None

    def all(self) -> Sequence[Record]:
        """Return the records."""
        return [one.record for one in self.found]

    def as_list(self) -> list[dict[str, str]]:
        """Return them as documents."""
        return [one.as_dict() for one in self.found]
