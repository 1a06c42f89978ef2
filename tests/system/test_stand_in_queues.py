"""The stand-in's SQS, asked by boto3: what a queue keeps, hides, brings again and forgets."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.fakes.client import Caller
from tests.fakes.queue import Queue
from tests.fakes.ses import KEY_ID, SECRET, SesServer

MINUTE = 60.0
NAME = "events"


@pytest.fixture
def sqs(ses: SesServer) -> Iterator[Any]:
    """boto3's client."""
    with Caller(ses) as caller:
        yield caller.sqs()


@pytest.fixture
def url(sqs: Any) -> str:
    """The URL of a queue."""
    return str(sqs.create_queue(QueueName=NAME)["QueueUrl"])


@pytest.fixture
def queue(ses: SesServer, url: str) -> Queue:
    """The same queue from inside."""
    found = ses.state.queues.find(url)
    assert found is not None
    return found


def send(sqs: Any, url: str, *bodies: str) -> None:
    """Send one message for each body."""
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)


def receive(sqs: Any, url: str, **rest: Any) -> list[dict[str, Any]]:
    """The messages of one receive, at most 10."""
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], **rest
    )
    return list(answer.get("Messages", []))


def bodies(messages: list[dict[str, Any]]) -> list[str]:
    """What they say."""
    return [message["Body"] for message in messages]


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    """The code of the error."""
    return str(caught.value.response["Error"]["Code"])


def test_a_message_goes_through(sqs: Any, url: str, queue: Queue) -> None:
    """Sent, received with its attributes and digest, deleted; then there is nothing."""
    sent = sqs.send_message(QueueUrl=url, MessageBody="häuser")
    digest = hashlib.md5("häuser".encode()).hexdigest()
    assert sent["MD5OfMessageBody"] == digest
    [message] = receive(sqs, url)
    assert message["MessageId"] == sent["MessageId"]
    assert (message["Body"], message["MD5OfBody"]) == ("häuser", digest)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert len(queue) == 0
    assert queue.counts["deleted"] == 1


def test_what_is_not_deleted_comes_again(ses: SesServer, sqs: Any, url: str) -> None:
    """Hidden for the visibility timeout; afterwards it comes again, and is counted."""
    send(sqs, url, "a")
    first = receive(sqs, url, VisibilityTimeout=60)
    assert receive(sqs, url) == []
    ses.state.queues.advance(MINUTE)
    [again] = receive(sqs, url, VisibilityTimeout=60)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again["ReceiptHandle"] != first[0]["ReceiptHandle"]


def test_an_old_handle_deletes_nothing(ses: SesServer, sqs: Any, url: str, queue: Queue) -> None:
    """Only that of the last receive does, also when the message is visible again by then."""
    send(sqs, url, "a")
    [first] = receive(sqs, url, VisibilityTimeout=60)
    ses.state.queues.advance(MINUTE)
    [second] = receive(sqs, url, VisibilityTimeout=60)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert len(queue) == 1
    ses.state.queues.advance(MINUTE)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    assert receive(sqs, url) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])  # harmless
    with pytest.raises(ClientError) as caught:
        sqs.delete_message(QueueUrl=url, ReceiptHandle="nonsense")
    assert code(caught) == "ReceiptHandleIsInvalid"


def test_change_of_visibility(ses: SesServer, sqs: Any, url: str) -> None:
    """To 0 it is there at once; to more it stays away for longer; not in flight, it is refused."""
    send(sqs, url, "a")
    [message] = receive(sqs, url)
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    [message] = receive(sqs, url)
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=120
    )
    ses.state.queues.advance(MINUTE)
    assert receive(sqs, url) == []
    ses.state.queues.advance(MINUTE)
    with pytest.raises(ClientError) as caught:
        sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    assert code(caught) == "AWS.SimpleQueueService.MessageNotInflight"
    assert len(receive(sqs, url)) == 1


