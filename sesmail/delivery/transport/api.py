"""The SES API: SESv2 SendEmail with the raw message; SES v1 or SMTP where the key allows only that.

Destination is exactly the forward-paths: SES then sends to nobody else and leaves the header
section alone. ``FromEmailAddress`` is never given, for it replaces the From field. The keys that
the SES console makes for SMTP have only ses:SendRawEmail, with which SESv2 is not content: then v1
sends what is within its 10 MB, and SMTP the rest, with the password derived from the same key.
"""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import CredentialRetrievalError

from sesmail.delivery import replies
from sesmail.delivery.account import Account
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.outcome import Outcome, Result, Retry, delivered
from sesmail.delivery.session import Session
from sesmail.delivery.transport import addresses, marks
from sesmail.delivery.transport.deadline import CONNECT_TIMEOUT, READ_TIMEOUT, Deadline
from sesmail.delivery.transport.smtp import Smtp
from sesmail.sysexits import EX_UNAVAILABLE

LARGEST_V1 = 10 << 20  # bytes
_SLACK = 2.0  # seconds a client's time-out may exceed what is left before a new client is worth it


class Api:
    """The API transport of one credentials file; threads may share it."""

    def __init__(self, credentials: Credentials, deadline: Deadline) -> None:
        self._credentials = credentials
        self._deadline = deadline
        self._session: Session | None = None
        self._clients: dict[str, tuple[Any, float]] = {}
        self._smtp: Smtp | None = None
        self._making = threading.Lock()  # of clients: botocore's session is not for two threads
        self._using_smtp = threading.Lock()
        self._only_raw = False  # the key's policy lacks ses:SendEmail
        default = f"email.{credentials.region}.amazonaws.com"
        endpoint = urlsplit(credentials.endpoint_url)
        self.relay = endpoint.hostname or default
        self._port = endpoint.port or 443

    def send(
        self, message: bytes, source: str, forward_paths: list[str], queue_id: str
    ) -> list[Result]:
        """Make one attempt, see ``base.Transport``."""
        if not self._only_raw:
            result = self._send_v2(message, source, forward_paths, queue_id)
            if not result.other_interface or not self._has_other(message):
                return [result] * len(forward_paths)
            self._only_raw = True
        if len(message) <= LARGEST_V1:
            return [self._send_v1(message, source, forward_paths, queue_id)] * len(forward_paths)
        with self._using_smtp:
            if self._smtp is None:
                self._smtp = Smtp(self._credentials, self._deadline)
            return self._smtp.send(message, source, forward_paths, queue_id)

    def account(self) -> Account | None:
        """Return what SES tells of the account; None if it does not."""
        try:
            return Account.read(self._client("sesv2").get_account())
        except Exception:  # noqa: BLE001  a key without that right, an outage: it is only advice
            return None

    def close(self) -> None:
        """Close the connections."""
        for client, _ in self._clients.values():
            client.close()
        self._clients.clear()
        if self._smtp is not None:
            self._smtp.close()
        if self._session is not None:
            self._session.close()

    def _has_other(self, message: bytes) -> bool:
        return len(message) <= LARGEST_V1 or bool(self._credentials.smtp_password)

    def _send_v2(
        self, message: bytes, source: str, forward_paths: list[str], queue_id: str
    ) -> Result:
        marked = marks.collect(message, self._credentials, queue_id)
        request: dict[str, Any] = {
            "Content": {"Raw": {"Data": message}},
            "Destination": {"BccAddresses": forward_paths},
            "FeedbackForwardingEmailAddress": source,
            "EmailTags": _tags(marked),
        }
        if marked.configuration_set:
            request["ConfigurationSetName"] = marked.configuration_set
        return self._call("sesv2", "send_email", request, forward_paths, source)

    def _send_v1(
        self, message: bytes, source: str, forward_paths: list[str], queue_id: str
    ) -> Result:
        marked = marks.collect(message, self._credentials, queue_id)
        request: dict[str, Any] = {
            "RawMessage": {"Data": message},
            "Destinations": forward_paths,
            "Source": source,
            "Tags": _tags(marked),
        }
        if marked.configuration_set:
            request["ConfigurationSetName"] = marked.configuration_set
        return self._call("ses", "send_raw_email", request, forward_paths, source)

    def _call(
        self,
        service: str,
        operation: str,
        request: dict[str, Any],
        forward_paths: list[str],
        source: str,
    ) -> Result:
        try:
            client = self._client(service)
        except Exception as error:  # noqa: BLE001
            return self._without_keys(error)
        try:
            answer = getattr(client, operation)(**request)
        # Whatever botocore or a broken answer raise: what is unknown is deferred, not lost.
        except Exception as error:  # noqa: BLE001
            smtp_secret = self._session is not None and self._session.has_smtp_password()
            return replies.classify_api(error, forward_paths, source, self.relay, smtp_secret)
        remote_id = str(answer.get("MessageId", ""))
        if not remote_id:
            text = "an answer without a message id; SES may have taken the message all the same"
            return Result(
                Outcome.DEFERRED, "4.5.0", text, self.relay, "", EX_UNAVAILABLE, Retry.AMBIGUOUS
            )
        return delivered(self.relay, remote_id)

    def _without_keys(self, error: Exception) -> Result:
        """Return the result of an error before anything was sent to SES: never ambiguous."""
        result = replies.classify_api(error, relay=self.relay)
        if result.retry is not Retry.AMBIGUOUS:
            return result
        lost = CredentialRetrievalError(provider="any", error_msg="")
        return replies.classify_api(lost, relay=self.relay)

    def _client(self, service: str) -> Any:
        """Return a client whose time-outs end within the deadline."""
        with self._making:
            return self._fitting_client(service)

    def _fitting_client(self, service: str) -> Any:
        client, limit = self._clients.get(service, (None, 0.0))
        if client is not None and limit <= self._deadline.left() + _SLACK:
            return client
        if client is not None:
            client.close()
        if self._session is None:
            self._session = Session(self._credentials)
        limit = self._deadline.cut(READ_TIMEOUT)
        connect = addresses.share(self.relay, self._port, self._deadline.cut(CONNECT_TIMEOUT))
        client = self._session.client(service, connect, limit)
        self._clients[service] = client, limit
        return client


def _tags(marked: marks.Marks) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in marked.tags.items()]
