"""FAULTS: every answer of Amazon SES that the error table knows, by name.

Rows `1`-`34` are those of the table of API errors (code and text as v2 and v1 say them), `2.1` the
replies of the SMTP interface; rows 32 and 33 arise inside the client library and no server can
produce them.  `{source}`, `{recipient}`, `{author}` and `{region}` in a text are filled in from the
request.  Faults without a row (0 here) are what a client must survive from any server.
"""

from __future__ import annotations

from . import certificates
from .faults import (
    ANSWER,
    API,
    CERTIFICATE,
    DROP,
    GARBAGE,
    REFUSE,
    SMTP,
    V1,
    V2,
    Fault,
    Strike,
    slow,
)
from .refusals import SHUT_DOWN_TEXT

UNVERIFIED = (
    "Email address is not verified. The following identities failed the check in region {region}: "
)
NOT_AUTHORIZED = (
    "User `arn:aws:iam::123456789012:user/sesmail' is not authorized to perform "
    "`ses:SendRawEmail' on resource `arn:aws:ses:us-east-1:123456789012:identity/example.com'"
)
TOKEN = "The security token included in the request is "
SKEWED = "20200101T000000Z is now earlier than 20200101T001500Z (20200101T003000Z - 15 min.)"
EARLY = "20200101T010000Z is still later than 20200101T004500Z (20200101T003000Z + 15 min.)"


def _api(
    row: int, name: str, v2: tuple[int, str] | None, v1: tuple[int, str] | None, text: str
) -> Fault:
    forms = {V2: v2, V1: v1}
    return Fault(
        name,
        str(row or ""),
        {
            interface: Strike("request", ANSWER, form[0], form[1], text)
            for interface, form in forms.items()
            if form is not None
        },
    )


def _smtp(name: str, moment: str, status: int, text: str) -> Fault:
    strike = Strike(moment, ANSWER, status, "", text, closes=status == 421 or "4.4.2" in text)
    return Fault(name, "2.1", {SMTP: strike})


def _both(row: int, name: str, status: int, code: str, text: str) -> Fault:
    return _api(row, name, (status, code), (status, code), text)


def _rejected(row: int, name: str, text: str) -> Fault:
    return _both(row, name, 400, "MessageRejected", text)


def _bad(row: int, name: str, text: str) -> Fault:
    return _api(row, name, (400, "BadRequestException"), (400, "InvalidParameterValue"), text)


def _every(name: str, row: str, strike: Strike) -> Fault:
    return Fault(name, row, dict.fromkeys((*API, SMTP), strike))


_TOO_MANY = (429, "TooManyRequestsException")
_THROTTLING = (400, "Throttling")
_RATE = "Maximum sending rate exceeded."
_QUOTA = "Daily message quota exceeded"
_LENGTH = "Message length is more than {} bytes long: '{}'"

_QUOTAS = (
    _api(1, "rate", _TOO_MANY, _THROTTLING, _RATE),
    _both(1, "rate-throttling-exception", 400, "ThrottlingException", _RATE),
    _api(2, "quota", _TOO_MANY, _THROTTLING, _QUOTA),
    _both(2, "quota-limit-exceeded", 400, "LimitExceededException", _QUOTA),
    _api(3, "rate-sigv2", None, _THROTTLING, "Maximum SigV2 SMTP sending rate exceeded"),
    _both(4, "throttling-exception-429", 429, "ThrottlingException", "Rate exceeded"),
    _both(4, "throttling-exception-400", 400, "ThrottlingException", "Rate exceeded"),
    _both(4, "request-limit-exceeded", 400, "RequestLimitExceeded", "Request limit exceeded."),
    _both(4, "throttling-unknown-text", 400, "Throttling", "Please come back some other time."),
)

_SERVICE = (
    _both(5, "internal-failure", 500, "InternalFailure", "An internal error has occurred."),
    _both(5, "internal-server-error", 500, "InternalServerError", "Internal server error"),
    _both(5, "internal-service-error", 500, "InternalServiceErrorException", "Internal error"),
    _api(
        6,
        "service-unavailable",
        (503, "ServiceUnavailableException"),
        (503, "ServiceUnavailable"),
        "Service is temporarily unavailable.",
    ),
    _both(7, "bad-gateway", 502, "", ""),
    _both(7, "gateway-timeout", 504, "", ""),
    _both(7, "proxy-page", 502, "", "<!doctype html><h1>502 Bad Gateway</h1>"),
    _both(8, "request-timeout", 408, "RequestTimeoutException", "Request timed out."),
)