def test_ten_at_a_time(sqs: Any, url: str, queue: Queue) -> None:
    """A receive gets 10 at most, in order; batches delete and hide, and say what failed."""
    for start in (0, 8):
        entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(start, start + 8)]
        assert len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 8
    messages = receive(sqs, url)
    assert bodies(messages) == [str(n) for n in range(10)]
    entries = [
        {"Id": message["Body"], "ReceiptHandle": message["ReceiptHandle"]} for message in messages
    ]
    entries[3]["ReceiptHandle"] = "nonsense"
    answer = sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    assert len(answer["Successful"]) == 9
    [failed] = answer["Failed"]
    assert (failed["Id"], failed["Code"]) == ("3", "ReceiptHandleIsInvalid")
    rest = receive(sqs, url)
    assert len(rest) == 6
    answer = sqs.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(n), "ReceiptHandle": one["ReceiptHandle"], "VisibilityTimeout": 0}
            for n, one in enumerate(rest)
        ],
    )
    assert len(answer["Successful"]) == 6
    assert len(receive(sqs, url)) == 6
    sqs.purge_queue(QueueUrl=url)
    assert len(queue) == 0


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
        ({"WaitTimeSeconds": 21}, "InvalidParameterValue"),
        ({"VisibilityTimeout": 43201}, "InvalidParameterValue"),
    ],
)
def test_limits_of_receive(sqs: Any, url: str, request_: dict[str, Any], expected: str) -> None:
    """10 messages, 20 seconds, 12 hours."""
    with pytest.raises(ClientError) as caught:
        sqs.receive_message(QueueUrl=url, **request_)
    assert code(caught) == expected


def test_limits_of_batches(sqs: Any, url: str) -> None:
    """10 entries at most, with ids of their own."""
    entries = [{"Id": str(n), "MessageBody": "a"} for n in range(11)]
    with pytest.raises(ClientError) as caught:
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert code(caught) == "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
    with pytest.raises(ClientError) as caught:
        sqs.send_message_batch(QueueUrl=url, Entries=[entries[0], entries[0]])
    assert code(caught) == "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
    with pytest.raises(ClientError) as caught:
        sqs.send_message_batch(QueueUrl=url, Entries=[])
    assert code(caught) == "AWS.SimpleQueueService.EmptyBatchRequest"


def test_a_long_poll_ends_with_a_message(sqs: Any, url: str, queue: Queue) -> None:
    """It waits, and whatever is sent meanwhile, or comes out of hiding, ends it."""
    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(receive, sqs, url, WaitTimeSeconds=20)
        queue.wait_until(lambda one: one.counts["receives"] == 1)
        queue.send("late")
        [message] = polled.result()
        assert message["Body"] == "late"
        polled = pool.submit(receive, sqs, url, WaitTimeSeconds=20)
        queue.wait_until(lambda one: one.counts["receives"] == 2)
        queue.change_visibility(message["ReceiptHandle"], 0)
        assert bodies(polled.result()) == ["late"]


def test_a_long_poll_sees_time_pass(ses: SesServer, sqs: Any, url: str, queue: Queue) -> None:
    """`advance` ends the visibility timeout for one who waits already."""
    queue.send("a", delay=600)
    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(receive, sqs, url, WaitTimeSeconds=20)
        queue.wait_until(lambda one: one.counts["receives"] == 1)
        ses.state.queues.advance(600)
        assert bodies(polled.result()) == ["a"]


def test_the_end_of_the_server_ends_a_long_poll() -> None:
    """Nobody waits out the 20 seconds, neither client nor server."""
    with SesServer() as server, Caller(server) as caller:
        url = caller.sqs().create_queue(QueueName=NAME)["QueueUrl"]
        queue = server.state.queues.find(url)
        assert queue is not None
        polling = threading.Thread(target=lambda: receive(caller.sqs(), url, WaitTimeSeconds=20))
        polling.start()
        queue.wait_until(lambda one: one.counts["receives"] == 1)
        server.state.end()
        polling.join()
        assert queue.counts["empty"] == 1


