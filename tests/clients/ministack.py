"""ministack as SES, SNS and SQS at once: bounces, complaints and deliveries end up in a queue.

What it has is the older of SES's two ways, the notifications of an identity: they come for SES v1
alone and have no tags. So a program that prefers SESv2 is told, as SES tells a key that was made
for SMTP, that it may not; what it then sends by v1 goes to ministack as it is.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.clients import stand_ins
from tests.fakes.client import Caller

NOTIFICATIONS = ("Bounce", "Complaint", "Delivery")
_DENIED = "User `arn:aws:iam::000000000000:user/smtp' is not authorized to perform `ses:SendEmail'"
_PATIENCE = 30  # seconds; longer than a long poll
_NAME = "sesmail-events"


@dataclass(frozen=True)
class Ministack:
    """A running ministack: where it is, and the queue in which the events end up."""

    url: str
    queue_url: str
    caller: Caller

    def bodies(self) -> list[str]:
        """What is in the queue by now; it is deleted there."""
        sqs, found = self.caller.sqs(), []
        while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                found.append(str(message["Body"]))
                receipt = message["ReceiptHandle"]
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=receipt)
        return found

    def records(self) -> list[dict[str, Any]]:
        """The same, read."""
        return [json.loads(body) for body in self.bodies()]

    def messages(self) -> list[dict[str, Any]]:
        """What was sent, as ministack shows it: `Source`, `To`, `Subject`; no body of a report."""
        with urllib.request.urlopen(f"{self.url}/_ministack/ses/messages") as answer:
            [found] = json.load(answer)["messages"].values()
        return list(found)

    def waiting(self) -> int:
        """How many messages are in the queue, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.caller.sqs().get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=names
        )
        return sum(int(answer["Attributes"][name]) for name in names)


@contextlib.contextmanager
def running(directory: Path, domain: str, raw: bool = True) -> Iterator[Ministack]:
    """Run it, with the domain as an identity whose events go by a topic into a queue.

    raw: without SNS's envelope. directory is its home and has its log.
    """
    with (
        stand_ins.running("ministack", directory) as inner,
        _front(inner) as url,
        Caller({"api_url": url}) as caller,
    ):
        yield Ministack(url, _connect(caller, domain, raw), caller)


def _connect(caller: Caller, domain: str, raw: bool) -> str:
    """Make identity, topic and queue; return the queue's URL."""
    v1, sns, sqs = caller.v1(), caller.sns(), caller.sqs()
    v1.verify_domain_identity(Domain=domain)
    topic = sns.create_topic(Name=_NAME)["TopicArn"]
    queue = sqs.create_queue(QueueName=_NAME)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=attributes["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true" if raw else "false"},
    )
    for kind in NOTIFICATIONS:
        v1.set_identity_notification_topic(Identity=domain, NotificationType=kind, SnsTopic=topic)
    return str(queue)


@contextlib.contextmanager
def _front(url: str) -> Iterator[str]:
    """The URL of what denies SendEmail and passes everything else on to `url`."""
    with _Front(url) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()


class _Front(ThreadingHTTPServer):
    daemon_threads = True  # a client may keep its connection for as long as it lives

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.inner = urlsplit(url).netloc


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Front

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a test's output is its own."""

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if (self.command, self.path) == ("POST", "/v2/email/outbound-emails"):
            text = json.dumps({"message": _DENIED}).encode()
            self._answer(403, {"x-amzn-ErrorType": "AccessDeniedException"}, text)
            return
        there = http.client.HTTPConnection(self.server.inner, timeout=_PATIENCE)
        with contextlib.closing(there):
            there.request(self.command, self.path, body, dict(self.headers))
            answer = there.getresponse()
            self._answer(answer.status, dict(answer.headers), answer.read())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # who waited in a long poll may have ended
            self._write(status, headers, body)

    def _write(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
