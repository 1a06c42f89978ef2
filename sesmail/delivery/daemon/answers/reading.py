"""The requests that only read the queue: queue, show, content."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from sesmail.delivery.daemon.answers.frame import Answer, Client, Desk, Part, Request
from sesmail.queue import search
from sesmail.sysexits import UsageError


def queue(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``identity``, ``recipient``, ``state``: what waits, or failed; see ``queue.search``."""
    state = request.text("state") or None
    if state not in (None, *search.STATES):
        raise UsageError(f"a state is one of {', '.join(search.STATES)}")
    wanted = search.Wanted(
        request.text("identity") or None, request.text("recipient") or None, state, client.only
    )
    with closing(desk.read()) as connection:
        yield from search.pages(connection, wanted)


ANSWERS: dict[str, Answer] = {"queue": queue}