def test_a_poll_whose_client_is_gone_takes_nothing(
    ses: SesServer, sqs: Any, url: str, queue: Queue
) -> None:
    """As that of a daemon that was killed: what comes later is there for the next, at once."""
    request = signed(ses, "ReceiveMessage", QueueUrl=url, WaitTimeSeconds="20")
    polling = http.client.HTTPConnection(urlsplit(ses.api_url).netloc)
    polling.request("POST", "/", request.data, dict(request.headers.items()))
    queue.wait_until(lambda one: one.counts["receives"] == 1)
    polling.close()
    queue.send("a")
    [message] = receive(sqs, url, WaitTimeSeconds=20)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_delay_and_retention(ses: SesServer, sqs: Any, url: str, queue: Queue) -> None:
    """A delayed message comes later; after the retention period it is no more."""
    sqs.send_message(QueueUrl=url, MessageBody="a", DelaySeconds=60)
    assert receive(sqs, url) == []
    assert queue.numbers()["ApproximateNumberOfMessagesDelayed"] == 1
    ses.state.queues.advance(MINUTE)
    assert bodies(receive(sqs, url)) == ["a"]
    assert queue.numbers()["ApproximateNumberOfMessagesNotVisible"] == 1
    ses.state.queues.advance(4 * 24 * 3600.0)
    assert receive(sqs, url) == []
    assert len(queue) == 0


def test_duplicates(ses: SesServer, sqs: Any, url: str, queue: Queue) -> None:
    """Every third message comes twice, with one id and two handles, and is deleted twice."""
    ses.state.queues.habits.duplicate = 3
    send(sqs, url, *"abcdef")
    messages = receive(sqs, url)
    assert bodies(messages) == list("abccdeff")
    assert len({message["MessageId"] for message in messages}) == 6
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert len(queue) == 0
    assert queue.counts["deleted"] == 8


def test_wrong_order(ses: SesServer, sqs: Any, url: str) -> None:
    """Messages overtake each other; none is missing."""
    ses.state.queues.habits.shuffle = 10
    letters = "abcdefghij"
    send(sqs, url, *letters)
    found = bodies(receive(sqs, url))
    assert found != list(letters)
    assert sorted(found) == list(letters)


