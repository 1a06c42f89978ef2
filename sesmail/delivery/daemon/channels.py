"""The ways into SES that stay open between attempts.

One client of the API for all threads of an identity (its connections are a pool), one SMTP session
per thread and identity. Credentials that were read anew get a new one; the old is closed when its
last attempt has ended. Modules that need boto3 are imported here, in a worker, at the first use.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sesmail.delivery.account import Account
from sesmail.delivery.credential_rules import API, SMTP
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.libraries import ONE_AT_A_TIME

if TYPE_CHECKING:
    from sesmail.delivery.transport.base import Transport


class _Shared:
    """A transport and how many attempts use it."""

    def __init__(self, credentials: Credentials, transport: Transport) -> None:
        self.credentials = credentials
        self.transport = transport
        self.users = 0
        self.is_old = False


class Channels:
    """The transports that threads share, by identity."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: dict[str, _Shared] = {}

    @contextlib.contextmanager
    def use(self, credentials: Credentials) -> Iterator[Transport]:
        """Lend the transport of these credentials."""
        shared = self._borrow(credentials)
        try:
            yield shared.transport
        finally:
            self._give_back(shared)

    def _borrow(self, credentials: Credentials) -> _Shared:
        with self._lock:
            shared = self._shared.get(credentials.identity)
            if shared is None or shared.credentials is not credentials:
                if shared is not None:
                    shared.is_old = True
                    _close_unused(shared)
                shared = _Shared(credentials, _choose(credentials))
                self._shared[credentials.identity] = shared
            shared.users += 1
            return shared

    def _give_back(self, shared: _Shared) -> None:
        with self._lock:
            shared.users -= 1
            if shared.is_old:
                _close_unused(shared)


class Sessions:
    """What one thread uses: the shared transports, and SMTP sessions of its own."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._smtp: dict[str, tuple[Credentials, Transport]] = {}

    @contextlib.contextmanager
    def open(self, credentials: Credentials) -> Iterator[Transport]:
        """Lend the transport of these credentials."""
        self._close_others(credentials)
        if credentials.transport != SMTP:
            with self._channels.use(credentials) as transport:
                yield transport
            return
        if credentials.identity not in self._smtp:
            self._smtp[credentials.identity] = credentials, _choose(credentials)
        yield self._smtp[credentials.identity][1]

    def account(self, credentials: Credentials) -> Account | None:
        """Return what GetAccount says; None if it says nothing."""
        if credentials.transport != API:
            return None
        with self._channels.use(credentials) as transport:
            account: Account | None = transport.account()  # type: ignore[attr-defined]
            return account

    def close(self) -> None:
        """End the SMTP sessions."""
        for _, transport in self._smtp.values():
            transport.close()
        self._smtp.clear()

    def _close_others(self, credentials: Credentials) -> None:
        """End the sessions that this attempt does not use: SES ends idle ones itself."""
        for name, (known, transport) in list(self._smtp.items()):
            if known is not credentials:
                transport.close()
                del self._smtp[name]


def _choose(credentials: Credentials) -> Transport:
    with ONE_AT_A_TIME:
        from sesmail.delivery import transport

    return transport.choose(credentials, transport.Deadline())


def _close_unused(shared: _Shared) -> None:
    if shared.users == 0:
        shared.transport.close()
