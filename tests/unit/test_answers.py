"""Requests in JSON: who may ask what, and what becomes of those that are wrong or hostile."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.delivery.account import Account
from sesmail.delivery.daemon.administration import Administration
from sesmail.delivery.daemon.answers import reading, registry, wire
from sesmail.delivery.daemon.answers.frame import Client, Desk, Lately, Request, Sending
from sesmail.delivery.daemon.holds import HoldBook
from sesmail.queue import upkeep
from sesmail.queue.store import State, Store
from sesmail.settings import Settings
from sesmail.sysexits import UsageError
from tests.queue_entries import NOW, all_finished, entry

ROOT = Client(0, sees_all=True)
DAEMON = Client(33, sees_all=True)
USER = Client(1000, sees_all=False)
READING = ("queue", "show", "content", "log", "status")


class Daemon:
    """What a running daemon would tell of itself."""

    def __init__(self) -> None:
        self.reread_of: list[str] = []

    def reread(self, identity: str) -> None:
        """Note it."""
        self.reread_of.append(identity)

    def scan(self) -> None:
        """Look nowhere."""

    def sending(self) -> dict[str, Sending]:
        """Return an identity of whose account SES told, and one of which it did not."""
        account = Account(14.0, 50_000.0, 340.0, "HEALTHY", is_production=True)
        return {"example.com": Sending(12.6, 2, account, 5.0), "new.example": Sending(10.0, 0)}

    def uptime(self) -> float:
        """Return a time."""
        return 3600.0


class Office:
    """A queue, and what is answered about it."""

    def __init__(self, directory: Path) -> None:
        (directory / "queue").mkdir()
        (directory / "drop").mkdir()
        (directory / "credentials").mkdir()
        self.directory = directory
        self.store = Store(str(directory / "queue"))
        settings = Settings()
        settings.spool_directory = str(directory)
        settings.credentials_directory = str(directory / "credentials")
        administration = Administration(
            self.store, HoldBook(self.store), self._change, lambda: None, lambda *_: None
        )
        self.daemon = Daemon()
        self.desk = Desk(settings, administration, self.daemon)

    def _change(self, change: Callable[[int], object]) -> bool:
        with self.store.transaction():
            change(NOW)
        return True

    def lines(self, line: bytes, client: Client = ROOT) -> list[dict[str, Any]]:
        """Return the documents of an answer to a line, its end included."""
        answer = registry.respond(self.desk, line, client)
        assert answer is not None
        text = "".join(answer)
        assert text.isascii()
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def ask(self, request: str, client: Client = ROOT, **fields: object) -> list[dict[str, Any]]:
        """Return the documents of a request that is answered."""
        *documents, end = self.lines(self.encoded(request, **fields), client)
        assert end == {"end": "ok"}, end
        return documents

    def refused(self, request: str, client: Client = ROOT, **fields: object) -> tuple[str, str]:
        """Return how a request ends that is not answered, and why."""
        (end,) = self.lines(self.encoded(request, **fields), client)
        return end["end"], end["text"]

    def encoded(self, request: str, **fields: object) -> bytes:
        """Return a request as it is sent."""
        return json.dumps({"request": request, **fields}).encode("ascii")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An empty queue."""
    made = Office(tmp_path)
    with closing(made.store):
        yield made


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A queue with a message, for requests of which none gets far."""
    made = Office(tmp_path_factory.mktemp("office"))
    with closing(made.store):
        add(made)
        yield made


def add(office: Office, *addresses: str, **fields: Any) -> str:
    """Let a message wait; return its queue id."""
    new = entry(*addresses, **fields)
    with office.store.transaction():
        office.store.add([new])
    return new.queue_id


def test_each_sees_his_own(office: Office) -> None:
    """Root and the daemon's group all; a user his own, and of others not even that they are."""
    others, own = add(office, "a@x.org"), add(office, "b@x.org", uid=USER.uid)
    for client, expected in ((ROOT, [others, own]), (DAEMON, [others, own]), (USER, [own])):
        found = [one["queue_id"] for one in office.ask("queue", client)]
        told = dict.fromkeys(one["queue_id"] for one in office.ask("log", client))
        assert found == list(told) == expected
    for request in ("show", "log"):
        assert office.ask(request, USER, id=own)
        assert office.refused(request, USER, id=others) == (
            "error",
            f"no message {others} is in the queue or its history",
        )


