"""What administrators decide about entries, as the daemon does it and as sesmailctl does alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sesmail.delivery.daemon import administration
from sesmail.delivery.daemon.administration import Administration
from sesmail.delivery.daemon.holds import HoldBook
from sesmail.queue import upkeep
from sesmail.queue.schema import DiskFull
from sesmail.queue.store import Finished, Job, NewEntry, State, Store
from sesmail.sysexits import CannotCreate, DataError
from tests.queue_entries import NOW, all_finished, entry

LANE = ("example.com", 33)
ROOT = 0


class Office:
    """A queue with its administration, which has the log's lines and the refreshes counted."""

    def __init__(self, directory: Path) -> None:
        self.store = Store(str(directory))
        self.holds = HoldBook(self.store)
        self.lines: list[str] = []
        self.refreshes = 0
        self.now = NOW
        self.desk = Administration(
            self.store,
            self.holds,
            self._change,
            self._refresh,
            lambda program, priority, text: self.lines.append(f"{program}: {text}"),
        )

    def _change(self, change: Callable[[int], object]) -> bool:
        try:
            with self.store.transaction():
                change(self.now)
        except DiskFull:
            return False
        return True

    def _refresh(self) -> None:
        self.refreshes += 1

    def add(self, *addresses: str, due: int = NOW, identity: str = "example.com") -> NewEntry:
        """Let a message wait."""
        new = entry(*addresses, due=due, identity=identity)
        with self.store.transaction():
            self.store.add([new])
        return new

    def claim(self) -> Job:
        """Begin the attempt that is due first."""
        with self.store.transaction():
            job = self.store.claim(*LANE, self.now)
        assert job is not None
        return job

    def end(self, job: Job, state: State, hold: int | None = None) -> None:
        """End an attempt."""
        results = [Finished(p.id, state, NOW, "4.4.1", "met", "relay", "", hold) for p in job.paths]
        with self.store.transaction():
            self.store.finish(job, results, self.now)

    def states(self) -> list[int]:
        """Return the states of all forward-paths."""
        rows = self.store.connection.execute("SELECT state FROM path ORDER BY id").fetchall()
        return [state for (state,) in rows]

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        (number,) = self.store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert isinstance(number, int)
        return number


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An empty queue, and who decides."""
    made = Office(tmp_path)
    with closing(made.store):
        yield made


def test_retry_makes_due_what_waits(office: Office) -> None:
    """Of this entry alone, and the probe of what holds its identity."""
    wanted, other = office.add("a@x.org", due=NOW + 900), office.add("b@x.org", due=NOW + 900)
    with office.store.transaction():
        office.holds.begin("example.com", upkeep.IDENTITY, "", "wrong key", NOW)
    assert not office.holds.may_claim("example.com", NOW)
    assert office.desk.retry(wanted.queue_id) == 1
    assert office.holds.may_claim("example.com", NOW)
    assert office.claim().queue_id == wanted.queue_id
    assert office.store.due(*LANE) == NOW + 900
    assert office.refreshes == 1
    assert other.queue_id


def test_retry_all_goes_in_pieces(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece is a transaction, and in the end everything is due."""
    monkeypatch.setattr(administration, "PIECE", 2)
    for number in range(5):
        office.add(f"{number}@x.org", due=NOW + 900)
    office.add("other@x.org", due=NOW + 900, identity="example.net")
    assert list(office.desk.retry_all()) == [2, 2, 1, 1]
    assert office.store.due(*LANE) == office.store.due("example.net", 33) == NOW


def test_a_held_entry_waits_for_its_release(office: Office) -> None:
    """No identity whose credentials change and no probe ends it; the log has both ends."""
    new = office.add("a@x.org", "b@x.org")
    assert office.desk.hold(new.queue_id, ROOT) == 2
    assert office.states() == [State.HELD, State.HELD]
    assert office.holds.identities() == set()
    with office.store.transaction():
        assert office.holds.release_identity("example.com", NOW) == []
        assert not office.holds.release_probes(NOW + 10**9)
    assert office.holds.lines(NOW) == []
    office.holds.load(NOW)  # as after a restart
    with pytest.raises(DataError, match="held already"):
        office.desk.hold(new.queue_id, ROOT)
    assert office.desk.release(new.queue_id) == 2
    assert office.claim().queue_id == new.queue_id
    assert office.lines == [
        f"postsuper: {new.queue_id}: placed on hold",
        f"postsuper: {new.queue_id}: released from hold",
    ]
    with pytest.raises(DataError, match="neither held"):
        office.desk.release(new.queue_id)


