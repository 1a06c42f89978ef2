"""SQS requests in the older protocol (Query, XML), which botocore spoke until version 1.31.

Only the writing differs: lists are numbered parameters, maps are lists of Name and Value, and
answers are XML.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from . import query, sqs
from . import sqs_checks as checks
from .answers import Call, query_result
from .query import Parameters
from .signatures import Request
from .sqs import Document
from .state import State

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
_NUMBERS = frozenset(
    ["DelaySeconds", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds"]
)
_ENTRY = "RequestEntry"


def read(state: State, request: Request) -> Call:
    """What the request asks for; Refusal if it cannot be read, or if SQS is away."""
    checks.check_presence(state.queues.away)
    parameters = query.parameters(request)
    name = query.value(parameters, "Action") or ""
    return sqs.call(
        state,
        request,
        name,
        _document(parameters),
        lambda result: query_result(NAMESPACE, name, _xml(name, result)),
    )


def _document(parameters: Parameters) -> Document:
    """The input as JSON has it."""
    entries: dict[int, Document] = {}
    attributes: dict[int, dict[str, str]] = {}
    names: list[str] = []
    document: Document = {}
    for key, values in parameters.items():
        head, _, rest = key.partition(".")
        number, _, member = rest.partition(".")
        if head.endswith(_ENTRY):
            entries.setdefault(int(number), {})[member] = _value(member, values[0])
        elif head == "Attribute":
            attributes.setdefault(int(number), {})[member] = values[0]
        elif head == "AttributeName":
            names.append(values[0])
        else:
            document[head] = _value(head, values[0])
    if entries:
        document["Entries"] = [entries[number] for number in sorted(entries)]
    if attributes:
        document["Attributes"] = {one["Name"]: one["Value"] for one in attributes.values()}
    return {**document, "AttributeNames": names}


def _value(name: str, text: str) -> str | int:
    return int(text) if name in _NUMBERS else text


def _xml(name: str, result: Document) -> str:
    """The output as XML; name is the operation's."""
    return "".join(_member(name, member, value) for member, value in result.items())


def _member(name: str, member: str, value: Any) -> str:
    if isinstance(value, dict):
        return _attributes(value)
    if not isinstance(value, list):
        return _element(member, str(value).lower() if value is True else escape(value))
    element = {
        "Messages": "Message",
        "QueueUrls": "QueueUrl",
        "Successful": f"{name}ResultEntry",
        "Failed": "BatchResultErrorEntry",
    }[member]
    return "".join(
        _element(element, _xml(name, one) if isinstance(one, dict) else escape(one))
        for one in value
    )


def _attributes(values: dict[str, str]) -> str:
    return "".join(
        _element("Attribute", _element("Name", name) + _element("Value", escape(value)))
        for name, value in values.items()
    )


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"
