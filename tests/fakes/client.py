"""Calls the SES stand-in the way programs call SES: boto3 for the API, smtplib for SMTP.

For the stand-in's own tests; sesmail's are through sesmail.
"""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from . import signatures
from .ses import KEY_ID, SECRET, SesServer

INTERFACES = ("v2", "v1", "smtp")
ONCE = Config(
    connect_timeout=5,
    proxies={},
    retries={"mode": "standard", "total_max_attempts": 1},
)

if "ignore_configured_endpoint_urls" in Config.OPTION_DEFAULTS:  # not yet in botocore 1.29
    ONCE = ONCE.merge(Config(ignore_configured_endpoint_urls=True))  # type: ignore[call-arg]

# One for all: it has the API models in memory, which takes most of the time of a first client.
SESSION = boto3.session.Session()


class Refused(Exception):
    """The answer was no: HTTP or SMTP status, error code (API only) and text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(f"{status} {code} {text}")
        self.status = status
        self.code = code
        self.text = text


class Caller:
    """One key's clients of a server in this process, or of the addresses that the program told.

    patience is how long it waits for an answer, in seconds.
    """

    def __init__(
        self,
        ses: SesServer | Mapping[str, str],
        *,
        key_id: str = KEY_ID,
        secret: str = SECRET,
        token: str | None = None,
        region: str | None = None,
        tls: bool = False,
        patience: float = 20.0,
    ) -> None:
        told = _addresses(ses) if isinstance(ses, SesServer) else ses
        self._addresses = told
        self._endpoint = told["api_tls_url" if tls else "api_url"]
        self._key_id, self._secret, self._token = key_id, secret, token
        self._region = region or told.get("region", "us-east-1")
        self._patience = patience
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            client.close()

    def v2(self) -> Any:
        """The boto3 client for SESv2."""
        return self._client("sesv2")

    def v1(self) -> Any:
        """The boto3 client for SES v1."""
        return self._client("ses")

    def sqs(self) -> Any:
        """The boto3 client for SQS."""
        return self._client("sqs")

    def sns(self) -> Any:
        """The boto3 client for SNS."""
        return self._client("sns")

    def sts(self) -> Any:
        """The boto3 client for STS."""
        return self._client("sts")

    def smtps(self) -> smtplib.SMTP_SSL:
        """A connection to the port with the TLS wrapper, certificate checked; to be closed."""
        return smtplib.SMTP_SSL(
            self._addresses["smtp_host"],
            int(self._addresses["smtps_port"]),
            context=self.context(),
            timeout=self._patience,
        )

    def starttls(self) -> smtplib.SMTP:
        """A connection to the port with STARTTLS, not yet encrypted; to be closed."""
        port = int(self._addresses["starttls_port"])
        return smtplib.SMTP(self._addresses["smtp_host"], port, timeout=self._patience)

    def context(self) -> ssl.SSLContext:
        """A TLS context that trusts the stand-in's CA and no other."""
        return ssl.create_default_context(cafile=self._addresses["ca_file"])

    def login(self, connection: smtplib.SMTP) -> None:
        """Log in with the password that belongs to the key."""
        connection.login(self._key_id, signatures.smtp_password(self._secret, self._region))

    def send(
        self,
        interface: str,
        raw: bytes,
        source: str | None = "ann@example.com",
        destinations: Sequence[str] = ("bob@example.net",),
        tags: Mapping[str, str] | None = None,
        configuration_set: str | None = None,
    ) -> str:
        """Send through v2, v1 or smtp; the message id, or Refused."""
        rest: dict[str, Any] = {"ConfigurationSetName": configuration_set, "Tags": _pairs(tags)}
        rest = {name: value for name, value in rest.items() if value}
        try:
            if interface == "v2":
                return self._send_v2(raw, source, destinations, rest)
            if interface == "v1":
                return self._send_v1(raw, source, destinations, rest)
            return self._send_smtp(raw, source or "ann@example.com", destinations)
        except ClientError as error:
            raise _refused(error) from error

    def _send_v2(
        self, raw: bytes, source: str | None, destinations: Sequence[str], rest: dict[str, Any]
    ) -> str:
        if "Tags" in rest:
            rest["EmailTags"] = rest.pop("Tags")
        if source:
            rest["FeedbackForwardingEmailAddress"] = source
        if destinations:
            rest["Destination"] = {"BccAddresses": list(destinations)}
        return str(self.v2().send_email(Content={"Raw": {"Data": raw}}, **rest)["MessageId"])

    def _send_v1(
        self, raw: bytes, source: str | None, destinations: Sequence[str], rest: dict[str, Any]
    ) -> str:
        if source:
            rest["Source"] = source
        if destinations:
            rest["Destinations"] = list(destinations)
        return str(self.v1().send_raw_email(RawMessage={"Data": raw}, **rest)["MessageId"])

    def _send_smtp(self, raw: bytes, source: str, destinations: Sequence[str]) -> str:
        try:
            with self.smtps() as connection:
                self.login(connection)
                _expect(connection.mail(source), 250)
                for destination in destinations:
                    _expect(connection.rcpt(destination), 250)
                return _expect(connection.data(raw), 250).removeprefix("Ok ")
        except smtplib.SMTPResponseException as error:
            text = error.smtp_error
            text = text.decode() if isinstance(text, bytes) else text
            raise Refused(error.smtp_code, "", text) from error

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = SESSION.client(  # type: ignore[call-overload]
                service,
                region_name=self._region,
                endpoint_url=self._endpoint,
                verify=self._addresses.get("ca_file"),
                aws_access_key_id=self._key_id,
                aws_secret_access_key=self._secret,
                aws_session_token=self._token,
                config=Config(read_timeout=self._patience).merge(ONCE),
            )
        return self._clients[service]


