"""The hourly summary of what policy refused, for ``postmaster``: nobody else is told.

It goes out through the identity of the postmaster's domain, else through ``default``; with neither
the mail log has it all. Kept in memory only: the refused messages are failed entries in the queue.
"""

from __future__ import annotations

from collections.abc import Callable

from sesmail import identity
from sesmail.delivery import addressee, dsn
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.maillog import printable
from sesmail.delivery.policy import Load
from sesmail.delivery.report_message import Head, opening
from sesmail.drop import layout
from sesmail.queue.store import NewEntry
from sesmail.settings import Settings
from sesmail.submission import caller
from sesmail.sysexits import Failure

EVERY = 3_600_000  # milliseconds
_MOST_KINDS = 100  # each a line; whoever is refused chooses much of the text


class Summary:
    """Counts refusals. ``now`` returns this moment in milliseconds."""

    def __init__(
        self, settings: Settings, load: Load, now: Callable[[], int], log: DaemonLog
    ) -> None:
        self.settings = settings
        self._load = load
        self._now = now
        self._log = log
        self._counts: dict[tuple[int, str], int] = {}
        self._more = 0
        self._due: int | None = None

    def note(self, uid: int, reason: str) -> None:
        """Remember a refusal; the reason is one line."""
        if self._due is None:
            self._due = self._now() + EVERY
        kind = (uid, printable(reason))
        if kind in self._counts or len(self._counts) < _MOST_KINDS:
            self._counts[kind] = self._counts.get(kind, 0) + 1
        else:
            self._more += 1

    def take(self, *, at_once: bool = False) -> NewEntry | None:
        """Return the summary as an entry to be queued, if it is due; ``at_once``: if anything is.

        What was counted is then forgotten.
        """
        if self._due is None or (self._now() < self._due and not at_once):
            return None
        counts, more = self._counts, self._more
        self._counts, self._more, self._due = {}, 0, None
        mail = opened(self.settings, self._load, self._now(), self._log, "summary")
        if mail is None:
            return None
        head, name = mail
        return dsn.entry(head, name, _message(head, counts, more))


def opened(
    settings: Settings, load: Load, now: int, log: DaemonLog, what: str
) -> tuple[Head, str] | None:
    """Return the head of a mail to ``postmaster``, and the identity that sends it.

    None where there is no such address; or, after a log line, no way to it. ``now`` in
    milliseconds; ``what`` the mail is, for that line.
    """
    addressees = addressee.resolve(settings.postmaster, settings)
    if not addressees:
        return None
    try:
        directory, lookup = settings.credentials_directory, settings.identity_lookup
        name = identity.find(addressees[0], directory, lookup)
        author = dsn.sender(name, addressees[0], load) if name else ""
    except Failure as failure:
        log.warning(f"no {what} for postmaster: {failure}")
        return None
    if name is None:
        log.warning(f"no {what} for postmaster: no identity serves that address")
        return None
    host = caller.origin(settings)
    return Head(layout.new_queue_id(), author, addressees, host, "", now), name


def _message(head: Head, counts: dict[tuple[int, str], int], more: int) -> bytes:
    number = sum(counts.values()) + more
    lines = [
        *opening(head, f"Mail refused on {head.host}: {number}", "auto-generated"),
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"What sesmaild on {head.host} refused since the last such mail: {number}.",
        "Its senders were not told. It stays in the queue, as failed, for as long as the",
        "setting history says; the mail log has their queue ids.",
        "",
        *(
            f"{count} of uid {uid}: {reason}"
            for (uid, reason), count in sorted(counts.items(), key=lambda item: -item[1])
        ),
        *([f"{more} of other kinds"] if more else []),
        "",
    ]
    return "\n".join(lines).encode("ascii")
