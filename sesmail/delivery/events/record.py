"""An event as it lies in the queue: the body of an SQS message, read and checked.

It comes from SES by way of an SNS topic, in SNS's envelope or bare (raw delivery). Whoever may
write to topic or queue can put anything there: types are checked, texts made printable and cut,
lists bounded.
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sesmail.delivery.credential_values import QUEUE_ID_TAG
from sesmail.delivery.events import values
from sesmail.delivery.events.values import Unreadable
from sesmail.drop import layout
from sesmail.queue import events

LONGEST_BODY = 1 << 20  # characters; SQS takes no more
MOST_RECIPIENTS = 50  # of one call of SES

_BAD_ADDRESS = re.compile(r"5\.1\.(1|2|3|6|10)")  # RFC 3463, 3.2; RFC 7505
_SNS_TEST = "Successfully validated SNS topic"  # SES writes it when the destination is made
_SUPPRESSED = ("Suppressed", "OnAccountSuppressionList")
# Of a bounce of which SES gives no status. "General" without one may be an answering machine.
_BY_SUBTYPE = {
    "NoEmail": "5.1.1",
    "Suppressed": "5.1.1",
    "OnAccountSuppressionList": "5.1.1",
    "MailboxFull": "4.2.2",
    "MessageTooLarge": "4.3.4",
    "ContentRejected": "4.7.0",
    "AttachmentRejected": "4.7.0",
}
_DID_NOT_TRY = "SES did not try: the address is on a suppression list"


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says of one recipient; texts are printable ASCII, ``status`` may be "".

    ``suppresses``: it is of no use to write there again.
    """

    address: str
    status: str
    text: str
    suppresses: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """An event. ``queue_id`` is "" where it has no tag of ours.

    ``at``: when it happened, in milliseconds. ``relay``: who said so, or "". ``is_final``: the
    recipients got nothing and nobody tries again; ``section`` is then the header section of the
    message, as far as SES gives it.
    """

    kind: str
    remote_id: str
    queue_id: str
    at: int
    told: tuple[Told, ...]
    relay: str = ""
    is_final: bool = False
    section: bytes = field(default=b"", repr=False)


def read(body: object) -> Event | None:
    """Return the event in a body; None for one that is nothing to us. Raises Unreadable."""
    document = _document(body)
    if "Type" in document and "Message" in document:  # SNS's envelope
        message = document["Message"]
        if isinstance(message, str) and message.startswith(_SNS_TEST):
            return None
        document = _document(message)
    name = document.get("eventType", document.get("notificationType"))
    if not isinstance(name, str):
        raise Unreadable("neither eventType nor notificationType")
    kind = name.replace(" ", "").lower()
    reader = _READERS.get(kind)
    # None: opens and clicks, and what SES may tell one day.
    return reader(kind, document) if reader else None


def _document(body: object) -> dict[str, Any]:
    if not isinstance(body, str) or len(body) > LONGEST_BODY:
        raise Unreadable("no text, or a very long one")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("no JSON") from None
    if not isinstance(document, dict):
        raise Unreadable("no JSON object")
    return document


# One reader for each kind.


def _send(kind: str, document: dict[str, Any]) -> Event:
    return _of_message(kind, document, "", "")


def _reject(kind: str, document: dict[str, Any]) -> Event:
    reason = values.text(_part(document, "reject").get("reason"))
    return _of_message(kind, document, "5.7.0", reason)


def _rendering_failure(kind: str, document: dict[str, Any]) -> Event:
    reason = values.text(_part(document, "failure").get("errorMessage"))
    return _of_message(kind, document, "5.6.0", reason)


def _of_message(kind: str, document: dict[str, Any], status: str, reason: str) -> Event:
    """Return an event of all recipients of a call; its moment is that of the call."""
    mail = _part(document, "mail")
    text = f"SES refused after acceptance: {reason or 'no reason given'}" if status else ""
    told = tuple(
        Told(address, status, text)
        for one in _list(mail.get("destination"))
        if (address := values.address(one))
    )
    return _event(kind, document, mail, told, is_final=bool(status))


