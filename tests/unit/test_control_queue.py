"""``sesmailctl queue`` and ``log`` where no daemon runs: what they write, and what they refuse."""

from __future__ import annotations

import argparse
import base64
import json
import os
import pwd
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sesmail.control import ask, log, queue, terminal
from sesmail.control.terminal import Terminal
from sesmail.control.verb import Context
from sesmail.queue.lock import Lock
from sesmail.queue.store import Finished, NewEntry, State, Store
from sesmail.settings import Settings
from sesmail.sysexits import CannotCreate, DataError, NotPermitted, Unavailable, UsageError
from tests.queue_entries import NOW, all_finished, entry

LANE = ("example.com", 33)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A spool of our own, without a daemon."""
    for name in ("queue", "run", "drop"):
        (tmp_path / name).mkdir()
    (tmp_path / "control").symlink_to("run/control")
    os.mkfifo(tmp_path / "wake")
    settings = Settings()
    settings.spool_directory = str(tmp_path)
    settings.credentials_directory = str(tmp_path / "credentials")
    settings.user = pwd.getpwuid(os.getuid()).pw_name
    return settings


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """Its queue, open as long as the test needs it."""
    with closing(Store(os.path.join(settings.spool_directory, "queue"))) as store:
        yield store


def add(store: Store, *entries: NewEntry) -> list[str]:
    """Let entries wait; return their queue ids."""
    with store.transaction():
        store.add(entries)
    return [one.queue_id for one in entries]


Write = Callable[..., bytes]
Run = Callable[..., list[str]]


@pytest.fixture
def written(settings: Settings, capfdbinary: pytest.CaptureFixture[bytes]) -> Write:
    """What runs a command line of these verbs and returns what is on standard output."""

    def run(*words: str) -> bytes:
        parser = argparse.ArgumentParser(exit_on_error=False)
        verbs = parser.add_subparsers(required=True)
        queue.add(verbs)
        log.add(verbs)
        arguments = parser.parse_args(words)
        context = Context(settings, Terminal(is_json=arguments.json), {})
        arguments.run(context, arguments)
        return capfdbinary.readouterr().out

    return run


@pytest.fixture
def run(written: Write) -> Run:
    """The same, of which the lines are returned."""
    return lambda *words: written(*words).decode("utf-8").splitlines()


def test_list(store: Store, run: Run) -> None:
    """An entry a line with its recipients and reasons under it; the sum at last."""
    null = entry("c@x.org", message=b"12345")
    null.reverse_path = ""
    first, second = add(store, entry("a@x.org", "b@x.org"), null)
    with store.transaction():
        job = store.claim(*LANE, NOW)
        assert job is not None
        finished = Finished(job.paths[0].id, State.WAITING, NOW, "4.4.1", "no route")
        store.finish(job, [finished, *all_finished(job, State.DELIVERED)[1:]], NOW)
    size = len(entry().message)
    first_line, second_line, *lines, last = run("queue", "list")
    assert first_line.split() == ["ID", "ARRIVED", "SIZE", "SENDER"]
    assert second_line.split() == ["STATE", "RECIPIENT"]
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(NOW // 1000))
    assert lines == [
        f"{first}  {moment}  {size:>9}  wiki@example.com",
        "  waiting   a@x.org  (no route)",
        f"{second}  {moment}  {5:>9}  <>",
        "  waiting   c@x.org",
    ]
    assert last == f"-- {size + 5} bytes in 2 messages"


def test_list_of_nothing(store: Store, run: Run) -> None:
    """It says so; as JSON there is nothing."""
    assert run("queue", "list") == ["nothing waits"]
    assert run("queue", "list", "--json") == []


def test_list_takes_filters(store: Store, run: Run) -> None:
    """As JSON each entry is a document."""
    _, wanted, _ = add(store, entry("a@x.org"), entry("b@x.org"), entry("c@x.org", uid=0))
    (line,) = run("queue", "list", "--json", "--recipient", "b@x.org", "--identity", "example.com")
    assert json.loads(line)["queue_id"] == wanted
    assert run("queue", "list", "--state", "failed") == ["nothing waits"]


def test_show(store: Store, run: Run) -> None:
    """Envelope, state of each recipient, what each attempt met."""
    new = entry("a@x.org", "b@x.org")
    new.reverse_path = "bounces@example.com"
    (queue_id,) = add(store, new)
    with store.transaction():
        job = store.claim(*LANE, NOW)
        assert job is not None
        results = [
            Finished(job.paths[0].id, State.DELIVERED, NOW, "2.0.0", "Ok", "relay", "0100-1"),
            Finished(job.paths[1].id, State.WAITING, NOW, "4.4.1", "no route", "relay"),
        ]
        store.finish(job, results, NOW)
    run("queue", "hold", queue_id)
    text = "\n".join(run("queue", "show", queue_id))
    for part in (
        "reverse-path  <bounces@example.com>",
        "from uid 33",
        "held          since ",
        "sent          a@x.org, SES id 0100-1",
        "held          b@x.org",
        "4.4.1 no route (relay)",
    ):
        assert part in text
    (line,) = run("queue", "show", queue_id, "--json")
    assert [path["state"] for path in json.loads(line)["paths"]] == ["sent", "held"]


@pytest.mark.root
def test_content(store: Store, run: Run, written: Write) -> None:
    """Byte for byte; as JSON in base64."""
    message = bytes(range(256)) * 5000
    (queue_id,) = add(store, entry(message=message))
    assert written("queue", "show", queue_id, "--content") == message
    (line,) = run("queue", "show", queue_id, "--content", "--json")
    assert base64.b64decode(json.loads(line)["content"]) == message


def test_changes(store: Store, run: Run, settings: Settings) -> None:
    """Held, released, made due and deleted: each says how many recipients that concerns."""
    first, second = add(store, entry("a@x.org", "b@x.org", due=NOW * 2), entry("c@x.org"))
    assert run("queue", "hold", first) == ["2 held"]
    assert run("queue", "release", first) == ["2 to be tried again"]
    assert run("queue", "retry", first, "--json") == ['{"paths":2}']
    assert run("queue", "retry", "--all") == ["1 due now"]
    assert run("queue", "delete", "--yes", second) == ["1 deleted"]
    assert [line.split()[0] for line in run("queue", "list")[2:]] == [first, *["waiting"] * 2, "--"]


def test_deleting_is_asked(store: Store, run: Run) -> None:
    """Without anybody to ask nothing is deleted, and the flag is named."""
    (queue_id,) = add(store, entry())
    with pytest.raises(UsageError, match="--yes"):
        run("queue", "delete", queue_id)
    assert run("queue", "list")[0] != "nothing waits"


@pytest.mark.parametrize("verb", ["show", "retry", "hold", "release", "delete", "requeue"])
def test_what_is_no_queue_id(run: Run, verb: str) -> None:
    """It is refused before anything is opened or asked."""
    with pytest.raises(UsageError, match="no queue id"):
        run("queue", verb, "../../etc/passwd")


def test_what_changes_takes_the_lock(store: Store, run: Run, settings: Settings) -> None:
    """What reads does not, for that would keep a daemon from starting."""
    (queue_id,) = add(store, entry())
    with closing(Lock(os.path.join(settings.spool_directory, "queue"))):
        assert run("queue", "list")[-1] == "-- 18 bytes in 1 message"
        with pytest.raises(CannotCreate, match="another sesmaild"):
            run("queue", "hold", queue_id)


def test_log(store: Store, run: Run) -> None:
    """A life has its id in the first line, and a line for each step."""
    first, second = add(store, entry("a@x.org"), entry("b@x.org"))
    lines = run("log", first)
    assert lines[0] == first
    assert "dropped   by uid 33" in lines[1]
    assert lines[2].endswith("next try  a@x.org")
    assert run("log", "b@x.org")[0] == second
    (line,) = run("log", "nobody@x.org")
    assert line.startswith("nothing is known of it; sesmaild")
    documents = [json.loads(line) for line in run("log", "--json", "--since", "2h")]
    assert [one["step"] for one in documents] == ["dropped", "waiting"] * 2


def test_log_of_neither_id_nor_address(run: Run) -> None:
    """What it could be is said."""
    with pytest.raises(UsageError, match="neither a queue id nor an address"):
        run("log", "bob")


# The daemon.


class Stranger:
    """Something that answers in the daemon's place, once."""

    def __init__(self, settings: Settings, answer: bytes) -> None:
        self._answer = answer
        self._reader = os.open(
            os.path.join(settings.spool_directory, "wake"), os.O_RDWR | os.O_NONBLOCK
        )
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(os.path.join(settings.spool_directory, "run", "control"))
        self._socket.listen()
        self.asked: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            self.asked.append(json.loads(connection.recv(4096)))
            connection.sendall(self._answer)

    def close(self) -> None:
        """End it."""
        self._thread.join()
        self._socket.close()
        os.close(self._reader)


