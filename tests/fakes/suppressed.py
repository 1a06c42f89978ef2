"""SESv2 operations on the account's suppression list."""

from __future__ import annotations

import datetime

from . import addresses
from .operations import Document, Operation, one_of, page, required
from .refusals import BAD_VALUE, NOT_FOUND, Refusal
from .state import State, Suppressed

REASONS = ("BOUNCE", "COMPLAINT")
_PATH = "/v2/email/suppression/addresses"
_ONE = _PATH + "/{EmailAddress}"
_PAGE = 1000


def _get(state: State, members: Document) -> Document:
    address = _known(state, members)
    found = state.suppressed[address]
    attributes = {"MessageId": found.message_id, "FeedbackId": found.feedback_id}
    described = {**_summary(address, found)}
    if any(attributes.values()):
        described["Attributes"] = {name: value for name, value in attributes.items() if value}
    return {"SuppressedDestination": described}


def _list(state: State, members: Document) -> Document:
    wanted = members.get("Reason") or REASONS
    start = _seconds(members, "StartDate", 0.0)
    end = _seconds(members, "EndDate", float("inf"))
    found = [
        _summary(address, one)
        for address, one in sorted(state.suppressed.items())
        if one.reason in wanted and start <= one.since <= end
    ]
    summaries, more = page(found, members, _PAGE)
    return {"SuppressedDestinationSummaries": summaries, **more}


def _put(state: State, members: Document) -> Document:
    if not state.production:
        raise Refusal(BAD_VALUE, "Your account is in the sandbox: it has no suppression list.")
    address = required(members, "EmailAddress")
    addresses.check(address)
    state.suppress(_normal(address), one_of(members, "Reason", REASONS, ""))
    return {}


def _delete(state: State, members: Document) -> Document:
    del state.suppressed[_known(state, members)]
    return {}


OPERATIONS = (
    Operation("GetSuppressedDestination", "GET", _ONE, _get),
    Operation("ListSuppressedDestinations", "GET", _PATH, _list),
    Operation("PutSuppressedDestination", "PUT", _PATH, _put),
    Operation("DeleteSuppressedDestination", "DELETE", _ONE, _delete),
)


def _known(state: State, members: Document) -> str:
    address = _normal(members["EmailAddress"])
    if address not in state.suppressed:
        raise Refusal(
            NOT_FOUND, f"Email address {address} does not exist on your suppression list."
        )
    return address


def _normal(address: str) -> str:
    """The address as the list has it: with its domain in lower case."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def _summary(address: str, found: Suppressed) -> Document:
    return {"EmailAddress": address, "Reason": found.reason, "LastUpdateTime": found.since}


def _seconds(members: Document, name: str, default: float) -> float:
    """A time of the query (ISO 8601), in seconds since the epoch."""
    if name not in members:
        return default
    try:
        return datetime.datetime.fromisoformat(members[name][0]).timestamp()
    except ValueError:
        raise Refusal(BAD_VALUE, f"{name} is no time.") from None
