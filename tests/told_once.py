"""The daemon killed at every step of an event's way, and an account of what senders were told.

Before each kill some messages are put into the queue as sent, and SES tells that they bounced. The
kill points are system calls, as in ``crashes``; the stand-in's clock then brings back what was
received and not deleted. In the end each sender has one DSN: from SES's side, and in the queue.
"""

from __future__ import annotations

import hashlib
import random
import re
import time
import uuid
from collections import Counter

from sesmail.drop import layout
from sesmail.queue.store import Finished, NewEntry, NewPath, State, Store
from tests import aftermath
from tests.crashes import EVENTS, Point
from tests.fakes.ses import KEY_ID
from tests.fakes.state import Accepted
from tests.spool import AUTHOR, IDENTITY, Spool, message

MESSAGES = 8  # before each kill
RECIPIENT = "bob@example.org"
POINTS = {
    "before SQS is asked": Point("sendto", 1, 1),
    "SQS has answered, and nobody has read it": Point("recvfrom", 1, 3),
    "read, before the main thread knows": Point("write", 1, 2, EVENTS),
    "known, before the commit": Point("read", 1, 4, EVENTS),
    "amid a commit": Point("pwrite64", 1, 40),
    "before the flush of a commit": Point("fdatasync", 1, 4),
    "after a commit, before a line of the log": Point("write", 2, 12, "LOG"),
    "after a commit, before the deletion": Point("sendto", 2, 5),
    "SQS has deleted, and nobody has read that": Point("recvfrom", 4, 10),
}
_NAMED = re.compile(rb"name the queue id\s+([0-9A-F]{28})")


class ToldOnce:
    """A spool whose daemon is killed; ``kills`` counts them by point."""

    def __init__(self, spool: Spool, hits: int) -> None:
        self.kills: Counter[str] = Counter()
        self.missed = 0  # daemons that did not come to their point
        self._spool = spool
        self._hits = hits
        self._log = spool.directory.parent / "daemon.log"
        self._dice = random.Random(hits)
        self._bounced: list[str] = []  # queue ids
        aftermath.connect(spool)

    def run(self) -> None:
        """Kill until each point was hit often enough; then let everything be told."""
        while wanted := [name for name in POINTS if self.kills[name] < self._hits]:
            self._bounce(MESSAGES)
            self._kill(self._dice.choice(wanted))
            self._spool.ses.state.queues.advance(60)
        self._spool.start()
        aftermath.finish(self._spool)
        assert self._spool.stop() == 0

    def check(self) -> list[str]:
        """Compare what was told with what was to be told; return the lines of the account."""
        mails = Counter(
            named[1].decode()
            for one in self._spool.ses.state.messages
            if (named := _NAMED.search(one.raw))
        )
        assert mails == Counter(self._bounced)
        events = aftermath.rows(
            self._spool,
            "SELECT e.queue_id FROM event v JOIN path p ON p.id = v.path"
            " JOIN entry e ON e.id = p.entry WHERE v.kind = 'bounce'",
        )
        assert sorted(name for (name,) in events) == sorted(self._bounced)
        lines = [f"{kills:5} kills {name}" for name, kills in sorted(self.kills.items())]
        return [
            *lines,
            f"{self.missed:5} runs of the daemon did not come to their point",
            f"{len(self._bounced):5} bounces, each told once",
        ]

    def _bounce(self, number: int) -> None:
        """Let messages be sent, and SES tell that they bounced."""
        store = Store(str(self._spool.queue_directory))
        sent = [_send(store) for _ in range(number)]
        store.close()
        for accepted in sent:
            self._spool.ses.events.publish("send", accepted)
            self._spool.ses.events.publish("bounce", accepted)
            self._bounced.append(accepted.tags["sesmail-id"])

    def _kill(self, name: str) -> None:
        """Run the daemon until it dies at this point."""
        environ = {"SESMAIL_CONFIG": str(self._spool.configuration)}
        if POINTS[name].kill(self._dice, self._spool.command, environ, self._log):
            self.kills[name] += 1
        else:
            self.missed += 1


def _send(store: Store) -> Accepted:
    """Put a message into the queue as sent; its sender is a user of its own."""
    now = int(time.time() * 1000)
    queue_id = layout.new_queue_id()
    uid = int(queue_id[-6:], 16)  # each may have 100 DSNs an hour
    reverse_path = f"{queue_id.lower()}@example.com"
    text = message(AUTHOR, RECIPIENT)
    digest = hashlib.sha256(text).digest()
    paths = [NewPath(RECIPIENT, now)]
    entry = NewEntry(queue_id, IDENTITY, AUTHOR, reverse_path, uid, now, digest, text, paths)
    message_id = f"0100{now:012x}-{uuid.uuid4()}-000000"
    with store.transaction():
        store.add([entry])
        job = store.claim(IDENTITY, uid, now)
        assert job is not None
        status = ("2.0.0", f"SES {message_id}", "email.us-east-1.amazonaws.com", message_id)
        store.finish(job, [Finished(job.paths[0].id, State.DELIVERED, now, *status)], now)
    return Accepted(
        interface="v2",
        source=AUTHOR,
        destinations=[RECIPIENT],
        raw=text.replace(b"\n", b"\r\n"),
        tags={"sesmail-id": queue_id},
        configuration_set=None,
        message_id=message_id,
        delivered=text,
        key_id=KEY_ID,
    )
