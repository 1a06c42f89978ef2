"""SESv2 requests (rest-json): SendEmail with Content.Raw, and the operations of the account."""

from __future__ import annotations

import base64
import binascii
import json

from . import account, configuration_sets, identities, message, operations, suppressed
from .answers import Call
from .faults import V2
from .operations import Document, Operation
from .refusals import BAD_VALUE, UNKNOWN_OPERATION, UNREADABLE_REQUEST, Refusal
from .rules import Submission
from .signatures import Request
from .state import Accepted, State

OPERATIONS = (
    *identities.OPERATIONS,
    *account.OPERATIONS,
    *suppressed.OPERATIONS,
    *configuration_sets.OPERATIONS,
)


def read(state: State, request: Request) -> Call:
    """What the request asks for; Refusal if it cannot be read."""
    if (request.method, request.target) == ("POST", "/v2/email/outbound-emails"):
        return Call(_submission(operations.document(request.body)), _message_id)
    for operation in OPERATIONS:
        members = operation.matches(request)
        if members is not None:
            return _call(state, operation, operations.asked(request, members))
    raise Refusal(UNKNOWN_OPERATION, f"No operation at {request.method} {request.target}")


def _call(state: State, operation: Operation, members: Document) -> Call:
    def result() -> bytes:
        with state.changed:
            return json.dumps(operation.run(state, members)).encode()

    return Call(action=f"ses:{operation.name}", result=result)


def _submission(document: Document) -> Submission:
    content = document.get("Content") or {}
    if set(content) != {"Raw"}:
        raise Refusal(BAD_VALUE, "The stand-in takes Content.Raw and nothing else.")
    try:
        raw = base64.b64decode(content["Raw"]["Data"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise Refusal(UNREADABLE_REQUEST, "Content.Raw.Data is no base64.") from None
    author = document.get("FromEmailAddress")
    groups = document.get("Destination") or {}
    return Submission(
        interface=V2,
        key_id="",
        raw=message.replace_from(raw, author) if author else raw,
        source=document.get("FeedbackForwardingEmailAddress"),
        destinations=[
            address
            for group in ("ToAddresses", "CcAddresses", "BccAddresses")
            for address in groups.get(group) or ()
        ],
        configuration_set=document.get("ConfigurationSetName"),
        tags={tag["Name"]: tag["Value"] for tag in document.get("EmailTags") or ()},
    )


def _message_id(accepted: Accepted) -> bytes:
    return json.dumps({"MessageId": accepted.message_id}).encode()
