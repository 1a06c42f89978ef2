"""The account is looked at, and asked to leave the sandbox if somebody wants that."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sesmail.control.aws import Aws, AwsError
from sesmail.control.setup import flags, standing
from sesmail.control.setup.outcome import Outcome
from sesmail.control.verb import Context
from sesmail.sysexits import UsageError

REQUESTED, PENDING, GRANTED = "requested", "pending", "granted"
_SAID = {
    REQUESTED: "Production access is requested: AWS answers within a day, by mail.",
    PENDING: "AWS has a request for production access already, and reviews it.",
    GRANTED: "The account has production access already.",
}
_UNDER_REVIEW = "ConflictException"
_LONGEST = 5000  # characters of a use case
_MOST_CONTACTS = 4


def settle(
    context: Context, arguments: argparse.Namespace, client: Aws | None, outcome: Outcome
) -> None:
    """Say how the account stands and, only if asked, request production access.

    Raises UsageError, and AwsError but for what the keys may not.
    """
    outcome.account = outcome.settled.trial.account
    if client is None:
        if arguments.request_production:
            outcome.note(context, "Production access is not requested: it needs --admin-...")
        return
    if outcome.account is None:
        outcome.account = _allowed(context, outcome, lambda: _ask(client))
    if arguments.request_production:
        request = partial(_request, context, arguments, client, outcome.account)
        outcome.production = _allowed(context, outcome, request) or ""
    if outcome.production:
        context.terminal.say(_SAID[outcome.production])
        outcome.account = _allowed(context, outcome, lambda: _ask(client))
    for line in standing.lines(outcome.account) if outcome.account else ():
        context.terminal.say(line)


def _ask(client: Aws) -> dict[str, Any]:
    return client.call("sesv2", "get_account")


def _allowed(context: Context, outcome: Outcome, call: Callable[[], Any]) -> Any:
    """Return the answer; None, with a line about it, where the keys may not ask."""
    try:
        return call()
    except AwsError as error:
        if not error.is_denied:
            raise
        outcome.note_denied(context, error)
        return None


def _request(
    context: Context,
    arguments: argparse.Namespace,
    client: Aws,
    account: Mapping[str, Any] | None,
) -> str:
    """Ask AWS for production access; return REQUESTED, PENDING or GRANTED.

    Asks for what the command line leaves open. Raises UsageError, AwsError.
    """
    if account is not None and account.get("ProductionAccessEnabled"):
        return GRANTED
    terminal = context.terminal
    kind = arguments.mail_type or _mail_type(context)
    website = arguments.website or terminal.ask("Website", "--website")
    use_case = arguments.use_case or terminal.ask(
        "What is sent, to whom, and how it stops when somebody wants none", "--use-case"
    )
    contacts = arguments.contact or [terminal.ask("Address that AWS may write to", "--contact")]
    if not 0 < len(use_case) <= _LONGEST:
        raise UsageError(f"--use-case: a text of at most {_LONGEST} characters is needed")
    if not website or not all("@" in contact for contact in contacts):
        raise UsageError("--website and --contact: a URL and an address are needed")
    if len(contacts) > _MOST_CONTACTS:
        raise UsageError(f"--contact: AWS takes {_MOST_CONTACTS} of them")
    try:
        client.call(
            "sesv2",
            "put_account_details",
            MailType=kind.upper(),
            WebsiteURL=website,
            ContactLanguage="EN",
            UseCaseDescription=use_case,
            AdditionalContactEmailAddresses=contacts,
            ProductionAccessEnabled=True,
        )
    except AwsError as error:
        if error.code == _UNDER_REVIEW:
            return PENDING
        raise
    return REQUESTED


def _mail_type(context: Context) -> str:
    question = f"What is sent: {flags.TRANSACTIONAL} or {flags.MARKETING} mail"
    answer = context.terminal.ask(question, "--mail-type", flags.TRANSACTIONAL)
    return flags.MARKETING if answer.lower().startswith("m") else flags.TRANSACTIONAL
