"""What SES says of the account: sandbox, quota, whether it may send at all, suppression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sesmail.control import health
from sesmail.control.aws import Aws, AwsError
from sesmail.control.check.finding import Finding, broken, of_failure, ok, warning

_PAGE = 1000  # the most that SES gives at once
_NAMED = 3  # of the identities of an account
_CONSOLE = "read what AWS wrote to the owner of the account, and answer in the SES console"


def not_known(subject: str, error: AwsError, action: str) -> Finding:
    """Return what is said where the key may not ask: nothing is broken by that."""
    if error.is_denied:
        return ok(
            subject,
            f"not known: this key may not ask (ses:{action}); sesmailctl policy DOMAIN --admin "
            "prints a policy that allows it",
        )
    return of_failure(warning, subject, f"not known: {error}", "try again")


def look(names: Sequence[str], aws: Aws) -> Iterator[Finding]:
    """Say how it stands with the account that has these identities."""
    of = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" * (len(names) > _NAMED))
    yield from _account(names[0], f"{of}: account", aws)
    yield _suppression(f"{of}: suppression", aws)


def _account(name: str, subject: str, aws: Aws) -> Iterator[Finding]:
    try:
        account = aws.call("sesv2", "get_account")
    except AwsError as error:
        yield not_known(subject, error, "GetAccount")
        return
    yield from judge(account, name, subject)


def judge(account: Mapping[str, Any], name: str, subject: str) -> Iterator[Finding]:
    """Say what an answer to GetAccount means; ``name`` is one of its identities."""
    if not account.get("ProductionAccessEnabled"):
        yield broken(
            subject,
            "it is in the sandbox: SES sends only to addresses that are verified, 200 a day",
            f"sesmailctl setup {name} --request-production",
        )
    if not account.get("SendingEnabled", True):
        yield broken(subject, "its sending is paused", _CONSOLE)
    enforcement = str(account.get("EnforcementStatus") or "HEALTHY")
    if enforcement != "HEALTHY":
        make = warning if enforcement == "PROBATION" else broken
        for text in health.warnings({"enforcement": enforcement}):
            yield of_failure(make, subject, text, _CONSOLE)
    yield _quota(account.get("SendQuota") or {}, subject)


def _quota(quota: Mapping[str, Any], subject: str) -> Finding:
    most = float(quota.get("Max24HourSend") or 0)
    sent = float(quota.get("SentLast24Hours") or 0)
    if most < 0:
        return ok(subject, f"{sent:g} mails sent in 24 hours; there is no quota")
    text = f"{sent:g} of {most:g} mails sent in 24 hours"
    if sent >= most:
        return broken(
            subject,
            f"{text}: the quota is used up, and mail waits",
            "wait, or ask AWS for a larger quota (Service Quotas, SES sending quota)",
        )
    if sent >= health.QUOTA * most:
        return warning(
            subject, f"{text} ({100 * sent / most:.0f} %)", "ask AWS for a larger quota in time"
        )
    return ok(subject, text)


def _suppression(subject: str, aws: Aws) -> Finding:
    """Say how many addresses SES no longer writes to."""
    try:
        answer = aws.call("sesv2", "list_suppressed_destinations", PageSize=_PAGE)
    except AwsError as error:
        return not_known(subject, error, "ListSuppressedDestinations")
    count = len(answer.get("SuppressedDestinationSummaries") or ())
    more = " or more" if answer.get("NextToken") else ""
    return ok(subject, f"{count}{more} addresses that SES does not write to any more")
