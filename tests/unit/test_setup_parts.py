"""The parts of ``sesmailctl setup`` that need no AWS: statuses, steps, quotas, and leaving."""

from __future__ import annotations

import argparse
import signal
from typing import Any

import pytest

from sesmail.control import records
from sesmail.control.aws import Aws
from sesmail.control.setup import at_ses, console, regions, standing, verification
from sesmail.control.setup.file import Settled
from sesmail.control.setup.making import Making
from sesmail.control.setup.outcome import Outcome
from sesmail.control.setup.run import Run, check_account
from sesmail.control.setup.trial import Trial
from sesmail.control.terminal import Terminal
from sesmail.control.verb import Context
from sesmail.delivery.credentials import Credentials
from sesmail.settings import Settings
from sesmail.sysexits import UsageError


class Recorder(Aws):
    """An AWS of one identity that is as ``identity`` says, and keeps the calls."""

    def __init__(self, identity: dict[str, Any]) -> None:
        super().__init__(Credentials("", "", "api", "eu-west-1"))
        self.identity = identity
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """Keep the call; a request for DKIM keys makes some."""
        self.calls.append((operation, request))
        if operation == "get_caller_identity":
            return {"Account": "123456789012"}
        if operation == "put_email_identity_dkim_signing_attributes":
            self.identity["DkimAttributes"]["Tokens"] = ["a", "b", "c"]
        return self.identity


def made(identity: dict[str, Any]) -> list[str]:
    """Return what is called to find or make an identity."""
    arguments = argparse.Namespace(mail_from="none")
    client = Recorder(identity)
    Making(Context(Settings(), Terminal(is_json=True), {}), arguments, "example.com").find_or_make(
        client
    )
    return [operation for operation, _ in client.calls]


def test_a_domain_of_old_gets_dkim_keys() -> None:
    """One that was verified by a TXT record has none."""
    identity = {"VerifiedForSendingStatus": True, "DkimAttributes": {"Status": "NOT_STARTED"}}
    assert "put_email_identity_dkim_signing_attributes" in made(identity)


@pytest.mark.parametrize(
    "attributes",
    [{"Tokens": ["a"], "Status": "PENDING"}, {"SigningAttributesOrigin": "EXTERNAL"}],
)
def test_keys_that_are_there_stay(attributes: dict[str, Any]) -> None:
    """SES's, and those of the domain's owner."""
    identity = {"VerifiedForSendingStatus": True, "DkimAttributes": attributes}
    assert made(identity) == ["get_email_identity"]


@pytest.mark.parametrize(
    ("identity", "status"),
    [
        ({"VerifiedForSendingStatus": True, "VerificationStatus": "PENDING"}, "SUCCESS"),
        ({"VerificationStatus": "FAILED"}, "FAILED"),
        ({"VerificationStatus": "TEMPORARY_FAILURE"}, "TEMPORARY_FAILURE"),
        ({"DkimAttributes": {"Status": "FAILED"}}, "FAILED"),
        ({"VerificationStatus": "NOT_STARTED"}, "PENDING"),
        ({}, "PENDING"),
    ],
)
def test_statuses(identity: dict[str, Any], status: str) -> None:
    """Whether it may send comes first; old answers have the status of DKIM alone."""
    assert at_ses.status(identity) == status


@pytest.mark.parametrize(
    ("mail_from", "is_settled"),
    [
        ({}, True),
        ({"MailFromDomain": "b.example.com", "MailFromDomainStatus": "PENDING"}, False),
        ({"MailFromDomain": "b.example.com", "MailFromDomainStatus": "SUCCESS"}, True),
        ({"MailFromDomain": "b.example.com", "MailFromDomainStatus": "FAILED"}, True),
    ],
)
def test_what_is_waited_for(mail_from: dict[str, str], is_settled: bool) -> None:
    """The MAIL FROM domain too, until SES has an opinion of it."""
    identity = {"VerifiedForSendingStatus": True, "MailFromAttributes": mail_from}
    assert at_ses.is_settled(identity) is is_settled
    assert not at_ses.is_settled(identity | {"VerifiedForSendingStatus": False})


