"""AWS, as the administrator's verbs ask it: SES, STS, SNS and SQS by botocore.

The keys are those of a credentials file, of a profile of whoever calls (``profile.keys``), or typed
in and forgotten. ``delivery.session`` makes the clients, so nothing of the environment counts. An
``endpoint_url``, where there is one, serves all services: that is how stand-ins are reached.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sesmail.control import secret_input
from sesmail.control.profile.keys import get as keys_of_profile
from sesmail.control.verb import Context
from sesmail.delivery import replies, secret
from sesmail.delivery.credential_values import PARSERS
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.session import Session
from sesmail.sysexits import EX_CONFIG, EX_NOPERM, EX_UNAVAILABLE, Failure, UsageError

_CONNECT_TIMEOUT = 10.0  # seconds
_READ_TIMEOUT = 30.0
_TRIES = 6  # of a call that AWS finds too early: SES takes one a second, but for mail
_THROTTLED = frozenset(
    "TooManyRequestsException Throttling ThrottlingException RequestLimitExceeded".split()
)
_DENIED = frozenset(
    "AccessDenied AccessDeniedException AuthorizationError NotAuthorized "
    "NotAuthorizedException".split()
)
# What the table of replies says of these is right for any call: keys, clock, region.
_OF_KEYS = frozenset(
    "SignatureDoesNotMatch InvalidSignatureException RequestExpired RequestTimeTooSkewed "
    "RequestInTheFuture InvalidClientTokenId UnrecognizedClientException InvalidAccessKeyId "
    "MissingAuthenticationToken MissingAuthenticationTokenException IncompleteSignature "
    "IncompleteSignatureException ExpiredToken ExpiredTokenException OptInRequired "
    "SubscriptionRequiredException".split()
)


class AwsError(Failure):
    """AWS refused a call, or did not answer.

    ``operation`` is its name in the API, such as ``GetAccount``, "" if none was called. ``code`` is
    AWS's own, such as ``NotFoundException``; "" where nobody answered, or where there were no keys
    to ask with.
    """

    def __init__(
        self, text: str, code: str = "", exit_code: int = EX_UNAVAILABLE, operation: str = ""
    ) -> None:
        super().__init__(text)
        self.code = code
        self.operation = operation
        self.exit_code = exit_code

    @property
    def is_denied(self) -> bool:
        """Tell whether the policy of the key is the reason."""
        return self.code in _DENIED

    @property
    def is_about_keys(self) -> bool:
        """Tell whether the keys are of no use, or there are none."""
        return self.code in _OF_KEYS or (not self.code and self.exit_code == EX_CONFIG)


class Aws:
    """The services of one account in one region, by one set of keys. Not for two threads."""

    def __init__(self, credentials: Credentials, pause: float = 1.0) -> None:
        """``pause``: seconds before a call that came too early is repeated; it grows."""
        self.region = credentials.region
        self._credentials = credentials
        self._pause = pause
        self._session: Session | None = None
        self._clients: dict[str, Any] = {}
        self._caller: dict[str, Any] | None = None
        self._body: dict[str, Any] = {}

    def call(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """Return the answer to ``operation``, in botocore's form (``get_email_identity``).

        Raises AwsError. A call that AWS found too early is repeated, and no other.
        """
        for turn in range(1, _TRIES + 1):
            self._body = {}
            try:
                answer: dict[str, Any] = getattr(self._client(service), operation)(**request)
            except Exception as error:  # noqa: BLE001  botocore raises what it likes
                if turn == _TRIES or _code(error) not in _THROTTLED:
                    raise _failure(operation, error) from None
                time.sleep(self._pause * turn)
            else:
                answer.pop("ResponseMetadata", None)
                return _completed(answer, self._body)
        raise AssertionError("the last turn returns or raises")

    def account_id(self) -> str:
        """Return the number of the account. Raises AwsError."""
        return str(self._called_by()["Account"])

    def arn(self) -> str:
        """Return the ARN of the user or role that the keys belong to. Raises AwsError."""
        return str(self._called_by()["Arn"])

    def close(self) -> None:
        """Close the connections and forget the keys."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        if self._session is not None:
            self._session.close()
            self._session = None

    def _called_by(self) -> dict[str, Any]:
        if self._caller is None:
            self._caller = self.call("sts", "get_caller_identity")
        return self._caller

    def _client(self, service: str) -> Any:
        if self._session is None:
            self._session = Session(self._credentials)
        if service not in self._clients:
            client = self._session.client(service, _CONNECT_TIMEOUT, _READ_TIMEOUT)
            client.meta.events.register(f"response-received.{service}", self._keep_body)
            self._clients[service] = client
        return self._clients[service]

    def _keep_body(self, response_dict: dict[str, Any] | None, **_: Any) -> None:
        """Keep what came, for members that this botocore does not know."""
        with contextlib.suppress(ValueError):
            body = json.loads(response_dict["body"]) if response_dict else {}
            self._body = body if isinstance(body, dict) else {}


# Whose keys.


def can_ask(credentials: Credentials) -> bool:
    """Tell whether these credentials can ask anything: an SMTP password only sends mail."""
    return bool(credentials.secret_access_key) or not credentials.access_key_id


