"""What waits for the administrator, as narrow as the reply allows.

    identity    a wrong key, a paused account, a file that cannot be read: nothing is claimed, and
                no row is touched
    author      an author that SES does not know: its forward-paths are HELD
    recipient   an address that the sandbox does not allow: it alone is HELD
    entry       SES may have it and ``on_ambiguous`` is ``hold``: until somebody decides
    operator    the administrator wants it to wait

The author is an address, not its domain: SES may know one address of a domain, and mail that could
go is never held for one that cannot. Each quarter of an hour one attempt, the probe, finds out
whether all is well again. A line an hour says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sesmail.queue import upkeep
from sesmail.queue.store import Job, Path, Store
from sesmail.queue.upkeep import AUTHOR, ENTRY, IDENTITY, OPERATOR, RECIPIENT, Hold

__all__ = ["AUTHOR", "ENTRY", "IDENTITY", "OPERATOR", "RECIPIENT", "HoldBook", "Standing"]

PROBE = 900_000  # milliseconds
LOUD = 3_600_000
NEXT = 0  # no attempt has this number
_OF_ENTRY = (ENTRY, OPERATOR)
_Key = tuple[str, str, str]  # identity, scope, key


@dataclass(slots=True)
class Standing:
    """A hold that lasts. ``probe``: the attempt that tries it; NEXT: the next claim will."""

    hold: Hold
    next_probe: int
    next_line: int
    probe: int | None = None


class HoldBook:
    """The holds that last, in memory and in the queue. Times are milliseconds.

    What changes it runs inside a transaction of the store; after a rollback: ``load``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._standing: dict[_Key, Standing] = {}
        self._probes: dict[int, list[Standing]] = {}  # by attempt
        self._next_line = 0

    def load(self, now: int) -> None:
        """Read the holds from the queue; a probe is due for each."""
        self._probes.clear()
        self._next_line = now
        self._standing = {
            (hold.identity, hold.scope, hold.key): Standing(hold, now, now)
            for hold in upkeep.holds(self._store.connection)
        }

    def __bool__(self) -> bool:
        """Tell whether anything is held."""
        return bool(self._standing)

    def identities(self) -> set[str]:
        """Return the identities of which something is held for their configuration."""
        return {identity for identity, scope, _ in self._standing if scope not in _OF_ENTRY}

    def standing(self) -> list[Hold]:
        """Return the holds that last."""
        return [standing.hold for standing in self._standing.values()]

    # Holding.

    def begin(self, identity: str, scope: str, key: str, reason: str, now: int) -> Standing:
        """Hold, or hold on: then the probe found the same as before."""
        standing = self._standing.get((identity, scope, key))
        if standing is None:
            hold = upkeep.begin_hold(self._store.connection, identity, scope, key, reason, now)
            standing = Standing(hold, now + PROBE, now)
            self._standing[identity, scope, key] = standing
            self._next_line = now
        return standing

    def concerned(self, job: Job, path: Path) -> list[Standing]:
        """Return the holds that concern a forward-path of a job, the widest first."""
        keys = ((IDENTITY, ""), (AUTHOR, job.author), (RECIPIENT, path.address))
        found = (self._standing.get((job.identity, *key)) for key in keys)
        return [standing for standing in found if standing is not None]

    def keeps(self, job: Job, path: Path, now: int) -> Standing | None:
        """Return the hold that keeps a claimed path back, unless the attempt is its probe."""
        if by_operator := self.of_entry(job.identity, job.queue_id, (OPERATOR,)):
            return by_operator[0]
        for standing in self.concerned(job, path):
            is_due = standing.hold.scope == IDENTITY and standing.probe is None
            if is_due or standing.probe == NEXT:
                standing.probe, standing.next_probe = job.attempt, now + PROBE
                self._probes.setdefault(job.attempt, []).append(standing)
            if standing.probe != job.attempt and standing.hold.scope != IDENTITY:
                return standing
        return None

    # Probing.

    def may_claim(self, identity: str, now: int) -> bool:
        """Tell whether an identity may claim: it is not held, or a probe is due."""
        standing = self._standing.get((identity, IDENTITY, ""))
        return standing is None or (standing.probe is None and standing.next_probe <= now)

    def holds_identity(self, identity: str) -> bool:
        """Tell whether the whole identity is held."""
        return (identity, IDENTITY, "") in self._standing

    def put_off(self, identity: str, now: int) -> None:
        """Wait for the next probe of an identity, for this one could not even begin."""
        self._standing[identity, IDENTITY, ""].next_probe = now + PROBE

    def hasten(self, now: int, identity: str | None = None) -> None:
        """Let the probes of an identity, or of all, be due now: something may be mended."""
        for (name, scope, _), standing in self._standing.items():
            if scope not in _OF_ENTRY and identity in (None, name):
                standing.next_probe = now

    def release_probes(self, now: int) -> bool:
        """Release a path for each narrow hold whose probe is due; tell whether there are any."""
        is_any = False
        for standing in self._standing.values():
            if standing.hold.scope in (AUTHOR, RECIPIENT) and standing.next_probe <= now:
                standing.next_probe = now + PROBE
                standing.probe = NEXT
                is_any = True
                upkeep.release(self._store.connection, standing.hold.id, now, 1)
        return is_any

    def next_probe(self, identity: str | None = None) -> int | None:
        """Return when the next probe is due: of a held identity, or of all narrow holds."""
        return min(
            (
                standing.next_probe
                for (name, scope, _), standing in self._standing.items()
                if (name == identity and scope == IDENTITY)
                or (identity is None and scope in (AUTHOR, RECIPIENT))
            ),
            default=None,
        )

    def end_attempt(self, job: Job) -> None:
        """Note that an attempt is over; if it was a probe, there may be another one."""
        for standing in self._probes.pop(job.attempt, []):
            standing.probe = None

    # Ending.

    def delivered(self, job: Job, path: Path, now: int) -> list[Hold]:
        """End what the delivery of a path disproves; return it.

        With an author go those of the same domain: likely it was the domain that was verified.
        """
        ended = self.concerned(job, path)
        if any(standing.hold.scope == AUTHOR for standing in ended):
            ended += [
                standing
                for (name, scope, key), standing in self._standing.items()
                if (name, scope) == (job.identity, AUTHOR)
                and key != job.author
                and key.rpartition("@")[2] == job.author.rpartition("@")[2]
            ]
        return [self._end(standing, now) for standing in ended]

    def release_identity(self, identity: str, now: int) -> list[Hold]:
        """End all that its configuration held: the file has changed."""
        return [
            self._end(standing, now)
            for (name, scope, _), standing in list(self._standing.items())
            if name == identity and scope not in _OF_ENTRY
        ]

    def of_entry(
        self, identity: str, queue_id: str, scopes: Iterable[str] = _OF_ENTRY
    ) -> list[Standing]:
        """Return what the administrator alone ends: the holds of one entry."""
        found = (self._standing.get((identity, scope, queue_id)) for scope in scopes)
        return [standing for standing in found if standing is not None]

    def release_entry(
        self, identity: str, queue_id: str, now: int, scopes: Iterable[str] = _OF_ENTRY
    ) -> int:
        """End the holds of an entry: somebody has decided; return how many paths they held."""
        ended = self.of_entry(identity, queue_id, scopes)
        return sum(self._ended(standing, now) for standing in ended)

    def _end(self, standing: Standing, now: int) -> Hold:
        self._ended(standing, now)
        return standing.hold

    def _ended(self, standing: Standing, now: int) -> int:
        hold = standing.hold
        del self._standing[hold.identity, hold.scope, hold.key]
        return upkeep.end_hold(self._store.connection, hold.id, now)

    # Telling.

    def lines(self, now: int) -> list[str]:
        """Return what to log: each hold once an hour, those of the same scope together."""
        if now < self._next_line:
            return []
        due: dict[tuple[str, str], list[Hold]] = {}
        for (identity, scope, _), standing in self._standing.items():
            if standing.next_line <= now:
                standing.next_line = now + LOUD
                if scope != OPERATOR:  # who wanted it knows it
                    due.setdefault((identity, scope), []).append(standing.hold)
        lines = (standing.next_line for standing in self._standing.values())
        self._next_line = min(lines, default=now + LOUD)
        return [_line(identity, scope, held) for (identity, scope), held in due.items()]


def _line(identity: str, scope: str, held: list[Hold]) -> str:
    what = f"all mail of the identity {identity}"
    if scope == AUTHOR:
        what = f"mail of the author <{held[0].key}> (identity {identity})"
    elif scope == RECIPIENT:
        what = f"mail to <{held[0].key}> (identity {identity})"
    elif scope == ENTRY:
        what = f"{held[0].key}"
    more = f" and {len(held) - 1} more" if len(held) > 1 else ""
    return f"held: {what}{more}: {held[0].reason}"
