"""What the HTTP side passes around: a Service, a Call understood, an Answer to send.

Errors are written as the service's protocol wants: rest-json has the code in the header
x-amzn-ErrorType, JSON 1.0 in the member `__type` (and the older code of Query in the header
x-amzn-query-error), Query in an XML document.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from .faults import Strike
from .refusals import Refusal
from .rules import Submission
from .signatures import Request
from .state import Accepted, State

REST_JSON, JSON, QUERY = "rest-json", "json", "query"
_CONTENT_TYPES = {
    REST_JSON: "application/json",
    JSON: "application/x-amz-json-1.0",
    QUERY: "text/xml",
}


@dataclass(frozen=True)
class Call:
    """A request understood.

    A send carries its submission, and render turns what was accepted into the answer's body.  Any
    other operation has `action` (its name for IAM) and `result`, which acts and gives the body.
    """

    submission: Submission | None = None
    render: Callable[[Accepted], bytes] | None = None
    action: str = ""
    result: Callable[[], bytes] | None = None


@dataclass(frozen=True)
class Service:
    """One of the services at the API's port.

    interface is its name among the faults and counts, scope its name in a signature, namespace
    that of its XML.  read understands a request, or raises the Refusal.
    """

    interface: str
    scope: str
    protocol: str
    read: Callable[[State, Request], Call]
    namespace: str = ""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def success(service: Service, body: bytes) -> Answer:
    """200 with this document."""
    return Answer(200, body, _CONTENT_TYPES[service.protocol])


def refused(service: Service, refusal: Refusal) -> Answer:
    """The error document of a Refusal."""
    status, code = refusal.kind.v1 if service.protocol == QUERY else refusal.kind.v2
    return error(service, status, code, refusal.message, refusal.kind.v1[1])


def scripted(service: Service, strike: Strike) -> Answer:
    """The answer of a scripted fault; without a code its text is all of the body."""
    if not strike.code:
        return Answer(strike.status, strike.message.encode(), "text/html")
    return error(service, strike.status, strike.code, strike.message)


def error(service: Service, status: int, code: str, text: str, query_code: str = "") -> Answer:
    """An error document."""
    content_type = _CONTENT_TYPES[service.protocol]
    kind = "Sender" if status < 500 else "Receiver"
    if service.protocol == REST_JSON:
        body = json.dumps({"message": text}).encode()
        return Answer(status, body, content_type, {"x-amzn-ErrorType": code})
    if service.protocol == JSON:
        body = json.dumps({"__type": code, "message": text}).encode()
        return Answer(
            status, body, content_type, {"x-amzn-query-error": f"{query_code or code};{kind}"}
        )
    document = (
        f'<ErrorResponse xmlns="{service.namespace}"><Error><Type>{kind}</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(text)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>\n"
    )
    return Answer(status, document.encode("utf-8", "replace"), content_type)


def query_result(namespace: str, action: str, result: str) -> bytes:
    """The document of a Query operation that went well; result is the XML inside."""
    return (
        f'<{action}Response xmlns="{namespace}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        f"</{action}Response>\n"
    ).encode()
