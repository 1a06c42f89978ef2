"""A queue of SQS, as far as events need it: receive, delete, leave for somebody else.

Only a poller's thread imports this, for it imports botocore.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from sesmail.delivery.credentials import Credentials
from sesmail.delivery.session import Session

_MOST_AT_ONCE = 10  # messages in a call of SQS
_CONNECT_TIMEOUT = 10.0  # seconds
_READ_TIMEOUT = 30.0  # longer than SQS waits for a message
# sqs.REGION.amazonaws.com, sqs-fips.…, vpce-….sqs.REGION.vpce.…, REGION.queue.amazonaws.com
_REGION = re.compile(r"(?:^|\.)sqs(?:-fips)?\.([a-z0-9-]+)\.|^([a-z0-9-]+)\.queue\.")
_WRONG_KEYS = ("InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException")


@dataclass(frozen=True, slots=True)
class Message:
    """A message of SQS. ``receipt`` is what deletes it; ``count``: how often it was received."""

    body: object
    receipt: str
    count: int


class Queue:
    """The queue that a credentials file names."""

    def __init__(self, credentials: Credentials) -> None:
        self._url = credentials.events_queue_url
        parts = urlsplit(self._url)
        endpoint = f"{parts.scheme}://{parts.netloc}"
        region = region_of(self._url, credentials.region)
        self._client = Session(credentials).client(
            "sqs", _CONNECT_TIMEOUT, _READ_TIMEOUT, endpoint, region
        )

    def receive(self, wait: int) -> list[Message]:
        """Return up to ten messages; ``wait`` seconds for the first."""
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_MOST_AT_ONCE,
            WaitTimeSeconds=wait,
            AttributeNames=["ApproximateReceiveCount"],  # Debian 12 knows no newer name
        )
        return [_message(one) for one in answer.get("Messages", ())]

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete up to ten messages; one that cannot be comes again."""
        entries = [{"Id": str(n), "ReceiptHandle": one} for n, one in enumerate(receipts)]
        self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def leave(self, receipts: Sequence[tuple[str, int]]) -> None:
        """Let up to ten messages be received again, each after its number of seconds."""
        entries = [
            {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for n, (receipt, seconds) in enumerate(receipts)
        ]
        self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def region_of(url: str, default: str) -> str:
    """Return the region of a queue."""
    found = _REGION.search(urlsplit(url).hostname or "")
    return found[1] or found[2] if found else default


def why(error: Exception) -> str:
    """Return what is wrong with a queue, in a line with the remedy, without a secret."""
    if not isinstance(error, ClientError):
        return f"{type(error).__name__}; the next try is made soon"
    details = error.response.get("Error", {})
    code = str(details.get("Code", ""))
    text = f"{code}: {details.get('Message', '')}"
    if code.endswith(("NonExistentQueue", "QueueDoesNotExist")):
        return f"{text}; run sesmailctl events setup, or correct events_queue_url"
    if code.startswith("AccessDenied"):
        return f"{text}; sesmailctl events policy prints the rights that the key needs"
    if code in _WRONG_KEYS or code.startswith("InvalidAccessKeyId"):
        return f"{text}; correct the keys in the credentials file"
    return text


def _message(message: dict[str, Any]) -> Message:
    try:
        count = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
    except ValueError:
        count = 1
    return Message(message.get("Body"), str(message["ReceiptHandle"]), count)
