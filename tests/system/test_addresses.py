"""Names with several addresses of which some, or all, never answer."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.delivery import credentials
from sesmail.delivery.outcome import Outcome, Retry
from sesmail.delivery.transport import Deadline, addresses, api, choose, smtp_session
from tests.fakes.ses import SesServer
from tests.system.account import AUTHOR, MESSAGE, QUEUE_ID, RECIPIENT, Account

FOUR = [f"127.0.0.{number}" for number in (2, 3, 4, 5)]


@pytest.fixture
def black_hole(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port of four addresses of this machine that drop packets: their backlogs are full.

    Whatever name is looked up has these addresses on that port.
    """
    with contextlib.ExitStack() as stack:
        port = 0
        for address in FOUR:
            listener = stack.enter_context(socket.socket())
            listener.bind((address, port))
            port = listener.getsockname()[1]
            listener.listen(0)
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    waiting.connect((address, port))
        real = socket.getaddrinfo

        def look_up(host: str, wanted: int, *rest: int, **named: int) -> list[object]:
            if wanted != port:
                return list(real(host, wanted, *rest, **named))
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, (address, port)) for address in FOUR]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        yield port


def test_all_addresses_share_the_time(black_hole: int) -> None:
    """Four that do not answer are given up within the time of one, with a time-out."""
    deadline = Deadline(1.5)
    with pytest.raises(TimeoutError):
        addresses.connect("ses.example", black_hole, 0.6)
    assert not deadline.over()


def test_smtp_reaches_the_other_port(
    black_hole: int, ses: SesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where 465 drops packets on every address, 587 still has its turn within the deadline."""
    Account(ses, tmp_path).use_smtp()
    path = tmp_path / "example.com"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("smtp_")]
    path.write_text("\n".join([*kept, "smtp_host = localhost"]) + "\n")
    monkeypatch.setattr(smtp_session, "CONNECT_TIMEOUT", 0.8)
    ports = {smtp_session.WRAPPER: black_hole, smtp_session.STARTTLS: ses.starttls_port}
    monkeypatch.setattr(smtp_session, "_PORTS", ports)
    loaded = credentials.load(str(tmp_path), "example.com")
    transport = choose(loaded, Deadline(3.0))
    message = MESSAGE.replace(b"\n", b"\r\n")
    (result,) = transport.send(message, AUTHOR, [RECIPIENT], QUEUE_ID)
    transport.close()
    assert result.outcome is Outcome.DELIVERED


def test_the_api_is_given_up_in_time(
    black_hole: int, ses: SesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four addresses of an API endpoint that do not answer: nothing was sent, and time is left."""
    Account(ses, tmp_path).use_api(url=f"http://localhost:{black_hole}")
    monkeypatch.setattr(api, "CONNECT_TIMEOUT", 0.8)
    monkeypatch.setattr(addresses, "_LEAST", 0.1)
    deadline = Deadline(2.5)
    transport = choose(credentials.load(str(tmp_path), "example.com"), deadline)
    (result,) = transport.send(MESSAGE.replace(b"\n", b"\r\n"), AUTHOR, [RECIPIENT], QUEUE_ID)
    transport.close()
    assert (result.outcome, result.retry) == (Outcome.DEFERRED, Retry.SOON)
    assert not deadline.over()


@pytest.mark.parametrize(("seconds", "share"), [(10.0, 2.5), (6.0, 2.0), (1.0, 1.0)])
def test_the_share_of_an_address(black_hole: int, seconds: float, share: float) -> None:
    """A quarter for each of four, at least two seconds, at most what there is."""
    assert addresses.share("ses.example", black_hole, seconds) == share
