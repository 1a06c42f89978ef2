"""``sesmailctl queue``: what waits to be sent, and what is to become of it."""

from __future__ import annotations

import argparse
from typing import Any

from sesmail.control import ask, queue_list, queue_show, verb
from sesmail.control.queue_id import queue_id
from sesmail.control.verb import Context, Run, Verbs
from sesmail.queue import states


def add(verbs: Verbs) -> None:
    """Add the verbs that follow ``queue``."""
    queue = verb.group(verbs, "queue", "what waits to be sent")
    parser = verb.add(queue, "list", "list what waits, or failed", queue_list.run)
    parser.add_argument("--identity", metavar="NAME", help="only what it sends")
    parser.add_argument("--recipient", metavar="ADDRESS", help="only what goes to it")
    parser.add_argument("--state", choices=states.NAMES, help="only what is in this state")
    parser = _of_entry(queue, "show", "show envelope, recipients and attempts", queue_show.run)
    parser.add_argument("--content", action="store_true", help="write the message itself (root)")
    parser = verb.add(queue, "retry", "try now what waits", _retry)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("queue_id", metavar="ID", nargs="?", help="the queue id")
    chosen.add_argument("--all", action="store_true", help="whatever waits")
    _of_entry(queue, "hold", "let a message wait until it is released", _hold)
    _of_entry(queue, "release", "release what was held, also for ambiguity", _release)
    parser = _of_entry(queue, "delete", "give a message up; nobody is told", _delete)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    _of_entry(queue, "requeue", "try again what failed, or was held for ambiguity", _requeue)
    parser = verb.add(queue, "salvage", "bring back what a damaged queue.db still holds", _salvage)
    parser.add_argument("file", metavar="FILE", help="the database that was moved aside")


def _of_entry(verbs: Verbs, name: str, text: str, run: Run) -> argparse.ArgumentParser:
    parser = verb.add(verbs, name, text, run)
    parser.add_argument("queue_id", metavar="ID", help="the queue id in the mail log")
    return parser


def _retry(context: Context, arguments: argparse.Namespace) -> None:
    if arguments.all:
        _change(context, "retry", "due now", all=True)
    else:
        _change(context, "retry", "due now", id=queue_id(arguments.queue_id))


def _hold(context: Context, arguments: argparse.Namespace) -> None:
    _change(context, "hold", "held", id=queue_id(arguments.queue_id))


def _release(context: Context, arguments: argparse.Namespace) -> None:
    _change(context, "release", "to be tried again", id=queue_id(arguments.queue_id))


def _requeue(context: Context, arguments: argparse.Namespace) -> None:
    _change(context, "requeue", "to be tried again", id=queue_id(arguments.queue_id))


def _delete(context: Context, arguments: argparse.Namespace) -> None:
    wanted = queue_id(arguments.queue_id)
    question = f"delete {wanted}, and tell nobody"
    if not arguments.yes and not context.terminal.confirm(question, "--yes", default=False):
        context.terminal.say("nothing is deleted")
        return
    _change(context, "delete", "deleted", id=wanted)


def _change(context: Context, request: str, done: str, **fields: Any) -> None:
    for answer in ask.ask(context.settings, {"request": request, **fields}):
        context.terminal.result(answer)
        context.terminal.say(f"{answer['paths']} {done}")


def _salvage(context: Context, arguments: argparse.Namespace) -> None:
    from sesmail.control import salvage  # with it comes SQLite, which the others need not wait for

    for line in salvage.run(context.settings, arguments.file):
        context.terminal.say(line)
