"""Complaints for ``postmaster``: a mail with a line for each that came at one time.

It is queued in the transaction that writes the complaints down. Not more than some mails an hour;
what is not in one of them the mail log has, and the next says how many those are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sesmail.delivery import dsn, postmaster
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.policy import Load
from sesmail.delivery.report_message import Head, opening
from sesmail.queue.store import NewEntry
from sesmail.settings import Settings

MOST_AN_HOUR = 10
_HOUR = 3_600_000  # milliseconds
_MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Complaint:
    """Who complained of which message; ``reason`` is what SES says of it."""

    queue_id: str
    identity: str
    author: str
    uid: int
    address: str
    reason: str


class Complaints:
    """Makes the mails; ``now`` returns this moment in milliseconds."""

    def __init__(
        self, settings: Settings, load: Load, now: Callable[[], int], log: DaemonLog
    ) -> None:
        self.settings = settings
        self._load = load
        self._now = now
        self._log = log
        self._hour = self._count = 0
        self._untold = 0

    def make(self, complaints: Sequence[Complaint]) -> NewEntry | None:
        """Return the mail as an entry to be queued; None if there is to be none."""
        hour = self._now() // _HOUR
        if hour != self._hour:
            self._hour, self._count = hour, 0
        mail = None
        if self._count < MOST_AN_HOUR:
            mail = postmaster.opened(
                self.settings, self._load, self._now(), self._log, "notice of a complaint"
            )
        if mail is None:
            self._untold += len(complaints)
            return None
        self._count += 1
        untold, self._untold = self._untold, 0
        head, identity = mail
        return dsn.entry(head, identity, _message(head, complaints, untold))


def _message(head: Head, complaints: Sequence[Complaint], untold: int) -> bytes:
    more = len(complaints) - _MOST_LISTED + untold if len(complaints) > _MOST_LISTED else untold
    lines = [
        *opening(head, f"Complaints about mail of {head.host}", "auto-generated"),
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "Somebody called these messages spam, or their mail provider did. Over one complaint",
        "in a thousand messages Amazon SES may stop the account. With suppression on nothing is",
        "sent there any more; see sesmailctl suppression.",
        "",
        *(
            f"{one.queue_id}: to <{one.address}> from <{one.author}> "
            f"(uid {one.uid}, identity {one.identity}): {one.reason}"
            for one in complaints[:_MOST_LISTED]
        ),
        *([f"and {more} more, which are in the mail log"] if more else []),
        "",
    ]
    return "\n".join(lines).encode("ascii", "replace")
