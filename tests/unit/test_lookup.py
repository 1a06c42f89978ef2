"""Whether an address is suppressed at SES: who is asked, how often, and what an answer does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sesmail.delivery import session
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.daemon import lookup
from sesmail.delivery.daemon.lookup import Lookup
from sesmail.queue.events import Suppressed

CREDENTIALS = Credentials(
    "/x", "example.com", "api", "us-east-1", events_queue_url="https://sqs.us-east-1.x/1/q"
)
SINCE = datetime(2026, 11, 24, tzinfo=UTC)


class Client:
    """SES; ``code`` is what it answers where it does not know an address."""

    def __init__(self, code: str = "NotFoundException") -> None:
        self.code = code
        self.asked: list[str] = []
        self.suppressed: dict[str, str] = {}

    def get_suppressed_destination(self, EmailAddress: str) -> dict[str, Any]:  # noqa: N803
        """Answer."""
        self.asked.append(EmailAddress)
        if EmailAddress not in self.suppressed:
            raise ClientError({"Error": {"Code": self.code}}, "GetSuppressedDestination")
        reason = self.suppressed[EmailAddress]
        return {"SuppressedDestination": {"Reason": reason, "LastUpdateTime": SINCE}}


class Clock:
    """Seconds that the test lets pass."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        """Return them."""
        return self.seconds

    def time(self) -> float:
        """Return them."""
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that counts."""
    made = Clock()
    monkeypatch.setattr(lookup, "time", made)
    return made


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """The SES that is asked."""
    made = Client()

    class Session:
        def __init__(self, _: Credentials) -> None:
            pass

        def client(self, service: str, connect: float, read: float) -> Client:
            assert (service, connect, read) == ("sesv2", 2.0, 2.0)
            return made

    monkeypatch.setattr(session, "Session", Session)
    return made


def test_once_a_second_and_each_once_a_day(clock: Clock, client: Client) -> None:
    """The next address when it is time to ask again, and none twice."""
    asking = Lookup()
    for _ in range(3):
        assert asking.ask(CREDENTIALS, ["a@B.example", "b@b.example"]) is None
    assert client.asked == ["a@b.example"]
    for _ in range(3):
        clock.seconds += 1.0
        assert asking.ask(CREDENTIALS, ["a@B.example", "b@b.example"]) is None
    assert client.asked == ["a@b.example", "b@b.example"]
    clock.seconds += 86_400
    asking.ask(CREDENTIALS, ["a@b.example"])
    assert client.asked[2:] == ["a@b.example"]


@pytest.mark.parametrize("reason", ["BOUNCE", "COMPLAINT"])
def test_suppressed(clock: Clock, client: Client, reason: str) -> None:
    """It is asked about again each time: the administrator may have taken it off."""
    client.suppressed["a@b.example"] = reason
    asking = Lookup()
    for number in range(1, 3):
        found = asking.ask(CREDENTIALS, ["a@b.example"])
        since = int(SINCE.timestamp() * 1000)
        assert found == Suppressed("a@b.example", reason.lower(), since, "as SES says")
        assert len(client.asked) == number
        clock.seconds += 1.0


@pytest.mark.parametrize(
    ("code", "seconds"), [("AccessDeniedException", 3600), ("TooManyRequestsException", 60)]
)
def test_no_answer(clock: Clock, client: Client, code: str, seconds: int) -> None:
    """Where SES does not say, nobody asks for a while."""
    client.code = code
    asking = Lookup()
    assert asking.ask(CREDENTIALS, ["a@b.example"]) is None
    clock.seconds += seconds - 1
    assert asking.ask(CREDENTIALS, ["a@b.example"]) is None
    assert len(client.asked) == 1
    clock.seconds += 1
    asking.ask(CREDENTIALS, ["a@b.example"])
    assert len(client.asked) == 2


def test_credentials_that_changed(clock: Clock, client: Client) -> None:
    """The new key may perhaps ask, and is asked with at once."""
    client.code = "AccessDeniedException"
    asking = Lookup()
    asking.ask(CREDENTIALS, ["a@b.example"])
    asking.ask(replace(CREDENTIALS), ["a@b.example"])
    assert len(client.asked) == 2


@pytest.mark.parametrize(
    "credentials",
    [
        replace(CREDENTIALS, suppression="off"),
        replace(CREDENTIALS, events_queue_url=""),
        replace(CREDENTIALS, transport="capture"),
    ],
)
def test_where_nobody_asks(clock: Clock, client: Client, credentials: Credentials) -> None:
    """Without events, for a Maildir, or if it was turned off."""
    assert Lookup().ask(credentials, ["a@b.example"]) is None
    assert client.asked == []


def test_no_more_than_so_many_are_remembered(
    clock: Clock, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is forgotten."""
    monkeypatch.setattr(lookup, "_MOST", 2)
    asking = Lookup()
    for address in ("a@b.example", "b@b.example", "c@b.example", "b@b.example", "a@b.example"):
        asking.ask(CREDENTIALS, [address])
        clock.seconds += 1.0
    assert client.asked == ["a@b.example", "b@b.example", "c@b.example", "a@b.example"]
