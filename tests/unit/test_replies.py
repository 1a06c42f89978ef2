"""What SES, its SMTP interface and botocore say, and what becomes of the mail then."""

from __future__ import annotations

import builtins
import smtplib
import ssl

import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from sesmail.delivery import replies
from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.delivery.reply_row import Example, Row
from sesmail.delivery.reply_rows import ROWS

RECIPIENT = "recipient@example.net"
SOURCE = "wiki@example.com"
EXAMPLES = [
    pytest.param(row, example, id=f"{row.id}-{number}")
    for row in ROWS
    for number, example in enumerate(row.examples)
]
# Members of the exceptions whose texts need some.
MEMBERS = {
    "endpoint_url": "https://email.example",
    "error": "certificate verify failed",
    "provider": "p",
    "cred_var": "v",
    "profile": "x",
    "region_name": "r",
    "report": "value: b'private'",
    "error_msg": "private",
}


def client_error(
    code: str, text: str, http: int = 400, headers: dict[str, str] | None = None
) -> ClientError:
    """Return the exception that botocore raises for an answer."""
    metadata = {"HTTPStatusCode": http, "HTTPHeaders": headers or {}}
    response = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": metadata}
    return ClientError(response, "SendEmail")  # type: ignore[arg-type]


def own_error(name: str) -> Exception:
    """Return an exception of botocore, smtplib or Python by the name of its class."""
    kind = getattr(botocore.exceptions, name, None)
    if kind is not None:
        return kind(**MEMBERS)  # type: ignore[no-any-return]
    place = next(place for place in (smtplib, ssl, builtins) if hasattr(place, name))
    return getattr(place, name)("lost")  # type: ignore[no-any-return]


def classify(example: Example) -> Result:
    """Return what becomes of a mail to RECIPIENT that met the example."""
    if example.interface == "client":
        error = own_error(example.code)
        if example.command:
            return replies.classify_smtp_error(error, example.command)
        return replies.classify_api(error, [RECIPIENT], SOURCE)
    if example.interface == "smtp":
        return replies.classify_smtp(
            int(example.code), example.text, example.command, [RECIPIENT], SOURCE
        )
    error = client_error(example.code, example.text, example.http)
    return replies.classify_api(error, [RECIPIENT], SOURCE)


@pytest.mark.parametrize(("row", "example"), EXAMPLES)
def test_examples_find_their_row(row: Row, example: Example) -> None:
    """Each example has the outcome, exit code, status and retry of its own row."""
    result = classify(example)
    assert (result.outcome, result.exit_code, result.status) == (
        row.outcome,
        row.exit_code,
        row.status,
    )
    assert (result.retry, result.singly, result.other_interface) == (
        row.retry,
        row.singly,
        row.other_interface,
    )
    if not row.about_policy:
        assert row.remedy in result.text


def test_rows_have_names_of_their_own() -> None:
    """No two rows share an id, and none ends in the forbidden 75."""
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert 75 not in {row.exit_code for row in ROWS}


def test_status_agrees_with_outcome() -> None:
    """Failed is 5.x.x, all else 4.x.x (RFC 3463); only the deferred say when to try again."""
    for row in ROWS:
        assert row.status.startswith("5." if row.outcome is Outcome.FAILED else "4.")
        assert (row.retry is not None) == (row.outcome is Outcome.DEFERRED)


@pytest.mark.parametrize(
    ("failed", "forward_paths", "exit_code"),
    [
        ("bob@example.net", ["bob@example.net"], 77),
        ("BOB@example.net", ["bob@example.net", "sue@example.net"], 77),
        ("bob@example.net, sue@example.net", ["bob@example.net", "sue@example.net"], 77),
        ("Bob <bob@example.net>, ...", ["bob@example.net"], 77),
        ("wiki@example.com", ["bob@example.net"], 78),
        ("wiki@example.com", ["wiki@example.com"], 78),
        ("wiki@example.com, bob@example.net", ["bob@example.net"], 78),
        ("example.com", ["bob@example.net"], 78),
        ("", ["bob@example.net"], 78),
    ],
)
def test_sandbox(failed: str, forward_paths: list[str], exit_code: int) -> None:
    """The account is in the sandbox if all that failed are forward-paths, else the identity is."""
    text = (
        "Email address is not verified. The following identities failed the check in region "
        f"EU-WEST-1: {failed}"
    )
    result = replies.classify_api(client_error("MessageRejected", text), forward_paths, SOURCE)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, exit_code)
    assert ("sandbox" in result.text) == (exit_code == 77)
    smtp = replies.classify_smtp(554, f"Message rejected: {text}", "TEXT", forward_paths, SOURCE)
    assert smtp.exit_code == exit_code


