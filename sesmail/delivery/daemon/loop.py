"""The main thread: results, drops and events in, claims out, one transaction for all of them.

    take results -> read drops -> [ settle, add, join, claim ] -> unlink, log, hand out attempts

It wakes for the FIFO, the workers, the control socket and signals, and for three clocks: the
schedule, a look at the credentials files while something is held, and a scan every minute. What is
committed before an attempt is handed out is that it begins; a crash leaves it without a result.
"""

from __future__ import annotations

import math
import selectors
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sesmail.delivery.daemon import backoff
from sesmail.delivery.daemon.answers.frame import Sending
from sesmail.delivery.daemon.clock import Clock
from sesmail.delivery.daemon.delivering import Answer, Attempt, Attempted, Question
from sesmail.delivery.daemon.dispatch import Dispatcher
from sesmail.delivery.daemon.holds import HoldBook
from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.daemon.intake import Intake
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.daemon.ports import Events, MakeDsn, Pickup
from sesmail.delivery.daemon.schedule import Schedule
from sesmail.delivery.daemon.settling import Settler
from sesmail.delivery.daemon.workers import Workers
from sesmail.queue import upkeep
from sesmail.queue.reserve import Reserve
from sesmail.queue.schema import DiskFull
from sesmail.queue.store import NewEntry, Store
from sesmail.settings import Settings

MOST_DROPS = 100  # in one transaction
SCAN = 60.0  # seconds
LOOK = 5.0  # seconds, at the credentials files while something is held, and for room on the disk
GATHER = 0.005  # seconds between turns while very much is in flight
LEAVE = 65.0  # seconds that attempts in flight have to end


@dataclass
class Parts:
    """What the loop works with."""

    settings: Settings
    store: Store
    reserve: Reserve
    intake: Intake
    pickup: Pickup
    make_dsn: MakeDsn
    workers: Workers[Attempt | Question, Attempted | Answer]
    identities: Identities
    clock: Clock
    log: DaemonLog


