"""Whether an address is on the suppression list of the account, asked of SES before it is used.

SES takes mail for such an address, counts it, and drops it. Asked is only where events are on and
the key may, before the first attempt, for an address not asked of within a day, and not more than
once a second: that is what SES allows an account. Nobody waits for his turn to ask, nor for longer
than two seconds for an answer; what slips through an event tells of.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sesmail.delivery import suppression
from sesmail.delivery.credential_rules import CAPTURE
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.libraries import ONE_AT_A_TIME
from sesmail.queue import events
from sesmail.queue.events import Suppressed

_DAY = 86_400.0  # seconds
_MOST = 20_000  # addresses that are remembered, of one identity
_EVERY = 1.0
_TIMEOUT = 2.0
_REFUSED = 3600.0  # the key lacks that right
_TROUBLE = 60.0
_REASONS = {"BOUNCE": events.BOUNCE, "COMPLAINT": events.COMPLAINT}


class _Account:
    """What one identity's key was answered."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.asking = threading.Lock()
        self._client: Any = None
        self._unknown: OrderedDict[str, float] = OrderedDict()  # to SES, and when that was said
        self._next = 0.0  # when to ask again

    def ask(self, addresses: Sequence[str]) -> Suppressed | None:
        """Ask about the first of the addresses that it is time to ask about."""
        now = time.monotonic()
        if now < self._next:
            return None
        for address in map(events.fold, addresses):
            if now - self._unknown.get(address, -_DAY) >= _DAY:
                return self._ask(address, now)
        return None

    def _ask(self, address: str, now: float) -> Suppressed | None:
        self._next = now + _EVERY
        try:
            answer = self._open().get_suppressed_destination(EmailAddress=address)
            return _suppressed(address, answer["SuppressedDestination"])
        except Exception as error:  # noqa: BLE001  it is only advice: mail goes on
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            if code == "NotFoundException":
                self._unknown[address] = now
                self._unknown.move_to_end(address)
                if len(self._unknown) > _MOST:
                    self._unknown.popitem(last=False)
            else:
                self._next = now + (_REFUSED if "AccessDenied" in code else _TROUBLE)
        return None

    def _open(self) -> Any:
        if self._client is None:
            with ONE_AT_A_TIME:
                from sesmail.delivery.session import Session  # botocore

            self._client = Session(self.credentials).client("sesv2", _TIMEOUT, _TIMEOUT)
        return self._client


class Lookup:
    """What SES said of addresses, for all threads, by identity."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}

    def ask(self, credentials: Credentials, addresses: Sequence[str]) -> Suppressed | None:
        """Return one of the addresses that is suppressed, if that is known without a wait."""
        is_wanted = credentials.events_queue_url and credentials.transport != CAPTURE
        if not is_wanted or not suppression.is_on(credentials):
            return None
        account = self._account(credentials)
        if not account.asking.acquire(blocking=False):
            return None
        try:
            return account.ask(addresses)
        finally:
            account.asking.release()

    def _account(self, credentials: Credentials) -> _Account:
        with self._lock:
            account = self._accounts.get(credentials.identity)
            if account is None or account.credentials is not credentials:
                account = self._accounts[credentials.identity] = _Account(credentials)
            return account


def _suppressed(address: str, destination: dict[str, Any]) -> Suppressed:
    since = destination.get("LastUpdateTime")
    moment = since.timestamp() if isinstance(since, datetime) else time.time()
    reason = _REASONS.get(str(destination.get("Reason")), events.BOUNCE)
    return Suppressed(address, reason, int(moment * 1000), "as SES says")
