"""SESv2 requests (rest-json): SendEmail with Content.Raw, and GetAccount."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any
from urllib.parse import urlsplit

from . import message
from .answers import Call
from .faults import V2
from .refusals import BAD_VALUE, UNKNOWN_OPERATION, UNREADABLE_REQUEST, Refusal
from .rules import Submission
from .signatures import Request
from .state import Accepted, State


def read(state: State, request: Request) -> Call:
    """What the request asks for; Refusal if it cannot be read."""
    operation = request.method, urlsplit(request.target).path
    if operation == ("GET", "/v2/email/account"):
        return Call(action="ses:GetAccount", result=lambda: _account(state))
    if operation != ("POST", "/v2/email/outbound-emails"):
        raise Refusal(UNKNOWN_OPERATION, f"No operation at {operation[0]} {operation[1]}")
    return Call(_submission(_document(request.body)), _message_id)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        raise Refusal(UNREADABLE_REQUEST, "The request body is no JSON.") from None
    if not isinstance(document, dict):
        raise Refusal(UNREADABLE_REQUEST, "The request body is no JSON object.")
    return document


def _submission(document: dict[str, Any]) -> Submission:
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


def _account(state: State) -> bytes:
    return json.dumps(
        {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": not state.sandbox,
            "SendingEnabled": True,
            "SendQuota": {
                "Max24HourSend": state.max_24_hour_send,
                "MaxSendRate": 14.0 if state.max_send_rate is None else state.max_send_rate,
                "SentLast24Hours": float(state.sent_last_24_hours()),
            },
            "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
        }
    ).encode()
