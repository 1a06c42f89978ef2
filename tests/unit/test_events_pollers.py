"""Which threads there are: one for each queue of events and the keys that open it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesmail.delivery.credentials import Credentials
from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.events import pollers
from sesmail.delivery.events.inbox import Inbox
from sesmail.delivery.events.pollers import Pollers
from tests.fakes.ses import KEY_ID, SECRET

PAIR = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
OTHER = KEY_ID[:-1] + "F"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/"
threads: list[str] = []  # what runs, in the order in which it began


class Thread:
    """A poller that only says that it is there."""

    def __init__(self, credentials: Credentials, _: Inbox) -> None:
        name = credentials.events_queue_url.rpartition("/")[2]
        self._text = f"{credentials.identity} {name} {credentials.access_key_id}"

    def start(self) -> None:
        """Run."""
        threads.append(self._text)

    def end(self) -> None:
        """Run no more."""
        threads.remove(self._text)


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the credentials files."""
    monkeypatch.setattr(pollers, "Poller", Thread)
    threads.clear()
    return tmp_path


def follow(directory: Path, running: Pollers | None = None) -> Pollers:
    """Look at the files as they are now."""
    running = running or Pollers(str(directory), Identities(str(directory)).load, Inbox())
    running._load = Identities(str(directory)).load
    running.follow()
    return running


def test_one_for_each_queue_and_key(credentials: Path) -> None:
    """Identities may share both; without a queue there is none."""
    (credentials / "a.example").write_text(f"{PAIR}events_queue_url = {QUEUE}q\n")
    (credentials / "b.example").write_text(f"{PAIR}events_queue_url = {QUEUE}q\n")
    (credentials / "c.example").write_text(f"{PAIR}events_queue_url = {QUEUE}r\n")
    (credentials / "d.example").write_text(PAIR)
    (credentials / "e.example").write_text("nonsense\n")
    (credentials / "f.example").write_text(
        f"{PAIR.replace(KEY_ID, OTHER)}events_queue_url = {QUEUE}q\n"
    )
    running = follow(credentials)
    wanted = [f"a.example q {KEY_ID}", f"c.example r {KEY_ID}", f"f.example q {OTHER}"]
    assert threads == wanted
    follow(credentials, running)
    assert threads == wanted
    running.end()
    assert threads == []


def test_files_that_change(credentials: Path) -> None:
    """Threads come and go with what the files say; other things in them change nothing."""
    file = credentials / "a.example"
    file.write_text(f"{PAIR}events_queue_url = {QUEUE}q\n")
    running = follow(credentials)
    file.write_text(f"{PAIR}events_queue_url = {QUEUE}q\nmax_send_rate = 5\n")
    follow(credentials, running)
    assert threads == [f"a.example q {KEY_ID}"]
    file.write_text(f"{PAIR}events_queue_url = {QUEUE}r\n")
    follow(credentials, running)
    assert threads == [f"a.example r {KEY_ID}"]
    file.write_text("nonsense\n")
    follow(credentials, running)
    assert threads == []


def test_no_directory(credentials: Path) -> None:
    """Nothing to read, nothing to do."""
    follow(credentials / "nowhere")
    assert threads == []
