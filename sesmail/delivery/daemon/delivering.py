"""An attempt, in a worker thread: repair, then ask SES for the job's forward-paths.

Whatever goes wrong becomes results. What is our own fault is deferred: a bug must not bounce mail.
"""

from __future__ import annotations

import dataclasses
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sesmail import identity
from sesmail.delivery import policy, repair, report, source, suppression
from sesmail.delivery.account import Account
from sesmail.delivery.attempt import NOT_ASKED, Delivery
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.daemon.channels import Channels, Sessions
from sesmail.delivery.daemon.holds import AUTHOR, IDENTITY
from sesmail.delivery.daemon.lookup import Lookup
from sesmail.delivery.foreground import LARGEST_MESSAGE
from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.envelope import Envelope
from sesmail.queue import events
from sesmail.queue.events import Suppressed
from sesmail.queue.store import Job
from sesmail.settings import Settings
from sesmail.sysexits import EX_NOPERM, EX_SOFTWARE, EX_UNAVAILABLE, DataError, Failure

if TYPE_CHECKING:
    from sesmail.delivery.transport.base import Transport


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a worker gets."""

    job: Job
    message: bytes = field(repr=False)
    credentials: Credentials = field(repr=False)
    settings: Settings = field(repr=False)
    place: int = 0  # how many attempts of its identity were begun before and have not ended


@dataclass(frozen=True, slots=True)
class Attempted:
    """What it gives back: a result for each of the job's paths, in their order."""

    job: Job
    credentials: Credentials = field(repr=False)
    results: list[Result]
    seconds: float  # from the first request to the last answer
    asked: int  # recipients asked for, those that were tried again singly twice
    source: str = ""
    suppressed: Suppressed | None = None  # what SES said when it was asked


@dataclass(frozen=True, slots=True)
class Question:
    """What account these credentials belong to."""

    credentials: Credentials = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What SES tells of it; None where it does not."""

    identity: str
    account: Account | None


class Worker:
    """What one thread does; its SMTP sessions are its own."""

    def __init__(self, channels: Channels, lookup: Lookup) -> None:
        self._sessions = Sessions(channels)
        self._lookup = lookup

    def work(self, work: Attempt | Question) -> Attempted | Answer:
        """Do it."""
        return self._ask(work) if isinstance(work, Question) else self._attempt(work)

    def end(self) -> None:
        """Close what is open."""
        self._sessions.close()

    def _ask(self, work: Question) -> Answer:
        try:
            account = self._sessions.account(work.credentials)
        except Exception:  # noqa: BLE001  a broken installation shows at the attempt
            account = None
        return Answer(work.credentials.identity, account)

    def _attempt(self, work: Attempt) -> Attempted:
        job = work.job
        paths = [path.address for path in job.paths]
        delivery = Delivery(b"", "", paths, job.queue_id)
        started = time.monotonic()
        asked = 0
        suppressed: Suppressed | None = None
        try:
            delivery = _prepare(work, paths)
            suppressed = self._leave_out(work, delivery)
            started = time.monotonic()
            with self._sessions.open(work.credentials) as transport:
                counted = _Counted(transport)
                delivery.attempt(counted)
                asked = counted.asked
        except policy.Refused as refused:
            text = str(refused)
            _settle(delivery, Result(Outcome.FAILED, policy.STATUS, text, exit_code=EX_NOPERM))
        except Failure as failure:
            _settle(delivery, _refused(failure))
        except ImportError as error:
            _settle(delivery, _our_fault(report.broken_installation(error)))
        except Exception as error:  # noqa: BLE001  whatever it is, the mail stays
            _settle(delivery, _our_fault(report.internal_error(error)))
        seconds = time.monotonic() - started
        results = [_narrow(result, work.credentials) for result in delivery.results]
        return Attempted(
            job, work.credentials, results, seconds, asked, delivery.source, suppressed
        )

    def _leave_out(self, work: Attempt, delivery: Delivery) -> Suppressed | None:
        """Let a forward-path fail that SES would not try; return what it says of it."""
        first = [path.address for path in work.job.paths if path.attempts == 1]
        found = self._lookup.ask(work.credentials, first)
        if found is not None:
            status, text = suppression.STATUS[found.reason], suppression.text(found)
            failed = Result(Outcome.FAILED, status, text, exit_code=EX_UNAVAILABLE)
            for place, address in enumerate(delivery.forward_paths):
                if events.fold(address) == found.address:
                    delivery.results[place] = failed
        return found


class _TooLarge(Failure):
    """SES would not take it."""

    exit_code = EX_UNAVAILABLE


class _Counted:
    """A transport that counts the recipients it was asked for."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.relay = transport.relay
        self.asked = 0

    def send(
        self, message: bytes, source: str, forward_paths: list[str], queue_id: str
    ) -> list[Result]:
        """Make one attempt; see ``Transport.send``."""
        self.asked += len(forward_paths)
        return self._transport.send(message, source, forward_paths, queue_id)

    def close(self) -> None:
        """End the session, if there is one."""
        self._transport.close()


def _prepare(work: Attempt, paths: list[str]) -> Delivery:
    """Make the message fit for SES. Raises DataError, _TooLarge, Refused.

    Who may send was asked at pickup, but perhaps not answered: see ``policy.check_submitter``.
    """
    job, settings, credentials = work.job, work.settings, work.credentials
    if job.uid != os.getuid():  # else the daemon's own mail, or that of its user
        policy.check_submitter(job.identity, job.uid, lambda _: credentials)
    envelope = Envelope(job.queue_id, job.identity, job.author, job.reverse_path, paths)
    directory, lookup = settings.credentials_directory, settings.identity_lookup
    options = repair.Options(
        find_identity=lambda address: identity.find(address, directory, lookup),
        author=credentials.author,
        keep_x_ses=credentials.x_ses_headers == "keep",
    )
    message = repair.repair(work.message, envelope, options)
    if len(message) > LARGEST_MESSAGE:
        raise _TooLarge(
            f"the message has {len(message)} bytes in the form for SES, which takes "
            f"{LARGEST_MESSAGE}; send a link instead"
        )
    return Delivery(message, source.choose(envelope, settings, credentials), paths, job.queue_id)


def _narrow(result: Result, credentials: Credentials) -> Result:
    """Return ``result``; where the author is the credentials', what it holds is the identity."""
    if result.scope == AUTHOR and credentials.author:
        return dataclasses.replace(result, scope=IDENTITY)
    return result


def _settle(delivery: Delivery, result: Result) -> None:
    """Give ``result`` to what SES was not asked for; what it was keeps what is known."""
    delivery.results = [result if known is NOT_ASKED else known for known in delivery.results]


def _refused(failure: Failure) -> Result:
    if isinstance(failure, DataError):
        return Result(Outcome.FAILED, "5.6.0", str(failure), exit_code=failure.exit_code)
    if isinstance(failure, _TooLarge):
        return Result(Outcome.FAILED, "5.3.4", str(failure), exit_code=failure.exit_code)
    return _our_fault(str(failure))


def _our_fault(text: str) -> Result:
    return Result(Outcome.DEFERRED, "4.3.0", text, exit_code=EX_SOFTWARE, retry=Retry.LATER)