@pytest.mark.parametrize(
    ("answer", "failure", "text"),
    [
        (b'{"end":"denied","text":"only root"}\n', NotPermitted, "only root"),
        (b'{"end":"error","text":"no message X"}\n', DataError, "no message X"),
        (b"", Unavailable, "to the end"),
        (b'{"paths":1}\n', Unavailable, "to the end"),
    ],
)
def test_how_an_answer_ends(
    settings: Settings, answer: bytes, failure: type[Exception], text: str
) -> None:
    """Refused, impossible, or broken off: each is another failure."""
    with closing(Stranger(settings, answer)) as stranger:
        with pytest.raises(failure, match=text):
            list(ask.ask(settings, {"request": "retry", "all": True}))
        assert stranger.asked == [{"request": "retry", "all": True}]


def test_a_daemon_is_asked(settings: Settings) -> None:
    """Where one runs nothing is opened here."""
    with closing(Stranger(settings, b'{"paths":1}\n{"end":"ok"}\n')):
        assert list(ask.ask(settings, {"request": "retry", "all": True})) == [{"paths": 1}]
    assert not os.listdir(os.path.join(settings.spool_directory, "queue"))


def test_many_lines_are_made_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """What a terminal obeys is not shown, and what is harmless stays as it is."""
    assert terminal.visible("a\x1b[2J\x9b\x85é ok") == "a?[2J??é ok"
    Terminal().write(["é\nok", "a\x1b[2J\nb\r"])
    assert capsys.readouterr().out == "é\nok\na?[2J\nb?\n"
