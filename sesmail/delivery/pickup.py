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

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from sesmail.delivery import policy, recipients
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.daemon.schedule import Lane
from sesmail.delivery.dsn import DsnMaker
from sesmail.delivery.maillog import MailLog, printable
from sesmail.delivery.outcome import Outcome, Result
from sesmail.delivery.postmaster import Summary
from sesmail.delivery.report_message import Failed
from sesmail.drop.take import DropDirectory, Incomplete, Irregular, Newer, NotTaken, Taken
from sesmail.message import header
from sesmail.message.header import Field
from sesmail.queue.store import NewEntry, NewPath, State, Store
from sesmail.settings import Settings

MOST_DROPS = 100
MOST_BYTES = 8 << 20
MOST_PATHS = 5_000  # each costs a look at its syntax
MOST_LOGGED = 100  # forward-paths of one message that fail here
LONGEST_DELAY = 3_600_000  # milliseconds that a drop may ask to wait
_HOUR = 3_600_000
_DAY = 24 * _HOUR


@dataclass(slots=True)
class PickedUp:
    """A drop that becomes an entry."""

    name: str
    entry: NewEntry
    message_id: str
    refusal: str = ""  # of policy
    warnings: list[str] = field(default_factory=list)
    queue_id: str = ""  # once added
    is_leftover: bool = False
    dsn: NewEntry | None = None

    def failed(self) -> list[NewPath]:
        """Return the forward-paths that failed."""
        return [path for path in self.entry.paths if path.state is State.FAILED]


@dataclass(slots=True)
class Batch:
    """What was read. ``rest`` are names that there was no room for."""

    picked: list[PickedUp] = field(default_factory=list)
    junk: list[tuple[str, NotTaken]] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    def queue_ids(self) -> list[str]:
        """Return the ids of the entries that were added."""
        return [one.queue_id for one in self.picked if not one.is_leftover]


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
        for one, added in zip(
            batch.picked, self._store.add([one.entry for one in batch.picked]), strict=True
        ):
            one.queue_id, one.is_leftover = added.queue_id, added.is_leftover
            one.dsn = None if one.is_leftover or one.refusal else self._make_dsn(one)
        dsns = [one.dsn for one in batch.picked if one.dsn]
        self._store.add(dsns)
        new = [one.entry for one in batch.picked if not one.is_leftover] + dsns
        return {(entry.identity, entry.uid) for entry in new}

    def clear(self, batch: Batch) -> list[str]:
        """Remove from the drop what is committed, and junk; log it; return the names left over."""
        for one in batch.picked:
            self._log_entry(one)
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

    def _read(self, name: str, batch: Batch) -> PickedUp | None:
        """Read a drop; what is none goes to ``batch.junk``."""
        try:
            return self._judge(self._directory.take(name, self._settings.message_size_limit))
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

    def _judge(self, taken: Taken) -> PickedUp:
        now = self._now()
        fields = policy.read_fields(taken.message)
        message_id = _message_id(fields)
        try:
            allowed = policy.check(taken, fields, self._settings, self._load)
        except policy.Refused as refused:
            entry = _refused_entry(taken, str(refused), now)
            return PickedUp(taken.queue_id, entry, message_id, str(refused))
        entry = _entry(taken, allowed.identity, allowed.author, now)
        one = PickedUp(taken.queue_id, entry, message_id)
        _check_forward_paths(one)
        return one

    def _make_dsn(self, one: PickedUp) -> NewEntry | None:
        if not one.failed():
            return None
        entry = one.entry
        failed = [Failed(path.address, path.status, path.text) for path in one.failed()]
        mail = replace(entry, queue_id=one.queue_id)
        return self._dsns.make(mail, failed, lambda: entry.message)

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

    def _log_entry(self, one: PickedUp) -> None:
        entry, mail = one.entry, MailLog(one.queue_id, self._log.emit)
        if one.is_leftover:
            self._log.info(f"{one.queue_id}: was queued before the last end; the drop is removed")
            return
        if one.queue_id != one.name:
            self._log.warning(f"{one.queue_id}: dropped as {one.name}, another message's id")
        reverse_path = entry.author if entry.reverse_path is None else entry.reverse_path
        mail.picked_up(entry.uid, reverse_path)
        mail.accepted(one.message_id, entry.identity)
        for warning in one.warnings:
            mail.warning(warning)
        failed = one.failed()
        if len(failed) > MOST_LOGGED:
            mail.warning(f"{len(failed)} forward-paths failed; the first {MOST_LOGGED} follow")
        is_over = len(failed) == len(entry.paths)
        if is_over:  # else the dispatcher will say so
            mail.active(reverse_path, len(entry.message), len(entry.paths))
        delays = (max(self._now() - entry.arrived, 0) / 1000, 0.0, 0.0, 0.0)
        for path in failed[:MOST_LOGGED]:
            mail.result(path.address, Result(Outcome.FAILED, path.status, path.text), delays)
        if one.refusal:
            self._summary.note(entry.uid, one.refusal)
        if one.dsn:
            mail.reported(one.dsn.queue_id)
        if is_over:
            mail.removed()


def _entry(taken: Taken, identity: str, author: str, now: int) -> NewEntry:
    envelope = taken.envelope
    due = min(max(now, envelope.not_before), now + LONGEST_DELAY)
    return NewEntry(
        taken.queue_id,
        identity,
        author,
        envelope.reverse_path,
        taken.uid,
        min(taken.arrived, now),
        taken.digest,
        taken.message,
        [NewPath(path, due) for path in dict.fromkeys(envelope.forward_paths)],
    )


def _refused_entry(taken: Taken, reason: str, now: int) -> NewEntry:
    """Return an entry that is never sent; everything in it may be a lie, so it is made harmless."""
    envelope = taken.envelope
    longest = policy.LONGEST_ADDRESS
    entry = _entry(taken, printable(envelope.identity), printable(envelope.author, longest), now)
    if entry.reverse_path is not None:
        entry.reverse_path = printable(entry.reverse_path, longest)
    for path in entry.paths:
        path.address = printable(path.address, longest)
        _fail(path, policy.STATUS, reason)
    return entry


def _check_forward_paths(one: PickedUp) -> None:
    for path in one.entry.paths:
        verdict = recipients.check(path.address)
        if verdict.warning and len(one.warnings) < MOST_LOGGED:
            one.warnings.append(f"to=<{path.address}>: {verdict.warning}")
        if verdict.refused:
            path.address = printable(path.address, policy.LONGEST_ADDRESS)
            _fail(path, verdict.refused.status, verdict.refused.text)


def _fail(path: NewPath, status: str, text: str) -> None:
    path.state, path.status, path.text = State.FAILED, status, text


def _message_id(fields: Sequence[Field]) -> str:
    field = header.first(list(fields), b"message-id")
    return field.text().removeprefix("<").removesuffix(">") if field else ""