@pytest.mark.parametrize(
    ("result", "retry"),
    [
        (replies.classify_api(client_error("NeverHeardOf", "What?", 400)), Retry.LATER),
        (replies.classify_api(client_error("NeverHeardOf", "What?", 599)), Retry.AMBIGUOUS),
        (replies.classify_api(client_error("MessageRejected", "No, thanks.")), Retry.LATER),
        (replies.classify_api(client_error("BadRequestException", "Odd.")), Retry.LATER),
        (replies.classify_api(ClientError({}, "SendEmail")), Retry.AMBIGUOUS),
        (replies.classify_api(BotoCoreError()), Retry.AMBIGUOUS),
        (replies.classify_api(KeyError("x")), Retry.AMBIGUOUS),
        (replies.classify_smtp(550, "What?", "TEXT"), Retry.LATER),
        (replies.classify_smtp(450, "What?", "RCPT"), Retry.LATER),
        (replies.classify_smtp(554, "Transaction failed: what?", "TEXT"), Retry.LATER),
        (replies.classify_smtp(999, "What?", "MAIL"), Retry.LATER),
        (replies.classify_smtp(-1, "", "CONNECT"), Retry.LATER),
        (replies.classify_smtp(-1, "", "TEXT"), Retry.AMBIGUOUS),
        (replies.classify_smtp_error(KeyError("x"), "TEXT"), Retry.AMBIGUOUS),
    ],
)
def test_the_unknown_is_deferred(result: Result, retry: Retry) -> None:
    """What no row knows is deferred and 69, never failed."""
    assert (result.outcome, result.exit_code, result.retry) == (Outcome.DEFERRED, 69, retry)


def test_policy() -> None:
    """Access denied names the action that is missing and the resource, in AWS's two wordings."""
    arn = "arn:aws:ses:us-east-1:123456789012:identity/example.com"
    user = "arn:aws:iam::1:user/x"
    for text in (
        f"User `{user}' is not authorized to perform `ses:SendRawEmail' on resource `{arn}'",
        f"User: {user} is not authorized to perform: ses:SendRawEmail on resource: {arn}",
    ):
        result = replies.classify_api(client_error("AccessDenied", text, 403))
        assert f"the key's policy must allow ses:SendRawEmail on {arn}" in result.text
        assert not result.other_interface


def test_clock() -> None:
    """A wrong clock is named with the seconds by which it is off, if the answer has a Date."""
    text = "Signature expired: 20260101T000000Z is now earlier than 20260101T003000Z"
    for date, said in (
        ("Thu, 01 Jan 2099 00:00:00 GMT", " seconds behind)"),
        ("Thu, 01 Jan 1998 00:00:00 GMT", " seconds ahead)"),
        ("yesterday", "set this host's clock"),
        ("", "set this host's clock"),
    ):
        error = client_error("SignatureDoesNotMatch", text, 403, {"date": date})
        assert replies.classify_api(error).text.endswith(said)


def test_smtp_password_as_secret() -> None:
    """A signature that does not match says so where the secret is an SMTP password."""
    error = client_error("SignatureDoesNotMatch", "The request signature we calculated", 403)
    assert "SMTP" not in replies.classify_api(error).text
    text = replies.classify_api(error, smtp_secret=True).text
    assert "the secret is an SES SMTP password, the API needs the IAM secret access key" in text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Duplicate header 'To\r\nX: y'.", "InvalidParameterValue: Duplicate header 'To"),
        ("Duplicate header \x1b[31m'\u00e9'", "InvalidParameterValue: Duplicate header ?[31m'?'"),
        ("Duplicate header '\x00\x7f'", "InvalidParameterValue: Duplicate header '??'"),
        ("Duplicate header " + "x" * 500, "InvalidParameterValue: Duplicate header xxx"),
    ],
)
def test_texts_are_clean(said: str, shown: str) -> None:
    """Of a reply one line of printable ASCII is shown, 200 characters at most."""
    text = replies.classify_api(client_error("InvalidParameterValue", said)).text
    assert text.startswith(shown)
    assert text.isascii()
    assert text.isprintable()
    assert len(text.partition("; SES cannot")[0]) <= 200


def test_what_is_not_shown() -> None:
    """Neither a line of the message, nor signed headers, nor parameters, nor a program's output."""
    for error in (
        client_error("BadRequestException", "Illegal header 'private'."),
        client_error("IncompleteSignature", "Authorization header: private"),
        client_error("SignatureDoesNotMatch", "Does not match.\n\nx-amz-security-token:private"),
        own_error("ParamValidationError"),
        own_error("CredentialRetrievalError"),
        ValueError("private"),
    ):
        assert "private" not in replies.classify_api(error).text
    smtp = replies.classify_smtp(554, b"Transaction failed: Illegal header 'private'.", "TEXT")
    assert "private" not in smtp.text


def test_lines_of_an_smtp_reply() -> None:
    """The lines of a reply are joined; bytes that are no UTF-8 do no harm."""
    result = replies.classify_smtp(
        454, b"Throttling failure:\nMaximum sending rate exceeded\xff", "MAIL"
    )
    assert result.text.startswith("454 Throttling failure: Maximum sending rate exceeded?; SES")
    assert result.retry is Retry.SOON


def test_before_and_after_the_text() -> None:
    """A connection lost before the final dot is safe to repeat, after it is not."""
    lost = ConnectionResetError("reset")
    assert replies.classify_smtp_error(lost, "DATA").retry is Retry.SOON
    assert replies.classify_smtp_error(lost, "TEXT").retry is Retry.AMBIGUOUS
