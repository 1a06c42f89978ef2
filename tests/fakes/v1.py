"""SES v1 requests (Query protocol, XML answers): SendRawEmail and GetSendQuota."""

from __future__ import annotations

import base64
import binascii

from . import query
from .answers import Call, query_result
from .faults import V1
from .query import Parameters
from .refusals import MISSING_PARAMETER, UNKNOWN_OPERATION, UNREADABLE_REQUEST, Refusal
from .rules import Submission
from .signatures import Request
from .state import Accepted, State

NAMESPACE = "http://ses.amazonaws.com/doc/2010-12-01/"


def read(state: State, request: Request) -> Call:
    """What the request asks for; Refusal if it cannot be read."""
    parameters = query.parameters(request)
    action = query.value(parameters, "Action")
    if action == "GetSendQuota":
        return Call(action="ses:GetSendQuota", result=lambda: _quota(state))
    if action == "SendRawEmail":
        return Call(_submission(parameters), _message_id)
    raise Refusal(UNKNOWN_OPERATION, f"Could not find operation {action}")


def _submission(parameters: Parameters) -> Submission:
    data = query.value(parameters, "RawMessage.Data")
    if data is None:
        raise Refusal(MISSING_PARAMETER, "Value for RawMessage.Data is missing.")
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Refusal(UNREADABLE_REQUEST, "RawMessage.Data is no base64.") from None
    names = query.members(parameters, "Tags", ".Name")
    values = query.members(parameters, "Tags", ".Value")
    return Submission(
        interface=V1,
        key_id="",
        raw=raw,
        source=query.value(parameters, "Source"),
        destinations=query.members(parameters, "Destinations"),
        configuration_set=query.value(parameters, "ConfigurationSetName"),
        tags=dict(zip(names, values, strict=True)),
    )


def _message_id(accepted: Accepted) -> bytes:
    return query_result(NAMESPACE, "SendRawEmail", f"<MessageId>{accepted.message_id}</MessageId>")


def _quota(state: State) -> bytes:
    rate = 14.0 if state.max_send_rate is None else state.max_send_rate
    return query_result(
        NAMESPACE,
        "GetSendQuota",
        f"<Max24HourSend>{state.max_24_hour_send}</Max24HourSend>"
        f"<MaxSendRate>{rate}</MaxSendRate>"
        f"<SentLast24Hours>{state.sent_last_24_hours():.1f}</SentLast24Hours>",
    )
