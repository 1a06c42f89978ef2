"""Events joined to forward-paths, and what follows, without threads, network or daemon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sesmail.delivery.daemon.holds import HoldBook
from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.dsn import DsnMaker
from sesmail.delivery.events.complaints import MOST_AN_HOUR, Complaints
from sesmail.delivery.events.consequences import Consequences
from sesmail.delivery.events.inbox import Batch, Inbox, News, Received
from sesmail.delivery.events.joining import MOST_RECEIVED, Joiner
from sesmail.delivery.events.lines import Lines
from sesmail.delivery.events.pollers import Pollers
from sesmail.delivery.events.record import Event, Told
from sesmail.delivery.events.tally import Tally
from sesmail.queue import upkeep
from sesmail.queue.events import Suppressed, fold, suppressed
from sesmail.queue.store import Finished, NewEntry, State, Store
from sesmail.settings import Settings
from tests.queue_entries import NOW, entry

HOUR = 3_600_000
ID = "0100-1"
SECTION = b"From: wiki@example.com\nSubject: x\n"
BOB, EVE = "bob@example.org", "eve@example.org"


class Source:
    """Takes receipts back."""

    name = "example.com"

    def __init__(self) -> None:
        self.done: list[str] = []
        self.left: list[tuple[str, int]] = []
        self.count = 0

    def settle(self, count: int, done: list[str], left: list[tuple[str, int]]) -> None:
        """Remember what came back."""
        self.count += count
        self.done += done
        self.left += left


class Desk:
    """A joiner over a queue of its own; ``now`` is the clock."""

    def __init__(self, directory: Path) -> None:
        self.settings = Settings()
        self.settings.credentials_directory = str(directory / "credentials")
        self.settings.aliases = str(directory / "aliases")
        self.settings.postmaster = "pm@example.com"
        (directory / "credentials").mkdir()
        (directory / "credentials" / "example.com").write_text("region = us-east-1\n")
        (directory / "queue").mkdir()
        self.store = Store(str(directory / "queue"))
        self.holds = HoldBook(self.store)
        self.now = NOW
        self.lines: list[str] = []
        self.source = Source()
        self.inbox = Inbox()
        log = DaemonLog(lambda program, _, text: self.lines.append(f"{program}: {text}"))
        load = Identities(self.settings.credentials_directory).load
        self.counts = Tally(lambda: self.now, log)
        dsns = DsnMaker(
            self.settings, load, self.holds.standing, lambda: self.now, log, lambda *_: None
        )
        complaints = Complaints(self.settings, load, lambda: self.now, log)
        lines = Lines(log.emit)
        consequences = Consequences(self.store, self.holds, load, dsns.bounced, complaints, lines)
        pollers = Pollers(self.settings.credentials_directory, load, self.inbox)
        self.joiner = Joiner(self.store, self.inbox, pollers, consequences, lines, self.counts)

    def queue(
        self, *addresses: str, state: State = State.DELIVERED,
        reverse_path: str | None = "sue@example.com", remote_id: str = ID,
    ) -> NewEntry:  # fmt: skip
        """Let an entry be attempted with this result; return it."""
        new = replace(entry(*(addresses or (BOB,))), reverse_path=reverse_path)
        with self.store.transaction():
            self.store.add([new])
            job = self.store.claim(new.identity, new.uid, NOW)
            assert job is not None
            if state is not State.ACTIVE:
                known = remote_id if state is State.DELIVERED else ""
                results = [
                    Finished(path.id, state, NOW + HOUR, "4.4.2", "text", "ses", known)
                    for path in job.paths
                ]
                self.store.finish(job, results, NOW)
        return new

    def tell(self, *events: Event, count: int = 1, rolls_back: bool = False) -> None:
        """Let events come, and commit what they do."""
        received = [Received(f"receipt {n}", count, event) for n, event in enumerate(events)]
        self.inbox.put(Batch(self.source, received))
        self.joiner.take()
        try:
            with self.store.transaction():
                self.joiner.join(self.now)
                if rolls_back:
                    raise RuntimeError
        except RuntimeError:
            self.joiner.undo()
        else:
            self.joiner.settle()

    def states(self) -> list[int]:
        """Return the states of all paths that are not DSNs or notices."""
        rows = self.store.connection.execute(
            "SELECT p.state FROM path p JOIN entry e ON e.id = p.entry"
            " WHERE e.author NOT LIKE 'MAILER-DAEMON%' ORDER BY p.id"
        )
        return [state for (state,) in rows]

    def mails(self) -> list[bytes]:
        """Return what the daemon itself queued."""
        rows = self.store.connection.execute(
            "SELECT c.message FROM entry e JOIN content c ON c.entry = e.id"
            " WHERE e.author LIKE 'MAILER-DAEMON%' ORDER BY e.id"
        )
        return [message for (message,) in rows]

    def is_suppressed(self, address: str) -> bool:
        """Tell whether an address is suppressed."""
        return fold(address) in suppressed(self.store.connection, "example.com", [address])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A joiner with nothing to do."""
    made = Desk(tmp_path)
    yield made
    made.store.close()


