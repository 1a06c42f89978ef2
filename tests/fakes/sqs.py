"""SQS requests (JSON 1.0): the operations on queues and their messages.

Limits, codes and texts are those of the SQS API Reference.  Errors have two codes, that of JSON and
the older one of the Query protocol, which botocore shows.  Requests of that older protocol are in
`sqs_query`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from . import sqs_checks as checks
from .answers import Call
from .queue import Queue, Receipt
from .queues import DeletedRecently
from .refusals import UNREADABLE_REQUEST, Refusal
from .signatures import Request
from .state import ACCOUNT, State

Document = dict[str, Any]

MAX_VISIBILITY = 43200
MAX_WAIT = 20
MAX_DELAY = 900


def read(state: State, request: Request) -> Call:
    """What the request asks for; Refusal if it cannot be read, or if SQS is away."""
    name = request.headers.get("x-amz-target", "").partition(".")[2]
    checks.check_presence(state.queues.away)
    try:
        document = json.loads(request.body)
    except ValueError:
        raise Refusal(UNREADABLE_REQUEST, "The request body is no JSON.") from None
    return call(state, request, name, document, lambda result: json.dumps(result).encode())


def call(
    state: State,
    request: Request,
    name: str,
    document: Document,
    render: Callable[[Document], bytes],
) -> Call:
    """The operation of this name on the input; render writes its output."""
    if name not in OPERATIONS:
        raise Refusal(checks.NO_OPERATION, f"The action {name} is not valid for this web service.")
    # IAM knows no batches: the right to the single operation covers them.
    action = "sqs:" + name.removesuffix("Batch")
    return Call(action=action, result=lambda: render(OPERATIONS[name](state, request, document)))


# Queues.


def _create_queue(state: State, request: Request, document: Document) -> Document:
    name, attributes = document.get("QueueName", ""), document.get("Attributes") or {}
    checks.check_name(name)
    checks.check_attributes(attributes)
    queue = state.queues.find(name)
    if queue is None:
        try:
            state.queues.create(f"arn:aws:sqs:{state.region}:{ACCOUNT}:{name}", attributes)
        except DeletedRecently:
            raise Refusal(
                checks.DELETED,
                "You must wait 60 seconds after deleting a queue before you can create another "
                "with the same name.",
            ) from None
    else:
        for attribute, value in attributes.items():
            if queue.attributes.get(attribute) != value:
                raise Refusal(
                    checks.EXISTS,
                    "A queue already exists with the same name and a different value for "
                    f"attribute {attribute}",
                )
    return {"QueueUrl": _url(request, name)}


def _get_queue_url(state: State, request: Request, document: Document) -> Document:
    name = document.get("QueueName", "")
    _find(state, name)
    return {"QueueUrl": _url(request, name)}


def _list_queues(state: State, request: Request, document: Document) -> Document:
    prefix = document.get("QueueNamePrefix", "")
    names = [name for name in state.queues.names() if name.startswith(prefix)]
    return {"QueueUrls": [_url(request, name) for name in names]} if names else {}


def _get_queue_attributes(state: State, _: Request, document: Document) -> Document:
    queue = _queue(state, document)
    created = str(int(queue.created))
    every = {
        "QueueArn": queue.arn,
        "CreatedTimestamp": created,
        "LastModifiedTimestamp": created,
        **{name: str(number) for name, number in queue.numbers().items()},
        **queue.attributes,
    }
    wanted = document.get("AttributeNames") or []
    for name in wanted:
        if name != "All" and name not in every and name not in checks.SETTABLE:
            raise Refusal(checks.BAD_ATTRIBUTE, f"Unknown Attribute {name}.")
    found = {name: value for name, value in every.items() if "All" in wanted or name in wanted}
    return {"Attributes": found} if found else {}


def _set_queue_attributes(state: State, _: Request, document: Document) -> Document:
    queue, attributes = _queue(state, document), document.get("Attributes") or {}
    checks.check_attributes(attributes)
    for name, value in attributes.items():
        if value:
            queue.attributes[name] = value
        else:  # an empty policy takes it away
            queue.attributes.pop(name, None)
    return {}


def _delete_queue(state: State, _: Request, document: Document) -> Document:
    state.queues.delete(_queue(state, document).arn.rpartition(":")[2])
    return {}


def _purge_queue(state: State, _: Request, document: Document) -> Document:
    _queue(state, document).purge()
    return {}


# Messages.


def _send_message(state: State, _: Request, document: Document) -> Document:
    return _send(_queue(state, document), document)


def _send(queue: Queue, entry: Mapping[str, Any]) -> Document:
    body = entry.get("MessageBody")
    if not body:
        raise Refusal(checks.MISSING, "The request must contain the parameter MessageBody.")
    longest = int(queue.attributes["MaximumMessageSize"])
    if len(body.encode()) > longest:
        raise Refusal(
            checks.BAD_PARAMETER,
            f"One or more parameters are invalid. Reason: Message must be shorter than {longest} "
            "bytes.",
        )
    delay = checks.number(
        entry, "DelaySeconds", 0, MAX_DELAY, int(queue.attributes["DelaySeconds"])
    )
    message = queue.send(body, delay)
    return {"MessageId": message.id, "MD5OfMessageBody": message.digest}


def _receive_message(state: State, request: Request, document: Document) -> Document:
    queue = _queue(state, document)
    most = checks.number(document, "MaxNumberOfMessages", 1, checks.MAX_ENTRIES, 1)
    visibility = int(queue.attributes["VisibilityTimeout"])
    visibility = checks.number(document, "VisibilityTimeout", 0, MAX_VISIBILITY, visibility)
    wait = int(queue.attributes["ReceiveMessageWaitTimeSeconds"])
    wait = checks.number(document, "WaitTimeSeconds", 0, MAX_WAIT, wait)
    wanted = {
        *(document.get("AttributeNames") or ()),
        *(document.get("MessageSystemAttributeNames") or ()),
    }
    receipts = queue.receive(most, visibility, wait, request.gone)
    checks.check_presence(state.queues.away)
    return {"Messages": [_shown(one, wanted) for one in receipts]} if receipts else {}


def _shown(receipt: Receipt, wanted: set[str]) -> Document:
    message = receipt.message
    shown = {
        "MessageId": message.id,
        "ReceiptHandle": receipt.handle,
        "MD5OfBody": message.digest,
        "Body": message.body,
    }
    every = {
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "SentTimestamp": str(int(message.sent * 1000)),
        "ApproximateReceiveCount": str(receipt.received),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received * 1000)),
    }
    attributes = {name: value for name, value in every.items() if "All" in wanted or name in wanted}
    return {**shown, "Attributes": attributes} if attributes else shown


def _delete_message(state: State, _: Request, document: Document) -> Document:
    return _delete(_queue(state, document), document)


def _delete(queue: Queue, entry: Mapping[str, Any]) -> Document:
    try:
        queue.delete(entry.get("ReceiptHandle", ""))
    except ValueError as error:
        raise checks.bad_handle(error) from None
    return {}


def _change_message_visibility(state: State, _: Request, document: Document) -> Document:
    return _change_visibility(_queue(state, document), document)


def _change_visibility(queue: Queue, entry: Mapping[str, Any]) -> Document:
    seconds = checks.number(entry, "VisibilityTimeout", 0, MAX_VISIBILITY, 0)
    try:
        changed = queue.change_visibility(entry.get("ReceiptHandle", ""), seconds)
    except ValueError as error:
        raise checks.bad_handle(error) from None
    if not changed:
        raise Refusal(
            checks.NOT_IN_FLIGHT,
            "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is "
            "not available for visibility timeout change.",
        )
    return {}


def _batch(
    one: Callable[[Queue, Mapping[str, Any]], Document],
) -> Callable[[State, Request, Document], Document]:
    """The operation on up to 10 entries, each of which succeeds or fails by itself."""

    def batch(state: State, _: Request, document: Document) -> Document:
        queue, entries = _queue(state, document), document.get("Entries") or []
        checks.check_entries(entries)
        successful, failed = [], []
        for entry in entries:
            try:
                successful.append({"Id": entry["Id"], **one(queue, entry)})
            except Refusal as refusal:
                failed.append(
                    {
                        "Id": entry["Id"],
                        "Code": refusal.kind.v1[1],
                        "Message": refusal.message,
                        "SenderFault": True,
                    }
                )
        return {"Successful": successful, **({"Failed": failed} if failed else {})}

    return batch


OPERATIONS: dict[str, Callable[[State, Request, Document], Document]] = {
    "CreateQueue": _create_queue,
    "GetQueueUrl": _get_queue_url,
    "ListQueues": _list_queues,
    "GetQueueAttributes": _get_queue_attributes,
    "SetQueueAttributes": _set_queue_attributes,
    "DeleteQueue": _delete_queue,
    "PurgeQueue": _purge_queue,
    "SendMessage": _send_message,
    "SendMessageBatch": _batch(_send),
    "ReceiveMessage": _receive_message,
    "DeleteMessage": _delete_message,
    "DeleteMessageBatch": _batch(_delete),
    "ChangeMessageVisibility": _change_message_visibility,
    "ChangeMessageVisibilityBatch": _batch(_change_visibility),
}


def _url(request: Request, name: str) -> str:
    return f"http://{request.headers['host']}/{ACCOUNT}/{name}"


def _queue(state: State, document: Document) -> Queue:
    return _find(state, document.get("QueueUrl", ""))


def _find(state: State, name: str) -> Queue:
    queue = state.queues.find(name)
    if queue is None:
        raise Refusal(checks.NO_QUEUE, "The specified queue does not exist.")
    return queue
