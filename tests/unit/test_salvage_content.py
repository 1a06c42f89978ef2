"""Salvage and the bytes of messages, of which SQLite notices nothing: no garbage is ever sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesmail.queue import schema
from sesmail.queue.salvage import Outcome, salvage
from sesmail.queue.store import State, Store
from tests.desk import MESSAGE, Desk
from tests.queue_entries import NOW, all_finished, entry

LANE = ("example.com", 33)
END = b"the very last words\n"
# On the row's page; with a last overflow page; and beyond what is written in one piece.
SIZES = [100, 50_000, 700_000]


def text(size: int) -> bytes:
    """Return a message whose last bytes are found again."""
    return b"Subject: x\n\n" + b"x" * size + END


def spoil(queue: Path, old: bytes = END, new: bytes = b"THE very last words\n") -> None:
    """Change bytes of a database, which is still one for SQLite."""
    path = queue / schema.FILE
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


def brought_back(queue: Path, here: Path) -> tuple[Outcome, dict[str, tuple[State, str]], Store]:
    """Salvage; return what it counts, what became of each forward-path, and the queue."""
    here.mkdir()
    store = Store(str(here))
    outcome = salvage(str(queue / schema.FILE), store, NOW)
    rows = store.connection.execute("SELECT address, state, text FROM path").fetchall()
    return outcome, {address: (State(state), why) for address, state, why in rows}, store


def number_of(store: Store, queue_id: str) -> int:
    """Return the id of an entry's row."""
    row = store.connection.execute(
        "SELECT id FROM entry WHERE queue_id = ?", (queue_id,)
    ).fetchone()
    assert isinstance(row[0], int)
    return row[0]


@pytest.mark.parametrize("size", SIZES)
def test_a_damaged_message_is_kept_and_not_sent(tmp_path: Path, size: int) -> None:
    """Its entry comes back as failed, with the bytes there are; what is whole waits again."""
    queue, here = tmp_path / "queue", tmp_path / "here"
    queue.mkdir()
    store = Store(str(queue))
    bad = entry("a@x.org", "b@x.org", message=text(size))
    with store.transaction():
        store.add([entry("c@x.org", message=b"x" * size), bad, entry("d@x.org", message=b"y")])
    store.close()
    spoil(queue)
    outcome, states, store = brought_back(queue, here)
    assert (outcome.saved, outcome.lost, outcome.damaged) == (3, 0, [bad.queue_id])
    reason = (State.FAILED, "not sent: the message was damaged in the queue")
    waits = (State.WAITING, "")
    assert states == {"a@x.org": reason, "b@x.org": reason, "c@x.org": waits, "d@x.org": waits}
    found = store.message(number_of(store, bad.queue_id))
    assert found == text(size).replace(b"the very", b"THE very")
    claimed = store.claim(*LANE, NOW)
    assert claimed is not None
    assert [path.address for path in claimed.paths] == ["c@x.org"]
    store.close()
    again = Store(str(here))
    assert salvage(str(queue / schema.FILE), again, NOW).known == 3
    again.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_message_that_is_whole(tmp_path: Path, size: int) -> None:
    """As it came, whatever its size."""
    queue, here = tmp_path / "queue", tmp_path / "here"
    queue.mkdir()
    store = Store(str(queue))
    with store.transaction():
        store.add([good := entry("a@x.org", message=text(size))])
    store.close()
    outcome, states, store = brought_back(queue, here)
    assert outcome.damaged == []
    assert states == {"a@x.org": (State.WAITING, "")}
    assert store.message(number_of(store, good.queue_id)) == text(size)
    store.close()


def test_what_failed_before_says_why_as_before(tmp_path: Path) -> None:
    """The reason for the sender is the first one."""
    queue, here = tmp_path / "queue", tmp_path / "here"
    queue.mkdir()
    store = Store(str(queue))
    with store.transaction():
        store.add([bad := entry("a@x.org", message=text(100))])
        job = store.claim(*LANE, NOW)
        assert job is not None
        store.finish(job, all_finished(job, State.FAILED), NOW)
    store.close()
    spoil(queue)
    outcome, states, store = brought_back(queue, here)
    store.close()
    assert outcome.damaged == [bad.queue_id]
    assert states == {"a@x.org": (State.FAILED, "text")}


def test_from_the_drop_on(tmp_path: Path) -> None:
    """The digest is made of what was dropped."""
    desk = Desk(tmp_path)
    bad = desk.drop("a@example.org", message=MESSAGE + END)
    good = desk.drop("b@example.org", message=MESSAGE)
    desk.pick_up(bad, good)
    desk.close()
    spoil(desk.queue)
    outcome, states, store = brought_back(desk.queue, tmp_path / "here")
    store.close()
    assert outcome.damaged == [bad]
    assert states["b@example.org"] == (State.WAITING, "")
