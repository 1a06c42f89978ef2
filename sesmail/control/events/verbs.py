"""What ``sesmailctl events`` does, and how it tells of it."""

from __future__ import annotations

import argparse
import json

from sesmail.control import aws, identity_name
from sesmail.control.events import names, policies
from sesmail.control.events import remove as removing
from sesmail.control.events import setup as making
from sesmail.control.events.names import Place
from sesmail.control.events.setup import Plan
from sesmail.control.events.steps import Caller, Step
from sesmail.control.verb import Context
from sesmail.delivery import credentials
from sesmail.delivery.credentials import Credentials
from sesmail.sysexits import ConfigurationError


def setup(context: Context, arguments: argparse.Namespace) -> None:
    """Set up the way of events, and tell what the sending key needs. Raises what AWS refuses."""
    caller, plan = _begin(context, arguments)
    if not aws.can_ask(plan.credentials):
        raise ConfigurationError(
            f"{plan.credentials.path} has an SES SMTP password, with which sesmaild cannot read a "
            "queue; put the IAM secret access key there (40 characters), then run this again"
        )
    for step in making.run(caller, plan, context.settings):
        _tell(context, step)
    stored = _load(context, plan.identity)
    context.terminal.result({"events_queue_url": stored.events_queue_url})
    _tell_of_key(context, stored)


def remove(context: Context, arguments: argparse.Namespace) -> None:
    """Take away what ``setup`` made. Raises what AWS refuses."""
    caller, plan = _begin(context, arguments)
    if not arguments.yes:
        count = removing.waiting(caller, plan)
        events = f" with {count} event{'' if count == 1 else 's'}" if count else ""
        question = (
            f"Remove the queue {plan.name}{events}, its topic and event destination, for all hosts "
            "that use them?"
        )
        if not context.terminal.confirm(question, "--yes", default=False):
            context.terminal.say("nothing was removed")
            return
    is_there = False
    for step in removing.run(caller, plan, context.settings):
        is_there = True
        _tell(context, step)
    if not is_there:
        context.terminal.say(f"nothing named {plan.name} is there")


def policy(context: Context, arguments: argparse.Namespace) -> None:
    """Print the policy of the daemon's key, or of the administrator."""
    identity = identity_name.read(arguments.identity)
    stored = _load(context, identity)
    name = names.name(arguments.name, identity)
    account = _account(stored.events_queue_url)
    place = Place(names.partition(stored.region), stored.region, account)
    if arguments.admin:
        chosen = stored.configuration_set or name
        document = policies.administrator(place, name, identity, chosen)
    else:
        document = policies.daemon(place.queue(_queue_name(stored.events_queue_url) or name))
    if context.terminal.is_json:
        context.terminal.result(document)
        return
    for line in json.dumps(document, indent=2).split("\n"):
        context.terminal.say(line)
    if account == _ANY:
        context.terminal.note("the account's number is not known here: put it in place of *")


_ANY = "*"


def _account(url: str) -> str:
    """Return the account's number, from https://sqs.REGION.amazonaws.com/ACCOUNT/NAME."""
    number = url.rpartition("/")[0].rpartition("/")[2]
    return number if number.isdigit() else _ANY


def _queue_name(url: str) -> str:
    return url.rpartition("/")[2]


def _begin(context: Context, arguments: argparse.Namespace) -> tuple[Caller, Plan]:
    identity = identity_name.read(arguments.identity)
    stored = _load(context, identity)
    name = names.name(arguments.name, identity)
    caller = Caller(aws.admin(context, arguments, stored.region, stored), identity)
    return caller, making.plan(caller, identity, name, stored)


def _load(context: Context, identity: str) -> Credentials:
    return credentials.load(context.settings.credentials_directory, identity)


def _tell(context: Context, step: Step) -> None:
    why = f" ({step.why})" if step.why else ""
    context.terminal.say(f"{step.did:8} {step.what}: {step.name}{why}")
    context.terminal.result(
        {"step": step.what, "name": step.name, "did": step.did, "why": step.why}
    )


def _tell_of_key(context: Context, stored: Credentials) -> None:
    """Try the queue as sesmaild will, and say what is missing."""
    terminal = context.terminal
    caller = aws.from_credentials(stored)
    request = {"QueueUrl": stored.events_queue_url, "WaitTimeSeconds": 0, "VisibilityTimeout": 0}
    try:
        caller.call("sqs", "receive_message", **request)
    except aws.AwsError as error:
        why = "it lacks the right" if error.is_denied else str(error)
        terminal.mark("warning", f"the stored key cannot receive from the queue: {why}")
        terminal.say(
            "It needs sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility; "
            f"sesmailctl events policy {stored.identity} prints the policy."
        )
    else:
        terminal.mark("ok", "the stored key can receive from the queue")
    finally:
        caller.close()
    terminal.say("sesmaild reads the queue within a minute; nothing has to be restarted.")
