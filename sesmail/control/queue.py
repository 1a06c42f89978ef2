"""``sesmailctl queue``: what waits to be sent."""

from __future__ import annotations

import argparse

from sesmail.control import ask, salvage, verb
from sesmail.control.verb import Context, Verbs


def add(verbs: Verbs) -> None:
    """Add the verbs that follow ``queue``."""
    queue = verb.group(verbs, "queue", "what waits to be sent")
    text = "try again what failed, or was held for ambiguity"
    parser = verb.add(queue, "requeue", text, _requeue)
    parser.add_argument("queue_id", metavar="ID", help="the queue id in the mail log")
    parser = verb.add(queue, "salvage", "bring back what a damaged queue.db still holds", _salvage)
    parser.add_argument("file", metavar="FILE", help="the database that was moved aside")


def _requeue(context: Context, arguments: argparse.Namespace) -> None:
    for answer in ask.ask(context.settings, {"request": "requeue", "id": arguments.queue_id}):
        context.terminal.result(answer)
        context.terminal.say(f"{answer['paths']} to be tried again")


def _salvage(context: Context, arguments: argparse.Namespace) -> None:
    for line in salvage.run(context.settings, arguments.file):
        context.terminal.say(line)
