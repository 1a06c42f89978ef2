"""The thread that reads a queue of events, with a queue that is no more than a list."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from sesmail.delivery.credentials import Credentials
from sesmail.delivery.events import poller, sqs
from sesmail.delivery.events.inbox import Batch, Inbox, News
from sesmail.delivery.events.poller import MOST_IN_HAND, Poller
from sesmail.delivery.events.sqs import Message

PATIENCE = 10.0
CREDENTIALS = Credentials(
    "/x", "example.com", "api", "us-east-1", events_queue_url="https://sqs.eu-west-1.x/1/q"
)


class Queue:
    """As many messages as are asked for; ``troubles`` are raised first."""

    def __init__(self, *troubles: Exception) -> None:
        self.changed = threading.Condition()
        self.troubles = list(troubles)
        self.waits: list[int] = []
        self.deleted: list[str] = []
        self.left: list[tuple[str, int]] = []
        self.is_closed = False

    def receive(self, wait: int) -> list[Message]:
        """Return ten."""
        with self.changed:
            if self.troubles:
                raise self.troubles.pop(0)
            self.waits.append(wait)
            self.changed.notify_all()
            first = 10 * len(self.waits)
            return [Message("{}", str(first + n), 1) for n in range(10)]

    def delete(self, receipts: list[str]) -> None:
        """Remember them."""
        assert len(receipts) <= 10
        with self.changed:
            self.deleted += receipts
            self.changed.notify_all()

    def leave(self, receipts: list[tuple[str, int]]) -> None:
        """Remember them, and fail."""
        self.left += receipts
        raise RuntimeError

    def close(self) -> None:
        """Remember it."""
        self.is_closed = True

    def wait(self, number: int, what: str) -> None:
        """Wait until there were so many calls, or deletions."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(getattr(self, what)) >= number, PATIENCE)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Begin to read a queue; return the poller and its inbox."""
    pollers: list[Poller] = []

    def begin(queue: Queue) -> tuple[Poller, Inbox]:
        monkeypatch.setattr(sqs, "Queue", lambda _: queue)
        monkeypatch.setattr(poller, "_FIRST_PAUSE", 0.0)
        inbox = Inbox()
        pollers.append(Poller(CREDENTIALS, inbox))
        pollers[-1].start()
        return pollers[-1], inbox

    yield begin
    for one in pollers:
        one.end()
        one._thread.join(PATIENCE)


def batches(inbox: Inbox) -> list[Batch]:
    """Return what came."""
    return [item for item in inbox.take() if isinstance(item, Batch)]


def test_only_so_much_in_hand(begun: Any) -> None:
    """Then it waits for the main thread; nothing is deleted that it has not given back."""
    queue = Queue()
    reader, inbox = begun(queue)
    queue.wait(MOST_IN_HAND // 10, "waits")
    assert queue.waits == [20] + [0] * (MOST_IN_HAND // 10 - 1)
    assert queue.deleted == []
    first = batches(inbox)[0]
    reader.settle(10, [one.receipt for one in first.received[:7]], [("7", 5)])
    queue.wait(7, "deleted")
    queue.wait(MOST_IN_HAND // 10 + 1, "waits")
    assert queue.left == [("7", 5)]
    reader.end()
    reader._thread.join(PATIENCE)
    assert queue.is_closed


def test_trouble(begun: Any) -> None:
    """It is told, and that it is over; what is to be deleted is deleted then."""
    queue = Queue(OSError(), EndpointConnectionError(endpoint_url="https://x"))
    _, inbox = begun(queue)
    queue.wait(1, "waits")
    news = [item.trouble for item in inbox.take() if isinstance(item, News)]
    assert news[0].startswith("OSError; ")
    assert news[1].startswith("EndpointConnectionError; ")


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", "run sesmailctl events setup"),
        ("AccessDenied", "sesmailctl events policy prints the rights"),
        ("InvalidClientTokenId", "correct the keys"),
        ("InternalError", "InternalError: words"),
    ],
)
def test_why(code: str, remedy: str) -> None:
    """What SQS says, and what to do."""
    error = ClientError({"Error": {"Code": code, "Message": "words"}}, "ReceiveMessage")
    assert remedy in sqs.why(error)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/1/q", "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/1/q", "us-gov-west-1"),
        ("https://eu-central-1.queue.amazonaws.com/1/q", "eu-central-1"),
        ("https://vpce-1-2.sqs.ap-south-1.vpce.amazonaws.com/1/q", "ap-south-1"),
        ("http://127.0.0.1:4566/1/q", "us-east-1"),
    ],
)
def test_the_region_of_a_queue(url: str, region: str) -> None:
    """As its host is named; else that of the credentials."""
    assert sqs.region_of(url, "us-east-1") == region
