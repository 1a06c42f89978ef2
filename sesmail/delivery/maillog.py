"""The mail log: lines in Postfix's shape, so that pflogsumm, logwatch and people's greps read them.

    sesmail/pickup[pid]: ID: sender: uid=33 from=<…>
    sesmail/cleanup[pid]: ID: message-id=<…>, identity=example.com
    sesmail/qmgr[pid]: ID: from=<…>, size=…, nrcpt=… (queue active)
    sesmail/ses[pid]: ID: to=<…>, relay=…, delay=…, delays=a/b/c/d, dsn=2.0.0, status=sent (SES id)
    sesmail/ses[pid]: ID: to=<…>, …, status=deferred (…)       also what is held
    sesmail/ses[pid]: ID: to=<…>, …, status=bounced (…)
    sesmail/qmgr[pid]: ID: removed
    sesmail/events[pid]: ID: to=<…>, relay=…, delay=…, dsn=…, status=bounced (…)   what SES tells,
    sesmail/feedback[pid]: ID: to=<…>, …, status=delivered (…)  and what readers do not count
    sesmail/postsuper[pid]: ID: removed              by sesmailctl; also: placed on hold, released
                                                     from hold, requeued
    sesmail/ses[pid]: warning: ID: …   and   fatal: ID: …      nothing was tried

The ``sesmail/submit`` line is submission's. Callers choose addresses and Message-ID: bytes outside
printable ASCII become ``?``, as do ``<`` and ``>`` inside a field, and fields are cut at 200.
"""

from __future__ import annotations

import syslog
from collections.abc import Callable

from sesmail.delivery.outcome import Outcome, Result

LONGEST_FIELD = 200

# Writes one line; takes the program (``ses``), the priority of syslog(3) and the text.
Emit = Callable[[str, int, str], None]
Delays = tuple[float, float, float, float]

_STATUS = {
    Outcome.DELIVERED: "sent",
    Outcome.DEFERRED: "deferred",
    Outcome.FAILED: "bounced",
    Outcome.HELD: "deferred",
}


def to_syslog(facility: str) -> Emit:
    """Return what writes to syslog with ``facility``, a name such as ``mail``."""
    number: int = getattr(syslog, "LOG_" + facility.upper())

    def emit(program: str, priority: int, text: str) -> None:
        syslog.openlog(f"sesmail/{program}", syslog.LOG_PID, number)
        syslog.syslog(priority, text)

    return emit


class MailLog:
    """The lines of one message."""

    def __init__(self, queue_id: str, emit: Emit) -> None:
        self._queue_id = printable(queue_id)
        self._emit = emit

    def picked_up(self, uid: int, reverse_path: str) -> None:
        """Log whose message it is.

        pflogsumm counts it as received by this line, logwatch by that of submission; ``sender:``
        keeps logwatch from counting it twice.
        """
        self._info("pickup", f"sender: uid={uid} from=<{_inside(reverse_path)}>")

    def accepted(self, message_id: str, identity: str) -> None:
        """Log which message, and which credentials serve it; ``message_id`` without brackets."""
        self._info("cleanup", f"message-id=<{_inside(message_id)}>, identity={printable(identity)}")

    def active(self, source: str, size: int, recipients: int) -> None:
        """Log that delivery begins; ``size`` in bytes as SES gets them."""
        self._info(
            "qmgr", f"from=<{_inside(source)}>, size={size}, nrcpt={recipients} (queue active)"
        )

    def result(self, forward_path: str, result: Result, delays: Delays) -> None:
        """Log what one attempt ended in.

        ``delays`` in seconds: before the delivery half, waiting, connecting, sending.
        """
        parts = "/".join(map(_seconds, delays))
        relay = printable(result.relay).replace(",", "?")
        self._info(
            "ses",
            f"to=<{_inside(forward_path)}>, relay={relay}, delay={_seconds(sum(delays))}, "
            f"delays={parts}, dsn={printable(result.status)}, "
            f"status={_STATUS[result.outcome]} ({printable(result.text)})",
        )

    def told(
        self, forward_path: str, relay: str, delay: float, dsn: str, status: str, text: str
    ) -> None:
        """Log what SES told of a forward-path that it had taken.

        ``delay`` in seconds since the arrival; ``status`` is a word: bounced, delivered, ... What
        logwatch does not know has a name of its own, for it lists such lines one by one unless told
        to leave out that name.
        """
        self._info(
            "events" if status in _STATUS.values() else "feedback",
            f"to=<{_inside(forward_path)}>, relay={printable(relay).replace(',', '?')}, "
            f"delay={_seconds(delay)}, dsn={dsn}, status={status} ({printable(text)})",
        )

    def reported(self, notice: str) -> None:
        """Log the queue id of the DSN that tells the sender about a failure."""
        self._info("bounce", f"sender non-delivery notification: {printable(notice)}")

    def removed(self) -> None:
        """Log the end: the message is no longer kept."""
        self._info("qmgr", "removed")

    def administered(self, what: str) -> None:
        """Log what an administrator had done, in the words of Postfix's postsuper.

        logwatch knows these alone; who it was is in the queue.
        """
        self._info("postsuper", what)

    def warning(self, text: str) -> None:
        """Log what does not stop the delivery."""
        self._emit("ses", syslog.LOG_WARNING, f"warning: {self._queue_id}: {printable(text)}")

    def fatal(self, text: str) -> None:
        """Log why nothing was tried."""
        self._emit("ses", syslog.LOG_ERR, f"fatal: {self._queue_id}: {printable(text)}")

    def _info(self, program: str, text: str) -> None:
        self._emit(program, syslog.LOG_INFO, f"{self._queue_id}: {text}")


def arrival(queue_id: str) -> float | None:
    """Return when the message with ``queue_id`` came, in seconds since 1970, if the id tells."""
    try:
        return int(queue_id[:12], 16) / 1000
    except ValueError:
        return None


def printable(text: str, limit: int = LONGEST_FIELD) -> str:
    """Return ``text`` as printable ASCII, everything else as ``?``, cut at ``limit``."""
    text = text[:limit]
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if " " <= char <= "~" else "?" for char in text)


def _inside(text: str) -> str:
    # A quoted local part may hold ">, relay=…, status=sent": it must not end its own brackets.
    return printable(text).replace("<", "?").replace(">", "?")


def _seconds(seconds: float) -> str:
    """Return seconds as Postfix writes them: 0, 0.05, 12.3. A clock set back counts as 0."""
    return f"{max(seconds, 0):.2f}".rstrip("0").rstrip(".")
