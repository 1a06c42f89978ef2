"""The credentials file of the identity: made, changed with a yes, or left as it stands; and tried.

A file that is there is never overwritten unasked, and its other keys stay in any case. Keys that
are refused reach no file.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from sesmail.control import aws
from sesmail.control import credentials_writer as writer
from sesmail.control.setup import stored, trial
from sesmail.control.setup.trial import Refused, Trial
from sesmail.control.verb import Context
from sesmail.delivery import credentials, credentials_file
from sesmail.delivery.credential_rules import CAPTURE, PAIR
from sesmail.delivery.credentials import Credentials
from sesmail.sysexits import CannotCreate, ConfigurationError, DataError, Failure


@dataclass(frozen=True, slots=True)
class Settled:
    """The credentials that count from now on, what their trial showed, whether they are new."""

    credentials: Credentials
    trial: Trial
    is_new: bool


def settle(context: Context, arguments: argparse.Namespace, identity: str) -> Settled:
    """Make the file or go on with the one that is there.

    Raises Refused where the keys do not work; UsageError, CannotCreate, NotPermitted and whatever
    is wrong with a file that is there.
    """
    if not writer.exists(context.settings, identity):
        writer.check_access(context.settings)
        return _Attempts(context, arguments, identity).write(replace=False)
    try:
        current = credentials.load(context.settings.credentials_directory, identity)
        if current.transport == CAPTURE:
            raise DataError(f"{current.path}: mail is captured in {current.directory}, not sent")
        changes = _changes(context, arguments, identity)
    except ConfigurationError as error:
        if not _allow(context, arguments, f"{error}. Write it anew?", error):
            raise
        return _Attempts(context, arguments, identity).write(replace=True)
    if changes and _may_change(context, arguments, identity, changes):
        return _Attempts(context, arguments, identity).change(changes)
    return Settled(current, trial.run(current), is_new=False)


class _Attempts:
    """Tries to write until the keys work, as long as there is somebody to type others."""

    def __init__(self, context: Context, arguments: argparse.Namespace, identity: str) -> None:
        self._context = context
        self._arguments = arguments
        self._identity = identity
        self._tried: list[Settled] = []

    def write(self, *, replace: bool) -> Settled:
        """Write the whole file."""
        while True:
            chosen = stored.gather(self._context, self._arguments)
            try:
                writer.write(
                    self._context.settings,
                    self._identity,
                    chosen.keys,
                    replace=replace,
                    trial=self._try,
                )
            except Refused as error:
                if not chosen.was_typed:
                    raise
                self._context.terminal.say(f"These do not work: {error}")
            else:
                return self._tried[-1]

    def change(self, changes: dict[str, str | None]) -> Settled:
        """Change keys of the file."""
        writer.set_keys(self._context.settings, self._identity, changes, trial=self._try)
        return self._tried[-1]

    def _try(self, found: Credentials) -> None:
        with self._context.terminal.progress("Trying the credentials"):
            self._tried.append(Settled(found, trial.run(found), is_new=True))


def _changes(
    context: Context, arguments: argparse.Namespace, identity: str
) -> dict[str, str | None]:
    """Return what the command line says otherwise than the file; None for keys that must go."""
    there = credentials_file.read(writer.path(context.settings, identity))
    wanted: dict[str, str | None] = {}
    if stored.is_given(arguments):
        wanted.update(dict.fromkeys(PAIR))
        if not arguments.role:
            arguments.key_id = arguments.key_id or there.get(PAIR[0])
            wanted.update(stored.gather_pair(context, arguments).keys)
    if arguments.region:
        wanted["region"] = arguments.region
    if arguments.endpoint_url:
        wanted["endpoint_url"] = aws.checked(
            "endpoint_url", arguments.endpoint_url, "--endpoint-url"
        )
    wanted.update(stored.others(arguments))
    return {key: value for key, value in wanted.items() if there.get(key) != (value or "")}


def _may_change(
    context: Context,
    arguments: argparse.Namespace,
    identity: str,
    changes: dict[str, str | None],
) -> bool:
    path = writer.path(context.settings, identity)
    names = ", ".join(changes)
    question = f"{path} is there with another value of {names}. Change it?"
    refusal = CannotCreate(f"{path} is there with another value of {names}; use --replace")
    return _allow(context, arguments, question, refusal)


def _allow(
    context: Context, arguments: argparse.Namespace, question: str, refusal: Failure
) -> bool:
    """Tell whether there is ``--replace`` or a yes; raise ``refusal`` where nobody is there."""
    if arguments.replace:
        return True
    if not context.terminal.has_person:
        raise refusal
    return context.terminal.confirm(question, "--replace", default=False)
