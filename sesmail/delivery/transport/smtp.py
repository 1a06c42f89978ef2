"""The SMTP interface of SES (RFC 5321): TLS from the start on 465, else STARTTLS (RFC 3207) on 587.

A session is used again for the next message, up to 50 of them: SES ends one after about 10 idle
seconds (451 or 421), or after some number of messages (421). Met on a used session before the text
was sent, that only means a new session. A connection that is lost between the final dot and its
reply leaves open whether SES has the message (RFC 1047).
"""

from __future__ import annotations

import smtplib
import time

from sesmail.delivery import replies
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.outcome import Result, delivered
from sesmail.delivery.transport import marks, smtp_session
from sesmail.delivery.transport.deadline import Deadline

MOST_MESSAGES = 50  # per session
MOST_IDLE = 5.0  # seconds; SES waits about 10
_SESSION_ENDED = (421, 451)


class _Ended(Exception):
    """The session ended before the text was sent; ``result``, if it was not because of its age."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.text)
        self.result = result


class Smtp:
    """The SMTP transport of one credentials file."""

    def __init__(self, credentials: Credentials, deadline: Deadline) -> None:
        self._credentials = credentials
        self._deadline = deadline
        self._session: smtplib.SMTP | None = None
        self._messages = 0
        self._last_used = 0.0
        self.relay = smtp_session.host(credentials)

    def send(
        self, message: bytes, source: str, forward_paths: list[str], queue_id: str
    ) -> list[Result]:
        """Make one attempt, see ``base.Transport``."""
        message = marks.collect(message, self._credentials, queue_id).fields() + message
        self._drop_worn()
        used = self._session is not None
        try:
            return self._attempt(message, source, forward_paths)
        except _Ended as ended:
            self.close()
            if not used:
                return [ended.result] * len(forward_paths)
        try:
            return self._attempt(message, source, forward_paths)
        except _Ended as ended:
            self.close()
            return [ended.result] * len(forward_paths)

    def close(self) -> None:
        """End the session, if there is one."""
        if self._session is not None:
            smtp_session.close(self._session)
            self._session = None

    def _drop_worn(self) -> None:
        idle = time.monotonic() - self._last_used
        if self._messages >= MOST_MESSAGES or idle > MOST_IDLE:
            self.close()

    def _attempt(self, message: bytes, source: str, forward_paths: list[str]) -> list[Result]:
        """Send in the session there is, or a new one; raises _Ended before the text was sent."""
        session = self._session or self._open()
        if isinstance(session, Result):
            return [session] * len(forward_paths)
        body = " BODY=8BITMIME" if session.has_extn("8bitmime") and not message.isascii() else ""
        refusal = self._say(session, "MAIL", f"FROM:<{source}>{body}", [source], source)
        if refusal is not None:
            return self._reset(session, [refusal] * len(forward_paths))
        refusals = [
            self._say(session, "RCPT", f"TO:<{path}>", [path], source) for path in forward_paths
        ]
        taken = [path for path, no in zip(forward_paths, refusals, strict=True) if no is None]
        if not taken:
            return self._reset(session, [no for no in refusals if no is not None])
        refusal = self._say(session, "DATA", "", taken, source)
        result = refusal or self._send_text(session, message, taken, source)
        results = [no or result for no in refusals]
        return self._reset(session, results) if refusal is not None else results

    def _open(self) -> smtplib.SMTP | Result:
        opened = smtp_session.open_session(self._credentials, self._deadline)
        if not isinstance(opened, Result):
            self._session, self._messages = opened, 0
        return opened

    def _say(
        self, session: smtplib.SMTP, command: str, words: str, blamed: list[str], source: str
    ) -> Result | None:
        """Give a command; return None if it was taken, else what the refusal means."""
        try:
            smtp_session.limit(session, self._deadline)
            code, text = session.docmd(command, words)
        except (OSError, smtplib.SMTPException) as error:
            raise _Ended(replies.classify_smtp_error(error, command, self.relay)) from None
        if code // 100 == (3 if command == "DATA" else 2):
            return None
        result = replies.classify_smtp(code, text, command, blamed, source, self.relay)
        if code in _SESSION_ENDED:
            raise _Ended(result)
        return result

    def _send_text(
        self, session: smtplib.SMTP, message: bytes, forward_paths: list[str], source: str
    ) -> Result:
        text = smtp_session.stuff_dots(message)
        try:
            smtp_session.limit(session, self._deadline)
            session.send(text)
            smtp_session.limit(session, self._deadline)
        except (OSError, smtplib.SMTPException) as error:
            raise _Ended(replies.classify_smtp_error(error, "DATA", self.relay)) from None
        try:
            session.send(b".\r\n")  # the point of no return
            code, answer = session.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return replies.classify_smtp_error(error, "TEXT", self.relay)
        self._messages += 1
        self._last_used = time.monotonic()
        if code != 250:
            if code == _SESSION_ENDED[0]:
                self.close()
            return replies.classify_smtp(code, answer, "TEXT", forward_paths, source, self.relay)
        words = answer.decode("ascii", "replace").split()
        return delivered(self.relay, replies.clean(words[-1] if words else ""))

    def _reset(self, session: smtplib.SMTP, results: list[Result]) -> list[Result]:
        """Give up the transaction, and the session if that does not work; return ``results``."""
        try:
            smtp_session.limit(session, self._deadline)
            code, _ = session.docmd("RSET")
        except (OSError, smtplib.SMTPException):
            code = 0
        self._last_used = time.monotonic()
        if code != 250:
            self.close()
        return results