def document(call: Callable[..., Any], **members: Any) -> Any:
    """The JSON document that this call of a boto3 client gets.

    boto3 itself drops the members that its model lacks, as those of older botocores do.
    """
    bodies: list[bytes] = []

    def keep(http_response: Any, **rest: Any) -> None:
        bodies.append(http_response.content)

    events = call.__self__.meta.events  # type: ignore[attr-defined]
    events.register("after-call", keep)
    try:
        call(**members)
    finally:
        events.unregister("after-call", keep)
    return json.loads(bodies[0])


def refusal(call: Callable[..., Any], **members: Any) -> Refused:
    """The refusal that this call of a boto3 client meets; AssertionError if it is answered.

    The code and its status are checked to be what the API's model has for the operation, if it has
    them: SES answers some codes that the model does not.
    """
    try:
        call(**members)
    except ClientError as error:
        refused = _refused(error)
        client = call.__self__  # type: ignore[attr-defined]
        operation = client.meta.service_model.operation_model(error.operation_name)
        errors = [(one.name, one.metadata.get("error", {})) for one in operation.error_shapes]
        modelled = {error.get("code", name): error for name, error in errors}
        expected = modelled.get(refused.code, {}).get("httpStatusCode", refused.status)
        assert refused.status == expected, f"{refused.code} comes with {expected}"
        return refused
    raise AssertionError("it was answered")


def _refused(error: ClientError) -> Refused:
    what = error.response["Error"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return Refused(status, what["Code"], what.get("Message", ""))


def _addresses(ses: SesServer) -> dict[str, str]:
    return {
        "api_url": ses.api_url,
        "api_tls_url": ses.api_tls_url,
        "smtp_host": ses.smtp_host,
        "smtps_port": str(ses.smtps_port),
        "starttls_port": str(ses.starttls_port),
        "ca_file": ses.ca_file,
        "region": ses.state.region,
    }


def _pairs(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in (tags or {}).items()]


def _expect(reply: tuple[int, bytes], code: int) -> str:
    status, text = reply
    if status != code:
        raise Refused(status, "", text.decode())
    return text.decode()
