"""SES v1 requests (Query protocol, XML answers): SendRawEmail and GetSendQuota."""

from __future__ import annotations

import base64
import binascii
import uuid
from urllib.parse import parse_qs

from .answers import NAMESPACE, Call
from .faults import V1
from .refusals import MISSING_PARAMETER, UNKNOWN_OPERATION, UNREADABLE_REQUEST, Refusal
from .rules import Submission
from .signatures import Request
from .state import Accepted, State

Parameters = dict[str, list[str]]


def read(state: State, request: Request) -> Call:
    """What the request asks for; Refusal if it cannot be read."""
    try:
        parameters = parse_qs(request.body.decode("ascii"), keep_blank_values=True)
    except ValueError:
        raise Refusal(UNREADABLE_REQUEST, "The query string is malformed.") from None
    action = _value(parameters, "Action")
    if action == "GetSendQuota":
        return Call(V1, _message_id, action="ses:GetSendQuota", result=lambda: _quota(state))
    if action == "SendRawEmail":
        return Call(V1, _message_id, submission=_submission(parameters))
    raise Refusal(UNKNOWN_OPERATION, f"Could not find operation {action}")


def _submission(parameters: Parameters) -> Submission:
    data = _value(parameters, "RawMessage.Data")
    if data is None:
        raise Refusal(MISSING_PARAMETER, "Value for RawMessage.Data is missing.")
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Refusal(UNREADABLE_REQUEST, "RawMessage.Data is no base64.") from None
    tags = zip(
        _members(parameters, "Tags", ".Name"), _members(parameters, "Tags", ".Value"), strict=True
    )
    return Submission(
        interface=V1,
        key_id="",
        raw=raw,
        source=_value(parameters, "Source"),
        destinations=_members(parameters, "Destinations"),
        configuration_set=_value(parameters, "ConfigurationSetName"),
        tags=dict(tags),
    )


def _value(parameters: Parameters, name: str) -> str | None:
    return next(iter(parameters.get(name, ())), None)


def _members(parameters: Parameters, name: str, suffix: str = "") -> list[str]:
    found: list[str] = []
    while (value := _value(parameters, f"{name}.member.{len(found) + 1}{suffix}")) is not None:
        found.append(value)
    return found


def _message_id(accepted: Accepted) -> bytes:
    return _response("SendRawEmail", f"<MessageId>{accepted.message_id}</MessageId>")


def _quota(state: State) -> bytes:
    rate = 14.0 if state.max_send_rate is None else state.max_send_rate
    return _response(
        "GetSendQuota",
        f"<Max24HourSend>{state.max_24_hour_send}</Max24HourSend>"
        f"<MaxSendRate>{rate}</MaxSendRate>"
        f"<SentLast24Hours>{state.sent_last_24_hours():.1f}</SentLast24Hours>",
    )


def _response(action: str, result: str) -> bytes:
    return (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        f"</{action}Response>\n"
    ).encode()
