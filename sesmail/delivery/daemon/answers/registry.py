"""Which requests there are, and how their answers go over the wire.

A request is a line: a word of mailq's (``mailq``), or a JSON object (``wire``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from typing import Any

from sesmail.delivery.daemon.answers import aftermath, changing, mailq, reading, status
from sesmail.delivery.daemon.answers.frame import Answer, Client, Desk, Part, Request
from sesmail.delivery.daemon.answers.wire import DENIED, ERROR, OK
from sesmail.queue import schema
from sesmail.sysexits import Failure, NotPermitted, UsageError

ANSWERS: dict[str, Answer] = {
    **reading.ANSWERS,
    **status.ANSWERS,
    **aftermath.READING,
    **changing.ANSWERS,
    **aftermath.CHANGING,
}
# What needs the lock where no daemon runs.
CHANGING = frozenset({*changing.ANSWERS, *aftermath.CHANGING})
_TEXT = {b"list": mailq.list_queue, b"flush": mailq.flush}


def respond(desk: Desk, line: bytes, client: Client) -> Generator[str, None, None] | None:
    """Return the answer to a line, in pieces, perhaps empty ones; None: it is no request."""
    if line.startswith(b"{"):
        return answer(desk, line, client)
    text = _TEXT.get(line)
    return text(desk, client) if text else None


def answer(desk: Desk, line: bytes, client: Client) -> Generator[str, None, None]:
    """Yield the answer to a request in JSON."""
    try:
        request = Request.parse(line)
        function = ANSWERS.get(request.name)
        if function is None:
            raise UsageError("sesmaild does not know this request; is it older than sesmailctl?")
        for part in function(desk, request, client):
            yield _encoded(part)
    except NotPermitted as failure:
        yield _line({"end": DENIED, "text": str(failure)})
    except Failure as failure:
        yield _line({"end": ERROR, "text": str(failure)})
    except sqlite3.Error as error:
        yield _line({"end": ERROR, "text": str(schema.translate(error))})
    else:
        yield _line({"end": OK})


def _encoded(part: Part) -> str:
    if not isinstance(part, str):
        return _line(part)
    if part.isascii():
        return part
    return "".join(_line(json.loads(line)) for line in part.split("\n") if line)


def _line(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"
