"""One SMTP session: the commands, their order and their replies.

What is checked of the message is in `rules`; SES does so after the final dot, and so 51 recipients
or a message that is too long are refused only then.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from . import addresses, rules, signatures, smtp_auth
from .faults import DROP, GARBAGE, SLOW, SMTP, Script
from .listener import Connection
from .refusals import WRONG_CREDENTIALS, Refusal
from .rules import Submission
from .state import State

HOST = "email-smtp.amazonaws.com"
GREETING = f"{HOST} ESMTP SimpleEmailService-d-STANDIN stand-in"
CAP = "Connection closed by server. Maximum message count per session reached."
IDLE = "4.4.2 Timeout waiting for data from client."
MAX_LINE = 4096


@dataclass
class Limits:
    """What ends a session: seconds without a command, messages (None: no cap)."""

    idle: float = 10.0
    session_cap: int | None = None


@dataclass(frozen=True)
class Setting:
    """What a session stands on; `wrapped` for the TLS wrapper, else STARTTLS."""

    state: State
    script: Script
    closing: threading.Event
    limits: Limits
    start_tls: Callable[[Connection, str], None]
    wrapped: bool


@dataclass
class _Envelope:
    source: str
    destinations: list[str] = field(default_factory=list)


class End(Exception):
    """The session is over."""


class Session:
    """The server's side of one connection."""

    def __init__(self, server: Setting, connection: Connection) -> None:
        self._server = server
        self._state = server.state
        self._connection = connection
        self._stream: BinaryIO = connection.socket.makefile("rb")
        self._encrypted = server.wrapped
        self._user: str | None = None
        self._envelope: _Envelope | None = None
        self._taken = 0
        self._attempted = False
        self._login_fault: tuple[int, str] | None = None
        self._commands: dict[str, Callable[[str], None]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": lambda _: self._reply(250, "Ok"),
            "QUIT": self._quit,
        }

    def run(self) -> None:
        """Greet, then answer commands until the session ends."""
        if self._strike("greeting", attempt=True):
            return
        self._reply(220, GREETING)
        while True:
            verb, _, argument = self._line().partition(" ")
            command = self._commands.get(verb.upper())
            if command is None:
                self._reply(502, "Unrecognized command")
            else:
                command(argument.strip())

    def close(self) -> None:
        """Give up the stream; the socket is the listener's."""
        self._stream.close()

    def _line(self) -> str:
        return self._read(MAX_LINE).decode("utf-8", "surrogateescape").rstrip("\r\n")

    def _read(self, most: int) -> bytes:
        """One line of at most so many bytes; a client that is idle for too long is sent away."""
        self._connection.socket.settimeout(self._server.limits.idle)
        try:
            line = self._stream.readline(most)
        except TimeoutError:
            self._reply(451, IDLE)
            raise End from None
        if not line:
            raise End
        return line

    def _reply(self, code: int, *lines: str) -> None:
        for line in lines[:-1]:
            self._send(f"{code}-{line}")
        self._send(f"{code} {lines[-1]}")

    def _send(self, line: str) -> None:
        data = line.replace("\r", " ").replace("\n", " ").encode("utf-8", "surrogateescape")
        self._connection.socket.sendall(data + b"\r\n")

    def _strike(
        self, moment: str, submission: Submission | None = None, attempt: bool = False
    ) -> bool:
        """Meet the scripted fault; True if it answered.  `attempt`: the fault ends an attempt."""
        about = submission or Submission(SMTP, self._user or "", b"")
        strike = self._server.script.take(
            SMTP, moment, rules.context(self._state, about), about.destinations or ()
        )
        if strike is None:
            return False
        if strike.action == SLOW:
            self._server.closing.wait(strike.seconds)
            return False
        if attempt:
            self._count_attempt()
        if strike.action == DROP:
            raise End
        if strike.action == GARBAGE:
            self._send("\x00\xffthis is no reply")
            raise End
        self._reply(strike.status, strike.message)
        if strike.closes:
            raise End
        if moment == "AUTH":
            # One mechanism fails like the other, so the fault lasts as long as the session.
            self._login_fault = strike.status, strike.message
        return True

    def _count_attempt(self) -> None:
        """Count an attempt that ends before MAIL, once: clients try one AUTH after the other."""
        if not self._attempted:
            self._attempted = True
            self._state.count(SMTP)

    def _ehlo(self, _: str) -> None:
        self._envelope = None
        if self._strike("EHLO", attempt=True):
            return
        starttls = () if self._encrypted else ("STARTTLS",)
        self._reply(250, HOST, "8BITMIME", *starttls, "AUTH PLAIN LOGIN", "Ok")

    def _helo(self, _: str) -> None:
        self._envelope = None
        self._reply(250, HOST)

    def _starttls(self, _: str) -> None:
        if self._encrypted:
            self._reply(503, "TLS is active already")
            return
        self._reply(220, "Ready to start TLS")
        # What came before TLS is not to be trusted: the stream starts afresh (RFC 3207 4.2).
        self._stream.close()
        self._server.start_tls(self._connection, SMTP)
        self._stream = self._connection.socket.makefile("rb")
        self._encrypted = True

    def _auth(self, argument: str) -> None:
        if not self._encrypted:
            self._reply(530, "Must issue a STARTTLS command first")
            return
        self._state.count("auth")
        if self._login_fault is not None:
            self._reply(*self._login_fault)
            return
        if self._strike("AUTH", attempt=True):
            return
        mechanism, _, initial = argument.partition(" ")
        pair = smtp_auth.exchange(mechanism.upper(), initial.strip(), self._ask)
        if pair is None:
            self._reply(504, "Unrecognized authentication type")
        elif signatures.smtp_login(self._state, *pair):
            self._user = pair[0]
            self._reply(235, "Authentication successful.")
        else:
            self._count_attempt()
            self._reply(*WRONG_CREDENTIALS)

    def _ask(self, prompt: str) -> str:
        self._reply(334, base64.b64encode(prompt.encode()).decode())
        return self._line()

    def _mail(self, argument: str) -> None:
        self._count_attempt()
        self._attempted = False
        self._state.count("mail")
        path, parameters = _path(argument, "FROM:")
        if self._strike("MAIL", Submission(SMTP, self._user or "", b"", path)):
            return
        cap = self._server.limits.session_cap
        if cap is not None and self._taken >= cap:
            self._reply(421, CAP)
            raise End
        if self._user is None:
            self._reply(530, "Authentication required")
        elif not path:
            self._reply(501, "Invalid MAIL FROM address provided")
        elif any(word.upper() not in ("BODY=8BITMIME", "BODY=7BIT") for word in parameters):
            self._reply(555, "Unsupported option: " + " ".join(parameters))
        elif not _valid(path):
            self._reply(553, f"<{path}> Invalid email address")
        else:
            self._envelope = _Envelope(path)
            self._reply(250, "Ok")

    def _rcpt(self, argument: str) -> None:
        self._state.count("rcpt")
        path, parameters = _path(argument, "TO:")
        if self._strike("RCPT", Submission(SMTP, self._user or "", b"", None, [path or ""])):
            return
        if self._envelope is None:
            self._reply(503, "Error: need MAIL command")
        elif parameters:
            self._reply(555, "Unsupported option: " + " ".join(parameters))
        elif not path or not _valid(path):
            self._reply(553, f"<{path or ''}> address unknown")
        else:
            self._envelope.destinations.append(path)
            self._reply(250, "Ok")

    def _data(self, _: str) -> None:
        self._state.count("data")
        envelope = self._envelope
        if envelope is None or not envelope.destinations:
            self._reply(503, "Error: need RCPT command")
            return
        submission = Submission(SMTP, self._user or "", b"", envelope.source, envelope.destinations)
        if self._strike("DATA", submission):
            return
        self._reply(354, "End data with <CR><LF>.<CR><LF>")
        raw = self._content()
        self._envelope = None
        self._finish(
            Submission(SMTP, submission.key_id, raw, envelope.source, envelope.destinations)
        )

    def _content(self) -> bytes:
        """The message up to the final dot, unstuffed."""
        kept = bytearray()
        ended = True
        while True:
            line = self._read(1 << 16)
            if ended and line == b".\r\n":
                return bytes(kept)
            if ended and line.startswith(b"."):
                line = line[1:]
            ended = line.endswith(b"\r\n")
            kept += line

    def _finish(self, submission: Submission) -> None:
        if self._strike("dot", submission):
            return
        try:
            accepted = rules.send(self._state, submission)
        except Refusal as refusal:
            self._reply(*refusal.reply)
            return
        self._taken += 1
        if not self._strike("accepted", submission):
            self._reply(250, f"Ok {accepted.message_id}")

    def _rset(self, _: str) -> None:
        self._envelope = None
        self._reply(250, "Ok")

    def _quit(self, _: str) -> None:
        self._reply(221, "Bye")
        raise End


def _path(argument: str, keyword: str) -> tuple[str | None, list[str]]:
    """The path of MAIL or RCPT without its brackets, None if there is none, and the parameters."""
    if not argument.upper().startswith(keyword):
        return None, []
    rest = argument[len(keyword) :].strip()
    if not rest.startswith("<") or ">" not in rest:
        return None, []
    path, _, parameters = rest[1:].rpartition(">")
    return path, parameters.split()


def _valid(path: str) -> bool:
    try:
        addresses.check(path)
    except Refusal:
        return False
    return True
