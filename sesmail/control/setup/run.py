"""The steps of ``sesmailctl setup``, each of which finds what is there before it makes anything."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from os.path import isdir

from sesmail.control import admin_flags, aws, init, users
from sesmail.control.aws import Aws, AwsError
from sesmail.control.dns import Dns
from sesmail.control.setup import account, console, file, verification
from sesmail.control.setup.at_ses import Answer
from sesmail.control.setup.making import Making
from sesmail.control.setup.outcome import ACCOUNT, RECORDS, TEST, VERIFICATION, Outcome
from sesmail.control.setup.published import Published
from sesmail.control.setup.silent import Silent
from sesmail.control.terminal import OK, WARNING
from sesmail.control.verb import Context
from sesmail.sysexits import EX_UNAVAILABLE, Failure, UsageError

_ROOT = ":root"  # the end of the ARN of an account's own keys
_OF_ROOT = (
    "these are keys of the AWS account itself, which may do everything in it: "
    "make an IAM user that only sends"
)
SIMULATOR = "success@simulator.amazonses.com"


class Run:
    """One run for one identity. Raises UsageError for ``--nameserver`` and ``--mail-from``."""

    def __init__(self, context: Context, arguments: argparse.Namespace, name: str) -> None:
        self._context = context
        self._terminal = context.terminal
        self._arguments = arguments
        self._name = name
        self._dns = Dns(arguments.nameserver)
        self._making = Making(context, arguments, name)

    def run(self) -> int:
        """Do it all; return the exit code. Raises what ends it early."""
        self._prepare()
        settled = file.settle(self._context, self._arguments, self._name)
        outcome = Outcome(self._name, settled, unknown=list(settled.trial.unknown))
        self._say_credentials(outcome)
        self._arguments.region = settled.credentials.region  # an identity is of one region
        try:
            self._set_up(outcome)
        except Failure as failure:
            self._cut_off(outcome, failure)
            raise
        return self._end(outcome)

    def _set_up(self, outcome: Outcome) -> None:
        """Do what comes after the credentials; raise what cuts it off."""
        client = self._client(outcome)
        try:
            if client is not None:
                client = self._find_or_make(client, outcome)
            outcome.at = RECORDS
            self._say_what_to_enter(outcome)
            outcome.at = VERIFICATION
            if client is not None and outcome.found is not None:
                verification.settle(
                    self._context, self._arguments, client, outcome, outcome.found, self._look
                )
            outcome.at = ACCOUNT
            account.settle(self._context, self._arguments, client, outcome)
        finally:
            if client is not None:
                client.close()
        outcome.at = TEST
        self._test(outcome)

    def _prepare(self) -> None:
        """Do what ``sesmailctl init`` does if nobody has: one command is to be enough."""
        settings = self._context.settings
        places = (settings.credentials_directory, settings.spool_directory)
        if os.geteuid() == 0 and not (users.exists(settings.user) and all(map(isdir, places))):
            for line in init.init(settings):
                self._terminal.say(line)

    def _say_credentials(self, outcome: Outcome) -> None:
        settled, terminal = outcome.settled, self._terminal
        what = "written" if settled.is_new else "there already"
        level = OK if settled.trial.is_sure else WARNING
        caller = f", of {settled.trial.caller}" if settled.trial.caller else ""
        works = f"they work{caller}" if settled.trial.is_sure else "they could not be tried"
        terminal.mark(level, f"{settled.credentials.path} is {what}; {works}")
        if settled.trial.caller.endswith(_ROOT):
            terminal.mark(WARNING, _OF_ROOT)
        for warning in settled.credentials.warnings:
            terminal.mark(WARNING, warning)
        for line in settled.trial.unknown:
            terminal.say(line)

    # Who sets up.

    def _client(self, outcome: Outcome) -> Aws | None:
        """Return who may perhaps set up: the administrator, or the keys that are stored."""
        credentials = outcome.settled.credentials
        if not (admin_flags.are_given(self._arguments) or aws.can_ask(credentials)):
            return self._asked_admin(outcome)
        client = aws.admin(self._context, self._arguments, credentials.region, stored=credentials)
        outcome.has_admin = admin_flags.are_given(self._arguments)
        if outcome.has_admin:
            check_account(client, outcome.settled.trial.caller)
        return client

    def _asked_admin(self, outcome: Outcome) -> Aws | None:
        """Return the administrator whose key somebody types; None if nobody does."""
        question = (
            "Access key id of an administrator, used now and not stored (nothing: go on without)"
        )
        while self._terminal.has_person:
            key_id = self._terminal.ask(question, "--admin-key-id")
            if not key_id:
                break
            try:
                client = self._admin(key_id, outcome)
            except Failure as error:  # also keys that AWS refuses: they can be typed again
                self._terminal.say(str(error))
            else:
                outcome.has_admin = True
                return client
        return None

    def _admin(self, key_id: str, outcome: Outcome) -> Aws:
        credentials = outcome.settled.credentials
        client = aws.by_key(
            self._context, key_id, None, credentials.region, credentials.endpoint_url
        )
        check_account(client, outcome.settled.trial.caller)
        return client

    def _find_or_make(self, client: Aws, outcome: Outcome) -> Aws:
        """Find or make the identity; return whoever could, or tried last."""
        try:
            outcome.found = self._making.find_or_make(client)
            if self._making.has_made and not outcome.has_admin:
                command = f"sesmailctl policy {self._name}"
                self._terminal.say(f"What is stored may do more than send; enough is: {command}")
        except AwsError as error:
            if not error.is_denied:
                raise
            outcome.note_denied(self._context, error)
            other = None if outcome.has_admin else self._asked_admin(outcome)
            if other is None:
                return client
            client.close()
            outcome.found = self._making.find_or_make(other)
            return other
        return client

    # What is to be entered by hand.

    def _look(self, found: Answer | None) -> Published:
        published = Published(self._name, self._dns)
        region = str(self._arguments.region)
        published.decide(found, region, self._making.mail_from(found))
        return published

    def _say_what_to_enter(self, outcome: Outcome) -> None:
        """Show what belongs into the DNS, and what into the console where SES may not be asked."""
        if self._making.is_domain:
            outcome.published = self._look(outcome.found)
            outcome.published.show(self._terminal)
            if self._arguments.zone:
                outcome.published.write_zone(self._arguments.zone)
        if outcome.found is not None:
            return
        records = outcome.published.all() if outcome.published else ()
        outcome.steps = console.steps(
            self._name, self._arguments.region, self._making.mail_from(None), records
        )
        self._terminal.say()
        self._terminal.say("These keys cannot set up SES. In the console:")
        for number, step in enumerate(outcome.steps, 1):
            self._terminal.say(f"{number:2}. {step}")

    # The end.

    def _test(self, outcome: Outcome) -> None:
        """Send a mail the whole way, unless it is known that SES would refuse it."""
        if self._arguments.no_test or outcome.may_send is False:
            return
        from sesmail.control import testmail

        context = self._context
        if self._terminal.is_json:
            silent = Silent()
            context = Context(context.settings, silent, context.environ)
            outcome.test = silent.documents
        to = self._arguments.test_to or SIMULATOR
        outcome.test_code = testmail.send_and_follow(context, self._name, to)

    def _cut_off(self, outcome: Outcome, failure: Failure) -> None:
        """Say what is done and what is open; the failure itself is told where it ends."""
        outcome.failure = failure
        outcome.found = outcome.found or self._making.found
        if failure.exit_code == EX_UNAVAILABLE:
            self._terminal.say()
            self._say_how_to_go_on()
        self._terminal.result(outcome.as_dict())

    def _say_how_to_go_on(self) -> None:
        command = shlex.join(["sesmailctl", *sys.argv[1:]])  # no secret is ever in it
        self._terminal.say(f"Not done yet. To go on, run the same command again: {command}")

    def _end(self, outcome: Outcome) -> int:
        code = outcome.exit_code()
        self._terminal.say()
        if code == 0:
            self._terminal.say(f"{self._name} is set up.")
            if outcome.found is not None and not outcome.settled.credentials.events_queue_url:
                command = f"sesmailctl events setup {self._name}"
                self._terminal.say(f"To be told of bounces and complaints: {command}")
        elif outcome.is_verified is False:
            self._say_how_to_go_on()
        else:
            self._terminal.say(f"{self._name} is not seen to work yet; sesmailctl check may help.")
        self._terminal.result(outcome.as_dict())
        return code


def check_account(client: Aws, caller: str) -> None:
    """Raise UsageError if the administrator's account is not that of ``caller``, an ARN or "".

    Then SES would learn of the identity in one account, and be asked to send it by another.
    """
    stored = caller.split(":")[4] if caller else ""
    try:
        own = client.account_id()
    except AwsError as error:
        if error.is_about_keys:
            raise
        return  # STS may be out of reach where SES is not
    if stored not in ("", own):
        raise UsageError(
            f"the administrator is of the AWS account {own}, the keys that are stored are of "
            f"{stored}: both must be of one"
        )
