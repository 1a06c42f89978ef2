"""Pickup: what a drop becomes, and when its file goes. A real drop directory and a real queue."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.delivery import incoming, pickup
from sesmail.drop import layout
from sesmail.queue.store import State
from sesmail.sysexits import IOFailure
from tests.desk import AUTHOR, IDENTITY, MESSAGE, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty spool."""
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_a_drop_becomes_an_entry(desk: Desk) -> None:
    """With the owner's uid, the author of the message and all forward-paths due; the file goes."""
    name = desk.drop("bob@example.org", "eve@example.net", reverse_path="sue@example.com")
    batch = desk.pick_up(name)
    assert batch.queue_ids() == [name]
    assert desk.names() == []
    entry = desk.entry(name)
    assert entry["uid"] == os.getuid()
    assert entry["identity_name"] == IDENTITY
    assert (entry["author"], entry["reverse_path"]) == (AUTHOR, "sue@example.com")
    assert entry["message"] == MESSAGE
    assert desk.states(name) == {
        "bob@example.org": State.WAITING,
        "eve@example.net": State.WAITING,
    }
    assert desk.store.due(IDENTITY, os.getuid()) == desk.now


def test_its_log_lines(desk: Desk) -> None:
    """Who dropped it, and which message it is; no line of the caller's making."""
    message = MESSAGE.replace(b"<1@x>", b"<1@x>, status=sent (\x1b[31m \xe2\x80\xa8 \xff)")
    name = desk.drop(message=message, reverse_path="sue@example.com")
    desk.pick_up(name)
    first, second = desk.lines
    assert first == f"pickup: {name}: sender: uid={os.getuid()} from=<sue@example.com>"
    assert second.startswith(f"cleanup: {name}: message-id=<1@x?, status=sent")
    assert all(line.isascii() and line.isprintable() for line in desk.lines)


def test_the_lanes_of_a_batch(desk: Desk) -> None:
    """The loop learns in which lanes something waits."""
    desk.identity("default")
    desk.drop()
    desk.drop(message=MESSAGE.replace(b"example.com", b"example.net"), identity="default")
    batch = desk.pickup.read(desk.names())
    with desk.store.transaction():
        lanes = desk.pickup.add(batch, desk.now)
    assert lanes == {(IDENTITY, os.getuid()), ("default", os.getuid())}
    assert sorted(desk.store.lanes()) == sorted(lanes)


def test_not_before(desk: Desk) -> None:
    """A drop may ask for a later first attempt, but for one of this hour."""
    soon = desk.drop(not_before=desk.now + 600_000)
    never = desk.drop("eve@example.org", not_before=1 << 60)
    desk.pick_up(soon, never)
    rows = desk.store.connection.execute("SELECT due FROM path ORDER BY id").fetchall()
    assert rows == [(desk.now + 600_000,), (desk.now + incoming.LONGEST_DELAY,)]


def test_repeated_forward_paths_count_once(desk: Desk) -> None:
    """Whoever writes the drop by hand does not get two mails sent by it."""
    name = desk.drop("bob@example.org", "bob@example.org")
    desk.pick_up(name)
    assert list(desk.states(name)) == ["bob@example.org"]


def test_a_bad_forward_path_fails_alone(desk: Desk) -> None:
    """With a reason, a log line, and a DSN to the reverse-path in the same transaction."""
    name = desk.drop("bob@example.org", "b@d@example.org", reverse_path=AUTHOR)
    desk.pick_up(name)
    assert desk.states(name) == {
        "bob@example.org": State.WAITING,
        "b@d@example.org": State.FAILED,
    }
    ((dsn, message),) = desk.dsns_queued()
    assert message["To"] == AUTHOR
    assert desk.logged(f"ses: {name}: to=<b@d@example.org>, relay=none")[0].count("status=bounced")
    assert desk.logged(f"bounce: {name}: sender non-delivery notification: {dsn}")
    assert desk.states(dsn) == {AUTHOR: State.WAITING}


