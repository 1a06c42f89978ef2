"""What the HTTP side passes around: a Call understood, an Answer to send, the error documents.

SESv2 errors are JSON with the code in the header x-amzn-ErrorType; v1 errors are XML.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .faults import V2, Strike
from .refusals import Refusal
from .rules import Submission
from .state import Accepted

NAMESPACE = "http://ses.amazonaws.com/doc/2010-12-01/"


@dataclass(frozen=True)
class Call:
    """A request understood.

    A send carries its submission; any other operation has `action` (for IAM) and `result`.  render
    turns what was accepted into the answer's body.
    """

    interface: str
    render: Callable[[Accepted], bytes]
    submission: Submission | None = None
    action: str = ""
    result: Callable[[], bytes] | None = None


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = ""
    error: str = ""


def success(interface: str, body: bytes) -> Answer:
    """200 with this document."""
    return Answer(200, body, "application/json" if interface == V2 else "text/xml")


def refused(interface: str, refusal: Refusal) -> Answer:
    """The error document of a Refusal."""
    status, code = refusal.kind.v2 if interface == V2 else refusal.kind.v1
    return error(interface, status, code, refusal.message)


def scripted(interface: str, strike: Strike) -> Answer:
    """The answer of a scripted fault; without a code its text is all of the body."""
    if not strike.code:
        return Answer(strike.status, strike.message.encode(), "text/html")
    return error(interface, strike.status, strike.code, strike.message)


def error(interface: str, status: int, code: str, text: str) -> Answer:
    """An error document: JSON with the code in a header for v2, XML for v1."""
    if interface == V2:
        return Answer(status, json.dumps({"message": text}).encode(), "application/json", code)
    kind = "Sender" if status < 500 else "Receiver"
    document = (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>{kind}</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(text)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId>"
        "</ErrorResponse>\n"
    )
    return Answer(status, document.encode("utf-8", "replace"), "text/xml")