_CONNECTION = (
    _every("refuse", "9", Strike("connect", REFUSE)),
    Fault(
        "drop-before-accept",
        "10",
        {
            V2: Strike("request", DROP),
            V1: Strike("request", DROP),
            SMTP: Strike("dot", DROP),
        },
    ),
    _every("accept-then-drop", "10", Strike("accepted", DROP)),
    slow(60.0),
    _every(
        "certificate-name", "11", Strike("connect", CERTIFICATE, 0, "", certificates.OTHER_NAME)
    ),
    _every(
        "certificate-expired", "11", Strike("connect", CERTIFICATE, 0, "", certificates.EXPIRED)
    ),
    _every(
        "certificate-untrusted", "11", Strike("connect", CERTIFICATE, 0, "", certificates.UNTRUSTED)
    ),
    Fault(
        "garbage",
        "",
        {
            V2: Strike("request", GARBAGE),
            V1: Strike("request", GARBAGE),
            SMTP: Strike("dot", GARBAGE),
        },
    ),
    Fault("garbage-greeting", "", {SMTP: Strike("greeting", GARBAGE)}),
    Fault("drop-greeting", "", {SMTP: Strike("greeting", DROP)}),
    Fault("drop-mail", "", {SMTP: Strike("MAIL", DROP)}),
)

_ACCOUNT = (
    _rejected(12, "sender-not-verified", UNVERIFIED + "{author}"),
    _rejected(12, "sender-not-verified-cut", UNVERIFIED + "{author}, ..."),
    _rejected(13, "recipient-not-verified", UNVERIFIED + "{recipient}"),
    _rejected(14, "account-paused-rejected", SHUT_DOWN_TEXT),
    _rejected(15, "blacklisted", "Address blacklisted."),
    _rejected(15, "content-rejected", "Message content was rejected."),
    _api(
        16,
        "account-paused",
        (400, "SendingPausedException"),
        (400, "AccountSendingPausedException"),
        "Email sending for the account is paused.",
    ),
    _api(
        17,
        "configuration-set-paused",
        None,
        (400, "ConfigurationSetSendingPausedException"),
        "Email sending for configuration set NAME is paused.",
    ),
    _api(
        18,
        "account-suspended",
        (400, "AccountSuspendedException"),
        None,
        "The account's ability to send email has been permanently restricted.",
    ),
    _both(
        19,
        "mail-from-domain",
        400,
        "MailFromDomainNotVerifiedException",
        "The sending domain isn't verified.",
    ),
    _api(
        20,
        "configuration-set-missing",
        (404, "NotFoundException"),
        (400, "ConfigurationSetDoesNotExist"),
        "Configuration set <NAME> does not exist.",
    ),
    _api(
        20,
        "configuration-set-missing-exception",
        None,
        (400, "ConfigurationSetDoesNotExistException"),
        "Configuration set <NAME> does not exist.",
    ),
)

_ADDRESSES = (
    _bad(21, "address-no-domain", "Missing final '@domain'"),
    _bad(21, "address-missing-domain", "Missing domain"),
    _bad(21, "address-domain-character", "Domain contains illegal character"),
    _bad(21, "address-domain-control", "Domain contains control or whitespace"),
    _bad(21, "address-local-character", "Local address contains illegal character"),
    _bad(21, "address-local-control", "Local address contains control or whitespace"),
    _bad(21, "address-illegal", "Illegal address"),
    _bad(21, "address-invalid", "Invalid email address"),
    _bad(21, "address-empty", "Invalid email address ."),
)

_HEADERS = (
    _bad(22, "duplicate-header", "Duplicate header 'Subject'."),
    _bad(22, "illegal-header", "Illegal header 'no field'."),
    _bad(22, "empty-header-name", "Empty header names are illegal."),
    _bad(22, "header-too-long", "Header section too long."),
    _bad(22, "missing-from", "Missing required header 'From'."),
    _bad(22, "missing-to", "Missing required header 'To'."),
    _bad(22, "empty-to", "Empty required header 'To'."),
    _bad(22, "content-type", "Expected '/', got ;"),
    _bad(22, "disposition", "Expected disposition, got ="),
    _bad(22, "start-boundary", "Missing start boundary"),
    _bad(22, "parameter", "Expected '=', got 'null'"),
)

_LIMITS = (
    _api(
        23,
        "message-length",
        (400, "BadRequestException"),
        None,
        _LENGTH.format(41943040, 41943041),
    ),
    _api(
        23,
        "message-length-v1",
        None,
        (400, "InvalidParameterValue"),
        _LENGTH.format(10485760, 12078147),
    ),
    _bad(24, "recipient-count", "Recipient count exceeds 50"),
    _both(25, "entity-too-large", 413, "RequestEntityTooLargeException", "Request is too large."),
)