def test_all_forward_paths_are_bad(desk: Desk) -> None:
    """The entry is over at once, and its log ends as any other's."""
    name = desk.drop("nobody", reverse_path="")
    desk.pick_up(name)
    assert desk.states(name) == {"nobody": State.FAILED}
    assert desk.entry(name)["finished"] is not None
    assert desk.logged(f"qmgr: {name}: from=<>, size={len(MESSAGE)}, nrcpt=1 (queue active)")
    assert desk.lines[-1] == f"qmgr: {name}: removed"
    assert desk.dsns_queued() == []


def test_a_policy_refusal_is_a_failed_entry(desk: Desk) -> None:
    """Kept with its reason and its bytes; the sender gets no DSN, postmaster a summary."""
    desk.settings.postmaster = "pm@example.com"
    name = desk.drop(identity="other.example", reverse_path=AUTHOR)
    desk.pick_up(name)
    assert desk.names() == []
    assert desk.states(name) == {"bob@example.org": State.FAILED}
    assert desk.entry(name)["message"] == MESSAGE
    assert desk.entry(name)["identity_name"] == IDENTITY  # whoever requeues it sends it so
    (line,) = desk.logged("dsn=5.7.1, status=bounced (claims the identity other.example")
    assert line.startswith(f"ses: {name}: to=<bob@example.org>")
    assert desk.queue_ids() == [name]
    summary = desk.summary.take(at_once=True)
    assert summary is not None
    assert b"claims the identity other.example" in summary.message


def test_a_refused_entry_holds_no_controls(desk: Desk) -> None:
    """What a hand-made envelope says is made harmless before it is stored or logged."""
    name = layout.new_queue_id()
    lines = (
        b"queue-id X\nidentity a\x1b[2J\nauthor \x07\nreverse-path \x1b\nforward-path \x1b\x00\n\n"
    )
    desk.drop_bytes(name, lines + MESSAGE)
    desk.pick_up(name)
    entry = desk.entry(name)
    assert (entry["identity_name"], entry["author"], entry["reverse_path"]) == ("", "?", "?")
    assert desk.states(name) == {"??": State.FAILED}
    assert all(line.isascii() and line.isprintable() for line in desk.lines)


def test_junk_is_removed_and_logged(desk: Desk) -> None:
    """One line for those of the same uid and reason: how many, their size, and not their bytes."""
    for number in range(3):
        path = desk.drop_directory / layout.new_queue_id()
        path.write_bytes(b"SECRET %d" % number)
        path.chmod(0o640)
        os.chown(path, -1, desk.drop_directory.stat().st_gid)
    (desk.drop_directory / "a name").mkdir()
    good = desk.drop()
    desk.pick_up()
    assert desk.names() == []
    assert desk.states(good)
    (line,) = desk.logged("not a drop")
    assert f"uid={os.getuid()}, size=24, names=3: not a drop" in line
    (line,) = desk.logged("not a queue id")
    assert "names=1" in line
    assert not desk.logged("SECRET")


def test_what_cannot_be_removed(desk: Desk) -> None:
    """It is said once a day, and costs nothing else: the next scan passes over it."""
    (desk.drop_directory / "full" / "x").mkdir(parents=True)
    desk.pick_up()
    assert desk.names() == ["full"]
    assert list(desk.directory.scan()) == []
    desk.now += 23 * 3_600_000
    desk.pickup.remind(desk.now)
    assert len(desk.logged("cannot be removed")) == 1
    desk.now += 3_600_000
    desk.pickup.remind(desk.now)
    assert len(desk.logged("cannot be removed")) == 2


def test_a_newer_drop_stays(desk: Desk) -> None:
    """A line an hour says so."""
    name = desk.drop()
    path = desk.drop_directory / name
    path.write_bytes(path.read_bytes().replace(b"sesmail-drop 1", b"sesmail-drop 2", 1))
    for wait in (0, 3_599_000, 1000):
        desk.now += wait
        desk.pick_up(name)
    assert desk.names() == [name]
    assert desk.queue_ids() == []
    assert len(desk.logged("a newer sesmail")) == 2


