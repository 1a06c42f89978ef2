"""``sesmailctl status``: how each identity is doing, once, again and again, or for Prometheus."""

from __future__ import annotations

import argparse
import textwrap
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sesmail.control import ask, health, metrics, verb
from sesmail.control.moments import span
from sesmail.control.terminal import visible
from sesmail.control.verb import Context, Verbs
from sesmail.control.wording import counted
from sesmail.settings import Settings
from sesmail.sysexits import Failure, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 80  # columns, of what is not drawn on a terminal
# Each name with the columns that it takes, the gap before it included.
_COLUMNS = {
    "WAITING": 8,
    "HELD": 7,
    "ACTIVE": 7,
    "FAILED": 7,
    "SENT": 8,
    "QUOTA": 13,
    "RATE": 7,
    "OLDEST": 7,
}
_INDENT = "  "
_UNITS = (("G", 1e9), ("M", 1e6), ("k", 1e3))


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verb.add(verbs, "status", "tell how each identity is doing", _run)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--watch", action="store_true", help="draw it again and again")
    form.add_argument("--metrics", action="store_true", help="in the text form of Prometheus")


def _run(context: Context, arguments: argparse.Namespace) -> None:
    if context.terminal.is_json and (arguments.watch or arguments.metrics):
        raise UsageError("--json goes neither with --watch nor with --metrics")
    if arguments.watch:
        context.terminal.watch(lambda: _drawn(context))
        return
    *identities, last = ask.ask(context.settings, {"request": "status"})
    total = last["total"]
    if context.terminal.is_json:
        for document in (*identities, last):
            context.terminal.result(document)
    elif arguments.metrics:
        context.terminal.write(metrics.lines(identities, total, time.time()))
    else:
        context.terminal.write(lines(identities, total, time.time(), WIDTH))


def lines(
    identities: Sequence[dict[str, Any]], total: dict[str, Any], now: float, width: int
) -> Iterator[str]:
    """Yield the table, and under each identity what is the matter with it, in lines of ``width``.

    For the documents see the daemon's ``answers.status``.
    """
    room = width - sum(_COLUMNS.values())
    if identities:
        yield _row("IDENTITY", _COLUMNS, room)
    for one in identities:
        name = visible(one["identity"])
        if len(name) > room:
            yield from textwrap.wrap(name, width)
            name = ""
        yield _row(name, _cells(one, now), room)
        for text in _troubles(one, now):
            yield from textwrap.wrap(
                visible(text), width, initial_indent=_INDENT, subsequent_indent=2 * _INDENT
            )
    if identities:
        yield ""
    yield from textwrap.wrap(_whole(total), width)


def _drawn(context: Context) -> RenderableType:
    from rich.text import Text

    width = context.terminal.console.width
    return Text("\n".join(_frame(context.settings, width)), no_wrap=True, overflow="crop")


def _frame(settings: Settings, width: int) -> Iterator[str]:
    """Yield the lines of a picture; also where the daemon is just being started again."""
    try:
        *identities, last = ask.ask(settings, {"request": "status"})
    except Failure as failure:
        yield from textwrap.wrap(visible(failure), width)
    else:
        yield from lines(identities, last["total"], time.time(), width)
    yield ""
    yield f"{time.strftime('%H:%M:%S')}  Ctrl-C ends this"


def _row(name: str, cells: Sequence[str] | dict[str, int], room: int) -> str:
    widths = _COLUMNS.values()
    numbers = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{name:{room}}{numbers}"


def _cells(one: dict[str, Any], now: float) -> list[str]:
    quota, sent = one["quota"], one["sent_24_hours"]
    return [
        *(_short(one[key]) for key in ("waiting", "held", "active", "failed", "sent")),
        "-" if quota is None else f"{_short(sent)}/{'any' if quota < 0 else _short(quota)}",
        "-" if one["rate"] is None else f"{one['rate']:.3g}",
        "-" if one["oldest"] is None else span(now - one["oldest"]),
    ]


def _short(number: float) -> str:
    """Return a number in at most five characters: 99999, 123k, 1.5M."""
    if number < 100_000:
        return f"{number:.0f}"
    unit, size = next(pair for pair in _UNITS if number >= pair[1])
    return f"{number / size:.3g}{unit}" if number < 999.5 * size else f"{number / size:.0f}{unit}"


def _troubles(one: dict[str, Any], now: float) -> Iterator[str]:
    """Yield what the administrator should know of an identity."""
    hold = one["hold"]
    if hold is not None:
        whom = f" {hold['key']}" if hold["key"] else ""
        more = f" (and {one['holds'] - 1} more)" if one["holds"] > 1 else ""
        yield f"held for {span(now - hold['since'])}{whom}: {hold['reason']}{more}"
    if one["production"] is False:
        yield "SES keeps the account in its sandbox: only verified recipients get mail"
    yield from health.warnings(one)


def _whole(total: dict[str, Any]) -> str:
    wait = counted(total["messages"], "message waits", "messages wait")
    drops = "" if total["drops"] is None else f", {total['drops']} in the drop"
    daemon = (
        f"has run for {span(total['uptime'])}" if total["running"] else "does not run: start it"
    )
    return f"{wait} ({total['bytes']} bytes){drops}; sesmaild {daemon}"