def test_queues_and_attributes(ses: SesServer, sqs: Any, url: str) -> None:
    """A queue is made once, found by name, and tells what it was given."""
    assert sqs.create_queue(QueueName=NAME)["QueueUrl"] == url
    assert sqs.get_queue_url(QueueName=NAME)["QueueUrl"] == url
    assert sqs.list_queues()["QueueUrls"] == [url]
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy, "VisibilityTimeout": "7"})
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["QueueArn"] == f"arn:aws:sqs:us-east-1:123456789012:{NAME}"
    assert (found["Policy"], found["VisibilityTimeout"]) == (policy, "7")
    assert found["MessageRetentionPeriod"] == "345600"
    with pytest.raises(ClientError) as caught:
        sqs.create_queue(QueueName=NAME, Attributes={"VisibilityTimeout": "30"})
    assert code(caught) == "QueueAlreadyExists"
    with pytest.raises(ClientError) as caught:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": "{"})
    assert code(caught) == "InvalidAttributeValue"


def test_a_deleted_queue(ses: SesServer, sqs: Any, url: str) -> None:
    """It is gone at once, and its name is free again after a minute."""
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(ClientError) as caught:
        receive(sqs, url)
    assert code(caught) == "AWS.SimpleQueueService.NonExistentQueue"
    assert isinstance(caught.value, sqs.exceptions.QueueDoesNotExist)
    with pytest.raises(ClientError) as caught:
        sqs.create_queue(QueueName=NAME)
    assert code(caught) == "AWS.SimpleQueueService.QueueDeletedRecently"
    ses.state.queues.advance(MINUTE)
    assert sqs.create_queue(QueueName=NAME)["QueueUrl"] == url


def test_away(ses: SesServer, sqs: Any, url: str) -> None:
    """SQS may be away with and without an answer; what it keeps is there afterwards."""
    send(sqs, url, "a")
    ses.state.queues.away = "unavailable"
    with pytest.raises(ClientError) as caught:
        receive(sqs, url)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    ses.state.queues.away = "dropped"
    with pytest.raises(ConnectionClosedError):
        receive(sqs, url)
    ses.state.queues.away = ""
    assert bodies(receive(sqs, url)) == ["a"]


@pytest.mark.parametrize(
    ("how", "expected"), [("unavailable", ClientError), ("dropped", ConnectionClosedError)]
)
def test_away_while_somebody_waits(
    ses: SesServer, sqs: Any, url: str, queue: Queue, how: str, expected: type[Exception]
) -> None:
    """A long poll fails then, and does not wait until its time is over."""
    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(receive, sqs, url, WaitTimeSeconds=20)
        queue.wait_until(lambda one: one.counts["receives"] == 1)
        ses.state.queues.away = how
        with pytest.raises(expected):
            polled.result()


def test_query_protocol(ses: SesServer, url: str, queue: Queue) -> None:
    """What botocore spoke until version 1.31: parameters in a form, answers in XML."""
    sent = ask(ses, "SendMessage", QueueUrl=url, MessageBody="a < b", DelaySeconds="0")
    assert sent.findtext(".//{*}MD5OfMessageBody") == hashlib.md5(b"a < b").hexdigest()
    asked = {"QueueUrl": url, "WaitTimeSeconds": "1", "AttributeName.1": "All"}
    message = ask(ses, "ReceiveMessage", **asked).find(".//{*}Message")
    assert message is not None
    assert message.findtext("{*}Body") == "a < b"
    pairs = [(one[0].text, one[1].text) for one in message.findall("{*}Attribute")]
    assert ("ApproximateReceiveCount", "1") in pairs
    prefix = "DeleteMessageBatchRequestEntry"
    batch = {
        f"{prefix}.1.Id": "good",
        f"{prefix}.1.ReceiptHandle": message.findtext("{*}ReceiptHandle") or "",
        f"{prefix}.2.Id": "bad",
        f"{prefix}.2.ReceiptHandle": "nonsense",
    }
    answer = ask(ses, "DeleteMessageBatch", QueueUrl=url, **batch)
    assert answer.findtext(".//{*}DeleteMessageBatchResultEntry/{*}Id") == "good"
    failed = answer.find(".//{*}BatchResultErrorEntry")
    assert failed is not None
    assert failed.findtext("{*}Code") == "ReceiptHandleIsInvalid"
    assert failed.findtext("{*}SenderFault") == "true"
    assert len(queue) == 0
    asked = {"QueueUrl": url, "Attribute.1.Name": "VisibilityTimeout", "Attribute.1.Value": "7"}
    ask(ses, "SetQueueAttributes", **asked)
    assert queue.attributes["VisibilityTimeout"] == "7"
    assert ask(ses, "ListQueues").findtext(".//{*}QueueUrl") == url


def ask(ses: SesServer, action: str, **parameters: str) -> ElementTree.Element:
    """Make a Query request; the XML of its answer."""
    request = signed(ses, action, **parameters)
    with contextlib.closing(http.client.HTTPConnection(urlsplit(ses.api_url).netloc)) as there:
        there.request("POST", "/", request.data, dict(request.headers.items()))
        answer = there.getresponse()
        assert answer.status == 200
        return ElementTree.fromstring(answer.read())


def signed(ses: SesServer, action: str, **parameters: str) -> AWSRequest:
    """A Query request as botocore signs it; its body is a form."""
    form = urlencode({"Action": action, **parameters})
    request = AWSRequest("POST", f"{ses.api_url}/", data=form)
    SigV4Auth(Credentials(KEY_ID, SECRET), "sqs", "us-east-1").add_auth(request)
    return request


def test_rights(ses: SesServer, sqs: Any, url: str) -> None:
    """A key needs the right to each operation; batches need that to the single one."""
    ses.state.denied[KEY_ID] = {"sqs:ReceiveMessage", "sqs:DeleteMessage"}
    with pytest.raises(ClientError) as caught:
        receive(sqs, url)
    assert "sqs:ReceiveMessage" in str(caught.value)
    with pytest.raises(ClientError) as caught:
        sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "1", "ReceiptHandle": "x"}])
    assert "sqs:DeleteMessage" in str(caught.value)