def _delivery(kind: str, document: dict[str, Any]) -> Event:
    part = _part(document, "delivery")
    said = values.text(part.get("smtpResponse"))
    status = next(filter(None, map(values.status, said.split())), "2.0.0")
    told = tuple(
        Told(address, status, said)
        for one in _list(part.get("recipients"))
        if (address := values.address(one))
    )
    relay = values.ip_address(part.get("remoteMtaIp")) or values.host(part.get("reportingMTA"))
    return _event(kind, document, part, told, relay)


def _bounce(kind: str, document: dict[str, Any]) -> Event:
    part = _part(document, "bounce")
    subtype = values.text(part.get("bounceSubType"))[:40]
    is_permanent = part.get("bounceType") == "Permanent"
    told = tuple(
        _bounced(one, subtype, is_permanent) for one in _recipients(part, "bouncedRecipients")
    )
    relay = values.host(part.get("reportingMTA"))
    return _event(kind, document, part, told, relay, any(one.status for one in told))


def _bounced(one: Told, subtype: str, is_permanent: bool) -> Told:
    """Return it with a status that says whether it is for good, and with a text.

    SES labels some 5.x.x Transient, and a Permanent bounce may come without any.
    """
    status = one.status or _BY_SUBTYPE.get(subtype, "")
    if is_permanent and not status.startswith("5"):
        status = "5.0.0"
    text = one.text or f"bounced ({subtype or 'no reason given'})"
    if subtype in _SUPPRESSED:
        text = f"{_DID_NOT_TRY}: {text}"
    suppresses = is_permanent or _BAD_ADDRESS.fullmatch(status) is not None
    return Told(one.address, status, values.text(text), suppresses)


def _complaint(kind: str, document: dict[str, Any]) -> Event:
    part = _part(document, "complaint")
    is_final = part.get("complaintSubType") in _SUPPRESSED
    if is_final:
        status, text = "5.7.0", f"{_DID_NOT_TRY}, after a complaint"
    else:
        status, text = "", values.text(part.get("complaintFeedbackType")) or "no reason given"
    told = tuple(
        Told(one.address, status, text, suppresses=True)
        for one in _recipients(part, "complainedRecipients")
    )
    return _event(kind, document, part, told, "", is_final)


def _delivery_delay(kind: str, document: dict[str, Any]) -> Event:
    part = _part(document, "deliveryDelay")
    why = values.text(part.get("delayType")) or "delayed"
    told = tuple(
        Told(one.address, one.status or "4.0.0", one.text or why)
        for one in _recipients(part, "delayedRecipients")
    )
    return _event(kind, document, part, told, values.host(part.get("reportingMTA")))


_READERS: dict[str, Callable[[str, dict[str, Any]], Event]] = {
    events.SEND: _send,
    events.DELIVERY: _delivery,
    events.BOUNCE: _bounce,
    events.COMPLAINT: _complaint,
    events.REJECT: _reject,
    events.DELIVERY_DELAY: _delivery_delay,
    events.RENDERING_FAILURE: _rendering_failure,
}


# Parts.


def _event(
    kind: str,
    document: dict[str, Any],
    part: dict[str, Any],
    told: tuple[Told, ...],
    relay: str = "",
    is_final: bool = False,
) -> Event:
    mail = _part(document, "mail")
    if not told:
        raise Unreadable("no recipients")
    return Event(
        kind,
        values.message_id(mail.get("messageId")),
        _queue_id(mail),
        values.moment(part.get("timestamp")),
        told,
        relay,
        is_final,
        values.section(mail.get("headers")) if is_final else b"",
    )


def _queue_id(mail: dict[str, Any]) -> str:
    tags = mail.get("tags")
    found = _list(tags.get(QUEUE_ID_TAG)) if isinstance(tags, dict) else []
    return next((one for one in found if isinstance(one, str) and layout.is_queue_id(one)), "")


def _recipients(part: dict[str, Any], key: str) -> list[Told]:
    """Return what a list of objects says, each of one recipient."""
    return [
        Told(address, values.status(one.get("status")), values.words(one.get("diagnosticCode")))
        for one in _list(part.get(key))
        if isinstance(one, dict) and (address := values.address(one.get("emailAddress")))
    ]


def _part(document: dict[str, Any], key: str) -> dict[str, Any]:
    part = document.get(key)
    if not isinstance(part, dict):
        raise Unreadable(f"no {key}")
    return part


def _list(value: object) -> list[Any]:
    return value[:MOST_RECIPIENTS] if isinstance(value, list) else []
