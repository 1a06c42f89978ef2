"""``sesmailctl suppression``: to whom no mail goes, because it bounced or drew a complaint.

There are two lists: ours, in the queue, by identity; and that of the account in SES, by region. An
address that is taken off one alone would soon be on it again, or its mail dropped by the other.
"""

from __future__ import annotations

import argparse
from typing import Any

from sesmail import identity
from sesmail.control import admin_flags, ask, identity_name, moments, verb
from sesmail.control.verb import Context, Verbs
from sesmail.sysexits import UsageError

_COLUMNS = ("WHERE", "ADDRESS", "REASON", "SINCE", "WHY")


def add(verbs: Verbs) -> None:
    """Add the verbs that follow ``suppression``."""
    suppression = verb.group(verbs, "suppression", "to whom no mail goes")
    parser = verb.add(suppression, "list", "list who bounced for good, or complained", _list)
    parser.add_argument("--ses", action="store_true", help="also the list of the account in SES")
    _add_common(parser)
    parser = verb.add(suppression, "remove", "let mail go to an address again", _remove)
    parser.add_argument("address", metavar="ADDRESS", help="whom")
    parser.add_argument("--here-only", action="store_true", help="leave the list in SES alone")
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--identity", metavar="NAME", default="", help="of this identity alone")
    admin_flags.add(parser)


def _list(context: Context, arguments: argparse.Namespace) -> None:
    at_ses: list[dict[str, Any]] = []
    if arguments.ses:  # first: where no daemon runs, asking for ours takes away our rights
        from sesmail.control import suppression_in_ses  # botocore, for those who need it

        at_ses = list(suppression_in_ses.listed(context, arguments))
    request: dict[str, object] = {"request": "suppression", "identity": _name(arguments)}
    found = [*ask.ask(context.settings, request), *at_ses]
    for one in found:
        context.terminal.result(one)
    if context.terminal.is_json:
        return
    if found:
        context.terminal.table(_COLUMNS, [_row(one) for one in found])
    else:
        context.terminal.say("nobody is suppressed")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    since = moments.shown(one["since"])
    return (one["where"], one["address"], one["reason"], since, one["text"])


def _remove(context: Context, arguments: argparse.Namespace) -> int:
    address = _address(arguments.address)
    exit_code = 0
    if not arguments.here_only:
        # First: sesmaild would look there, and find the address before it is gone.
        from sesmail.control import suppression_in_ses

        exit_code = suppression_in_ses.remove(context, arguments, address)
    request: dict[str, object] = {
        "request": "unsuppress",
        "address": address,
        "identity": _name(arguments),
    }
    (answer,) = ask.ask(context.settings, request)
    context.terminal.result({"where": "here", **answer})
    count = answer["identities"]
    context.terminal.say(
        f"here: removed, of {count} identit{'y' if count == 1 else 'ies'}"
        if count
        else "here: was not on the list"
    )
    return exit_code


def _name(arguments: argparse.Namespace) -> str:
    return identity_name.read(arguments.identity) if arguments.identity else ""


def _address(text: str) -> str:
    """Return an address as it is in the lists. Raises UsageError."""
    local_part, _, domain = text.strip().rpartition("@")
    address = f"{local_part}@{identity.a_labels(domain)}"
    if not local_part or not domain or not address.isascii() or " " in address:
        raise UsageError(f"{text[:100]!a} is no address")
    return address
