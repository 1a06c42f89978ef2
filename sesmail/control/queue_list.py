"""``sesmailctl queue list``: an entry a line, under it its recipients and why they wait.

It may be a million entries: they are written as they come.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from sesmail.control import ask
from sesmail.control.verb import Context

_HEADING = f"{'ID':28}  {'ARRIVED':16}  {'SIZE':>9}  SENDER\n  STATE     RECIPIENT"


def run(context: Context, arguments: argparse.Namespace) -> None:
    """List the entries that are asked for."""
    wanted = {key: getattr(arguments, key) for key in ("identity", "recipient", "state")}
    request = {"request": "queue", "arrays": not context.terminal.is_json}
    request |= {key: value for key, value in wanted.items() if value}
    batches = ask.batches(context.settings, request)
    if context.terminal.is_json:
        context.terminal.write("\n".join(batch) for batch in batches if batch)
    else:
        context.terminal.write(_table(chain.from_iterable(batches)))


def _table(lines: Iterator[str]) -> Iterator[str]:
    """Yield text for each page; a forward-path has what ``queue.search.SHOWN`` names."""
    messages = size = 0
    last = ""
    for line in lines:
        text = [] if messages else [_HEADING]
        for row in json.loads(line):
            queue_id, arrived, bytes_, author, path, address, state, reason = row
            if queue_id != last:
                last = queue_id
                messages += 1
                size += bytes_
                sender = author if path is None else path or "<>"
                text.append(f"{queue_id}  {_minute(arrived // 60)}  {bytes_:>9}  {sender}")
            why = f"  ({reason})" if reason else ""
            text.append(f"  {state:8}  {address}{why}")
        yield "\n".join(text)
    s = "" if messages == 1 else "s"
    yield f"-- {size} bytes in {messages} message{s}" if messages else "nothing waits"


@lru_cache(maxsize=64)
def _minute(minute: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(minute * 60))
