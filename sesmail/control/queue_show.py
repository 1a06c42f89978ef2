"""``sesmailctl queue show``: one message, its recipients, and what each attempt met."""

from __future__ import annotations

import argparse
import base64
import sys
import time
from collections.abc import Iterator
from typing import Any

from sesmail.control import ask, users
from sesmail.control.moments import shown
from sesmail.control.queue_id import queue_id
from sesmail.control.terminal import visible
from sesmail.control.verb import Context

_WIDTH = 14


def run(context: Context, arguments: argparse.Namespace) -> None:
    """Show the message, or write its content."""
    wanted = queue_id(arguments.queue_id)
    if arguments.content:
        _content(context, wanted)
        return
    entry, *paths = ask.ask(context.settings, {"request": "show", "id": wanted})
    entry["paths"] = paths
    if context.terminal.is_json:
        context.terminal.result(entry)
    else:
        context.terminal.write(_lines(entry))


def _content(context: Context, wanted: str) -> None:
    pieces = ask.ask(context.settings, {"request": "content", "id": wanted})
    if context.terminal.is_json:
        content = b"".join(base64.b64decode(piece["data"]) for piece in pieces)
        document = {"queue_id": wanted, "content": base64.b64encode(content).decode("ascii")}
        context.terminal.result(document)
        return
    is_terminal = sys.stdout.isatty()
    for piece in pieces:
        content = base64.b64decode(piece["data"])
        sys.stdout.buffer.write(_harmless(content) if is_terminal else content)
    sys.stdout.buffer.flush()


def _harmless(content: bytes) -> bytes:
    """Return content without what a terminal would obey; in a file it stays as it is."""
    lines = content.decode("utf-8", "replace").split("\n")
    return "\n".join(visible(line.rstrip("\r")) for line in lines).encode("utf-8", "replace")


def _lines(entry: dict[str, Any]) -> Iterator[str]:
    uid = entry["uid"]
    yield entry["queue_id"]
    yield _field("identity", entry["identity"])
    yield _field("author", entry["author"])
    if entry["reverse_path"] is not None:
        yield _field("reverse-path", f"<{entry['reverse_path']}>")
    yield _field("arrived", f"{shown(entry['arrived'])}, from uid {uid} ({users.name(uid)})")
    yield _field("size", f"{entry['size']} bytes")
    if entry["finished"] is not None:
        yield _field("done", shown(entry["finished"]))
    for notice in entry["dsns"]:
        yield _field("notified", f"the sender by {notice}")
    for hold in entry["holds"]:
        yield _field("held", f"since {shown(hold['since'])}: {hold['reason']}")
    for path in entry["paths"]:
        yield ""
        yield _field(path["state"], f"{path['address']}{_next(path)}")
        for reply in path["replies"]:
            yield _met(reply["ended"] or reply["started"], reply["status"], reply)
        for event in path["events"]:
            yield _met(event["at"], f"{event['kind']} {event['status']}".rstrip(), event)
        if not path["replies"] and path["text"]:
            yield f"    {path['status']} {path['text']}"


def _field(name: str, value: str) -> str:
    return f"{name:{_WIDTH}}{value}"


def _next(path: dict[str, Any]) -> str:
    if path["state"] == "waiting":
        return f", to be tried {'now' if path['due'] <= time.time() else shown(path['due'])}"
    return f", SES id {path['remote_id']}" if path["remote_id"] else ""


def _met(moment: float, what: str, told: dict[str, Any]) -> str:
    relay = f" ({told['relay']})" if told.get("relay") else ""
    return f"    {shown(moment)}  {what} {told['text']}{relay}"
