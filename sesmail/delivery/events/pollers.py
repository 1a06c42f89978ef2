"""The threads that there have to be: one for each queue of events and the keys that open it."""

from __future__ import annotations

from sesmail.delivery import credentials_file
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.events.inbox import Inbox
from sesmail.delivery.events.poller import Poller
from sesmail.delivery.policy import Load
from sesmail.sysexits import Failure

_Key = tuple[object, ...]


class Pollers:
    """Threads as the credentials files want them."""

    def __init__(self, directory: str, load: Load, inbox: Inbox) -> None:
        self._directory = directory
        self._load = load
        self._inbox = inbox
        self._running: dict[_Key, Poller] = {}

    def follow(self) -> None:
        """Look at the credentials files; begin and end threads by what they say now.

        A file that cannot be read just now ends its thread: its keys may be gone for a reason.
        """
        wanted: dict[_Key, Credentials] = {}
        for credentials in self._read_all():
            wanted.setdefault(_key(credentials), credentials)
        for key in self._running.keys() - wanted.keys():
            self._running.pop(key).end()
        for key, credentials in wanted.items():
            if key not in self._running:
                self._running[key] = Poller(credentials, self._inbox)
                self._running[key].start()

    def end(self) -> None:
        """End all."""
        for poller in self._running.values():
            poller.end()
        self._running.clear()

    def _read_all(self) -> list[Credentials]:
        """Return the credentials that name a queue."""
        try:
            names = credentials_file.names(self._directory)
        except OSError:
            return []
        found = []
        for name in names:
            try:
                credentials = self._load(name)
            except Failure:  # told where mail is concerned
                continue
            if credentials.events_queue_url:
                found.append(credentials)
        return found


def _key(credentials: Credentials) -> _Key:
    """Return what two files have in common if one thread does for both."""
    return (
        credentials.events_queue_url,
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        str(credentials.profile),
        credentials.ca_file,
        credentials.region,
    )
