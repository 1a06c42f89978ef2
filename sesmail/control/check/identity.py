"""The identity at SES: verified, signed by DKIM, its MAIL FROM, its configuration set; and the DNS.

What covers an author is, as for credentials, the address itself, its domain or a parent of that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sesmail.control import records
from sesmail.control.aws import Aws, AwsError
from sesmail.control.check import dmarc
from sesmail.control.check.account import not_known
from sesmail.control.check.finding import Finding, broken, of_failure, ok, warning
from sesmail.control.dns import Dns, DnsError
from sesmail.control.records import Record
from sesmail.delivery.credentials import Credentials
from sesmail.identity import candidates
from sesmail.sysexits import ConfigurationError

_SUCCESS = "SUCCESS"
_REJECT = "REJECT_MESSAGE"
_NOT_THERE = "NotFoundException"
_MEANINGS = {
    records.DKIM: ": SES stops signing and sending when it finds that out",
    records.MAIL_FROM: ": bounces do not reach SES under that name, so it cannot be used",
    records.SPF: ": receivers take the mail for forged",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What SES says of an identity: its answer to GetEmailIdentity."""

    name: str
    answer: dict[str, Any]

    @property
    def domain(self) -> str:
        """The domain of the identity."""
        return self.name.rpartition("@")[2]

    @property
    def has_dkim(self) -> bool:
        """Tell whether SES signs as the identity's domain."""
        attributes = self.answer.get("DkimAttributes") or {}
        return bool(attributes.get("SigningEnabled")) and attributes.get("Status") == _SUCCESS

    @property
    def mail_from(self) -> str:
        """The custom MAIL FROM domain; "" if there is none."""
        return str((self.answer.get("MailFromAttributes") or {}).get("MailFromDomain") or "")

    @property
    def has_mail_from(self) -> bool:
        """Tell whether SES uses the custom MAIL FROM domain."""
        attributes = self.answer.get("MailFromAttributes") or {}
        return bool(self.mail_from) and attributes.get("MailFromDomainStatus") == _SUCCESS


def look(credentials: Credentials, author: str, aws: Aws, dns: Dns) -> Iterator[Finding]:
    """Ask GetEmailIdentity and the DNS for the identity that covers ``author``."""
    subject = f"{credentials.identity}: identity"
    try:
        found = find(author, aws)
    except AwsError as error:
        yield not_known(subject, error, "GetEmailIdentity")
        yield from dmarc.look(author, author, None, None, dns)
        return
    if found is None:
        yield broken(
            subject,
            f"SES does not know {author} in region {credentials.region}",
            f"sesmailctl setup {author}; or correct region in {credentials.path}",
        )
        return
    yield from state(found, credentials)
    yield from _configuration_set(found, credentials, aws)
    yield from in_dns(found, credentials, dns)
    yield from dmarc.look(author, found.domain, found.has_dkim, found.has_mail_from, dns)


def find(author: str, aws: Aws) -> Identity | None:
    """Return the first identity that SES knows of those that may cover ``author``, or None."""
    address = author if "@" in author else f"@{author}"
    for name in candidates(address)[:-1]:
        try:
            answer = aws.call("sesv2", "get_email_identity", EmailIdentity=name)
        except AwsError as error:
            if error.code != _NOT_THERE:
                raise
        else:
            return Identity(name, answer)
    return None


def state(found: Identity, credentials: Credentials) -> Iterator[Finding]:
    """Say whether SES sends for the identity, signs, and uses its MAIL FROM domain."""
    subject = f"{credentials.identity}: identity"
    setup = f"sesmailctl setup {found.name} shows the records that are missing, and waits"
    verification = str(found.answer.get("VerificationStatus") or "not verified")
    if found.answer.get("VerifiedForSendingStatus"):
        yield ok(subject, f"{found.name} is verified in region {credentials.region}")
    else:
        text = f"{found.name} is not verified ({verification}): no mail is sent"
        yield broken(subject, text, setup)
    yield _dkim(found, credentials, setup)
    yield from _mail_from(found, credentials)


