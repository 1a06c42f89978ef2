"""Delivery while the caller waits: one message, one budget of seconds, one exit code.

Everything that can refuse the message without SES comes first, and only then is the client for SES
imported (boto3 costs more than all the rest). What SES defers for seconds is tried again within the
budget. Nothing is kept for later: there is no queue behind this.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, BinaryIO

from sesmail import envelope as wire
from sesmail import identity
from sesmail.delivery import (
    credentials,
    interrupt,
    leftover,
    maillog,
    recipients,
    repair,
    report,
    source,
)
from sesmail.delivery.attempt import NOT_ASKED, Delivery
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.maillog import MailLog
from sesmail.message import header
from sesmail.settings import MOST_IN_FOREGROUND, Settings
from sesmail.sysexits import (
    EX_OK,
    EX_OSERR,
    EX_SOFTWARE,
    EX_UNAVAILABLE,
    Failure,
    IOFailure,
    OSFailure,
    Unavailable,
    UsageError,
)

if TYPE_CHECKING:
    from sesmail.delivery.transport.base import Transport

BUDGET = 25.0  # seconds; callers kill at 30
GRACE = 1.0  # seconds for time-outs that were cut to the budget to end by themselves
WORTH_TRYING = 5.0  # seconds; with less, an attempt would end in an ambiguous time-out
FIRST_WAIT = 1.0  # seconds, doubled from attempt to attempt
_ONLY_TIME = (EX_UNAVAILABLE, EX_SOFTWARE, EX_OSERR)  # nothing is wrong with the message
LARGEST_MESSAGE = 40 << 20  # bytes, as SES counts them, attachments in base64 (its quota)


def run(
    stream: BinaryIO,
    settings: Settings,
    budget: float = BUDGET,
    emit: maillog.Emit | None = None,
) -> int:
    """Deliver the envelope and message in ``stream`` within ``budget`` seconds.

    Returns the exit code and never raises. Writes at most one line on descriptor 2, and what
    ``verbose`` asks for. ``emit`` writes the mail log, by default to syslog.
    """
    foreground = Foreground(settings, budget, emit or maillog.to_syslog(settings.syslog_facility))
    with interrupt.raised(budget + GRACE):
        return foreground.finish(_cause_of_end(foreground, stream))


def _cause_of_end(foreground: Foreground, stream: BinaryIO) -> Failure | None:
    """Take the steps; return what ended them early, as a failure."""
    try:
        try:
            foreground.prepare(stream)
            foreground.send()
        finally:
            interrupt.ignore()  # inside, so that no signal can come between here and the clauses
    except Failure as failure:
        return failure
    except interrupt.Interrupted as interrupted:
        return Unavailable(str(interrupted))
    except ImportError as error:
        return Unavailable(report.broken_installation(error))
    except MemoryError:
        return OSFailure("out of memory")
    except Exception as error:  # noqa: BLE001  the caller gets a line, never a traceback
        return Failure(report.internal_error(error))
    return None


class Foreground:
    """The steps for one message, and what is known after each of them."""

    def __init__(self, settings: Settings, budget: float, emit: maillog.Emit) -> None:
        self._settings = settings
        self._emit = emit
        self._started = self._attempted = time.time()
        self._end = time.monotonic() + budget
        self._log = MailLog("NOQUEUE", emit)  # as Postfix calls what has no queue id
        self._verbose = False
        self._delivery = Delivery(b"", "", [], "")
        self._unlogged: list[int] = []
        self._envelope: wire.Envelope | None = None
        self._message = b""  # as it came

    def prepare(self, stream: BinaryIO) -> None:
        """Do all that needs no network: read, check, repair. Raises a Failure."""
        envelope = wire.decode(stream)
        self._verbose = envelope.verbose
        self._log = MailLog(envelope.queue_id, self._emit)
        _check_number(len(envelope.forward_paths))
        self._credentials = self._load(envelope.identity)
        original = _read(stream)
        self._envelope, self._message = envelope, original
        message = repair.repair(original, envelope, self._repair_options())
        _check_size(len(message))
        address = source.choose(envelope, self._settings, self._credentials)
        reverse_path = envelope.author if envelope.reverse_path is None else envelope.reverse_path
        self._log.picked_up(os.getuid(), reverse_path)
        self._log.accepted(_message_id(original), envelope.identity)
        self._log.active(address, len(message), len(envelope.forward_paths))
        self._delivery = Delivery(message, address, envelope.forward_paths, envelope.queue_id)
        self._check_forward_paths()

    def send(self) -> None:
        """Try, and while SES asks for patience, wait and try again. Raises whatever goes wrong."""
        if not self._delivery.open():
            return
        # Imports boto3, which none of the failures before this line should wait for.
        from sesmail.delivery import transport

        deadline = transport.Deadline(self._end - time.monotonic())
        with transport.open(self._credentials, deadline) as channel:
            wait = FIRST_WAIT
            while self._attempt(channel):
                pause = min(wait, deadline.left() - WORTH_TRYING)
                if pause <= 0:
                    break
                self._pause(pause)
                wait *= 2

    def finish(self, cause: Failure | None) -> int:
        """Log and say what became of the message, ``cause`` being what ended the steps early."""
        delivery = self._delivery
        kept = self._keep() if cause is None or cause.exit_code in _ONLY_TIME else {}
        if cause and not kept and all(result is NOT_ASKED for result in delivery.results):
            return self._refuse(cause)
        self._log_results()
        if delivery.queue_id not in kept.values():
            self._log.removed()
        if self._verbose:
            for transaction in report.transactions(delivery.results):
                report.say(transaction)
            for queue_id in dict.fromkeys(kept.values()):
                report.say(f"queued for later as {queue_id}")
        rest = [place for place in range(len(delivery.results)) if place not in kept]
        results = [delivery.results[place] for place in rest]
        text = report.line([delivery.forward_paths[place] for place in rest], results)
        if kept and not rest:
            cause = None
        if cause:
            self._log.warning(str(cause))
            text = text and f"{cause}; {text}"
        if text:
            report.say(text)
        return report.exit_code(results, cause) if rest else EX_OK

    def _keep(self) -> dict[int, str]:
        """Leave to the daemon what is open; return queue ids by the places of forward-paths."""
        if self._envelope is None:
            return {}
        try:
            return leftover.keep(
                self._settings, self._envelope, self._message, self._delivery.results
            )
        except Failure as failure:
            self._log.warning(str(failure))
            return {}

    def _refuse(self, cause: Failure) -> int:
        """Log and say why SES was asked for nothing."""
        text = str(cause)
        if cause.exit_code in _ONLY_TIME:
            text += "; not sent, not queued"
        self._log.fatal(text)
        if self._delivery.results:
            self._log.removed()
        return report.end(text, cause.exit_code)

    def _load(self, identity: str) -> Credentials:
        loaded = credentials.load(self._settings.credentials_directory, identity)
        for warning in loaded.warnings:
            self._log.warning(warning)
        credentials.check_submitter(loaded, os.getuid())
        return loaded

    def _repair_options(self) -> repair.Options:
        directory, lookup = self._settings.credentials_directory, self._settings.identity_lookup
        return repair.Options(
            find_identity=lambda address: identity.find(address, directory, lookup),
            author=self._credentials.author,
            keep_x_ses=self._credentials.x_ses_headers == "keep",
        )

    def _check_forward_paths(self) -> None:
        """Fail the forward-paths that cannot be used, alone; log what looks wrong."""
        for place, path in enumerate(self._delivery.forward_paths):
            verdict = recipients.check(path)
            if verdict.warning:
                self._log.warning(f"to=<{path}>: {verdict.warning}")
            if verdict.refused:
                self._delivery.results[place] = verdict.refused
                self._unlogged.append(place)
        self._log_results()
        self._unlogged = self._delivery.open()

    def _attempt(self, channel: Transport) -> bool:
        """Try what is open, log it, and tell whether anything is still open."""
        self._unlogged = self._delivery.open()
        self._attempted = time.time()
        self._delivery.attempt(channel)
        self._log_results()
        return bool(self._delivery.open())

    def _pause(self, seconds: float) -> None:
        """Wait; say so where somebody may be looking."""
        if seconds > FIRST_WAIT and (self._verbose or os.isatty(2)):
            reason = self._delivery.results[self._delivery.open()[0]].text
            report.say(f"{reason}; trying again in {seconds:.0f} s")
        time.sleep(seconds)

    def _log_results(self) -> None:
        """Log the results that the log does not have yet."""
        now = time.time()
        arrival = maillog.arrival(self._delivery.queue_id) or self._started
        delays = (
            self._started - arrival,
            self._attempted - self._started,
            0.0,
            now - self._attempted,
        )
        for place in self._unlogged:
            self._log.result(
                self._delivery.forward_paths[place], self._delivery.results[place], delays
            )
        self._unlogged = []


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read()
    except OSError as error:
        raise IOFailure(f"cannot read the message: {error.strerror}") from None


def _check_number(number: int) -> None:
    if not number:
        raise UsageError("no recipients")
    if number > MOST_IN_FOREGROUND:
        raise Unavailable(
            f"{number} recipients are more than {MOST_IN_FOREGROUND}; send to fewer at a time"
        )


def _check_size(size: int) -> None:
    if size > LARGEST_MESSAGE:
        raise Unavailable(
            f"the message has {size} bytes in the form for SES, which takes {LARGEST_MESSAGE}; "
            "send a link instead"
        )


def _message_id(message: bytes) -> str:
    """Return the value of Message-ID without its brackets; "" if there is none."""
    section = header.Section()
    section.feed(message, final=True)
    field = header.first(
        header.split(bytes(section.text[section.start : section.end])), b"message-id"
    )
    return field.text().removeprefix("<").removesuffix(">") if field else ""
