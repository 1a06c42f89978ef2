"""The requests that only read the queue: queue, show, content, log."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from sesmail.delivery.daemon.answers.frame import Answer, Client, Desk, Part, Request
from sesmail.queue import history, search, states
from sesmail.sysexits import DataError, NotPermitted, UsageError

_COMPACT = (",", ":")
_PIECE = 256 << 10  # bytes of content in one step


def queue(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``identity``, ``recipient``, ``state``: what waits, or failed; see ``queue.search``.

    With ``arrays`` a document is an array of arrays, with what a table shows.
    """
    state = request.text("state") or None
    if state not in (None, *states.NAMES):
        raise UsageError(f"a state is one of {', '.join(states.NAMES)}")
    wanted = search.Wanted(
        request.text("identity") or None, request.text("recipient") or None, state, client.only
    )
    with closing(desk.read()) as connection:
        yield from search.pages(connection, wanted, as_arrays=request.flag("arrays"))


def show(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``id``: a document with the entry, then one for each forward-path; see ``queue.history``."""
    queue_id = request.queue_id()
    is_known = False
    with closing(desk.read()) as connection:
        for text in history.show(connection, queue_id, client.only):
            is_known = True
            yield text
    if not is_known:
        raise _unknown(desk, queue_id)


def content(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``id``, for root alone: the message, in documents ``{"data": BASE64}``."""
    if client.uid != 0:
        raise NotPermitted("only root may see the content of a message")
    queue_id = request.queue_id()
    with closing(desk.read()) as connection:
        entry = history.number_of(connection, queue_id, None)
        if entry is None:
            raise _unknown(desk, queue_id)
        start = 0
        while piece := _piece(connection, entry, start):
            yield {"data": base64.b64encode(piece).decode("ascii")}
            start += len(piece)
    if start == 0:
        raise DataError(f"the content of {queue_id} is not kept: it is sent, or was deleted")


def log(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``id``, or ``address`` and ``since`` (milliseconds): the steps of ``queue.history``."""
    with closing(desk.read()) as connection:
        if request.text("id"):
            queue_id = request.queue_id()
            entry = history.number_of(connection, queue_id, client.only)
            if entry is None:
                raise _unknown(desk, queue_id)
            yield _lines(connection, [entry])
            return
        address, since = request.text("address") or None, request.number("since")
        for entries in history.find(connection, client.only, address, since):
            yield _lines(connection, entries) if entries else ""


def _lines(connection: sqlite3.Connection, entries: list[int]) -> str:
    return "".join(
        f"{json.dumps(step, separators=_COMPACT)}\n" for step in history.steps(connection, entries)
    )


def _piece(connection: sqlite3.Connection, entry: int, start: int) -> bytes:
    """Return some bytes of a message, b"" at its end or where it is gone."""
    try:
        with connection.blobopen("content", "message", entry, readonly=True) as blob:
            blob.seek(start)
            return blob.read(_PIECE)
    except sqlite3.OperationalError:
        return b""


def _unknown(desk: Desk, queue_id: str) -> DataError:
    """Return what is raised where there is no such entry, or none that the client may see."""
    text = f"no message {queue_id} is in the queue or its history"
    if desk.daemon is None:
        text += "; sesmaild, which takes what lies in the drop, does not run: start it"
    return DataError(text)


ANSWERS: dict[str, Answer] = {"queue": queue, "show": show, "content": content, "log": log}
