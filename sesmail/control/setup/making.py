"""The identity at SES and its MAIL FROM domain: what is there stays, what is missing is made."""

from __future__ import annotations

import argparse

from sesmail.control import identity_name
from sesmail.control.aws import Aws
from sesmail.control.setup import at_ses, flags
from sesmail.control.setup.at_ses import Answer
from sesmail.control.terminal import OK
from sesmail.control.verb import Context
from sesmail.sysexits import UsageError

_MAIL_FROM = "bounce"  # the subdomain that is proposed


class Making:
    """How the identity ``name`` comes to be. Raises UsageError for a ``--mail-from`` of no use."""

    def __init__(self, context: Context, arguments: argparse.Namespace, name: str) -> None:
        self._terminal = context.terminal
        self._name = name
        self._domain = identity_name.domain(name)
        self.is_domain = name == self._domain
        self.has_made = False  # anything at SES
        self.found: Answer | None = None  # what SES said last, also if it then answered no more
        self._wanted = ""  # a MAIL FROM domain, NONE, or "" for what is proposed
        if arguments.mail_from:
            if not self.is_domain:
                raise UsageError("--mail-from is for a domain; an address has that of its domain")
            self._wanted = self._checked(arguments.mail_from)

    def find_or_make(self, client: Aws) -> Answer:
        """Return what SES knows of the identity in the end. Raises AwsError."""
        found = at_ses.find(client, self._name)
        if found is None and not self.is_domain:
            found = self._verified_domain(client)
        if found is not None:
            self._terminal.mark(OK, f"{self._name} is known to SES")
        else:
            at_ses.create(client, self._name)
            self.has_made = True
            found = at_ses.find(client, self._name) or {}
            self._terminal.mark(OK, f"{self._name} is known to SES from now on")
            if not self.is_domain:
                self._terminal.say(f"SES sends a mail to {self._name}: follow the link in it.")
        self.found = found
        if self.is_domain:
            self.found = self._with_dkim(client, found)
            self.found = self._with_mail_from(client, self.found)
        return self.found

    def mail_from(self, found: Answer | None) -> str:
        """Return the MAIL FROM domain, "" without; where SES was not asked, the one to enter."""
        if found is not None:
            return at_ses.mail_from(found)[0]
        if not self.is_domain or self._wanted == flags.NONE:
            return ""
        return self._wanted or f"{_MAIL_FROM}.{self._name}"

    def _verified_domain(self, client: Aws) -> Answer | None:
        """Return the domain of an address if that is verified: then the address needs nothing."""
        found = at_ses.find(client, self._domain)
        if found is None or not at_ses.is_verified(found):
            return None
        self._terminal.say(f"{self._domain} is verified, and {self._name} with it.")
        return found

    def _with_dkim(self, client: Aws, found: Answer) -> Answer:
        """See to it that there are DKIM keys: domains verified long ago may have none."""
        if at_ses.has_dkim(found):
            return found
        at_ses.renew_dkim(client, self._name)
        self.has_made = True
        self._terminal.mark(OK, f"{self._name} has DKIM keys from now on")
        return at_ses.find(client, self._name) or found

    def _with_mail_from(self, client: Aws, found: Answer) -> Answer:
        there, state = at_ses.mail_from(found)
        wanted = self._wanted or there or self._proposed(found)
        new = "" if wanted == flags.NONE else wanted
        if new == there and state != at_ses.FAILED:  # then SES looks again only if told anew
            return found
        at_ses.set_mail_from(client, self._name, new)
        self.has_made = True
        text = f"{new} is its MAIL FROM domain" if new else "its MAIL FROM domain is SES's own"
        self._terminal.mark(OK, text)
        return at_ses.find(client, self._name) or found

    def _proposed(self, found: Answer) -> str:
        """Return what somebody chooses, the usual name where nobody is there.

        A domain that is verified without one has it so because somebody wanted that.
        """
        if at_ses.is_verified(found):
            return flags.NONE
        default = f"{_MAIL_FROM}.{self._name}"
        if not self._terminal.has_person:
            return default
        question = "Custom MAIL FROM domain, for SPF and DMARC (none: without)"
        while True:
            answer = self._terminal.ask(question, "--mail-from", default)
            try:
                return self._checked(answer)
            except UsageError as error:
                self._terminal.say(str(error))

    def _checked(self, text: str) -> str:
        if text == flags.NONE:
            return text
        wanted = identity_name.read(text)
        if not wanted.endswith(f".{self._name}"):
            raise UsageError(f"--mail-from: a subdomain of {self._name}, or none, is needed")
        return wanted
