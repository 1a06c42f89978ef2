"""``sesmailctl queue list``: an entry a line, under it its recipients and why they wait.

It may be a million entries: they are written as they come.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from sesmail.control import ask
from sesmail.control.verb import Context

_HEADING = f"{'ID':28}  {'STATE':8}{'ARRIVED':16}  {'SIZE':>9}  SENDER"
_AT_ONCE = 500  # documents read from JSON


def run(context: Context, arguments: argparse.Namespace) -> None:
    """List the entries that are asked for."""
    wanted = {key: getattr(arguments, key) for key in ("identity", "recipient", "state")}
    request = {"request": "queue"} | {key: value for key, value in wanted.items() if value}
    lines = ask.lines(context.settings, request)
    context.terminal.write(lines if context.terminal.is_json else _table(lines))


def _table(lines: Iterator[str]) -> Iterator[str]:
    messages = size = 0
    for entry in _documents(lines):
        if not messages:
            yield _HEADING
        messages += 1
        size += entry["size"]
        yield _line(entry)
        yield from _recipients(entry["paths"])
    s = "" if messages == 1 else "s"
    yield f"-- {size} bytes in {messages} message{s}" if messages else "nothing waits"


def _documents(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    while some := list(islice(lines, _AT_ONCE)):
        yield from json.loads(f"[{','.join(some)}]")


def _line(entry: dict[str, Any]) -> str:
    sender = entry["author"] if entry["reverse_path"] is None else entry["reverse_path"] or "<>"
    arrived = _minute(entry["arrived"] // 60)
    return f"{entry['queue_id']}  {entry['state']:8}{arrived}  {entry['size']:>9}  {sender}"


def _recipients(paths: Iterable[dict[str, Any]]) -> Iterator[str]:
    for path in paths:
        reason = path["reason"]
        yield f"    {path['address']}  ({reason})" if reason else f"    {path['address']}"


@lru_cache(maxsize=64)
def _minute(minute: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(minute * 60))
