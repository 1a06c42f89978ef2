"""Messages that SES took already, of which events may come, and the events of them."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from sesmail.queue.store import Finished, State, Store
from tests.fakes.ses import KEY_ID, SesServer
from tests.fakes.state import Accepted
from tests.scale import queues

RECIPIENT = "bob@example.org"
RELAY = "email.us-east-1.amazonaws.com"


def fill(directory: Path, messages: int) -> list[Accepted]:
    """Let a spool's queue remember so many messages as sent; return them as SES knows them."""
    now = int(time.time() * 1000)
    store = Store(str(directory))
    sent: list[Accepted] = []
    for start in range(0, messages, queues.BATCH):
        number = min(queues.BATCH, messages - start)
        queues.enqueue(store, queues.entries(number, now))
        with store.transaction():
            sent += [_send(store, now) for _ in range(number)]
    store.close()
    return sent


def _send(store: Store, now: int) -> Accepted:
    """Do with the next message in the queue what a delivery does."""
    job = store.claim(queues.IDENTITY, queues.UID, now)
    assert job is not None
    message_id = f"0100{now:012x}-{uuid.uuid4()}-000000"
    [path] = job.paths
    text = f"SES {message_id}"
    result = Finished(path.id, State.DELIVERED, now, "2.0.0", text, RELAY, message_id)
    assert store.finish(job, [result], now)
    return _accepted(message_id, job.queue_id, job.author)


def _accepted(message_id: str, queue_id: str, author: str) -> Accepted:
    raw = f"From: {author}\r\nTo: {RECIPIENT}\r\nSubject: {queue_id}\r\n\r\n".encode()
    return Accepted(
        interface="v2",
        source=author,
        destinations=[RECIPIENT],
        raw=raw,
        tags={"sesmail-id": queue_id},
        configuration_set=None,
        message_id=message_id,
        delivered=raw,
        key_id=KEY_ID,
    )


def tell(ses: SesServer, sent: list[Accepted]) -> None:
    """Let SES publish two events of each message: that it took it, and that it delivered it."""
    for accepted in sent:
        ses.events.publish("send", accepted)
        ses.events.publish("delivery", accepted)