def test_an_incomplete_drop_stays(desk: Desk) -> None:
    """For a while: see the tests of the drop."""
    name = desk.drop()
    path = desk.drop_directory / name
    path.write_bytes(path.read_bytes()[:-1])
    desk.pick_up(name)
    assert desk.names() == [name]


def test_a_name_that_is_gone(desk: Desk) -> None:
    """Whoever writes names into the FIFO finds nothing out and changes nothing."""
    batch = desk.pick_up(layout.new_queue_id(), "../queue", "", ".")
    assert batch.queue_ids() == []
    assert desk.queue.exists()


def test_out_of_descriptors(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the machine's makes no junk of a mail."""
    name = desk.drop()

    def fail(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as context:
        context.setattr("sesmail.drop.take.os.open", fail)
        desk.pick_up(name)
    assert desk.names() == [name]
    desk.pick_up(name)
    assert desk.states(name)


def test_credentials_out_of_reach(desk: Desk) -> None:
    """No directory of credentials: the mail waits in the drop, refused by nobody."""
    name = desk.drop()
    away = desk.credentials.rename(desk.credentials.with_name("away"))
    desk.pick_up(name)
    assert desk.names() == [name]
    assert len(desk.logged("mail waits in the drop")) == 1
    away.rename(desk.credentials)
    desk.pick_up(name)
    assert desk.states(name) == {"bob@example.org": State.WAITING}


def test_a_batch_has_at_most_100_drops(desk: Desk) -> None:
    """The names behind them come back to the loop, for the next turn."""
    names = [desk.drop() for _ in range(pickup.MOST_DROPS + 2)]
    batch = desk.pick_up(*names)
    assert batch.queue_ids() == names[:100]
    assert batch.rest == names[100:]
    assert desk.names() == sorted(names[100:])


def test_a_batch_has_about_8_mib(desk: Desk) -> None:
    """What goes over it is the last of the batch: each drop is read once."""
    message = MESSAGE + b"x" * (3 << 20) + b"\n"
    names = [desk.drop(message=message) for _ in range(4)]
    assert desk.pick_up(*names).rest == names[3:]


def test_a_batch_has_a_limit_of_forward_paths(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs time, and other users wait meanwhile."""
    monkeypatch.setattr(pickup, "MOST_PATHS", 3)
    names = [desk.drop("a@example.org", "b@example.org") for _ in range(3)]
    assert desk.pick_up(*names).rest == names[2:]


def test_a_crash_before_the_unlink(desk: Desk) -> None:
    """Committed and still in the drop: it is removed at the next start and not sent again."""
    name = desk.drop()
    kept = desk.drop_directory.parent / "kept"
    os.link(desk.drop_directory / name, kept)
    os.unlink(desk.drop_directory / name)
    os.rename(kept, desk.drop_directory / name)
    batch = desk.pickup.read([name])
    with desk.store.transaction():
        desk.pickup.add(batch, desk.now)
    desk.close()  # before pickup.clear
    desk.open()
    batch = desk.pick_up()
    assert batch.queue_ids() == []
    assert desk.names() == []
    assert desk.queue_ids() == [name]
    assert desk.logged(f"{name}: in the queue already")


def test_a_known_name_with_another_message(desk: Desk) -> None:
    """Whoever dropped it first does not swallow the second: that gets an id of its own."""
    name = desk.drop()
    desk.pick_up(name)
    desk.drop("eve@example.org", queue_id=name)
    batch = desk.pick_up(name)
    (other,) = batch.queue_ids()
    assert other != name
    assert desk.states(other) == {"eve@example.org": State.WAITING}
    assert desk.logged(f"{other}: dropped as {name}")


def test_an_io_error_unlinks_nothing(desk: Desk) -> None:
    """Nobody knows whether the commit was done: everything stays, and the caller ends."""
    name = desk.drop()
    batch = desk.pickup.read([name])
    desk.store.connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
    with pytest.raises(IOFailure):
        desk.pickup.run([name])
    desk.store.connection.set_authorizer(None)
    assert desk.names() == [name]
    assert batch.picked
