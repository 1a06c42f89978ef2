"""SESv2 operations on the account: its quota and health, and the request to leave the sandbox."""

from __future__ import annotations

from .operations import Document, Operation, one_of, required
from .refusals import BAD_VALUE, CONFLICT, Refusal
from .state import GRANTED, REVIEWING, State

_MAIL_TYPES = ("MARKETING", "TRANSACTIONAL")
_MAX_CONTACTS = 4
_MAX_DESCRIPTION = 5000
_DETAILS = (
    "MailType",
    "WebsiteURL",
    "ContactLanguage",
    "UseCaseDescription",
    "AdditionalContactEmailAddresses",
)


def _get(state: State, members: Document) -> Document:
    answer: Document = {
        "DedicatedIpAutoWarmupEnabled": False,
        "EnforcementStatus": state.enforcement,
        "ProductionAccessEnabled": state.production,
        "SendingEnabled": state.may_send,
        "SendQuota": {
            "Max24HourSend": state.max_24_hour_send,
            "MaxSendRate": 14.0 if state.max_send_rate is None else state.max_send_rate,
            "SentLast24Hours": float(state.sent_last_24_hours()),
        },
        "SuppressionAttributes": {"SuppressedReasons": state.suppressed_reasons},
        "VdmAttributes": {"VdmEnabled": "DISABLED"},
    }
    if state.details:
        review = {"Status": state.review, "CaseId": "case-123456789012-muen-2026-0123456789abcdef"}
        answer["Details"] = {**state.details, "ReviewDetails": review}
    return answer


def _put_details(state: State, members: Document) -> Document:
    one_of(members, "MailType", _MAIL_TYPES, "")
    one_of(members, "ContactLanguage", ("EN", "JA"), "EN")
    if not required(members, "WebsiteURL").startswith(("http://", "https://")):
        raise Refusal(BAD_VALUE, "Website URL is not valid.")
    if len(members.get("UseCaseDescription") or "") > _MAX_DESCRIPTION:
        raise Refusal(BAD_VALUE, f"UseCaseDescription is longer than {_MAX_DESCRIPTION}.")
    if len(members.get("AdditionalContactEmailAddresses") or ()) > _MAX_CONTACTS:
        raise Refusal(BAD_VALUE, f"More than {_MAX_CONTACTS} additional contact addresses.")
    if state.review == REVIEWING:
        raise Refusal(CONFLICT, "The account details are under review.")
    state.details = {name: members[name] for name in _DETAILS if name in members}
    state.review = REVIEWING if members.get("ProductionAccessEnabled") else GRANTED
    return {}


def _put_sending(state: State, members: Document) -> Document:
    state.sending_enabled = bool(members.get("SendingEnabled"))
    return {}


def _put_suppression(state: State, members: Document) -> Document:
    state.suppressed_reasons = list(members.get("SuppressedReasons") or ())
    return {}


_PATH = "/v2/email/account"
OPERATIONS = (
    Operation("GetAccount", "GET", _PATH, _get),
    Operation("PutAccountDetails", "POST", _PATH + "/details", _put_details),
    Operation("PutAccountSendingAttributes", "PUT", _PATH + "/sending", _put_sending),
    Operation("PutAccountSuppressionAttributes", "PUT", _PATH + "/suppression", _put_suppression),
)
