"""``sesmailctl log``: the life of messages, from the drop to what SES told last."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from sesmail.control import ask, moments, users, verb
from sesmail.control.verb import Context, Verbs
from sesmail.drop import layout
from sesmail.sysexits import UsageError

_DEFAULT = "24h"  # where neither a message nor an address is named


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verb.add(verbs, "log", "tell what became of messages", _run)
    parser.add_argument("what", metavar="ID|ADDRESS", nargs="?", help="one message; or whose")
    parser.add_argument("--since", metavar="WHEN", help="such as 2h, or 2026-11-24")


def _run(context: Context, arguments: argparse.Namespace) -> None:
    request = _request(arguments.what, arguments.since)
    if context.terminal.is_json:
        context.terminal.write(ask.lines(context.settings, request))
        return
    nothing = _nothing(request, is_running=ask.is_running(context.settings))
    context.terminal.write(_story(ask.ask(context.settings, request), nothing))


def _request(what: str | None, since: str | None) -> dict[str, object]:
    if what and layout.is_queue_id(what):
        return {"request": "log", "id": what}
    if what and "@" not in what:
        raise UsageError(f"{what[:100]!a} is neither a queue id nor an address")
    request: dict[str, object] = {"request": "log"}
    if what:
        request["address"] = what
    if since or not what:
        request["since"] = int(moments.since(since or _DEFAULT, time.time()) * 1000)
    return request


def _nothing(request: dict[str, object], *, is_running: bool) -> str:
    """Return what is said where there are no steps."""
    since = request.get("since")
    if isinstance(since, int) and "address" not in request:
        text = f"nothing since {moments.shown(since / 1000)}"
    else:
        text = "nothing is known of it"
    if is_running:
        return text
    return f"{text}; sesmaild, which takes what lies in the drop, does not run: start it"


def _story(steps: Iterator[dict[str, Any]], nothing: str) -> Iterator[str]:
    """Yield a line for each step, and one with the queue id before those of a message."""
    last = ""
    for step in steps:
        if step["queue_id"] != last:
            if last:
                yield ""
            last = step["queue_id"]
            yield last
        name = _NAMES.get(step["step"], step["step"])
        yield f"{moments.shown(step['at'])}  {name:9} {_told(step)}".rstrip()
    if not last:
        yield nothing


_NAMES = {"dsn": "notified", "waiting": "next try"}


def _told(step: dict[str, Any]) -> str:
    """Return what a line says of a step."""
    match step["step"]:
        case "dropped":
            uid = step["uid"]
            sender = step["reverse_path"]
            path = "" if sender is None else f", reverse-path <{sender}>"
            return (
                f"by uid {uid} ({users.name(uid)}), author {step['author']}{path}, "
                f"{step['size']} bytes, identity {step['identity']}"
            )
        case "removed":
            return ""
        case "event":
            told = f"{step['kind']} {step['status']} {step['text']}"
            return f"{step['address']}: {' '.join(told.split())}"
        case "dsn":
            return f"the sender by {step['text']}"
    words = [step.get("status", ""), step["text"]]
    relay, remote_id = step.get("relay"), step.get("remote_id")
    if relay:
        words.append(f"({relay}, {remote_id})" if remote_id else f"({relay})")
    text = " ".join(word for word in words if word)
    return f"{step['address']}: {text}" if text else step["address"]
