"""The records of SES event publishing: what a topic gets about one message, as JSON.

SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon SNS".  A record has
its kind, the `mail` as it was accepted, and one part that says what happened.  Notifications of an
identity, without a configuration set, are the same but for `notificationType`, fewer kinds, and no
tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import addresses, message
from .state import ACCOUNT, Accepted
from .topics import stamp

MAX_HEADERS = 10 * 1024  # bytes of the header section; the rest is left out
DAY = 24 * 3600.0


@dataclass(frozen=True)
class Kind:
    """A kind of event.

    event is its `eventType`, matching its name in MatchingEventTypes, part the member that says
    what happened, recipients that member's list of recipients.
    """

    event: str
    matching: str
    part: str
    recipients: str = ""


# By the names that sesmail has for them: the event type in lower case, without blanks.
KINDS = {
    "send": Kind("Send", "SEND", "send"),
    "delivery": Kind("Delivery", "DELIVERY", "delivery", "recipients"),
    "bounce": Kind("Bounce", "BOUNCE", "bounce", "bouncedRecipients"),
    "complaint": Kind("Complaint", "COMPLAINT", "complaint", "complainedRecipients"),
    "reject": Kind("Reject", "REJECT", "reject"),
    "deliverydelay": Kind("DeliveryDelay", "DELIVERY_DELAY", "deliveryDelay", "delayedRecipients"),
    "renderingfailure": Kind("Rendering Failure", "RENDERING_FAILURE", "failure"),
}
OF_RECIPIENTS = frozenset(["action", "status", "diagnosticCode"])


@dataclass(frozen=True)
class Origin:
    """Where a message was accepted: seconds since the epoch, region, configuration set, identity.

    An empty configuration set makes a notification of the identity.
    """

    at: float
    region: str
    configuration_set: str
    identity: str


def record(
    kind: str,
    accepted: Accepted,
    origin: Origin,
    recipients: Sequence[str],
    at: float,
    details: dict[str, Any],
) -> dict[str, Any]:
    """What SES tells of the kind about these recipients of the message.

    at is when it happened.  details replace members of the part that says so, or (`action`,
    `status`, `diagnosticCode`) of each of its recipients; None takes one away.
    """
    which = KINDS[kind]
    of_each = {name: value for name, value in details.items() if name in OF_RECIPIENTS}
    of_all = {name: value for name, value in details.items() if name not in OF_RECIPIENTS}
    told = {**_part(kind, accepted, origin, at), **of_all}
    if which.recipients:
        told[which.recipients] = [_recipient(kind, one, of_each) for one in recipients]
    type_ = "eventType" if origin.configuration_set else "notificationType"
    return {type_: which.event, "mail": _mail(accepted, origin), which.part: _present(told)}


def _part(kind: str, accepted: Accepted, origin: Origin, at: float) -> dict[str, Any]:
    identifier = f"0100{int(at * 1000):012x}-{accepted.message_id[17:53]}-000000"
    if kind == "bounce":
        return {
            "feedbackId": identifier,
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "timestamp": stamp(at),
            "reportingMTA": "dns; mx.example.net",
        }
    if kind == "complaint":
        return {
            "feedbackId": identifier,
            "complaintSubType": None,
            "timestamp": stamp(at),
            "userAgent": "Example/1.0",
            "complaintFeedbackType": "abuse",
            "arrivalDate": stamp(at),
        }
    if kind == "delivery":
        return {
            "timestamp": stamp(at),
            "processingTimeMillis": int((at - origin.at) * 1000),
            "smtpResponse": "250 2.6.0 Message received",
            "reportingMTA": "a8-70.smtp-out.amazonses.com",
        }
    if kind == "deliverydelay":
        return {
            "timestamp": stamp(at),
            "delayType": "TransientCommunicationFailure",
            "expirationTime": stamp(origin.at + DAY / 2),
        }
    if kind == "reject":
        return {"reason": "Bad content"}
    if kind == "renderingfailure":
        return {
            "errorMessage": "Attribute 'name' is not present in the rendering data.",
            "templateName": "Template",
        }
    return {}


def _recipient(kind: str, address: str, details: dict[str, Any]) -> Any:
    if kind == "delivery":
        return address
    defaults: dict[str, Any] = {}
    if kind == "bounce":
        defaults = {
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
    if kind == "deliverydelay":
        defaults = {
            "status": "4.4.1",
            "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host",
        }
    return _present({"emailAddress": address, **defaults, **details})


def _present(members: dict[str, Any]) -> dict[str, Any]:
    """All but what is None; SES itself writes null for a complaint without a subtype."""
    return {
        name: value
        for name, value in members.items()
        if value is not None or name == "complaintSubType"
    }


def _mail(accepted: Accepted, origin: Origin) -> dict[str, Any]:
    owner = f"arn:aws:ses:{origin.region}:{ACCOUNT}:identity/{origin.identity}"
    told = {
        "timestamp": stamp(origin.at),
        "source": accepted.source,
        "sourceArn": owner,
        "sendingAccountId": ACCOUNT,
        "messageId": accepted.message_id,
        "destination": accepted.destinations,
    }
    if not origin.configuration_set:
        return told
    return {**told, **_headers(accepted), "tags": _tags(accepted, origin.configuration_set)}


def _headers(accepted: Accepted) -> dict[str, Any]:
    parsed = message.parse(accepted.raw)
    kept, used = [], 0
    for field in parsed.fields:
        used += len(field.raw)
        if used > MAX_HEADERS:
            break
        kept.append({"name": field.name, "value": field.value})
    common: dict[str, Any] = {
        name: addresses.split_list(", ".join(values))
        for name in ("From", "To", "Cc", "Reply-To")
        if (values := parsed.values(name))
    }
    common["messageId"] = parsed.first("Message-ID") or accepted.message_id
    for name in ("Subject", "Date"):
        common[name] = parsed.first(name)
    return {
        "headersTruncated": len(kept) < len(parsed.fields),
        "headers": kept,
        "commonHeaders": {
            _common(name): value for name, value in common.items() if value is not None
        },
    }


def _common(name: str) -> str:
    return "replyTo" if name == "Reply-To" else name[0].lower() + name[1:]


def _tags(accepted: Accepted, configuration_set: str) -> dict[str, list[str]]:
    own = {
        "ses:source-tls-version": "TLSv1.3",
        "ses:operation": "SendRawEmail",
        "ses:configuration-set": configuration_set,
        "ses:source-ip": "192.0.2.1",
        "ses:from-domain": accepted.source.rpartition("@")[2],
        "ses:caller-identity": accepted.key_id.lower(),
    }
    return {name: [value] for name, value in {**own, **accepted.tags}.items()}
