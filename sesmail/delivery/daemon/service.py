"""Everything that sesmaild holds open, put together: lock, FIFO, drop, queue, threads, loop."""

from __future__ import annotations

import contextlib
import os
import selectors
import sqlite3
from functools import partial
from typing import Self

from sesmail import settings as settings_file
from sesmail.delivery.daemon import check, signals
from sesmail.delivery.daemon.administration import Administration
from sesmail.delivery.daemon.answers.frame import Desk
from sesmail.delivery.daemon.answers.registry import respond
from sesmail.delivery.daemon.channels import Channels
from sesmail.delivery.daemon.clock import Clock
from sesmail.delivery.daemon.control_server import ControlServer
from sesmail.delivery.daemon.delivering import Answer, Attempt, Attempted, Question, Worker
from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.daemon.intake import Intake
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.daemon.lookup import Lookup
from sesmail.delivery.daemon.loop import Daemon, Parts
from sesmail.delivery.daemon.notify import READY, STOPPING, Notifier, reloading, status
from sesmail.delivery.daemon.rates import MOST_AT_ONCE
from sesmail.delivery.daemon.signals import Signals
from sesmail.delivery.daemon.wake import WakeReader
from sesmail.delivery.daemon.workers import Workers
from sesmail.delivery.dsn import DsnMaker
from sesmail.delivery.events.complaints import Complaints
from sesmail.delivery.events.consequences import Consequences
from sesmail.delivery.events.inbox import Inbox
from sesmail.delivery.events.joining import Joiner
from sesmail.delivery.events.lines import Lines
from sesmail.delivery.events.pollers import Pollers
from sesmail.delivery.events.tally import Tally
from sesmail.delivery.pickup import Pickup
from sesmail.delivery.postmaster import Summary
from sesmail.drop.take import DropDirectory
from sesmail.queue import schema, upkeep
from sesmail.queue.lock import Lock
from sesmail.queue.reserve import Reserve
from sesmail.queue.schema import DiskFull
from sesmail.queue.store import Store
from sesmail.queue.upkeep import Hold
from sesmail.settings import Settings
from sesmail.sysexits import CannotCreate, Failure, IOFailure

_FORGOTTEN = 500  # entries of the history in one transaction
_ROUNDS = 10  # transactions a minute


