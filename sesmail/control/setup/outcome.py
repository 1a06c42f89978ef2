"""What a run of ``setup`` knows in the end: the document of ``--json``, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sesmail.control import records
from sesmail.control.aws import AwsError
from sesmail.control.setup import at_ses, standing
from sesmail.control.setup.at_ses import Answer
from sesmail.control.setup.file import Settled
from sesmail.control.setup.published import Published
from sesmail.control.verb import Context
from sesmail.sysexits import EX_OK, EX_UNAVAILABLE, Failure

# The parts of a run once the credentials are settled, in their order.
PARTS = ("identity", "records", "verification", "account", "test")
IDENTITY, RECORDS, VERIFICATION, ACCOUNT, TEST = PARTS


@dataclass(slots=True)
class Outcome:
    """One identity.

    ``found``: what SES says of it, None where it could not be asked; ``account``: the answer to
    GetAccount; ``production``: what became of a request; ``test``: the documents of the test mail,
    and ``test_code`` its exit code; ``has_admin``: an administrator sets up, not what is stored;
    ``unknown``: what could not be found out, and why; ``steps``: what is to be done by hand;
    ``at``: the part of the run that goes on; ``failure``: what cut it off there, if anything did.
    """

    identity: str
    settled: Settled
    found: Answer | None = None
    published: Published | None = None
    account: dict[str, Any] | None = None
    production: str = ""
    has_admin: bool = False
    test: list[object] = field(default_factory=list)
    test_code: int | None = None
    unknown: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    at: str = IDENTITY
    failure: Failure | None = None

    def note(self, context: Context, text: str) -> None:
        """Say and keep what could not be found out or done, and why."""
        self.unknown.append(text)
        context.terminal.say(text)

    def note_denied(self, context: Context, error: AwsError) -> None:
        """Say and keep what a key may not; of one that is to send, that is as it should be."""
        short = f"The key that is stored may not ask SES for {error.operation}."
        self.note(context, str(error) if self.has_admin else short)

    @property
    def is_verified(self) -> bool | None:
        """Tell whether SES has verified all of it; None where that is not known."""
        return None if self.found is None else at_ses.is_settled(self.found)

    @property
    def may_send(self) -> bool | None:
        """Tell whether SES takes mail of it, which does not need the MAIL FROM domain."""
        return None if self.found is None else at_ses.is_verified(self.found)

    def exit_code(self) -> int:
        """Return 0 if it works, or nobody can tell; 69 if the same command is to be run again."""
        if self.failure is not None:
            return self.failure.exit_code
        if self.is_verified is False or not self.settled.trial.is_sure:
            return EX_UNAVAILABLE
        return self.test_code or EX_OK

    def as_dict(self) -> dict[str, Any]:
        """Return the whole as a document."""
        found = self.found or {}
        mail_from, mail_from_status = at_ses.mail_from(found)
        credentials = self.settled.credentials
        listed = self.published.all() if self.published else []
        return {
            "identity": self.identity,
            "credentials": {
                "path": credentials.path,
                "written": self.settled.is_new,
                "transport": credentials.transport,
                "region": credentials.region,
                "caller": self.settled.trial.caller,
                "work": self.settled.trial.is_sure,
            },
            "verified": self.is_verified,
            "status": at_ses.status(found) if self.found is not None else "",
            "dkim": at_ses.dkim_status(found),
            "mail_from": {"domain": mail_from, "status": mail_from_status},
            "records": self.published.as_list() if self.published else [],
            "zone": records.zone_file(listed),
            "account": standing.summary(self.account) if self.account else None,
            "production_request": self.production,
            "test": self.test,
            "test_exit": self.test_code,
            "unknown": self.unknown,
            "steps": self.steps,
            "failure": str(self.failure) if self.failure else "",
            "open": list(PARTS[PARTS.index(self.at) :]) if self.failure else [],
            "exit": self.exit_code(),
        }
