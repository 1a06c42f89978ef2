"""``sesmailctl report``: what became of the mail of some days, as text, JSON, or a page."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from sesmail.control import identity_name, verb
from sesmail.control.report.figures import Figures
from sesmail.control.verb import Context, Verbs
from sesmail.submission import caller
from sesmail.sysexits import UsageError

_DAYS = 7
_MOST_DAYS = 366
_DAY = 86400


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verb.add(verbs, "report", "what was sent, and what became of it, by day", _run)
    parser.add_argument(
        "--days", metavar="N", type=int, default=_DAYS, help=f"today and those before it [{_DAYS}]"
    )
    parser.add_argument("--identity", metavar="NAME", help="only what it sent")
    parser.add_argument("--html", metavar="FILE", help="write a page with charts to this file")


def _run(context: Context, arguments: argparse.Namespace) -> None:
    if not 0 < arguments.days <= _MOST_DAYS:
        raise UsageError(f"--days: a number from 1 to {_MOST_DAYS} is needed")
    only = identity_name.read(arguments.identity) if arguments.identity else ""
    figures = Figures(arguments.days)
    for piece in _ask(context, figures.since, is_apart=bool(arguments.html)):
        figures.take(piece, only)
    notes = _notes(context, figures)
    for document in _documents(figures):
        context.terminal.result(document)
    if arguments.html:
        from sesmail.control.report import file, page

        made = time.strftime("%Y-%m-%d %H:%M %Z")
        host = caller.origin(context.settings)
        file.write(arguments.html, page.page(figures, host, made, notes))
        context.terminal.say(f"wrote {arguments.html}")
    elif not context.terminal.is_json:
        from sesmail.control.report import text

        text.show(context.terminal, figures, notes)


def _ask(context: Context, since: int, *, is_apart: bool) -> Iterator[dict[str, Any]]:
    request: dict[str, object] = {"request": "report", "since": since}
    if is_apart:  # or our right to write the file could be gone by then
        from sesmail.control.apart import ask_apart

        return ask_apart(context.settings, request)
    from sesmail.control import ask

    return ask.ask(context.settings, request)


def _notes(context: Context, figures: Figures) -> list[str]:
    """Return where the report is not whole."""
    notes = []
    kept = context.settings.history // _DAY
    if len(figures.days) > kept:
        notes.append(
            f"What is done is kept for {kept} days (the setting history): there is nothing of the "
            "days before, or not all."
        )
    total = figures.everything().total()
    if total.counts["sent"] and not any(
        total.counts[kind] for kind in ("delivered", "bounced", "complained")
    ):
        notes.append(
            "SES told nothing of deliveries, bounces and complaints; sesmailctl events setup "
            "DOMAIN has it tell them."
        )
    return notes


def _documents(figures: Figures) -> Iterator[dict[str, Any]]:
    """Yield the figures of each identity: its days, then their sum."""
    for name, identity in sorted(figures.identities.items()):
        for day, one in identity.days.items():
            yield {"identity": name, "day": str(day), **one.document()}
        domains = [{"domain": domain, "bounced": count} for domain, count in identity.top_domains()]
        yield {
            "identity": name,
            "days": len(figures.days),
            **identity.total().document(),
            "bouncing": domains,
        }
