"""sesmaild: settings, user, lock, FIFO, drop, queue, and then the loop.

    sesmaild            run until SIGTERM; SIGHUP reads settings and credentials again
    sesmaild --once     one pass over drop and queue
    sesmaild --check    settings and credentials; no network

boto3 is not imported here, nor what needs it: an idle daemon is small, and up at once.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Sequence

from sesmail import settings as settings_file
from sesmail.delivery.__main__ import clean
from sesmail.delivery.daemon import check, privileges
from sesmail.delivery.daemon.channels import Channels
from sesmail.delivery.daemon.clock import Clock
from sesmail.delivery.daemon.delivering import Worker
from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.daemon.intake import Intake
from sesmail.delivery.daemon.log import DaemonLog, emitter
from sesmail.delivery.daemon.loop import Daemon, Parts
from sesmail.delivery.daemon.notify import READY, STOPPING, Notifier
from sesmail.delivery.daemon.plain_pickup import PlainPickup
from sesmail.delivery.daemon.rates import MOST_AT_ONCE
from sesmail.delivery.daemon.wake import WakeReader
from sesmail.delivery.daemon.workers import Workers
from sesmail.drop.take import DropDirectory
from sesmail.queue.lock import Lock
from sesmail.queue.reserve import Reserve
from sesmail.queue.store import Store
from sesmail.settings import Settings
from sesmail.sysexits import EX_OK, Failure, UsageError

_OPTIONS = ("--once", "--check", "--stderr")


def main(arguments: Sequence[str]) -> int:
    """Run the program; return the exit code."""
    try:
        return _main(arguments)
    except Failure as failure:
        os.write(2, f"sesmaild: {failure}\n".encode("ascii", "replace"))
        return failure.exit_code


def _main(arguments: Sequence[str]) -> int:
    for argument in arguments:
        if argument not in _OPTIONS:
            raise UsageError(f"unknown option {argument[:100]!a}; usage: sesmaild [--once|--check]")
    notifier = Notifier(os.environ.get("NOTIFY_SOCKET", ""))
    settings = settings_file.load(os.environ)
    clean(os.environ)
    if "--check" in arguments:
        return check.run(settings)
    privileges.become(settings.user)
    log = DaemonLog(emitter(settings.syslog_facility, "--stderr" in arguments))
    with Service(settings, log, notifier, is_once="--once" in arguments) as service:
        return service.run()


class Service:
    """The daemon with everything it holds open."""

    def __init__(
        self, settings: Settings, log: DaemonLog, notifier: Notifier, is_once: bool
    ) -> None:
        self._settings = settings
        self._log = log
        self._notifier = notifier
        self._is_once = is_once

    def __enter__(self) -> Service:
        spool, queue = (
            self._settings.spool_directory,
            os.path.join(self._settings.spool_directory, "queue"),
        )
        self._lock = Lock(queue)
        self._wake = None if self._is_once else WakeReader(spool)  # before the first scan
        self._drop = DropDirectory(os.path.join(spool, "drop"))
        self._store = Store(queue)
        channels = Channels()

        def make_worker():
            worker = Worker(channels)
            return worker.work, worker.end

        workers = Workers(make_worker, MOST_AT_ONCE)
        self.daemon = Daemon(
            Parts(
                self._settings,
                self._store,
                Reserve(queue),
                Intake(self._drop),
                PlainPickup(self._drop, self._store, self._settings),
                lambda job, failed, message: None,
                workers,
                Identities(self._settings.credentials_directory),
                Clock(),
                self._log,
            )
        )
        return self

    def __exit__(self, *_):
        self._store.close()
        self._lock.close()

    def run(self) -> int:
        daemon = self.daemon
        self._listen()
        daemon.start()
        if self._is_once:
            daemon.run_once()
            return EX_OK
        self._notifier.tell(READY)
        self._log.info("sesmaild is ready")
        daemon.run()
        self._notifier.tell(STOPPING)
        return EX_OK

    def _listen(self):
        import selectors

        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._keep = ours, theirs
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self.daemon.selector.register(ours, selectors.EVENT_READ, lambda: self._signals(ours))
        for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(n, lambda *_: None)
        if self._wake:
            self.daemon.selector.register(
                self._wake, selectors.EVENT_READ, lambda: self.daemon.wake(*self._wake.read())
            )

    def _signals(self, ours):
        for number in ours.recv(100):
            if number == signal.SIGHUP:
                self.daemon.reload(settings_file.load(os.environ))
            else:
                self.daemon.leave()