def bounce(*addresses: str, at: int = NOW, section: bytes = SECTION) -> Event:
    """Return a bounce for good."""
    told = tuple(Told(one, "5.1.1", "550 unknown", suppresses=True) for one in addresses or (BOB,))
    return Event("bounce", ID, "", at, told, "mx.example.org", True, section)


def send(queue_id: str, *addresses: str, at: int = NOW) -> Event:
    """Return the event of an acceptance, under an id that the queue does not know."""
    told = tuple(Told(one, "", "") for one in addresses or (BOB,))
    return Event("send", "0100-2", queue_id, at, told)


@pytest.mark.parametrize(
    ("reverse_path", "section", "why"),
    [
        ("", SECTION, "the reverse-path is null"),
        ("a@b.c", SECTION + b"Auto-Submitted: auto-replied\n", "submitted automatically"),
    ],
)
def test_who_is_not_told(desk: Desk, reverse_path: str, section: bytes, why: str) -> None:
    """The rules of any DSN; the header section is that of the event."""
    desk.queue(reverse_path=reverse_path)
    desk.tell(bounce(section=section))
    assert desk.mails() == []
    assert why in " ".join(desk.lines)


def test_one_dsn_for_what_comes_together(desk: Desk) -> None:
    """Bounces of one message in one batch; and none for what comes again."""
    desk.queue(BOB, EVE)
    desk.tell(bounce(BOB), bounce(EVE), bounce(EVE))
    desk.tell(bounce(BOB), bounce(EVE, at=NOW + 1))
    (dsn,) = desk.mails()
    assert dsn.count(b"Final-Recipient") == 2
    assert desk.source.count == len(desk.source.done) == 5


def test_a_message_without_fields(desk: Desk) -> None:
    """SES tells none where it was told not to: the DSN has two parts then."""
    desk.queue()
    desk.tell(bounce(section=b""))
    (dsn,) = desk.mails()
    assert b"message/delivery-status" in dsn
    assert b"rfc822-headers" not in dsn
    assert b"follows." not in dsn


@pytest.mark.parametrize("address", ["Bob@Example.ORG", "<bob@example.org>"[1:-1], "x@forward.org"])
def test_addresses_that_differ(desk: Desk, address: str) -> None:
    """In case; or the only one of a message, to which its receiver forwarded it."""
    desk.queue()
    desk.tell(bounce(address))
    assert len(desk.mails()) == 1
    assert desk.is_suppressed(BOB)


def test_the_exact_address_goes_before(desk: Desk) -> None:
    """Where two differ only in case."""
    desk.queue("BOB@example.org", "bob@example.org")
    desk.tell(bounce("bob@example.org"))
    (row,) = desk.store.connection.execute(
        "SELECT p.address FROM event v JOIN path p ON p.id = v.path"
    ).fetchall()
    assert row == ("bob@example.org",)


def test_a_stranger(desk: Desk) -> None:
    """A recipient that a message to several did not have: counted, and deleted."""
    new = desk.queue(BOB, EVE)
    desk.tell(replace(bounce("x@forward.org"), queue_id=new.queue_id))
    desk.joiner.follow()
    assert len(desk.source.done) == 1
    assert "name a recipient that the message did not have" in desk.lines[-1]


def test_mail_of_another_host(desk: Desk) -> None:
    """Left, each time for longer; deleted at last, and then it suppresses all the same."""
    desk.queue(remote_id="0100-other")
    desk.tell(bounce(EVE), count=1)
    desk.tell(bounce(EVE), count=3)
    desk.tell(bounce(EVE), count=30)
    assert [seconds for _, seconds in desk.source.left] == [5, 15, 60]
    assert not desk.is_suppressed(EVE)
    desk.tell(bounce(EVE), count=MOST_RECEIVED)
    assert desk.source.done == ["receipt 0"]
    assert desk.is_suppressed(EVE)
    assert desk.mails() == []


