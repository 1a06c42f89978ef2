"""What the SES stand-in knows and remembers: one account in one region, for all three interfaces.

Tests set identities, keys, quotas and configuration sets here, and read the accepted messages and
the number of requests.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import verification
from .configuration_set import ConfigurationSets
from .dns import DnsServer
from .identity import Identities, Identity
from .queues import Queues
from .refusals import Refusal
from .topics import Topics

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ACCOUNT = "123456789012"
HEALTHY, PROBATION, SHUTDOWN = "HEALTHY", "PROBATION", "SHUTDOWN"
REVIEWING, GRANTED, DENIED = "PENDING", "GRANTED", "DENIED"
DAY = 24 * 3600.0


@dataclass(frozen=True)
class Accepted:
    """One message that SES took.

    source is where bounces go, destinations the forward-paths, raw the bytes exactly as they came,
    delivered what the recipients see (X-SES-* gone, Date and Message-ID replaced), message_id the
    bare id of the answer.
    """

    interface: str
    source: str
    destinations: list[str]
    raw: bytes
    tags: dict[str, str]
    configuration_set: str | None
    message_id: str
    delivered: bytes
    key_id: str


@dataclass(frozen=True)
class Suppressed:
    """Why SES delivers nothing to an address: BOUNCE or COMPLAINT, since when, and which event."""

    reason: str
    since: float
    message_id: str = ""
    feedback_id: str = ""


@dataclass(slots=True)
class State:
    """An SES account: settings first, then what happened to it.

    denied maps an access key id to the IAM actions it lacks (`ses:SendEmail`,
    `sts:GetCallerIdentity` and so on); refusing maps an action to what it is refused with, whoever
    asks, for calls other than sends (those meet the scripted faults); an OSError there ends the
    connection without an answer.  session_tokens maps a
    temporary key's id to its token, expired_tokens holds those that ran out.  max_send_rate is
    recipients per second (None: no limit), max_24_hour_send recipients per 24 hours (-1: no
    limit).

    SES's clock is `clock` and clock_offset seconds on.  enforcement is HEALTHY, PROBATION or
    SHUTDOWN; sending_enabled is the account's own switch.  details are what PutAccountDetails
    brought, review its ReviewDetails.Status.  suppressed is the suppression list by address.
    Pending identities turn SUCCESS when `dns` has their records, or verify_after seconds after they
    were made, at the next GetEmailIdentity.

    witnesses are told of each accepted message, validators of each event destination that is made
    or changed: the name of its configuration set, and the EventDestination.
    """

    region: str = "us-east-1"
    identities: Identities = field(default_factory=Identities)
    sandbox: bool = False
    verified_recipients: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=lambda: {KEY_ID: SECRET})
    session_tokens: dict[str, str] = field(default_factory=dict)
    expired_tokens: set[str] = field(default_factory=set)
    denied: dict[str, set[str]] = field(default_factory=dict)
    refusing: dict[str, Refusal | OSError] = field(default_factory=dict)
    configuration_sets: ConfigurationSets = field(default_factory=ConfigurationSets)
    max_configuration_sets: int = 10_000
    max_send_rate: float | None = None
    max_24_hour_send: float = -1.0
    clock: Callable[[], float] = time.time
    clock_offset: float = 0.0
    enforcement: str = HEALTHY
    sending_enabled: bool = True
    details: dict[str, Any] = field(default_factory=dict)
    review: str = ""
    suppressed: dict[str, Suppressed] = field(default_factory=dict)
    suppressed_reasons: list[str] = field(default_factory=lambda: ["BOUNCE", "COMPLAINT"])
    signing_hosted_zone: str = "dkim.amazonses.com"
    dns: DnsServer | None = None
    verify_after: float | None = None
    messages: list[Accepted] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    changed: threading.Condition = field(default_factory=threading.Condition)
    sent: deque[tuple[float, int]] = field(default_factory=deque)
    tokens: float | None = None
    filled_at: float = 0.0
    ended: bool = False
    queues: Queues = field(default_factory=Queues)
    topics: Topics = field(default_factory=Topics)
    witnesses: list[Callable[[Accepted], None]] = field(default_factory=list)
    validators: list[Callable[[str, dict[str, Any]], None]] = field(default_factory=list)

    def now(self) -> float:
        """What time SES thinks it is, in seconds since the epoch."""
        return self.clock() + self.clock_offset

    @property
    def production(self) -> bool:
        """Is the account out of the sandbox?"""
        return not self.sandbox

    @property
    def may_send(self) -> bool:
        """Do neither the account's switch nor SES's verdict stop it?"""
        return self.sending_enabled and self.enforcement != SHUTDOWN

    def identity(self, name: str) -> Identity:
        """What is known of the identity, verified or not; KeyError if nothing is."""
        return self.identities.known[name]

    def verify_when_dns(self, server: DnsServer) -> None:
        """Let pending identities turn SUCCESS when this server has their records."""
        self.dns = server

    def look(self, identity: Identity) -> None:
        """Do what SES does in the background for a pending identity."""
        now = self.now()
        if self.dns is not None:
            verification.look(identity, self.dns, self.signing_hosted_zone, self.region, now)
        if self.verify_after is not None and now >= identity.created_at + self.verify_after:
            identity.verify()

    def suppress(
        self, address: str, reason: str = "BOUNCE", message_id: str = "", feedback_id: str = ""
    ) -> None:
        """Put the address on the suppression list."""
        self.suppressed[address] = Suppressed(reason, self.now(), message_id, feedback_id)

    def decide(self, granted: bool) -> None:
        """End the review of PutAccountDetails: production access, or not."""
        self.review = GRANTED if granted else DENIED
        if granted:
            self.sandbox = False

    @property
    def requests(self) -> int:
        """Send calls so far.

        Counted are API requests for a send operation and SMTP attempts: a MAIL command, or a
        session that was refused before one (greeting, AUTH).
        """
        with self.changed:
            return self.counts["v2"] + self.counts["v1"] + self.counts["smtp"]

    def count(self, kind: str) -> None:
        """Count: v2, v1, smtp (an attempt), auth, mail, rcpt, data, connection, unanswered.

        unanswered is a message that the API took, and the answer got lost.
        """
        with self.changed:
            self.counts[kind] += 1
            self.changed.notify_all()

    def record(self, message: Accepted) -> None:
        """Keep an accepted message, charge its recipients to the quotas, tell the witnesses."""
        with self.changed:
            self.messages.append(message)
            self.sent.append((self.now(), len(message.destinations)))
            if self.tokens is not None:
                self.tokens -= len(message.destinations)
            self.changed.notify_all()
        for witness in self.witnesses:
            witness(message)

    def wait_for_messages(self, number: int, seconds: float = 10.0) -> list[Accepted]:
        """The accepted messages once there are `number` of them; TimeoutError if not in time."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.messages) >= number, seconds):
                raise TimeoutError(f"{len(self.messages)} of {number} messages came")
            return list(self.messages)

    def wait_until(self, settled: Callable[[], bool], seconds: float) -> bool:
        """Wait for what `settled` looks for, as a long poll does; was it there in time?

        It is asked with the lock held, at each change.  The end of the server ends the wait.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.ended or settled(), seconds)
            return settled()

    def end(self) -> None:
        """The server closes: whoever waits is woken."""
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        self.queues.close()

    def accepted_since(self, number: int) -> list[Accepted]:
        """The accepted messages after the first `number`."""
        with self.changed:
            return self.messages[number:]

    def sent_last_24_hours(self) -> int:
        """Recipients charged in the last 24 hours."""
        with self.changed:
            while self.sent and self.sent[0][0] <= self.now() - DAY:
                self.sent.popleft()
            return sum(recipients for _, recipients in self.sent)

    def may_send_now(self) -> bool:
        """Is the rate bucket above its debt?

        A burst passes whole as long as one token is left; afterwards everything fails until the
        debt is paid, as SES was seen to do.
        """
        with self.changed:
            rate = self.max_send_rate
            if rate is None:
                return True
            now = self.now()
            if self.tokens is None:
                self.tokens = max(rate, 1.0)
            else:
                self.tokens = min(max(rate, 1.0), self.tokens + (now - self.filled_at) * rate)
            self.filled_at = now
            return self.tokens >= 1.0

    def allowed(self, key_id: str, action: str) -> bool:
        """Does the key's IAM policy allow the action?"""
        return action not in self.denied.get(key_id, set())


def user_arn(key_id: str) -> str:
    """The IAM user whose key it is."""
    return f"arn:aws:iam::{ACCOUNT}:user/{key_id.lower()}"
