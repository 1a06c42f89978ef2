"""The HTTP side of the stand-in: all services on one port.

Owns HTTP and the order "read, authenticate, fault, act, fault, answer".  Which service a request is
for is in `services`, what it means in that service's module, the form of answers in `answers`.
"""

from __future__ import annotations

import select
import threading
import uuid
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

from . import rules, services, signatures
from .answers import Answer, Call, Service, refused, scripted, success
from .faults import DROP, GARBAGE, SLOW, Script
from .listener import Connection
from .refusals import Refusal
from .rules import Submission
from .state import State


class Api:
    """Serves HTTP connections on one state."""

    def __init__(self, state: State, script: Script, closing: threading.Event) -> None:
        self.state = state
        self.script = script
        self.closing = closing

    def serve(self, connection: Connection) -> None:
        """Speak HTTP on the connection until one side ends it."""
        _Handler(connection.socket, ("127.0.0.1", 0), self)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "StandIn"
    # Headers and body go out in two writes: without this the second waits for the client's ACK.
    disable_nagle_algorithm = True

    @property
    def api(self) -> Api:
        return self.server  # type: ignore[return-value]

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a test's output is its own."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date of an answer: botocore learns from it how far off its own clock is."""
        return super().date_time_string(self.api.state.now() if timestamp is None else timestamp)

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = signatures.Request(self.command, self.path, headers, body, self._is_gone)
        service = services.find(request)
        try:
            call = service.read(self.api.state, request)
            answer = self._act(service, call, request)
        except Refusal as refusal:
            answer = refused(service, refusal)
        if answer is None:
            self.close_connection = True
            return
        try:
            self._send(answer)
        except OSError:  # the client is gone, or ``refuse`` broke the connection
            self.api.state.count("unanswered")
            raise

    def _is_gone(self) -> bool:
        """Has the client hung up?  It sends nothing while it waits, so what there is is the end."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable)

    def _act(self, service: Service, call: Call, request: signatures.Request) -> Answer | None:
        state = self.api.state
        if call.submission is None:
            key_id = signatures.authenticate(state, request, service.scope)
            rules.check_call(state, key_id, call.action)
            assert call.result is not None
            return success(service, call.result())
        state.count(service.interface)
        key_id = signatures.authenticate(state, request, service.scope)
        submission = replace(call.submission, key_id=key_id)
        answered, answer = self._strike(service, submission, "request")
        if answered:
            return answer
        accepted = rules.send(state, submission)
        answered, answer = self._strike(service, submission, "accepted")
        assert call.render is not None
        return answer if answered else success(service, call.render(accepted))

    def _strike(
        self, service: Service, submission: Submission, moment: str
    ) -> tuple[bool, Answer | None]:
        """Meet the scripted fault: (is that the end of it?, the answer or None for no answer)."""
        strike = self.api.script.take(
            submission.interface,
            moment,
            rules.context(self.api.state, submission),
            submission.destinations or (),
        )
        if strike is None:
            return False, None
        if strike.action == SLOW:
            self.api.closing.wait(strike.seconds)
            return False, None
        if strike.action == GARBAGE:
            self.wfile.write(b"\x00\xffthis is no HTTP\r\n\r\n")
            return True, None
        if strike.action == DROP:
            if moment == "accepted":
                self.api.state.count("unanswered")
            return True, None
        return True, scripted(service, strike)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        request_id = str(uuid.uuid4())
        self.send_header("x-amzn-RequestId", request_id)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.content_type:
            self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
