"""Who gives a role's keys: the agent of a container, or the metadata service of an instance."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from .state import SECRET, State

ROLE_KEY = "ASIAIOSFODNN7EXAMPLE"
ROLE_TOKEN = "FwoGZXIvYXdzEXAMPLE"
ROLE_KEYS = {
    "AccessKeyId": ROLE_KEY,
    "SecretAccessKey": SECRET,
    "Token": ROLE_TOKEN,
    "Expiration": "2099-01-01T00:00:00Z",
}


class Agent(ThreadingHTTPServer):
    """The agent of a container, or the metadata service of an instance: gives a role's keys."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Answer(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        """Give the session token of the instance metadata service, version 2."""
        self._answer(b"metadata-token")

    def do_GET(self) -> None:
        """Give the role's name, or its keys."""
        name = self.path.endswith("/security-credentials/")
        keys = {"Code": "Success", **ROLE_KEYS}
        self._answer(b"mail-role" if name else json.dumps(keys).encode())

    def _answer(self, body: bytes) -> None:
        assert isinstance(self.server, Agent)
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def let_in(state: State) -> None:
    """Let the stand-in know the role's keys, and no others."""
    state.keys = {ROLE_KEY: SECRET}
    state.session_tokens[ROLE_KEY] = ROLE_TOKEN