@pytest.mark.parametrize("is_held", [False, True])
def test_an_answer_that_was_lost(desk: Desk, is_held: bool) -> None:
    """What waited is delivered, path by path; with the last one the entry is over, and its hold."""
    new = desk.queue(BOB, EVE, state=State.WAITING)
    if is_held:
        with desk.store.transaction():
            held = desk.holds.begin(new.identity, upkeep.ENTRY, new.queue_id, "perhaps", NOW).hold
            for path in (1, 2):
                upkeep.keep_back(desk.store.connection, path, held)
            desk.store.connection.execute("UPDATE path SET attempts = 1")
    desk.tell(send(new.queue_id, BOB))
    assert bool(desk.holds) is is_held
    desk.tell(send(new.queue_id, EVE))
    assert not desk.holds
    assert desk.states() == [State.DELIVERED, State.DELIVERED]
    assert len([line for line in desk.lines if "status=sent (SES 0100-2; told by" in line]) == 2
    assert desk.lines[-1] == f"qmgr: {new.queue_id}: removed"


def test_what_the_foreground_left(desk: Desk) -> None:
    """It asked SES under the id of the drop, and got no answer; here nothing was tried yet."""
    new = entry(due=NOW + HOUR)
    with desk.store.transaction():
        desk.store.add([new])
    desk.tell(send(new.queue_id))
    assert desk.states() == [State.DELIVERED]


def test_what_is_no_answer(desk: Desk) -> None:
    """What happened before the message came, by a clock that may be a little wrong."""
    old = desk.queue(state=State.WAITING)
    desk.tell(send(old.queue_id, at=NOW - HOUR))
    assert desk.states() == [State.WAITING]
    desk.tell(send(old.queue_id, at=NOW - HOUR // 5))
    assert desk.states() == [State.DELIVERED]


def test_an_attempt_that_is_being_made(desk: Desk) -> None:
    """It is written down, and the attempt's own result counts."""
    new = desk.queue(state=State.ACTIVE)
    desk.tell(send(new.queue_id))
    assert desk.states() == [State.ACTIVE]
    (count,) = desk.store.connection.execute("SELECT count(*) FROM event").fetchone()
    assert count == 1


def test_what_failed_was_told(desk: Desk) -> None:
    """Its sender had a DSN when it expired."""
    new = desk.queue(state=State.FAILED)
    desk.tell(replace(bounce(), queue_id=new.queue_id))
    assert desk.mails() == []
    assert "status=bounced" in desk.lines[-1]


def test_rolled_back(desk: Desk) -> None:
    """Nothing is deleted or said; when it comes again it counts."""
    desk.queue()
    desk.tell(bounce(), rolls_back=True)
    assert (desk.source.count, desk.source.done, desk.lines) == (1, [], [])
    desk.tell(bounce())
    assert len(desk.mails()) == 1
    assert len(desk.source.done) == 1


def test_complaints(desk: Desk) -> None:
    """Those that come together in one mail; some mails an hour at most, and none forgotten."""
    desk.queue(BOB, EVE)
    complaint = Event(
        "complaint", ID, "", NOW,
        (Told(BOB, "", "abuse", suppresses=True), Told(EVE, "", "abuse", suppresses=True)),
    )  # fmt: skip
    for number in range(MOST_AN_HOUR + 3):
        desk.tell(replace(complaint, at=NOW + number))
    assert len(desk.mails()) == MOST_AN_HOUR
    assert desk.mails()[0].count(b": to <") == 2
    desk.now += HOUR
    desk.tell(replace(complaint, at=desk.now))
    assert b"and 6 more, which are in the mail log" in desk.mails()[-1]
    assert desk.is_suppressed(BOB)


def test_a_queue_that_is_away(desk: Desk) -> None:
    """One line an hour, and one when it is back."""
    for _ in range(3):
        desk.inbox.put(News(desk.source, "no such queue"))
    desk.joiner.take()
    assert len(desk.lines) == 1
    desk.now += HOUR
    desk.inbox.put(News(desk.source, "no such queue"))
    desk.inbox.put(News(desk.source, ""))
    desk.joiner.take()
    assert "(tries: 4): no such queue" in desk.lines[1]
    assert "can be read again" in desk.lines[2]


def test_what_cannot_be_read(desk: Desk) -> None:
    """Deleted, and counted in one line an hour."""
    for _ in range(2):
        desk.inbox.put(Batch(desk.source, [Received("r", 1, None, "no JSON")] * 3))
        desk.joiner.take()
        desk.joiner.join(NOW)
        desk.joiner.settle()
    desk.joiner.follow()
    desk.joiner.follow()
    (line,) = desk.lines
    assert "6 events could not be read and were deleted; the last: no JSON" in line
    assert len(desk.source.done) == 6


def test_what_was_known_first_of_an_address_stays(desk: Desk) -> None:
    """Another bounce does not change it."""
    desk.queue()
    desk.tell(bounce(), bounce(at=NOW + 5))
    found = suppressed(desk.store.connection, "example.com", [BOB])
    assert found == {BOB: Suppressed(BOB, "bounce", NOW, "550 unknown")}
