"""A request of sesmailctl, who makes it, and what an answer works with.

An answer is a generator, and each of its steps is short: the daemon takes one in a turn of its
loop. It yields documents; or, where they are many, text that holds some, a document a line; or
nothing ("") where it only lets others have their turn. What goes wrong it raises as a Failure.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from sesmail.delivery.account import Account
from sesmail.delivery.daemon.administration import Administration
from sesmail.drop import layout
from sesmail.queue import listing, schema, statistics
from sesmail.queue.statistics import Recent
from sesmail.settings import Settings
from sesmail.sysexits import Failure, NotPermitted, UsageError

LONGEST_REQUEST = 4096  # bytes
_SHARE = 20  # of the time that counting takes goes by before it is done again
_DAY = 86_400.0
_LONGEST_NUMBER = 1 << 62
_LONGEST_SHOWN = 60  # characters of somebody's request in our error


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks. ``sees_all``: root, the daemon's user, or a member of its group."""

    uid: int
    sees_all: bool

    def must_see_all(self, settings: Settings) -> None:
        """Raise NotPermitted for anybody else."""
        if not self.sees_all:
            user = settings.user
            raise NotPermitted(f"only root, {user} and the members of its group may do this")

    @property
    def only(self) -> int | None:
        """The uid whose entries alone are shown; None: everybody's are."""
        return None if self.sees_all else self.uid


class Request:
    """What was asked for: a name and fields, each of which is checked where it is read."""

    def __init__(self, name: str, fields: dict[str, object]) -> None:
        self.name = name
        self._fields = fields

    @classmethod
    def parse(cls, line: bytes) -> Request:
        """Read a line. Raises UsageError."""
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            raise UsageError("the request is no JSON") from None
        name = fields.pop("request", None) if isinstance(fields, dict) else None
        if not isinstance(name, str):
            raise UsageError("the request has no name")
        return cls(name, fields)

    def text(self, key: str, default: str = "") -> str:
        """Return a text. Raises UsageError where there is something else."""
        value = self._fields.get(key, default)
        if not isinstance(value, str):
            raise UsageError(f"{key} is no text")
        return value

    def number(self, key: str, default: int = 0) -> int:
        """Return an integer that SQLite can hold. Raises UsageError."""
        value = self._fields.get(key, default)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or abs(value) > _LONGEST_NUMBER:  # type: ignore[arg-type]
            raise UsageError(f"{key} is no number that can be used")
        return value  # type: ignore[return-value]

    def flag(self, key: str) -> bool:
        """Return a truth value. Raises UsageError."""
        value = self._fields.get(key, False)
        if not isinstance(value, bool):
            raise UsageError(f"{key} is neither true nor false")
        return value

    def queue_id(self) -> str:
        """Return the field ``id``. Raises UsageError where it is no queue id."""
        queue_id = self.text("id")
        if not layout.is_queue_id(queue_id):
            raise UsageError(
                f"{queue_id[:_LONGEST_SHOWN]!a} is no queue id; the mail log and mailq have them"
            )
        return queue_id


@dataclass(frozen=True, slots=True)
class Sending:
    """How an identity sends now: ``rate`` in recipients per second, ``active`` attempts.

    ``account`` is what SES told last, ``asked`` when, in seconds since the epoch.
    """

    rate: float
    active: int
    account: Account | None = None
    asked: float | None = None


class Running(Protocol):
    """The part of the daemon that answers ask, where one runs."""

    def scan(self) -> None:
        """Look through the drop now."""

    def reread(self, identity: str) -> None:
        """Go by the credentials file of an identity as it is now."""

    def sending(self) -> dict[str, Sending]:
        """Return how each identity sends that has sent since the start."""

    def uptime(self) -> float:
        """Return for how many seconds it has run."""


class Lately:
    """What became of the mail of the last 24 hours; counting it takes a small share of the time.

    It costs what happened in those hours, and somebody may look every second: so what took a second
    to count counts for twenty.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, Recent] = {}
        self._valid_until = -math.inf

    def get(self, connection: sqlite3.Connection) -> Generator[None, None, dict[str, Recent]]:
        """Return it by identity; yield between two short reads."""
        began = self._clock()
        if began >= self._valid_until:
            since = int((time.time() - _DAY) * 1000)
            self._found = yield from statistics.recent(connection, since)
            ended = self._clock()
            self._valid_until = ended + _SHARE * (ended - began)
        return self._found


@dataclass(frozen=True, slots=True)
class Desk:
    """What answers work with.

    ``daemon`` is None where none runs. Then whatever changes the queue has its lock, and whatever
    only reads it has no ``administration``.
    """

    settings: Settings
    administration: Administration | None = None
    daemon: Running | None = None
    lately: Lately = field(default_factory=Lately)

    @property
    def directory(self) -> str:
        """The directory of the queue."""
        return os.path.join(self.settings.spool_directory, "queue")

    @property
    def writer(self) -> Administration:
        """The way to change the queue."""
        if self.administration is None:
            raise Failure("a request that changes the queue came without its lock")
        return self.administration

    def read(self) -> sqlite3.Connection:
        """Return a connection of one's own that only reads; to be closed. Raises Unavailable.

        Before sesmaild has ever run nothing is in the queue, and so that is the answer.
        """
        if self.daemon is None and not listing.is_begun(self.directory):
            return schema.empty()
        return listing.connect(self.directory)


Part = dict[str, Any] | str
Answer = Callable[[Desk, Request, Client], Iterator[Part]]
"""Yields documents, or text with a document a line; raises a Failure."""
