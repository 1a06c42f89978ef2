"""Mail for development machines: a Maildir gets it instead of SES.

A file per attempt, first in ``tmp``, synced, then in ``new`` (maildir(5)), with LF line ends.
Return-Path and one X-Original-To per forward-path come before the message, as after a delivery.
"""

from __future__ import annotations

import os
import socket
import time

from sesmail.delivery.credentials import Credentials
from sesmail.delivery.outcome import Outcome, Result
from sesmail.sysexits import EX_CONFIG


class Capture:
    """The transport that keeps the mail here."""

    relay = "capture"

    def __init__(self, credentials: Credentials) -> None:
        self._directory = credentials.directory
        self._taken = 0

    def send(
        self, message: bytes, source: str, forward_paths: list[str], queue_id: str
    ) -> list[Result]:
        """Make one attempt, see ``base.Transport``."""
        fields = [f"Return-Path: <{source}>", *(f"X-Original-To: {path}" for path in forward_paths)]
        text = "".join(field + "\n" for field in fields).encode("ascii")
        self._taken += 1
        host = socket.gethostname().replace("/", "_").replace(":", "_")
        name = f"{int(time.time())}.{queue_id}P{os.getpid()}Q{self._taken}.{host}"
        try:
            self._store(name, text + message.replace(b"\r\n", b"\n"))
        except OSError as error:
            return [self._held(error)] * len(forward_paths)
        result = Result(Outcome.DELIVERED, "2.0.0", f"captured as {name}", self.relay, name)
        return [result] * len(forward_paths)

    def close(self) -> None:
        """Nothing is open."""

    def _store(self, name: str, text: bytes) -> None:
        for part in ("tmp", "new", "cur"):
            os.makedirs(os.path.join(self._directory, part), mode=0o700, exist_ok=True)
        temporary = os.path.join(self._directory, "tmp", name)
        new = os.path.join(self._directory, "new")
        try:
            with open(temporary, "xb") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(temporary, os.path.join(new, name))
        except OSError:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise
        _sync_directory(new)

    def _held(self, error: OSError) -> Result:
        text = f"cannot write to the Maildir {self._directory!a}: {error.strerror}"
        advice = "correct directory in the credentials file, or let this user write there"
        return Result(Outcome.HELD, "4.3.5", f"{text}; {advice}", self.relay, "", EX_CONFIG)


def _sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
