"""Delivery status notifications (RFC 3464) of what failed: whether, to whom and as whom.

    to       the reverse-path; a local one, or none, through the aliases file, else ``postmaster``
    never    for the null reverse-path, for mail that was submitted automatically (RFC 3834), for
             what policy refused, after an identity that failed itself, and over 100 an hour for a
             uid: then there is the failed entry and a log line
    as       MAILER-DAEMON at the author's domain, by the same identity; that is the source too, so
             that a bounce of the bounce does not reach the author

The daemon queues it like any message: as its own user, with the null reverse-path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Protocol

from sesmail import identity
from sesmail.delivery import addressee, policy, report_message
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.maillog import MailLog
from sesmail.delivery.policy import Load
from sesmail.delivery.report_message import Failed, Head, Original
from sesmail.drop import layout
from sesmail.message import header
from sesmail.message.header import Field
from sesmail.queue.store import Finished, Job, NewEntry, NewPath, Path
from sesmail.queue.upkeep import AUTHOR, IDENTITY, Hold
from sesmail.settings import Settings
from sesmail.submission import caller
from sesmail.sysexits import Failure

MOST_AN_HOUR = 100  # for a uid
EXPIRED = "4.4.7"  # RFC 3463, 3.5
MAILER_DAEMON = "MAILER-DAEMON"
_HOUR = 3_600_000  # milliseconds


class Mail(Protocol):
    """What of an entry matters here: a ``Job`` has it, and a ``NewEntry``."""

    @property
    def queue_id(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def reverse_path(self) -> str | None: ...
    @property
    def uid(self) -> int: ...
    @property
    def arrived(self) -> int: ...


class _NoDsn(Exception):
    """Nobody is told; the text says why."""


class DsnMaker:
    """Makes DSNs.

    ``holds`` returns the holds that last, ``now`` this moment in milliseconds; ``note_refusal`` is
    told uid and reason where policy refused what was queued already.
    """

    def __init__(
        self,
        settings: Settings,
        load: Load,
        holds: Callable[[], Sequence[Hold]],
        now: Callable[[], int],
        log: DaemonLog,
        note_refusal: Callable[[int, str], None],
    ) -> None:
        self.settings = settings
        self._load = load
        self._holds = holds
        self._note_refusal = note_refusal
        self._now = now
        self._log = log
        self._counts: dict[int, tuple[int, int]] = {}  # by uid: the hour, and how many in it

    def for_job(
        self, job: Job, failed: Sequence[tuple[Path, Finished]], message: Callable[[], bytes]
    ) -> NewEntry | None:
        """Return the DSN for the paths of a job that failed; see ``make``."""
        reasons = [
            Failed(path.address, result.status, result.text, result.relay)
            for path, result in failed
        ]
        return self.make(job, reasons, message)

    def make(
        self, mail: Mail, failed: Sequence[Failed], message: Callable[[], bytes]
    ) -> NewEntry | None:
        """Return the DSN as an entry to be queued; None, after a log line, if there is none.

        ``message`` returns the bytes of the mail that failed; it is called only where needed.
        """
        if any(is_of_policy(one.status, one.relay) for one in failed):  # all are then
            self._note_refusal(mail.uid, failed[0].text)
            reason = "policy refused the message"
        elif all(one.status == EXPIRED for one in failed) and self._is_held(mail):
            reason = f"the identity {mail.identity} cannot send"
        else:
            return self._made(mail, failed, message, "the message stays, as failed")
        self._say(mail, f"{reason}; the message stays, as failed")
        return None

    def bounced(self, mail: Mail, failed: Sequence[Failed], section: bytes) -> NewEntry | None:
        """Return the DSN for what failed after SES took it, as ``make`` does.

        ``section`` is all that is left of the message: its header section, as far as SES tells it.
        """
        return self._made(mail, failed, lambda: section, "only the log tells")

    def _made(
        self, mail: Mail, failed: Sequence[Failed], message: Callable[[], bytes], rest: str
    ) -> NewEntry | None:
        try:
            return self._make(mail, failed, message)
        except _NoDsn as reason:
            self._say(mail, f"{reason}; {rest}")
        return None

    def _say(self, mail: Mail, text: str) -> None:
        MailLog(mail.queue_id, self._log.emit).warning(f"no DSN: {text}")

    def _make(self, mail: Mail, failed: Sequence[Failed], message: Callable[[], bytes]) -> NewEntry:
        if mail.reverse_path == "":
            raise _NoDsn("the reverse-path is null")
        try:
            author = sender(mail.identity, mail.author, self._load)
        except Failure as failure:
            raise _NoDsn(str(failure)) from None
        fields = policy.read_fields(message())
        if is_automatic(fields):
            raise _NoDsn("the message was submitted automatically")
        addressees = addressee.of(mail.reverse_path, mail.uid, self.settings)
        if not addressees:
            raise _NoDsn("the reverse-path leads nowhere, and there is no postmaster")
        self._count(mail.uid)
        original = Original(mail.queue_id, mail.arrived, fields)
        head = Head(
            layout.new_queue_id(),
            author,
            addressees,
            caller.origin(self.settings),
            self.settings.postmaster,
            self._now(),
        )
        made = entry(head, mail.identity, report_message.compose(head, original, failed))
        made.about = mail.queue_id
        return made

    def _is_held(self, mail: Mail) -> bool:
        """Tell whether the identity, or the author's domain under it, cannot send anything."""
        domain = mail.author.rpartition("@")[2].lower()
        return any(
            hold.identity == mail.identity
            and (
                hold.scope == IDENTITY
                or (hold.scope == AUTHOR and hold.key.rpartition("@")[2].lower() == domain)
            )
            for hold in self._holds()
        )

    def _count(self, uid: int) -> None:
        hour = self._now() // _HOUR
        last, count = self._counts.get(uid, (hour, 0))
        count = count if last == hour else 0
        if count >= MOST_AN_HOUR:
            raise _NoDsn(f"over {MOST_AN_HOUR} an hour for uid {uid}")
        self._counts[uid] = hour, count + 1


def entry(head: Head, identity_name: str, message: bytes) -> NewEntry:
    """Return what the daemon itself sends, as an entry with the null reverse-path."""
    return NewEntry(
        head.queue_id,
        identity_name,
        head.author,
        "",
        os.getuid(),
        head.now,
        hashlib.sha256(message).digest(),
        message,
        [NewPath(path, head.now) for path in head.addressees],
    )


def sender(name: str, author: str, load: Load) -> str:
    """Return the address as which the daemon speaks through an identity. Raises a Failure.

    MAILER-DAEMON at the author's domain; where SES may know only one address (``author`` in the
    credentials file, or an identity that is an address), that one.
    """
    if written := load(name).author:
        return written
    if "@" in name:
        return name
    return f"{MAILER_DAEMON}@{identity.a_labels(author.rpartition('@')[2])}"


def is_of_policy(status: str, relay: str) -> bool:
    """Tell whether a failure is a refusal of ours, which is nobody's business but postmaster's."""
    return status == policy.STATUS and relay in ("", "none")


def is_automatic(fields: Sequence[Field]) -> bool:
    """Tell whether nobody waits for an answer (RFC 3834, 5)."""
    field = header.first(list(fields), b"auto-submitted")
    return field is not None and field.text().partition(";")[0].strip().lower() != "no"