def _dkim(found: Identity, credentials: Credentials, setup: str) -> Finding:
    subject = f"{credentials.identity}: DKIM"
    if found.has_dkim:
        return ok(subject, f"SES signs as {found.domain}")
    if "@" in found.name:
        text = f"SES does not sign as {found.domain}: only the address {found.name} is verified"
        return warning(subject, text, f"sesmailctl setup {found.domain}")
    status = str((found.answer.get("DkimAttributes") or {}).get("Status"))
    return warning(subject, f"SES does not sign as {found.domain} ({status})", setup)


def _mail_from(found: Identity, credentials: Credentials) -> Iterator[Finding]:
    subject = f"{credentials.identity}: MAIL FROM"
    attributes = found.answer.get("MailFromAttributes") or {}
    if not found.mail_from:
        yield ok(subject, "that of SES; SPF is then not aligned, DKIM alone carries DMARC")
    elif found.has_mail_from:
        yield ok(subject, f"{found.mail_from}")
    elif attributes.get("BehaviorOnMxFailure") == _REJECT:
        yield broken(
            subject,
            f"SES cannot use {found.mail_from} ({attributes.get('MailFromDomainStatus')}) and, as "
            "the identity says, sends nothing without it",
            f"sesmailctl setup {found.name} shows its records, and waits for SES",
        )
    else:
        yield warning(
            subject,
            f"SES cannot use {found.mail_from} ({attributes.get('MailFromDomainStatus')}) and uses "
            "its own domain meanwhile",
            f"sesmailctl setup {found.name} shows its records, and waits for SES",
        )


def _configuration_set(found: Identity, credentials: Credentials, aws: Aws) -> Iterator[Finding]:
    """Say whether the configuration set in force is there, and may send."""
    name = credentials.configuration_set or str(found.answer.get("ConfigurationSetName") or "")
    subject = f"{credentials.identity}: configuration set"
    if not name:
        return
    try:
        answer = aws.call("sesv2", "get_configuration_set", ConfigurationSetName=name)
    except AwsError as error:
        if error.code == _NOT_THERE:
            remedy = f"make it in SES, or correct configuration_set in {credentials.path}"
            yield broken(subject, f"there is no {name} in region {credentials.region}", remedy)
        else:
            yield not_known(subject, error, "GetConfigurationSet")
        return
    if (answer.get("SendingOptions") or {}).get("SendingEnabled", True):
        yield ok(subject, name)
    else:
        yield broken(subject, f"sending is off in {name}", "enable it in the SES console")


def in_dns(found: Identity, credentials: Credentials, dns: Dns) -> Iterator[Finding]:
    """Look for the records that SES wants."""
    try:
        wanted = records.wanted(found.domain, found.answer, credentials.region, found.mail_from)
    except ConfigurationError as failure:  # keys of one's own: no records of SES
        yield ok(f"{credentials.identity}: DKIM", str(failure))
        wanted = records.wanted(found.domain, {}, credentials.region, found.mail_from)
    fine: Counter[str] = Counter()
    for record in wanted:
        finding = _record(record, found, credentials, dns)
        if finding is None:
            fine[record.purpose] += 1
        else:
            yield finding
    if fine:
        parts = (f"{purpose} ({count})" for purpose, count in fine.items())
        yield ok(f"{credentials.identity}: DNS", f"as SES wants it: {', '.join(parts)}")


def _record(record: Record, found: Identity, credentials: Credentials, dns: Dns) -> Finding | None:
    """Say what is wrong with a record. Without DKIM's SES stops sending after three days."""
    subject = f"{credentials.identity}: DNS"
    try:
        seen = records.look(record, dns)
    except DnsError as error:
        return of_failure(warning, subject, error)
    if seen.state == records.OK:
        return None
    line = f"{record.purpose}: {record.type} {record.name} is {seen.state}"
    rejects = (found.answer.get("MailFromAttributes") or {}).get("BehaviorOnMxFailure") == _REJECT
    is_needed = record.purpose == records.DKIM or (record.purpose == records.MAIL_FROM and rejects)
    meaning = _MEANINGS.get(record.purpose, "")
    return (broken if is_needed else warning)(subject, f"{line}{meaning}", seen.remedy)
