"""Helpers for tests of what comes after SES took a message.

url = connect(spool)             # the stand-in's events, and a credentials file that names them
...
rows(spool, "event")
"""

from __future__ import annotations

import sqlite3
import time
from email.message import EmailMessage

from sesmail.submission import daemon
from tests.desk import parsed
from tests.fakes.queue import Queue
from tests.fakes.ses import SECRET
from tests.spool import Spool

QUEUE = "sesmail-events"
SENDER = "sue@example.com"
BOUNCES = "bounce@simulator.amazonses.com"
COMPLAINS = "complaint@simulator.amazonses.com"
_SOON = 60_000  # milliseconds; an attempt in doubt waits for longer


def connect(spool: Spool, *lines: str, way: str = "api", raw: bool = True) -> Queue:
    """Lead the events into a queue that the credentials file names; return the queue."""
    url = spool.ses.events.connect(raw=raw)
    line = f"events_queue_url = {url}"
    if way == "api":
        spool.use_api(line, *lines)
    else:  # an SMTP password would not open the queue
        path = spool.use_smtp(line, *lines)
        text = path.read_text().replace(spool.ses.smtp_password(), SECRET)
        spool.identity(path.name, text)
    return queue_of(spool)


def queue_of(spool: Spool) -> Queue:
    """Return the stand-in's queue of events."""
    queue = spool.ses.state.queues.find(QUEUE)
    assert queue is not None
    return queue


def wait_until_read(queue: Queue) -> None:
    """Wait until everything that came so far is deleted."""
    queue.wait_until(lambda queue: queue.counts["sent"] > 0 and not len(queue))


def is_quiet(spool: Spool) -> bool:
    """Tell whether nothing is dropped, active, or due soon, and every event is read.

    What is left then waits in doubt. Time passes for SQS alone: what a killed daemon received comes
    again.
    """
    if spool.dropped():
        return False
    soon = int(time.time() * 1000) + _SOON
    query = f"SELECT count(*) FROM path WHERE state = 1 OR state = 0 AND due < {soon}"
    if rows(spool, query) != [(0,)]:
        return False
    spool.ses.state.queues.advance(1)
    queue = spool.ses.state.queues.find(QUEUE)
    return queue is None or len(queue) == 0


def finish(spool: Spool, seconds: float = 300.0) -> None:
    """Let all that is due or told come to its end; then make due what is in doubt, too."""
    spool.wait(lambda: is_quiet(spool), "end of what is due", seconds)
    list(daemon.ask(str(spool.directory), "flush", "done"))
    spool.wait_until_empty(seconds)
    spool.wait(lambda: is_quiet(spool), "end of what is told", seconds)


def rows(spool: Spool, query: str) -> list[tuple]:  # type: ignore[type-arg]
    """Ask the queue's database."""
    connection = sqlite3.connect(spool.queue_directory / "queue.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def told(spool: Spool) -> list[tuple[str, str]]:
    """Return address and kind of each event that is written down."""
    return rows(
        spool,
        "SELECT p.address, v.kind FROM event v JOIN path p ON p.id = v.path ORDER BY 1, 2",
    )


def dsns(spool: Spool) -> list[EmailMessage]:
    """Return the DSNs that SES took."""
    accepted = spool.ses.state.messages
    mails = [parsed(one.raw) for one in accepted if one.source.startswith("MAILER-DAEMON@")]
    return [mail for mail in mails if mail.get_content_type() == "multipart/report"]