@pytest.mark.parametrize(
    ("error", "said"), [("TYPE_NOT_FOUND", "no CNAME there"), ("NEW_ERROR", "NEW_ERROR"), ("", "")]
)
def test_what_ses_met_last(error: str, said: str) -> None:
    """In words; what SES will say one day as it is."""
    found = at_ses.last_error({"VerificationInfo": {"ErrorType": error}})
    assert said in found
    assert bool(found) == bool(error)


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("eu-west-1", ""),
        ("us-gov-west-1", ""),
        ("eu-wst-1", "eu-west-1 is meant?"),
        ("mars-north-1", "mars-north-1"),
    ],
)
def test_regions(region: str, said: str) -> None:
    """A doubt, for botocore may be older than the region."""
    assert said in regions.doubt(region)
    assert bool(regions.doubt(region)) == bool(said)


@pytest.mark.parametrize(
    ("caller", "is_root"),
    [("arn:aws:iam::123456789012:root", True), ("arn:aws:iam::123456789012:user/root", False)],
)
def test_keys_of_the_account_itself(
    capsys: pytest.CaptureFixture[str], caller: str, is_root: bool
) -> None:
    """They work, and nobody should store them on a host."""
    credentials = Credentials("/c/example.com", "example.com", "api", "eu-west-1")
    settled = Settled(credentials, Trial("api", caller, is_sure=True), is_new=True)
    arguments = argparse.Namespace(mail_from="", nameserver="127.0.0.1")
    run = Run(Context(Settings(), Terminal(), {}), arguments, "example.com")
    run._say_credentials(Outcome("example.com", settled))
    assert ("make an IAM user" in capsys.readouterr().out) is is_root


def test_an_administrator_of_another_account() -> None:
    """SES would know the domain where nobody sends it; an SMTP password tells no account."""
    check_account(Recorder({}), "arn:aws:iam::123456789012:user/wiki")
    check_account(Recorder({}), "")
    with pytest.raises(UsageError, match="210987654321"):
        check_account(Recorder({}), "arn:aws:iam::210987654321:user/wiki")


def test_steps_have_the_exact_names_and_values() -> None:
    """In order: the identity, the records, production."""
    needed = records.wanted("example.com", {}, "eu-west-1", "bounce.example.com")
    steps = console.steps("example.com", "eu-west-1", "bounce.example.com", needed)
    text = "\n".join(steps)
    assert "https://eu-west-1.console.aws.amazon.com/ses/home?region=eu-west-1#/identities" in text
    assert "bounce.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com" in text
    assert "bounce.example.com TXT v=spf1 include:amazonses.com ~all" in text
    assert text.index("Create identity") < text.index("CNAME") < text.index("production")


def test_steps_for_an_address() -> None:
    """No records, but a link to follow."""
    text = "\n".join(console.steps("wiki@example.com", "eu-west-1", "", []))
    assert "CNAME" not in text
    assert "wiki@example.com" in text


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({"SendQuota": {"Max24HourSend": -1.0, "MaxSendRate": 14.0}}, "any number of"),
        ({"SendQuota": {"Max24HourSend": 200.0, "SentLast24Hours": 7.0}}, "200 recipients"),
        ({"SendingEnabled": False}, "switched off"),
        ({"EnforcementStatus": "PROBATION"}, "PROBATION"),
        ({"ProductionAccessEnabled": False}, "--request-production"),
        ({"Details": {"ReviewDetails": {"Status": "PENDING"}}}, "under review"),
    ],
)
def test_how_an_account_stands(account: dict[str, Any], said: str) -> None:
    """Each trouble has its line."""
    assert said in "\n".join(standing.lines(account))


def test_a_healthy_account_is_one_line() -> None:
    """The quota alone."""
    account = {
        "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 1.0},
        "ProductionAccessEnabled": True,
        "SendingEnabled": True,
        "EnforcementStatus": "HEALTHY",
    }
    assert len(list(standing.lines(account))) == 1


def test_leaving_is_not_lost() -> None:
    """Where a library swallows the interrupt, the next look at it ends the wait."""
    before = signal.getsignal(signal.SIGINT)
    with verification._leaving() as check:
        check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()
    assert signal.getsignal(signal.SIGINT) is before
