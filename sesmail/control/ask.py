"""Asking for what is in the queue: the daemon or, where none runs, ourselves (``alone``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sesmail.delivery.daemon.answers.wire import DENIED, END, ERROR
from sesmail.drop.put import READER, Wake
from sesmail.settings import Settings
from sesmail.submission import daemon
from sesmail.sysexits import DataError, NotPermitted


def ask(settings: Settings, request: dict[str, object]) -> Iterator[dict[str, Any]]:
    """Yield the documents of an answer; ``request`` has the field ``request``, and its own.

    Raises NotPermitted, DataError where it cannot be done, Unavailable where nobody answers. Where
    no daemon runs root becomes the user of the settings, for good.
    """
    for line in lines(settings, request):
        yield json.loads(line)


def lines(settings: Settings, request: dict[str, object]) -> Iterator[str]:
    """Yield the same as they came, each in a line of ASCII, without its end."""
    for batch in batches(settings, request):
        yield from batch


def batches(settings: Settings, request: dict[str, object]) -> Iterator[list[str]]:
    """Yield the same lines, as many at once as have come."""
    for batch in _answer(settings, request):
        if batch and batch[-1].startswith(END):
            last = batch.pop()
            yield batch
            _end(json.loads(last))
            return
        yield batch
    raise daemon.broken_off()


def is_running(settings: Settings) -> bool:
    """Tell whether a daemon runs."""
    wake = Wake(settings.spool_directory)
    try:
        return wake.state == READER
    finally:
        wake.close()


def _answer(settings: Settings, request: dict[str, object]) -> Iterator[list[str]]:
    text = json.dumps(request, separators=(",", ":"))
    if is_running(settings):
        return daemon.batches(settings.spool_directory, text)
    # Half of the daemon, which whoever can ask one need not wait for.
    from sesmail.control import alone

    return alone.answer(settings, str(request["request"]), text)


def _end(document: dict[str, str]) -> None:
    if document["end"] == DENIED:
        raise NotPermitted(document["text"])
    if document["end"] == ERROR:
        raise DataError(document["text"])