_KEYS = (
    _api(
        26,
        "access-denied",
        (403, "AccessDeniedException"),
        (403, "AccessDenied"),
        NOT_AUTHORIZED,
    ),
    _both(26, "not-authorized", 401, "NotAuthorized", NOT_AUTHORIZED),
    _both(
        27,
        "signature",
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.",
    ),
    _both(
        27,
        "signature-exception",
        403,
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided.",
    ),
    _both(27, "signature-incomplete", 400, "IncompleteSignature", "The signature is incomplete."),
    _both(28, "client-token", 403, "InvalidClientTokenId", TOKEN + "invalid."),
    _both(28, "unrecognized-client", 403, "UnrecognizedClientException", TOKEN + "invalid."),
    _both(
        28,
        "authentication-token",
        403,
        "MissingAuthenticationToken",
        "Missing Authentication Token",
    ),
    _both(
        28,
        "access-key-id",
        403,
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    _both(29, "expired-token", 403, "ExpiredToken", TOKEN + "expired"),
    _both(29, "expired-token-exception", 403, "ExpiredTokenException", TOKEN + "expired"),
    _both(30, "request-expired", 400, "RequestExpired", "Request has expired."),
    _both(30, "signature-expired", 403, "SignatureDoesNotMatch", "Signature expired: " + SKEWED),
    _both(
        30, "signature-early", 403, "SignatureDoesNotMatch", "Signature not yet current: " + EARLY
    ),
    _both(
        30,
        "time-skewed",
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    ),
    _both(
        31,
        "opt-in",
        403,
        "OptInRequired",
        "The AWS Access Key Id needs a subscription for the service",
    ),
)

_ENDPOINT = (
    _both(34, "validation", 400, "ValidationError", "1 validation error detected"),
    _both(34, "action", 400, "InvalidAction", "The action SendRawEmail is not valid."),
    _both(34, "query-string", 404, "MalformedQueryString", "The query string is malformed."),
    _both(34, "missing-parameter", 400, "MissingParameter", "A required parameter is missing."),
    _both(34, "operation", 404, "UnknownOperationException", "The operation is not known."),
    _both(0, "unknown", 400, "NeverHeardOfException", "Something that no table has."),
)

_SMTP = (
    _smtp("smtp-connections", "greeting", 421, "Too many concurrent SMTP connections"),
    _smtp(
        "smtp-session-cap",
        "MAIL",
        421,
        "Connection closed by server. Maximum message count per session reached.",
    ),
    _smtp("smtp-session-messages", "MAIL", 421, "Too many messages in one session"),
    _smtp("smtp-service-451", "dot", 451, "Temporary service failure"),
    _smtp("smtp-service-451-mail", "MAIL", 451, "Temporary service failure"),
    _smtp("smtp-timeout", "MAIL", 451, "4.4.2 Timeout waiting for data from client."),
    _smtp("smtp-rate", "dot", 454, "Throttling failure: " + _RATE),
    _smtp("smtp-rate-mail", "MAIL", 454, "Throttling failure: " + _RATE),
    _smtp("smtp-quota", "dot", 454, "Throttling failure: " + _QUOTA),
    _smtp(
        "smtp-rate-sigv2",
        "dot",
        454,
        "Throttling failure: Maximum SigV2 SMTP sending rate exceeded",
    ),
    _smtp("smtp-authentication-454", "AUTH", 454, "Temporary authentication failure"),
    _smtp("smtp-service-454", "dot", 454, "Temporary service failure"),
    _smtp("smtp-mail-from", "MAIL", 501, "Invalid MAIL FROM address provided"),
    _smtp("smtp-authentication-required", "MAIL", 530, "Authentication required"),
    _smtp("smtp-credentials", "AUTH", 535, "Authentication Credentials Invalid"),
    _smtp("smtp-subscription", "AUTH", 535, "Account not subscribed to SES"),
    _smtp("smtp-too-long", "dot", 552, "Message is too long."),
    _smtp("smtp-source", "MAIL", 553, "<{source}> Invalid email address"),
    _smtp("smtp-recipient", "RCPT", 553, "<{recipient}> address unknown"),
    _smtp("smtp-denied", "dot", 554, "Access denied: " + NOT_AUTHORIZED),
    _smtp("smtp-not-verified", "dot", 554, "Message rejected: " + UNVERIFIED + "{author}"),
    _smtp(
        "smtp-recipient-not-verified",
        "dot",
        554,
        "Message rejected: " + UNVERIFIED + "{recipient}",
    ),
    _smtp("smtp-paused", "dot", 554, "Message rejected: " + SHUT_DOWN_TEXT),
    _smtp("smtp-blacklisted", "dot", 554, "Message rejected: Address blacklisted."),
    _smtp("smtp-duplicate-header", "dot", 554, "Transaction failed: Duplicate header 'Subject'."),
    _smtp("smtp-no-domain", "dot", 554, "Transaction failed: Missing final '@domain'"),
    _smtp("smtp-recipient-count", "dot", 554, "Transaction failed: Recipient count exceeds 50"),
    _smtp("smtp-unknown-4xx", "dot", 450, "Something that no table has."),
    _smtp("smtp-unknown-5xx", "dot", 550, "Something that no table has."),
)

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for group in (
        _QUOTAS,
        _SERVICE,
        _CONNECTION,
        _ACCOUNT,
        _ADDRESSES,
        _HEADERS,
        _LIMITS,
        _KEYS,
        _ENDPOINT,
        _SMTP,
    )
    for fault in group
}
