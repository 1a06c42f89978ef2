"""What the credentials file will hold: from flags, and from questions for what they leave open."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field

from sesmail.control import aws, secret_input
from sesmail.control.setup import regions, shape
from sesmail.control.terminal import WARNING
from sesmail.control.verb import Context
from sesmail.delivery.credential_rules import PROFILE
from sesmail.delivery.credential_values import PARSERS
from sesmail.delivery.replies import clean
from sesmail.sysexits import UsageError

DEFAULT_REGION = "us-east-1"
_KEY_ID, _SECRET = "aws_access_key_id", "aws_secret_access_key"


@dataclass(slots=True)
class Stored:
    """The keys of the file in their order; ``was_typed``: somebody is there to type it again."""

    keys: dict[str, str] = field(repr=False)
    was_typed: bool = False


def gather(context: Context, arguments: argparse.Namespace) -> Stored:
    """Return what to store. Raises UsageError for a flag of the wrong shape, or one missing."""
    more = others(arguments)
    pair = Stored({})
    if not arguments.role and (arguments.key_id or PROFILE.isdisjoint(more)):
        pair = gather_pair(context, arguments)  # else the keys come from where the others say
    region = _value(
        context,
        arguments.region or more.pop("region", ""),
        "--region",
        shape.of_region,
        lambda: context.terminal.ask("AWS region", "--region", DEFAULT_REGION),
    )
    if doubt := regions.doubt(region):
        context.terminal.mark(WARNING, doubt)
    keys = {**pair.keys, "region": region}
    if arguments.endpoint_url:
        keys["endpoint_url"] = aws.checked("endpoint_url", arguments.endpoint_url, "--endpoint-url")
    return Stored(keys | more, pair.was_typed)


def gather_pair(context: Context, arguments: argparse.Namespace) -> Stored:
    """Return key id and secret; nothing if the answer is that there are none."""
    question = "Access key id, or SMTP user name (nothing: the role of this instance or container)"
    key_id = _value(
        context,
        arguments.key_id,
        "--key-id",
        lambda text: shape.of_key_id(text) if text else "",
        lambda: context.terminal.ask(question, "--key-id, or --role"),
    )
    if not key_id:
        return Stored({})
    key = ""
    if arguments.secret_file:
        key = secret_input.read(context, arguments.secret_file, "--secret-file")[0]
    question = "Secret access key, or SMTP password"
    chosen = _value(
        context,
        key,
        "--secret-file",
        shape.of_secret,
        lambda: context.terminal.ask_secret(question, "--secret-file"),
    )
    context.terminal.say(f"This is {shape.kind(chosen)}.")
    return Stored({_KEY_ID: key_id, _SECRET: chosen}, was_typed=not key)


def is_given(arguments: argparse.Namespace) -> bool:
    """Tell whether the command line has keys to store."""
    return bool(arguments.key_id or arguments.role or arguments.secret_file)


def _value(
    context: Context,
    given: str,
    flag: str,
    problem: Callable[[str], str],
    ask: Callable[[], str],
) -> str:
    """Return the value that was given, or ask until its shape is right."""
    if given:
        if wrong := problem(given):
            raise UsageError(f"{flag}: {wrong}")
        return given
    while True:
        value = ask()
        wrong = problem(value)
        if not wrong:
            return value
        context.terminal.say(f"{wrong[0].upper()}{wrong[1:]}.")


def others(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the keys of ``--set``; their values are checked when the file is read back."""
    keys = {}
    for pair in arguments.set:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not value:
            raise UsageError("--set: KEY=VALUE is needed")
        if key not in PARSERS and key not in PROFILE:
            raise UsageError(f"--set: {clean(key)[:40]!a} is no key that can be set here")
        keys[key] = value
    return keys
