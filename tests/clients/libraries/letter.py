"""What every Python program here does: read the letter (standard input, JSON), tell the outcome."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any


def read() -> dict[str, Any]:
    """The letter: `from` and `to` are [name, address], the other members plain."""
    letter: dict[str, Any] = json.load(sys.stdin)
    return letter


def mailbox(pair: list[str]) -> str:
    """`Name <address>`."""
    return f"{pair[0]} <{pair[1]}>"


def as_message(letter: dict[str, Any]) -> EmailMessage:
    """The letter with the standard library's email package."""
    message = EmailMessage()
    message["From"] = mailbox(letter["from"])
    message["To"] = mailbox(letter["to"])
    message["Cc"] = letter["cc"]
    message["Bcc"] = letter["bcc"]
    message["Subject"] = letter["subject"]
    message.set_content(letter["text"], cte="8bit")
    return message


def answer(send: Callable[[], object]) -> None:
    """Send, and print what the program knows: it failed if `send` raised or returned false."""
    try:
        sent, error = send() is not False, None
    except Exception as raised:  # noqa: BLE001 - whatever the library raises
        sent, error = False, repr(raised)  # str() of repoze.sendmail's fails
    print(json.dumps({"sent": sent, "error": error}))
