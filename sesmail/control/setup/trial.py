"""Credentials are tried for real before they count: the API is asked, or SMTP logged in to.

Asking is no mail: whether the key may send, only a mail can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sesmail.control import aws
from sesmail.control.aws import AwsError
from sesmail.delivery.credential_rules import SMTP
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.outcome import Outcome, Result
from sesmail.delivery.transport import smtp_session
from sesmail.delivery.transport.deadline import Deadline
from sesmail.sysexits import EX_CONFIG, Failure

_LOGIN = 30.0  # seconds


class Refused(Failure):
    """These credentials do not work."""

    exit_code = EX_CONFIG


@dataclass(slots=True)
class Trial:
    """What is known after it.

    ``caller``: the ARN that the keys belong to; ``account``: the answer to GetAccount; ``unknown``:
    lines about what could not be found out, and why; ``is_sure``: they were seen to work.
    """

    transport: str
    caller: str = ""
    account: dict[str, Any] | None = None
    unknown: list[str] = field(default_factory=list)
    is_sure: bool = False


def run(credentials: Credentials) -> Trial:
    """Try them. Raises Refused where they cannot work; what only time mends is in ``unknown``."""
    trial = Trial(credentials.transport)
    if aws.can_ask(credentials):
        client = aws.from_credentials(credentials)
        try:
            _ask(trial, client)
        finally:
            client.close()
    if credentials.transport == SMTP:
        _log_in(trial, credentials)
    return trial


def _ask(trial: Trial, client: aws.Aws) -> None:
    """STS says whose keys these are, and needs no right; but only SES may be within reach."""
    try:
        trial.caller = client.arn()
        trial.is_sure = True
    except AwsError as error:
        _raise_if_refused(error)
        trial.unknown.append(f"Whose keys these are is not known: {error}")
    try:
        trial.account = client.call("sesv2", "get_account")
        trial.is_sure = True
    except AwsError as error:
        _raise_if_refused(error)
        if error.is_denied:
            trial.is_sure = True  # it knows the key, which perhaps only sends: so it should
        else:
            trial.unknown.append(f"Sandbox and quota are not known: {error}")


def _raise_if_refused(error: AwsError) -> None:
    if error.is_about_keys:
        raise Refused(str(error)) from None


def _log_in(trial: Trial, credentials: Credentials) -> None:
    session = smtp_session.open_session(credentials, Deadline(_LOGIN))
    if not isinstance(session, Result):
        smtp_session.close(session)
        trial.is_sure = True
        return
    text = f"{session.relay}: {session.text}"
    if session.outcome is not Outcome.DEFERRED:
        raise Refused(text)
    trial.unknown.append(f"The login could not be tried: {text}")