@pytest.mark.parametrize("request_", sorted(set(registry.ANSWERS) - set(READING)))
def test_who_may_not_change_anything(office: Office, request_: str) -> None:
    """Not even what is his own; nothing is changed. The same for what is told of everybody."""
    own = add(office, uid=USER.uid)
    end, text = office.refused(request_, USER, id=own, all=False, address="bob@example.org")
    assert end == "denied"
    assert "only root" in text
    assert office.store.due("example.com", USER.uid) == NOW


def test_reread(office: Office) -> None:
    """The daemon is told of the identity; without a daemon nothing is known that could be old."""
    assert office.ask("reread", DAEMON, identity="example.com") == []
    assert office.ask("reread", identity="example.net") == []
    office.desk = Desk(office.desk.settings, office.desk.administration)
    assert office.ask("reread", identity="example.org") == []
    assert office.daemon.reread_of == ["example.com", "example.net"]


def test_content_is_for_root(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else, not even the daemon's user or the sender; it comes in pieces."""
    monkeypatch.setattr(reading, "_PIECE", 1000)
    message = bytes(range(256)) * 10
    queue_id = add(office, uid=USER.uid, message=message)
    for client in (DAEMON, USER):
        assert office.refused("content", client, id=queue_id)[0] == "denied"
    pieces = office.ask("content", id=queue_id)
    assert len(pieces) == 3
    assert b"".join(base64.b64decode(piece["data"]) for piece in pieces) == message


def test_content_that_is_gone(office: Office) -> None:
    """What is sent is not kept."""
    queue_id = add(office)
    with office.store.transaction():
        job = office.store.claim("example.com", 33, NOW)
        assert job is not None
        office.store.finish(job, all_finished(job, State.DELIVERED), NOW)
    assert "not kept" in office.refused("content", id=queue_id)[1]


def test_status(office: Office) -> None:
    """Each identity that has mail, sent some, or has a credentials file; a user gets totals."""
    add(office, "a@x.org", "b@x.org")
    add(office, identity="held.example")
    (office.directory / "credentials" / "idle.example").touch()
    (office.directory / "drop" / entry().queue_id).touch()
    (office.directory / "drop" / ".unfinished").touch()
    with office.store.transaction():
        upkeep.begin_hold(
            office.store.connection, "held.example", upkeep.IDENTITY, "", "wrong key", NOW
        )
    *identities, last = office.ask("status")
    found = {one["identity"]: one for one in identities}
    assert list(found) == ["example.com", "held.example", "idle.example", "new.example"]
    sending = found["example.com"]
    assert (sending["waiting"], sending["held"], sending["active"]) == (2, 0, 2)
    assert (sending["rate"], sending["quota"], sending["sent_24_hours"]) == (12.6, 50_000.0, 340.0)
    assert (sending["enforcement"], sending["production"]) == ("HEALTHY", True)
    assert sending["oldest"] == NOW / 1000
    held = found["held.example"]
    assert (held["waiting"], held["held"], held["holds"]) == (0, 1, 1)
    assert held["hold"] == {
        "scope": "identity",
        "key": "",
        "since": NOW / 1000,
        "reason": "wrong key",
    }
    assert found["new.example"]["quota"] is None
    size = 2 * len(entry().message)
    total = {"messages": 2, "bytes": size, "drops": 1, "running": True, "uptime": 3600.0}
    assert {key: last["total"][key] for key in total} == total
    (alone,) = office.ask("status", USER)
    assert (alone["total"]["messages"], alone["total"]["drops"]) == (2, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "no JSON"),
        (b"{\xff}", "no JSON"),
        (b'{"a":' * 600, "no JSON"),
        (b"{}", "no name"),
        (b'{"request":5}', "no name"),
        (b'{"request":["queue"]}', "no name"),
        (b'{"request":"unknown"}', "does not know"),
        (b'{"request":"queue","state":"gone"}', "a state is one of"),
        (b'{"request":"queue","identity":5}', "identity is no text"),
        (b'{"request":"show"}', "no queue id"),
        (b'{"request":"show","id":{"a":1}}', "id is no text"),
        (b'{"request":"show","id":"' + b"F" * 4000 + b'"}', "no queue id"),
        (b'{"request":"show","id":"../../etc/passwd"}', "no queue id"),
        (b'{"request":"retry","all":1}', "neither true nor false"),
        (b'{"request":"log","since":' + b"9" * 3000 + b"}", "since is no number"),
        (b'{"request":"log","since":NaN}', "since is no number"),
        (b'{"request":"log","since":true}', "since is no number"),
        (b'{"request":"log","address":null}', "address is no text"),
    ],
)
def test_what_is_wrong_with_a_request(office: Office, line: bytes, reason: str) -> None:
    """It is said in a line, and nothing else happens."""
    (end,) = office.lines(line)
    assert end["end"] == "error"
    assert reason in end["text"]
    assert len(end["text"]) < 200


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(sorted(registry.ANSWERS)) | st.text(max_size=10)
KEYS = ("id", "identity", "recipient", "state", "address", "since", "all")