def from_credentials(credentials: Credentials) -> Aws:
    """Return the AWS that a credentials file opens. Raises AwsError for an SMTP password."""
    if not can_ask(credentials):
        raise AwsError(
            f"{credentials.path} has an SES SMTP password, which sends mail and can ask nothing; "
            "use --admin-profile or --admin-key-id"
        )
    return Aws(credentials)


def from_keys(
    key_id: str, key: str, token: str, region: str, endpoint_url: str = "", ca_file: str = ""
) -> Aws:
    """Return the AWS that this pair opens; ``token`` is "" but for a temporary one."""
    return Aws(
        Credentials(
            path="",
            identity="",
            transport="api",
            region=region,
            access_key_id=key_id,
            secret_access_key=key,
            session_token=token,
            endpoint_url=endpoint_url,
            ca_file=ca_file,
        )
    )


def from_profile(
    profile: str,
    region: str,
    endpoint_url: str = "",
    ca_file: str = "",
    environ: Mapping[str, str] | None = None,
) -> Aws:
    """Return the AWS that a profile of whoever calls opens. Raises ConfigurationError.

    Without a ``region`` that of the profile counts; ``environ``: see ``profile.keys``.
    """
    keys = keys_of_profile(profile, environ)
    region = region or keys.region
    return from_keys(keys.key_id, keys.secret, keys.token, region, endpoint_url, ca_file)


# The administrator's flags, see ``admin_flags``.


def admin(
    context: Context,
    arguments: argparse.Namespace,
    region: str,
    stored: Credentials | None = None,
) -> Aws:
    """Return the AWS of the administrator: by ``--admin-...``, else by the ``stored`` keys.

    ``region`` counts where there is no ``--region``. Raises UsageError where there are no keys, or
    none of the right shape; ConfigurationError for a profile.
    """
    chosen = checked("region", arguments.region or region, "--region")
    url = checked("endpoint_url", arguments.endpoint_url or "", "--endpoint-url")
    url = url or (stored.endpoint_url if stored else "")
    ca_file = stored.ca_file if stored else ""
    if arguments.admin_secret_file and not arguments.admin_key_id:
        raise UsageError("--admin-secret-file belongs to --admin-key-id, which is missing")
    if arguments.admin_profile:
        return from_profile(arguments.admin_profile, chosen, url, ca_file, context.environ)
    if arguments.admin_key_id:
        return by_key(context, arguments.admin_key_id, arguments.admin_secret_file, chosen, url)
    if stored is None or not can_ask(stored):
        raise UsageError("this needs rights in AWS: use --admin-profile or --admin-key-id")
    return from_credentials(stored)


def by_key(context: Context, key_id: str, secret_file: str | None, region: str, url: str) -> Aws:
    """Return the AWS of an access key whose secret is asked for, or read from a file.

    Raises UsageError.
    """
    if not secret.is_key_id(key_id):
        raise UsageError("--admin-key-id: an access key id has 20 characters and begins with A")
    if secret_file:
        lines = secret_input.read(context, secret_file, "--admin-secret-file")
    else:
        lines = [context.terminal.ask_secret("Secret access key", "--admin-secret-file")]
        if secret.is_temporary(key_id):
            lines.append(context.terminal.ask_secret("Session token", "--admin-secret-file"))
    key, token = (*lines, "")[:2]
    if not secret.is_api_secret(key):
        is_smtp = "; an SMTP password cannot set anything up" if secret.smtp_version(key) else ""
        raise UsageError(
            "the administrator's secret access key has 40 characters, this one has "
            f"{len(key)}{is_smtp}"
        )
    if secret.is_temporary(key_id) != bool(token):
        raise UsageError("a session token belongs to a temporary (ASIA) key, and only there")
    return from_keys(key_id, key, token, region, url)


def checked(key: str, value: str, flag: str) -> str:
    """Return a value that a credentials file could hold under ``key``; "" stays. UsageError."""
    if not value:
        return ""
    try:
        return str(PARSERS[key](value))
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from None


def _completed(parsed: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with those members of its JSON that botocore's model lacks.

    Old models, which distributions keep, drop them: the zone of the DKIM records, for example.
    Times among them stay numbers.
    """
    whole = dict(body)
    for name, value in parsed.items():
        inner = body.get(name)
        if isinstance(value, dict) and isinstance(inner, dict):
            value = _completed(value, inner)
        whole[name] = value
    return whole


# What went wrong.


def _code(error: Exception) -> str:
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))


def _failure(operation: str, error: Exception) -> AwsError:
    name = "".join(word.capitalize() for word in operation.split("_"))
    code = _code(error)
    if not isinstance(error, ClientError) or code in _OF_KEYS:
        result = replies.classify_api(error)
        return AwsError(f"{name}: {result.text}", code, result.exit_code or EX_UNAVAILABLE, name)
    said = str(error.response.get("Error", {}).get("Message", "")).strip().partition("\n")[0]
    text = replies.clean(": ".join(part for part in (code, said) if part))
    if code in _DENIED:
        remedy = "sesmailctl policy DOMAIN --admin prints the policy that allows it"
        text = f"{name} is not allowed to this key: {text}; {remedy}"
        return AwsError(text, code, EX_NOPERM, name)
    if code in _THROTTLED:
        text = f"AWS is asked too often: {text}; try again in a minute"
    return AwsError(f"{name}: {text or 'an answer without a reason'}", code, operation=name)
