"""From the drop into the queue: names become entries, and files go once the entries are committed.

    whole, allowed          an entry; forward-paths that cannot be used fail alone, with a DSN
    whole, refused          a failed entry with the reason; a log line, ``postmaster``; never a DSN
    irregular, torn         logged by uid, size and reason, and removed
    incomplete, newer       left for a later look
    cannot be removed       remembered by ``take``; a line a day

A batch is read (``read``), added to the queue (``add``), and after the commit cleared from the
drop (``clear``): a crash before the commit leaves the drop, one after it a leftover, known by the
queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sesmail.delivery import incoming, policy, suppression
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.daemon.schedule import Lane
from sesmail.delivery.dsn import DsnMaker
from sesmail.delivery.foreground import LARGEST_MESSAGE
from sesmail.delivery.incoming import Incoming
from sesmail.delivery.postmaster import Summary
from sesmail.delivery.report_message import Failed
from sesmail.drop.take import DropDirectory, Incomplete, Irregular, Newer, NotTaken
from sesmail.queue.store import NewEntry, Store
from sesmail.settings import Settings

MOST_DROPS = 100
MOST_BYTES = 8 << 20
MOST_PATHS = 5_000  # each costs a look at its syntax
_HOUR = 3_600_000
_DAY = 24 * _HOUR


@dataclass(slots=True)
class Batch:
    """What was read. ``rest`` are names that there was no room for."""

    picked: list[Incoming] = field(default_factory=list)
    junk: list[tuple[str, NotTaken]] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    def queue_ids(self) -> list[str]:
        """Return the ids of the entries that were added."""
        return [one.entry.queue_id for one in self.picked if not one.is_leftover]


class Pickup:
    """Takes drops into the queue. ``now`` returns this moment in milliseconds."""

    def __init__(
        self,
        directory: DropDirectory,
        store: Store,
        settings: Settings,
        load: policy.Load,
        dsns: DsnMaker,
        summary: Summary,
        now: Callable[[], int],
        log: DaemonLog,
    ) -> None:
        self._directory = directory
        self._store = store
        self._settings = settings
        self._load = load
        self._dsns = dsns
        self._summary = summary
        self._now = now
        self._log = log
        self._quiet_until: dict[str, int] = {}  # by what is not said again before

    def reload(self, settings: Settings) -> None:
        """Go by other settings."""
        self._settings = self._dsns.settings = self._summary.settings = settings

    def run(self, names: Iterable[str]) -> Batch:
        """Pick up in a transaction of its own. Raises DiskFull, IOFailure; then nothing is gone."""
        batch = self.read(names)
        with self._store.transaction():
            self.add(batch, self._now())
        batch.rest = self.clear(batch)
        return batch

    def read(self, names: Iterable[str]) -> Batch:
        """Read drops until there are 100 of them, or 8 MiB; nothing is changed by it."""
        batch = Batch()
        waiting = iter(names)
        size = paths = drops = 0
        while drops < MOST_DROPS and size < MOST_BYTES and paths < MOST_PATHS:
            name = next(waiting, None)
            if name is None:
                break
            drops += 1
            one = self._read(name, batch)
            if one is not None:
                size += len(one.entry.message)
                paths += len(one.entry.paths)
                batch.picked.append(one)
        batch.rest = list(waiting)
        return batch

    def add(self, batch: Batch, now: int) -> set[Lane]:
        """Add the entries, and DSNs for what failed already, inside a transaction.

        Returns the lanes to which something came.
        """
        suppression.fail(self._store.connection, (one.entry for one in batch.picked), self._load)
        for one, added in zip(
            batch.picked, self._store.add([one.entry for one in batch.picked]), strict=True
        ):
            one.added(added)
            one.dsn = None if one.is_leftover or one.refusal else self._make_dsn(one)
        dsns = [one.dsn for one in batch.picked if one.dsn]
        self._store.add(dsns)
        new = [one.entry for one in batch.picked if not one.is_leftover] + dsns
        return {(entry.identity, entry.uid) for entry in new}

    def clear(self, batch: Batch) -> list[str]:
        """Remove from the drop what is committed, and junk; log it; return the names left over."""
        for one in batch.picked:
            one.log(self._log.emit, self._now())
            if one.refusal and not one.is_leftover:
                self._summary.note(one.entry.uid, one.refusal)
            self._directory.remove(one.name)
        kinds: dict[tuple[str, int], list[NotTaken]] = {}
        for name, trouble in batch.junk:
            kinds.setdefault((str(trouble), trouble.uid), []).append(trouble)
            self._directory.remove(name)
        for (reason, uid), same in kinds.items():
            size = sum(trouble.size for trouble in same)
            self._log.warning(
                f"removed from the drop: uid={uid}, size={size}, names={len(same)}: {reason}"
            )
        self.remind(self._now())
        return batch.rest

    def _read(self, name: str, batch: Batch) -> Incoming | None:
        """Read a drop; what is none goes to ``batch.junk``."""
        try:
            return self._judge(name)
        except FileNotFoundError:
            return None
        except Irregular as trouble:
            batch.junk.append((name, trouble))
        except Newer as trouble:
            self._say("newer", f"left in the drop: uid={trouble.uid}: {trouble}")
        except Incomplete as trouble:
            self._say(f"incomplete {trouble}", f"left in the drop for now: {trouble}")
        except policy.Undecided as trouble:
            self._say("undecided", f"mail waits in the drop: {trouble}")
        return None

    def _judge(self, name: str) -> Incoming:
        # The limit may have been lowered since the message was accepted; SES's own cannot be.
        limit = max(self._settings.message_size_limit, LARGEST_MESSAGE)
        taken = self._directory.take(name, limit)
        return incoming.judge(taken, self._settings, self._load, self._now())

    def _make_dsn(self, one: Incoming) -> NewEntry | None:
        if not one.failed():
            return None
        entry = one.entry
        failed = [Failed(path.address, path.status, path.text) for path in one.failed()]
        return self._dsns.make(entry, failed, lambda: entry.message)

    def remind(self, _now: int) -> None:
        """Say once a day that something cannot be removed."""
        if count := self._directory.unremovable:
            text = f"the drop holds what cannot be removed (names so far: {count})"
            self._say("unremovable", f"{text}; look there for directories and mounts", _DAY)

    def _say(self, kind: str, text: str, every: int = _HOUR) -> None:
        """Warn, but not again of the same kind for a while."""
        now = self._now()
        if self._quiet_until.get(kind, now) <= now:
            self._quiet_until[kind] = now + every
            self._log.warning(text)