class Daemon:
    """The loop and its state. ``selector`` is for whatever else has descriptors to be watched.

    The data of what is registered there is called, without arguments, when it is readable.
    """

    def __init__(self, parts: Parts) -> None:
        self.settings = parts.settings
        self.selector = selectors.DefaultSelector()
        self.schedule = Schedule()
        self.holds = HoldBook(parts.store)
        self._parts = parts
        self._store = parts.store
        self._clock = parts.clock
        self._dispatcher = Dispatcher(
            parts.store, self.schedule, self.holds, parts.identities, parts.settings, parts.clock
        )
        self._settler = Settler(parts, self.holds)
        self._events: Events | None = None
        self._unsettled: list[Attempted] = []
        self._is_full = False  # the disk
        self._is_leaving = False
        self._began = parts.clock.monotonic()
        self._next_scan = self._last_scan = self._next_look = self._last_turn = -math.inf
        self._each_scan: list[Callable[[int], object]] = []
        self.selector.register(parts.workers, selectors.EVENT_READ, lambda: None)

    # Life.

    def start(self) -> None:
        """Read from the queue what waits and what is held; settle what a crash interrupted."""
        now = self._clock.now()
        if not self._parts.reserve.make():
            self._fill_up()
        self._reload_queue(now)
        self.change(self._mend_due)
        self.change(self._settle_interrupted)
        self._settler.tell()
        self.reschedule()

    def hear(self, events: Events) -> None:
        """Join what SES tells of the mail that it took."""
        self._events = events
        self.selector.register(events, selectors.EVENT_READ, events.take)

    def each_scan(self, function: Callable[[int], object]) -> None:
        """Call ``function`` with this moment, in milliseconds, at each scan."""
        self._each_scan.append(function)

    def run(self) -> None:
        """Go on until ``leave``; then until nothing is in flight, or time is over."""
        while not self._is_leaving:
            self.turn(self._timeout())
        self._finish()

    def run_once(self) -> None:
        """Pick up all, try all that is due once, and end; sooner at ``leave``."""
        intake = self._parts.intake
        intake.start_scan()
        while not intake.is_empty() and self._may_begin():
            self.turn(0.0)
        horizon = self._clock.now()
        while not self._is_leaving and (
            self._parts.workers.in_hand or self._unsettled or self._dispatcher.has_work(horizon)
        ):
            self.turn(min(self._dispatcher.delay(), LOOK), horizon)
        self._finish()

    def _finish(self) -> None:
        """Write down what becomes of what is in flight, until nothing is, or time is over."""
        end = self._clock.monotonic() + LEAVE
        while self._parts.workers.in_hand or self._unsettled:
            left = end - self._clock.monotonic()
            if left <= 0:
                break
            self.turn(min(left, LOOK))

    def leave(self) -> None:
        """Begin nothing new."""
        self._is_leaving = True
        if self._events is not None:
            self._events.end()

    def reload(self, settings: Settings) -> None:
        """Go by other settings, and by the credentials files as they are now."""
        self.settings = self._parts.settings = settings
        self._dispatcher.settings = settings
        self._parts.pickup.reload(settings)
        self._parts.identities.forget()
        self.change(lambda now: self._release(self.holds.identities(), now))
        self.reschedule()
        self._next_scan = -math.inf

    def reread(self, identity: str) -> None:
        """Go by its credentials file as it is now, and not as it was up to a second ago."""
        if self._parts.identities.take_changed([identity]):
            self.change(lambda now: self._release([identity], now))
            self.reschedule()

    def reschedule(self) -> None:
        """Look up again when each lane is due."""
        for lane in self.schedule.lanes():
            self.schedule.set(lane, None)
        for lane in self._store.lanes():
            self._dispatcher.refresh(lane)

    def queue(self, entry: NewEntry) -> None:
        """Queue what the daemon itself has to say."""
        if self.change(lambda _: self._store.add([entry])):
            self._dispatcher.refresh((entry.identity, entry.uid))

    def is_idle(self) -> bool:
        """Tell whether nothing is in flight or to be picked up."""
        return not self._parts.workers.in_hand and self._parts.intake.is_empty()

    def summary(self) -> str:
        """Return what this is doing, in a line."""
        held = ", ".join(sorted(self.holds.identities()))
        text = f"{self._dispatcher.in_flight()} attempts in flight"
        return f"{text}; held: {held}" if held else text

    def sending(self) -> dict[str, Sending]:
        """Return how each identity sends that has sent since the start."""
        return self._dispatcher.sending()

    def uptime(self) -> float:
        """Return for how many seconds this has run."""
        return self._clock.monotonic() - self._began

    def scan(self) -> None:
        """Look through the drop now."""
        self._parts.intake.start_scan()

    def wake(self, names: list[str], wants_scan: bool) -> None:
        """Take over what came through the FIFO."""
        self._parts.intake.tell(names)
        if wants_scan:  # whoever writes garbage does not keep us scanning
            self._next_scan = min(self._next_scan, self._last_scan + LOOK)

    # A turn.

    def turn(self, timeout: float, horizon: int | None = None) -> None:
        """Wait for something at most ``timeout`` seconds, and do what there is to do."""
        self._parts.log.flush()
        wait = None if timeout == math.inf else max(timeout, 0.0)
        for key, _ in self.selector.select(wait):
            key.data()
        self._gather()
        self._take_reports()
        self._keep_time()
        batch = self._read_drops()
        if not self.change(lambda now: self._decide(batch, now if horizon is None else horizon)):
            return
        self._unsettled.clear()
        self._settler.tell()
        if self._events is not None:
            self._events.settle()
        if batch is not None:
            self._parts.intake.put_back(self._parts.pickup.clear(batch))
        claimed = self._dispatcher.take_claimed()
        if claimed:
            self._parts.workers.most = self._dispatcher.threads()
        for work in claimed:
            if isinstance(work, Attempt):
                self._settler.begun(work)
            self._parts.workers.hand(work, work.place if isinstance(work, Attempt) else 0)

    def _decide(self, batch: Any | None, horizon: int) -> None:
        """Write down results, drops, events and what begins."""
        now = self._clock.now()
        lanes = self._settler.settle(self._unsettled, now)
        if batch is not None:
            lanes |= self._parts.pickup.add(batch, now)
        if self._events is not None and not self._is_full:
            lanes |= self._events.join(now)
        for lane in lanes:
            self._dispatcher.refresh(lane)
        if self._may_begin():
            self._dispatcher.claim(horizon)

    def change(self, change: Callable[[int], object]) -> bool:
        """Change the queue in a transaction; return whether that was possible. Raises IOFailure."""
        try:
            with self._store.transaction():
                change(self._clock.now())
        except DiskFull:
            self._fill_up()
            return False
        return True

    def _gather(self) -> None:
        """Let more results come, for one commit, while threads have enough to do."""
        if self._dispatcher.is_busy():
            self._clock.sleep(self._last_turn + GATHER - self._clock.monotonic())
        self._last_turn = self._clock.monotonic()

    def _take_reports(self) -> None:
        for report in self._parts.workers.take():
            if isinstance(report, Answer):
                self._dispatcher.answered(report.identity, report.account)
            else:
                self._dispatcher.ended(report)
                self._unsettled.append(report)

    def _read_drops(self) -> Any | None:
        """Return a batch of drops, or None."""
        if not self._may_begin() or self._parts.intake.is_empty():
            return None
        names = self._parts.intake.take(MOST_DROPS)
        return self._parts.pickup.read(names) if names else None

    def _may_begin(self) -> bool:
        return not (self._is_full or self._is_leaving)

    # Time.

    def _timeout(self) -> float:
        """Return the seconds until the next turn is needed."""
        if not self._may_begin():
            return LOOK
        if not self._parts.intake.is_empty():
            return 0.0
        now = self._clock.monotonic()
        wait = min(self._next_scan - now, self._dispatcher.delay())
        if self.holds.identities():
            wait = min(wait, self._next_look - now)
        return wait

    def _keep_time(self) -> None:
        now = self._clock.monotonic()
        if self._is_full and not self._unsettled and self._parts.reserve.make():
            self._is_full = False
            self._parts.log.info("there is room on the disk again")
            self._parts.intake.start_scan()
        if now >= self._next_look and self.holds:
            self._next_look = now + LOOK
            self._look_at_holds()
        if now >= self._next_scan and not self._is_leaving:
            self._last_scan, self._next_scan = now, now + SCAN
            self._scan()

    def _scan(self) -> None:
        """Do what is done each minute."""
        if self._clock.follow():
            self._parts.log.warning("the clock was set")
            self.change(self._mend_due)
            self.reschedule()
        self._parts.intake.start_scan()
        for function in self._each_scan:
            function(self._clock.now())

    def _look_at_holds(self) -> None:
        """Release what a changed credentials file may have mended, and probes that are due."""
        now = self._clock.now()
        changed = self._parts.identities.take_changed(self.holds.identities())
        probe = self.holds.next_probe()
        if self._is_full or not (changed or (probe is not None and probe <= now)):
            return
        self.change(lambda now: self._release(changed, now))
        self.change(self.holds.release_probes)
        self.reschedule()

    def _release(self, identities: Iterable[str], now: int) -> None:
        for identity in identities:
            for hold in self.holds.release_identity(identity, now):
                self._settler.log_release(hold)

    def _settle_interrupted(self, now: int) -> None:
        for job in self._store.interrupted():
            self._settler.interrupted(job, now)

    def _mend_due(self, now: int) -> None:
        """Make due now what is absurdly far ahead."""
        limit = backoff.latest(now, self.settings)
        for lane in self.schedule.lanes():
            upkeep.overdue(self._store.connection, *lane, limit, now)

    # The disk is full.

    def _fill_up(self) -> None:
        """Give up the reserve for the results; begin nothing until it can be made again."""
        if not self._is_full:
            self._parts.log.error(
                "the disk of the queue is full: nothing is picked up or sent; make room"
            )
        self._is_full = True
        self._parts.reserve.release()
        self._settler.forget()
        if self._events is not None:
            self._events.undo()
        self._dispatcher.undo()
        self._reload_queue(self._clock.now())

    def _reload_queue(self, now: int) -> None:
        self.holds.load(now)
        self.reschedule()
