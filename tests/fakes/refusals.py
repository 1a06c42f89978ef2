"""What SES says when it refuses, in the forms of its three interfaces.

A rule raises a Refusal of one Kind; SESv2 (JSON), SES v1 (Query, XML) and SMTP each render it in
their own words.  SESv2 answers BadRequestException where v1 answers InvalidParameterValue, and the
SMTP interface puts the same text behind a reply code.
"""

from __future__ import annotations

from dataclasses import dataclass

SHUT_DOWN_TEXT = (
    "Sending paused for this account. For more information, please check the inbox of the email "
    "address associated with your AWS account."
)


@dataclass(frozen=True)
class Kind:
    """One class of refusal.

    v2 and v1 are (HTTP status, error code); smtp is the reply (code, text) with `{}` where the
    message goes.
    """

    v2: tuple[int, str]
    v1: tuple[int, str]
    smtp: tuple[int, str]


class Refusal(Exception):
    """SES said no.  `message` is the text that all three interfaces carry."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message

    @property
    def reply(self) -> tuple[int, str]:
        """The SMTP reply: code and text."""
        code, text = self.kind.smtp
        return code, text.format(self.message)


REJECTED = Kind((400, "MessageRejected"), (400, "MessageRejected"), (554, "Message rejected: {}"))
BAD_VALUE = Kind(
    (400, "BadRequestException"),
    (400, "InvalidParameterValue"),
    (554, "Transaction failed: {}"),
)
TOO_LONG = Kind(
    (400, "BadRequestException"),
    (400, "InvalidParameterValue"),
    (552, "Message is too long."),
)
THROTTLED = Kind(
    (429, "TooManyRequestsException"),
    (400, "Throttling"),
    (454, "Throttling failure: {}"),
)
NO_CONFIGURATION_SET = Kind(
    (404, "NotFoundException"),
    (400, "ConfigurationSetDoesNotExist"),
    (554, "Transaction failed: {}"),
)
DENIED = Kind(
    (403, "AccessDeniedException"),
    (403, "AccessDenied"),
    (554, "Access denied: {}"),
)
WRONG_CREDENTIALS = (535, "Authentication Credentials Invalid")
UNKNOWN_KEY = Kind(
    (403, "UnrecognizedClientException"),
    (403, "InvalidClientTokenId"),
    WRONG_CREDENTIALS,
)
NO_SIGNATURE = Kind(
    (403, "MissingAuthenticationTokenException"),
    (403, "MissingAuthenticationToken"),
    WRONG_CREDENTIALS,
)
INCOMPLETE_SIGNATURE = Kind(
    (400, "IncompleteSignatureException"),
    (400, "IncompleteSignature"),
    WRONG_CREDENTIALS,
)
WRONG_SIGNATURE = Kind(
    (403, "SignatureDoesNotMatch"),
    (403, "SignatureDoesNotMatch"),
    WRONG_CREDENTIALS,
)
EXPIRED_TOKEN = Kind(
    (403, "ExpiredTokenException"),
    (403, "ExpiredToken"),
    WRONG_CREDENTIALS,
)
UNREADABLE_REQUEST = Kind(
    (400, "SerializationException"),
    (400, "MalformedQueryString"),
    (500, "{}"),
)
MISSING_PARAMETER = Kind(
    (400, "BadRequestException"),
    (400, "MissingParameter"),
    (500, "{}"),
)
UNKNOWN_OPERATION = Kind(
    (404, "UnknownOperationException"),
    (400, "InvalidAction"),
    (500, "{}"),
)


def kind(status: int, code: str) -> Kind:
    """A class of refusal that only management calls know."""
    return Kind((status, code), (status, code), (554, "{}"))


ALREADY_EXISTS = kind(400, "AlreadyExistsException")
NOT_FOUND = kind(404, "NotFoundException")
LIMIT_EXCEEDED = kind(400, "LimitExceededException")
CONFLICT = kind(409, "ConflictException")
INVALID_TOKEN = kind(400, "InvalidNextTokenException")
PAUSED = Kind(
    (400, "SendingPausedException"),
    (400, "AccountSendingPausedException"),
    (554, "Message rejected: {}"),
)
MAIL_FROM = Kind(
    (400, "MailFromDomainNotVerifiedException"),
    (400, "MailFromDomainNotVerifiedException"),
    (554, "Message rejected: {}"),
)
