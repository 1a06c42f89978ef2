"""How AWS authenticates: Signature Version 4 of an HTTP request, and SES SMTP passwords.

Computed here with hmac alone, so that the code under test is not its own judge.
SigV4: "Signature Version 4 signing process" of the AWS General Reference.  SMTP passwords: SES
Developer Guide, "Obtaining Amazon SES SMTP credentials".
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from .refusals import (
    EXPIRED_TOKEN,
    INCOMPLETE_SIGNATURE,
    NO_SIGNATURE,
    UNKNOWN_KEY,
    WRONG_SIGNATURE,
    Refusal,
)
from .state import State

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = 15 * 60
INVALID_TOKEN = "The security token included in the request is invalid."
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation "
    "for details.\n\nThe Canonical String for this request should have been\n'{}'\n\n"
    "The String-to-Sign should have been\n'{}'\n"
)


@dataclass(frozen=True)
class Request:
    """An HTTP request as it came: target is path and query; header names are lower case.

    gone tells whether who asked has hung up, which matters to a long poll.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    gone: Callable[[], bool] = lambda: False


def authenticate(state: State, request: Request, service: str) -> str:
    """The access key id that signed the request for the service (`ses`, `sns`, ...).

    Refusal if the signature does not hold.
    """
    authorization = _authorization(request)
    key_id, date, region, scope, terminator = _scope(authorization)
    secret = state.keys.get(key_id)
    if secret is None:
        raise Refusal(UNKNOWN_KEY, INVALID_TOKEN)
    _check_token(state, key_id, request.headers.get("x-amz-security-token"))
    _check_scope(state, region, (scope, terminator), service)
    timestamp = request.headers.get("x-amz-date", "")
    _check_date(state, timestamp, date)
    canonical = _canonical(request, authorization["SignedHeaders"])
    to_sign = _string_to_sign(canonical, timestamp, region, service)
    expected = _signature(secret, timestamp, region, service, to_sign)
    if not hmac.compare_digest(expected, authorization["Signature"]):
        raise Refusal(WRONG_SIGNATURE, MISMATCH.format(canonical, to_sign))
    return key_id


def claimed_key(request: Request) -> str:
    """The access key id that the request names; `` for none.  Nothing is checked."""
    return _claimed(request, 0)


def claimed_service(request: Request) -> str:
    """The service that the request says it was signed for; `` for none.  Nothing is checked."""
    return _claimed(request, 3)


def smtp_password(secret: str, region: str, version: int = 4) -> str:
    """The SES SMTP password that belongs to a secret access key.

    Version 4 is bound to the region; version 2 (issued before 2019-01-10) is not.
    """
    if version == 2:
        return _encode_password(2, _hmac(secret.encode(), "SendRawEmail"))
    key = _hmac(b"AWS4" + secret.encode(), "11111111")
    for step in (region, "ses", "aws4_request", "SendRawEmail"):
        key = _hmac(key, step)
    return _encode_password(4, key)


def smtp_login(state: State, user: str, password: str) -> bool:
    """May this pair log in?  Temporary keys (with a session token) cannot use SMTP."""
    secret = state.keys.get(user)
    if secret is None or user in state.session_tokens:
        return False
    right = [smtp_password(secret, state.region), smtp_password(secret, state.region, 2)]
    return any(hmac.compare_digest(one.encode(), password.encode()) for one in right)


def _claimed(request: Request, index: int) -> str:
    try:
        return _scope(_authorization(request))[index]
    except Refusal:
        return ""


def _authorization(request: Request) -> dict[str, str]:
    value = request.headers.get("authorization", "")
    if not value:
        raise Refusal(NO_SIGNATURE, "Missing Authentication Token")
    algorithm, _, rest = value.partition(" ")
    if algorithm != ALGORITHM:
        raise Refusal(INCOMPLETE_SIGNATURE, f"Unsupported algorithm '{algorithm}'.")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not parts.get(name):
            raise Refusal(
                INCOMPLETE_SIGNATURE, f"Authorization header requires '{name}' parameter."
            )
    return parts


def _scope(authorization: Mapping[str, str]) -> tuple[str, str, str, str, str]:
    parts = authorization["Credential"].split("/")
    if len(parts) != 5:
        raise Refusal(INCOMPLETE_SIGNATURE, "Credential must have exactly 5 slash-delimited parts.")
    return parts[0], parts[1], parts[2], parts[3], parts[4]


def _check_token(state: State, key_id: str, token: str | None) -> None:
    if key_id in state.expired_tokens:
        raise Refusal(EXPIRED_TOKEN, "The security token included in the request is expired")
    if token != state.session_tokens.get(key_id):
        raise Refusal(UNKNOWN_KEY, INVALID_TOKEN)


def _check_scope(state: State, region: str, scope: tuple[str, str], service: str) -> None:
    if region != state.region:
        raise Refusal(
            WRONG_SIGNATURE, f"Credential should be scoped to a valid region, not '{region}'. "
        )
    if scope != (service, "aws4_request"):
        text = f"Credential should be scoped to correct service: '{service}'. "
        raise Refusal(WRONG_SIGNATURE, text)


def _check_date(state: State, timestamp: str, scope_date: str) -> None:
    try:
        signed = calendar.timegm(time.strptime(timestamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise Refusal(
            INCOMPLETE_SIGNATURE,
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        ) from None
    if not timestamp.startswith(scope_date):
        raise Refusal(WRONG_SIGNATURE, "Date in Credential scope does not match YYYYMMDD.")
    now = state.now()
    if signed < now - SKEW:
        limit = f"{_stamp(now - SKEW)} ({_stamp(now)} - 15 min.)"
        raise Refusal(
            WRONG_SIGNATURE, f"Signature expired: {timestamp} is now earlier than {limit}"
        )
    if signed > now + SKEW:
        limit = f"{_stamp(now + SKEW)} ({_stamp(now)} + 15 min.)"
        raise Refusal(
            WRONG_SIGNATURE, f"Signature not yet current: {timestamp} is still later than {limit}"
        )


def _string_to_sign(canonical: str, timestamp: str, region: str, service: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    scope = f"{timestamp[:8]}/{region}/{service}/aws4_request"
    return "\n".join((ALGORITHM, timestamp, scope, digest))


def _signature(secret: str, timestamp: str, region: str, service: str, to_sign: str) -> str:
    key = b"AWS4" + secret.encode()
    for step in (timestamp[:8], region, service, "aws4_request"):
        key = _hmac(key, step)
    return _hmac(key, to_sign).hex()


def _canonical(request: Request, names: str) -> str:
    target = urlsplit(request.target)
    query = sorted(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in parse_qsl(target.query, keep_blank_values=True)
    )
    headers = [
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names.split(";")
    ]
    return "\n".join(
        (
            request.method,
            quote(target.path or "/", safe="/-_.~"),
            "&".join(query),
            "".join(headers),
            names,
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def _encode_password(version: int, key: bytes) -> str:
    return base64.b64encode(bytes([version]) + key).decode()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _stamp(seconds: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
