"""What SQS refuses, and how: the limits on names, numbers, attributes and batches."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from typing import Any

from .queue import DEFAULTS
from .refusals import Kind, Refusal

NAME = frozenset(string.ascii_letters + string.digits + "-_")
MAX_NAME = 80
MAX_ENTRIES = 10
SETTABLE = frozenset([*DEFAULTS, "Policy", "RedrivePolicy", "KmsMasterKeyId"])


def _kind(status: int, code: str, query_code: str = "") -> Kind:
    return Kind((status, code), (status, query_code or code), (0, ""))


_OLD = "AWS.SimpleQueueService."
NO_QUEUE = _kind(400, "QueueDoesNotExist", _OLD + "NonExistentQueue")
DELETED = _kind(400, "QueueDeletedRecently", _OLD + "QueueDeletedRecently")
EXISTS = _kind(400, "QueueNameExists", "QueueAlreadyExists")
BAD_PARAMETER = _kind(400, "InvalidParameterValue")
MISSING = _kind(400, "MissingParameter")
BAD_ATTRIBUTE = _kind(400, "InvalidAttributeName")
BAD_ATTRIBUTE_VALUE = _kind(400, "InvalidAttributeValue")
BAD_HANDLE = _kind(400, "ReceiptHandleIsInvalid")
NOT_IN_FLIGHT = _kind(400, "MessageNotInflight", _OLD + "MessageNotInflight")
NO_ENTRIES = _kind(400, "EmptyBatchRequest", _OLD + "EmptyBatchRequest")
TOO_MANY_ENTRIES = _kind(400, "TooManyEntriesInBatchRequest", _OLD + "TooManyEntriesInBatchRequest")
SAME_IDS = _kind(400, "BatchEntryIdsNotDistinct", _OLD + "BatchEntryIdsNotDistinct")
NO_OPERATION = _kind(400, "UnknownOperationException", "InvalidAction")
UNAVAILABLE = _kind(503, "ServiceUnavailable")


def check_presence(away: str) -> None:
    """Refusal, or the end of the connection, if SQS is away in that way."""
    if away == "dropped":
        raise ConnectionAbortedError
    if away == "unavailable":
        raise Refusal(UNAVAILABLE, "Service is unable to handle request.")


def check_name(name: str) -> None:
    """Refusal unless SQS takes it as a queue's name."""
    if not 0 < len(name) <= MAX_NAME or not NAME.issuperset(name):
        raise Refusal(
            BAD_PARAMETER,
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )


def number(document: Mapping[str, Any], name: str, least: int, most: int, default: int) -> int:
    """The number of this name, the default if there is none; Refusal beyond the limits."""
    value = document.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or not least <= value <= most:
        raise Refusal(
            BAD_PARAMETER,
            f"Value {value} for parameter {name} is invalid. Reason: Must be between {least} and "
            f"{most}, if provided.",
        )
    return value


def check_attributes(attributes: Mapping[str, str]) -> None:
    """Refusal for attributes of queues that SQS does not take."""
    for name, value in attributes.items():
        if name not in SETTABLE:
            raise Refusal(BAD_ATTRIBUTE, f"Unknown Attribute {name}.")
        if name == "Policy" and value:
            try:
                json.loads(value)
            except ValueError:
                raise Refusal(
                    BAD_ATTRIBUTE_VALUE, "Invalid value for the parameter Policy."
                ) from None
        elif name in DEFAULTS and name != "SqsManagedSseEnabled" and not value.isdigit():
            raise Refusal(BAD_ATTRIBUTE_VALUE, f"Invalid value for the parameter {name}.")


def check_entries(entries: list[Mapping[str, Any]]) -> None:
    """Refusal for a batch that is empty, too long or ambiguous."""
    if not entries:
        raise Refusal(NO_ENTRIES, "There should be at least one entry in the request.")
    if len(entries) > MAX_ENTRIES:
        raise Refusal(
            TOO_MANY_ENTRIES,
            f"Maximum number of entries per request are {MAX_ENTRIES}. "
            f"You have sent {len(entries)}.",
        )
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise Refusal(SAME_IDS, "Two or more batch entries in the request have the same Id.")


def bad_handle(error: ValueError) -> Refusal:
    """The Refusal of what is no receipt handle."""
    return Refusal(BAD_HANDLE, f'The input receipt handle "{error}" is not a valid receipt handle.')