class Service:
    """The daemon over one spool; a context manager.

    ``is_once``: for one pass, and then nobody is told that a daemon runs. Raises CannotCreate where
    another daemon has the spool or there is none, ConfigurationError, IOFailure.
    """

    def __init__(
        self, settings: Settings, log: DaemonLog, notifier: Notifier, *, is_once: bool
    ) -> None:
        self._settings = settings
        self._log = log
        self._notifier = notifier
        self._opened = contextlib.ExitStack()
        self._is_tidy = False
        self._clock = Clock()
        self._identities = Identities(settings.credentials_directory)
        spool = settings.spool_directory
        queue = os.path.join(spool, "queue")
        with contextlib.ExitStack() as opened:
            self._lock = opened.enter_context(contextlib.closing(Lock(queue)))
            # Before the first scan: what is dropped from now on is told or found.
            self._wake = None if is_once else WakeReader(spool)
            if self._wake is not None:
                opened.enter_context(contextlib.closing(self._wake))
            self._drop = opened.enter_context(contextlib.closing(_drop_directory(spool)))
            self._store = opened.enter_context(contextlib.closing(_open_store(queue)))
            self._signals = opened.enter_context(contextlib.closing(Signals()))
            self._opened = opened.pop_all()
        load, now = self._identities.load, self._clock.now
        self._summary = Summary(settings, load, now, log)
        self._dsns = DsnMaker(settings, load, self._holds, now, log, self._summary.note)
        self._complaints = Complaints(settings, load, now, log)
        self.daemon = self._put_together(queue)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._opened.close()
        if isinstance(error, sqlite3.Error):
            error = schema.translate(error)
        if isinstance(error, schema.Damaged):
            schema.suspect(os.path.join(self._settings.spool_directory, "queue"))

    def run(self) -> None:
        """Deliver until a signal ends it."""
        daemon = self.daemon
        daemon.start()
        daemon.each_scan(self._check_places)
        daemon.each_scan(self._tidy)
        self._answer()
        self._hear()
        self._notifier.tell(READY, status("waiting for mail"))
        self._log.info("daemon started; sesmaild is ready")  # logwatch knows the first words
        self._check_files()
        daemon.run()
        self._tell_postmaster(at_once=True)

    def run_once(self) -> None:
        """Make one pass over drop and queue."""
        self.daemon.start()
        self.daemon.run_once()
        self._tell_postmaster(at_once=True)

    def _answer(self) -> None:
        """Open the socket for mailq. Mail goes out without it, too."""
        daemon = self.daemon
        administration = Administration(
            self._store, daemon.holds, daemon.change, daemon.reschedule, self._log.emit
        )
        desk = Desk(self._settings, administration, daemon)
        try:
            control = ControlServer(self._settings.spool_directory, partial(respond, desk))
        except CannotCreate as failure:
            self._log.warning(str(failure))
            return
        self._opened.enter_context(contextlib.closing(control))
        daemon.selector.register(control, selectors.EVENT_READ, control.serve)
        daemon.each_scan(control.drop_stalled)

    def _hear(self) -> None:
        """Join what SES tells, where a credentials file names a queue of it."""
        load, now, log, inbox = self._identities.load, self._clock.now, self._log, Inbox()
        lines = Lines(log.emit)
        consequences = Consequences(
            self._store, self.daemon.holds, load, self._dsns.bounced, self._complaints, lines
        )
        pollers = Pollers(self._settings.credentials_directory, load, inbox)
        joiner = Joiner(self._store, inbox, pollers, consequences, lines, Tally(now, log))
        self.daemon.hear(joiner)
        self.daemon.each_scan(joiner.follow)

    def _put_together(self, queue: str) -> Daemon:
        settings, load, now, log = (
            self._settings,
            self._identities.load,
            self._clock.now,
            self._log,
        )
        dsns = self._dsns
        pickup = Pickup(self._drop, self._store, settings, load, dsns, self._summary, now, log)
        daemon = Daemon(
            Parts(
                settings=settings,
                store=self._store,
                reserve=Reserve(queue),
                intake=Intake(self._drop),
                pickup=pickup,
                make_dsn=dsns.for_job,
                workers=_workers(),
                identities=self._identities,
                clock=self._clock,
                log=log,
            )
        )
        daemon.each_scan(pickup.remind)
        daemon.selector.register(self._signals, selectors.EVENT_READ, self._obey)
        if self._wake is not None:
            daemon.selector.register(self._wake, selectors.EVENT_READ, self._take_names)
        return daemon

    def _holds(self) -> list[Hold]:
        return self.daemon.holds.standing()

    def _take_names(self) -> None:
        if self._wake is not None:
            self.daemon.wake(*self._wake.read())

    def _obey(self) -> None:
        numbers = self._signals.read()
        if numbers.intersection(signals.LEAVE):
            self._notifier.tell(STOPPING, status("finishing the attempts in flight"))
            self.daemon.leave()
        elif signals.RELOAD in numbers:
            self._reload()

    def _reload(self) -> None:
        self._notifier.tell(*reloading())
        try:
            settings = settings_file.load(os.environ)
        except Failure as failure:
            self._log.error(f"the settings stay as they were: {failure}")
        else:
            for key in ("spool_directory", "user", "credentials_directory"):
                if getattr(settings, key) != getattr(self._settings, key):
                    self._log.warning(f"{key} has changed: that needs a restart")
                    setattr(settings, key, getattr(self._settings, key))
            self._settings = self._complaints.settings = settings
            self.daemon.reload(settings)
            self._log.info("settings and credentials are read again")
            self._check_files()
        self._notifier.tell(READY)

    def _check_files(self) -> None:
        for text in (*check.troubles(self._settings), *check.warnings(self._settings)):
            self._log.warning(text)

    # Each minute.

    def _check_places(self, now: int) -> None:
        """End where a volume was mounted over the spool: mail would go somewhere else."""
        if not (self._lock.is_current() and self._drop.is_current()):
            raise IOFailure(
                f"{self._settings.spool_directory} is no longer the directory that was opened; "
                "ending, to be started again"
            )
        self._notifier.tell(status(self.daemon.summary()))

    def _tidy(self, now: int) -> None:
        """Tell postmaster, forget old history, give room back."""
        self._tell_postmaster()
        before = now - self._settings.history * 1000
        for _ in range(_ROUNDS):
            if not self.daemon.change(lambda _: self._forget(before)) or self._is_tidy:
                break
        if self.daemon.is_idle():
            upkeep.vacuum(self._store.connection)

    def _forget(self, before: int) -> None:
        count = upkeep.purge(self._store.connection, before, _FORGOTTEN)
        self._is_tidy = count < _FORGOTTEN

    def _tell_postmaster(self, *, at_once: bool = False) -> None:
        summary = self._summary.take(at_once=at_once)
        if summary is not None:
            self.daemon.queue(summary)


def _drop_directory(spool: str) -> DropDirectory:
    try:
        return DropDirectory(os.path.join(spool, "drop"))
    except OSError as error:
        raise CannotCreate(
            f"cannot open {spool}/drop: {error.strerror}; run sesmailctl init as root"
        ) from None


def _open_store(queue: str) -> Store:
    """Open the queue; on a full disk by giving up the reserve."""
    try:
        return Store(queue)
    except (DiskFull, IOFailure):
        reserve = Reserve(queue)
        if not reserve.is_there():
            raise
        reserve.release()  # no room for SQLite's shared memory: it calls that an I/O error
        return Store(queue)


def _workers() -> Workers[Attempt | Question, Attempted | Answer]:
    channels, lookup = Channels(), Lookup()

    def make() -> Worker:
        return Worker(channels, lookup)

    return Workers(make, MOST_AT_ONCE)