@given(name=NAMES, fields=st.dictionaries(st.sampled_from(KEYS), VALUES), is_root=st.booleans())
def test_any_request_has_an_end(
    lasting: Office, name: str, fields: dict[str, Any], is_root: bool
) -> None:
    """Whatever the fields are, the answer ends with its mark, and nothing is raised."""
    *_, end = lasting.lines(lasting.encoded(name, **fields), ROOT if is_root else USER)
    assert end["end"] in (wire.OK, wire.DENIED, wire.ERROR)


@given(line=st.binary(max_size=200))
def test_any_bytes(line: bytes) -> None:
    """What is no request raises the one failure that has a text for the client."""
    try:
        Request.parse(b"{" + line)
    except UsageError as failure:
        assert str(failure).isprintable()


def test_a_queue_that_cannot_be_read(office: Office) -> None:
    """The answer says so, and has its end."""
    office.store.close()  # what was written is in the database then, no longer in its WAL
    (office.directory / "queue" / "queue.db").write_bytes(b"no database" * 1000)
    end, text = office.refused("queue")
    assert end == "error"
    assert "queue.db" in text


def test_a_queue_that_is_gone(office: Office) -> None:
    """Beside a daemon, which has made it: a failure, and no empty queue."""
    for file in (office.directory / "queue").iterdir():
        file.unlink()
    assert office.refused("status")[1].endswith("; restart sesmaild, which makes it")


def test_no_queue_yet(office: Office) -> None:
    """Where no daemon has ever run the answers are those of an empty queue."""
    for file in (office.directory / "queue").iterdir():
        file.unlink()
    (office.directory / "drop" / "01A20BB59D717686DD8CEB8140F3").touch()
    office.desk = Desk(office.desk.settings)
    for name in ("queue", "log", "suppression", "report"):
        assert all("end" not in document for document in office.ask(name))
    (document,) = office.ask("status")
    assert (document["total"]["messages"], document["total"]["drops"]) == (0, 1)


def test_what_is_costly_is_counted_seldom(office: Office) -> None:
    """What took a second to count counts for twenty."""
    moments = iter([0.0, 1.0, 20.9, 21.0, 21.1])
    lately = Lately(lambda: next(moments))
    statements: list[str] = []
    office.store.connection.set_trace_callback(statements.append)
    counted = []
    for _ in range(3):
        statements.clear()
        for _ in lately.get(office.store.connection):
            pass
        counted.append(bool(statements))
    assert counted == [True, False, True]
