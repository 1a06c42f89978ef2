"""What a session answers: reply codes (RFC 5321, 4.2) with enhanced status codes (RFC 3463).

Each is one line of printable ASCII, at most 512 bytes with its end (RFC 5321, 4.5.3.1.5).
"""

from __future__ import annotations

from sesmail.submission.log import printable
from sesmail.sysexits import (
    EX_CONFIG,
    EX_DATAERR,
    EX_NOHOST,
    EX_NOPERM,
    EX_NOUSER,
    EX_USAGE,
)

_LONGEST = 510  # characters
OK = "250 2.0.0 Ok"
SENDER_OK = "250 2.1.0 Ok"
RECIPIENT_OK = "250 2.1.5 Ok"
VERIFY = "252 2.5.0 Cannot verify, but will take mail for it"
HELP = "214 2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT; see sesmail(8)"
BYE = "221 2.0.0 Bye"
GO_AHEAD = "354 End data with <CR><LF>.<CR><LF>"
TOO_MANY_ERRORS = "421 4.7.0 Too many errors"
END_IN_DATA = "421 4.4.2 Input ended within the message; not sent"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients; send to the rest in another transaction"
NOT_A_LINE = "500 5.5.2 A command is a line of printable characters that ends in CR LF"
TOO_LONG = "500 5.5.2 Line too long"
UNKNOWN = "500 5.5.2 Command not recognized"
NOT_IMPLEMENTED = "502 5.5.1 Command not implemented"
NO_GREETING = "503 5.5.1 Send HELO or EHLO first"
NESTED_MAIL = "503 5.5.1 Sender given already"
NO_SENDER = "503 5.5.1 Send MAIL first"
NO_RECIPIENT = "503 5.5.1 Send RCPT first"
NO_VALID_RECIPIENT = "554 5.5.1 No valid recipients"
FALSE_END = (
    "554 5.5.2 The message holds a lone dot between line ends that are not CR LF, which others "
    "take for its end; not sent"
)

# By exit code, of a child or of a Failure. What is not here is worth another try.
_REFUSALS = {
    EX_USAGE: "554 5.5.4",
    EX_DATAERR: "554 5.6.0",
    EX_NOUSER: "550 5.1.1",
    EX_NOHOST: "550 5.1.2",
    EX_NOPERM: "550 5.7.1",
    EX_CONFIG: "451 4.3.5",
}


class Refusal(Exception):
    """A command that is not obeyed. ``is_error``: the client is to blame, and not an address."""

    def __init__(self, reply: str, *, is_error: bool = False) -> None:
        super().__init__(reply)
        self.reply = reply
        self.is_error = is_error


def error(reply: str) -> Refusal:
    """Return the refusal of a command that no client should send, or not now."""
    return Refusal(reply, is_error=True)


def usage(form: str) -> Refusal:
    """Return the refusal of a command whose argument cannot be read."""
    return error(f"501 5.5.4 Syntax: {form}")


def too_large(limit: int) -> str:
    """Return the reply to a message, or an announced size, over the limit."""
    return f"552 5.3.4 Over message_size_limit = {limit} bytes; not sent"


def queued(queue_id: str) -> str:
    """Return the reply to a message that is ours."""
    return f"250 2.0.0 Ok: queued as {queue_id}"


def refused(exit_code: int, text: str) -> str:
    """Return the reply to a message that is not safe; ``text`` may be hostile, and of any kind."""
    return printable(f"{_REFUSALS.get(exit_code, '451 4.3.0')} {text}")[:_LONGEST]
