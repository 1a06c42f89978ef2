"""Whether SES takes the keys: the caller's name from STS, or a login by SMTP."""

from __future__ import annotations

from collections.abc import Iterator

from sesmail.control.aws import Aws, AwsError
from sesmail.control.check.finding import Finding, broken, of_failure, ok, warning
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.outcome import Outcome, Result
from sesmail.delivery.transport import smtp_session
from sesmail.delivery.transport.deadline import Deadline

_LET_US_CONNECT = (
    "let this host connect there: look at firewall, route, smtp_host, smtp_port and smtp_tls"
)
_PATIENCE = 25.0  # seconds for an SMTP session, from the look-up to the login


def of_api(credentials: Credentials, aws: Aws) -> Finding:
    """Say whose the keys are. STS knows any key; where it cannot be reached, SES is asked."""
    subject = f"{credentials.identity}: keys"
    try:
        return ok(subject, f"they belong to {aws.arn()}")
    except AwsError as error:
        if not _may_be_valid(error):
            return of_failure(broken, subject, error, "make a new key pair in IAM")
    try:
        aws.call("sesv2", "get_account")
    except AwsError as error:
        if not error.is_denied:
            return of_failure(broken, subject, error, "see what answers there")
    return ok(subject, "SES takes them; whose they are is not known: STS does not say")


def _may_be_valid(error: AwsError) -> bool:
    """Tell whether only STS is the trouble: closed to this host, or to this key."""
    return not error.code or error.is_denied


def of_one_account(credentials: Credentials, own: Aws, admin: Aws) -> Iterator[Finding]:
    """Say where the administrator's keys are those of another account: what follows is its own."""
    try:
        ours, theirs = own.account_id(), admin.account_id()
    except AwsError:
        return  # nobody says whose they are
    if ours != theirs:
        yield warning(
            f"{credentials.identity}: account",
            f"the stored keys are of account {ours}, the administrator's of {theirs}, and these "
            "are asked",
            "use an administrator's keys of the same account",
        )


def of_smtp(credentials: Credentials) -> Finding:
    """Log in, as delivery does, and say how that ended."""
    name = smtp_session.host(credentials)
    opened = smtp_session.open_session(credentials, Deadline(_PATIENCE))
    if isinstance(opened, Result):
        return _not_logged_in(credentials, name, opened)
    smtp_session.close(opened)
    return ok(f"{credentials.identity}: keys", f"{name} lets {credentials.access_key_id} log in")


def _not_logged_in(credentials: Credentials, name: str, result: Result) -> Finding:
    if result.outcome is Outcome.DEFERRED:
        text = result.text.rpartition("; ")[0] or result.text
        return broken(f"{credentials.identity}: endpoint", f"{name}: {text}", _LET_US_CONNECT)
    subject = f"{credentials.identity}: keys"
    found = of_failure(broken, subject, f"{name} refuses the login: {result.text}")
    if not credentials.secret_access_key:
        return found
    return broken(
        subject,
        f"{found.text} (the file has an IAM secret, from which the SMTP password for region "
        f"{credentials.region} is made)",
        found.remedy,
    )


def cannot_ask(credentials: Credentials) -> Iterator[Finding]:
    """Say what an SMTP password keeps us from knowing."""
    yield ok(
        f"{credentials.identity}: SES",
        "not known: an SMTP password can only send; identity, sandbox and quota are in the SES "
        "console",
    )