def test_what_is_being_sent_is_held_when_it_comes_back(office: Office) -> None:
    """It cannot be called back, but it is not tried again."""
    new = office.add("a@x.org")
    job = office.claim()
    assert office.desk.hold(new.queue_id, ROOT) == 0
    office.end(job, State.WAITING)
    again = office.claim()
    standing = office.holds.keeps(again, again.paths[0], NOW)
    assert standing is not None
    assert standing.hold.scope == upkeep.OPERATOR


def test_release_decides_what_was_ambiguous(office: Office) -> None:
    """SES may have it: somebody says that it is to be sent all the same."""
    new = office.add("a@x.org")
    job = office.claim()
    with office.store.transaction():
        standing = office.holds.begin("example.com", upkeep.ENTRY, new.queue_id, "perhaps", NOW)
    office.end(job, State.HELD, standing.hold.id)
    assert office.desk.release(new.queue_id) == 1
    assert office.claim().queue_id == new.queue_id
    assert upkeep.holds(office.store.connection) == []


def test_requeue_starts_again_and_remembers(office: Office) -> None:
    """Also what was ambiguous; a second time there is nothing to do. The old reply is kept."""
    new = office.add("a@x.org")
    office.end(office.claim(), State.FAILED)
    assert office.desk.requeue(new.queue_id) == 1
    with pytest.raises(DataError, match="nothing of"):
        office.desk.requeue(new.queue_id)
    assert office.store.connection.execute("SELECT text FROM reply").fetchall() == [("met",)]
    job = office.claim()
    with office.store.transaction():
        standing = office.holds.begin("example.com", upkeep.ENTRY, new.queue_id, "perhaps", NOW)
    office.end(job, State.HELD, standing.hold.id)
    assert office.desk.requeue(new.queue_id) == 1
    assert upkeep.holds(office.store.connection) == []


def test_delete_gives_up_what_is_not_sent(office: Office) -> None:
    """Delivered ones stay so; content and holds go; nothing can be requeued or deleted again."""
    new = office.add("a@x.org", "b@x.org", "c@x.org")
    job = office.claim()
    results = [
        Finished(path.id, state, NOW, "", "met")
        for path, state in zip(
            job.paths, (State.DELIVERED, State.FAILED, State.WAITING), strict=True
        )
    ]
    with office.store.transaction():
        office.store.finish(job, results, NOW)
    office.desk.hold(new.queue_id, ROOT)
    assert office.desk.delete(new.queue_id, ROOT) == 2
    assert office.states() == [State.DELIVERED, State.DELETED, State.DELETED]
    assert office.count("content") == 0
    assert upkeep.holds(office.store.connection) == []
    assert office.store.connection.execute(
        "SELECT open, failed, finished FROM entry"
    ).fetchall() == [(0, 0, NOW)]
    assert office.lines[-1] == f"postsuper: {new.queue_id}: removed"
    for again in (office.desk.requeue, lambda queue_id: office.desk.delete(queue_id, ROOT)):
        with pytest.raises(DataError, match="nothing of"):
            again(new.queue_id)
    with office.store.transaction():
        assert upkeep.purge(office.store.connection, NOW + 1) == 1
    assert [office.count(table) for table in ("entry", "path", "reply")] == [0, 0, 0]


def test_what_is_being_sent_is_not_deleted(office: Office) -> None:
    """It is refused, nothing changes, and its result is written down as ever."""
    new = office.add("a@x.org", "b@x.org")
    office.desk.hold(new.queue_id, ROOT)
    office.desk.release(new.queue_id)
    job = office.claim()
    with pytest.raises(DataError, match="being sent just now"):
        office.desk.delete(new.queue_id, ROOT)
    assert office.states() == [State.ACTIVE, State.ACTIVE]
    with office.store.transaction():
        assert office.store.finish(job, all_finished(job, State.DELIVERED), NOW)


def test_what_is_not_there(office: Office) -> None:
    """Each request says so, and that is all."""
    unknown = entry().queue_id
    for request in (
        office.desk.retry,
        office.desk.requeue,
        lambda queue_id: office.desk.hold(queue_id, ROOT),
        office.desk.release,
        lambda queue_id: office.desk.delete(queue_id, ROOT),
    ):
        with pytest.raises(DataError, match="no message"):
            request(unknown)


def test_what_is_done_is_neither_tried_nor_held(office: Office) -> None:
    """The error names what there is to do instead."""
    new = office.add("a@x.org")
    office.end(office.claim(), State.FAILED)
    with pytest.raises(DataError, match="requeue"):
        office.desk.retry(new.queue_id)
    with pytest.raises(DataError, match="requeue"):
        office.desk.hold(new.queue_id, ROOT)


def test_a_full_disk_is_told(office: Office) -> None:
    """Nothing is changed, and nobody believes that it was."""
    new = office.add("a@x.org")
    office.desk._change = lambda _: False
    with pytest.raises(CannotCreate, match="disk"):
        office.desk.delete(new.queue_id, ROOT)
    assert office.states() == [State.WAITING]
