"""A raw message as SES reads it: the header section's fields, its checks, and what SES changes.

Owns the checks of the header section ("Duplicate header", "Illegal header", missing and empty
fields).  Who may send it is judged in `rules`.
"""

from __future__ import annotations

import email
import email.message
import email.policy
from dataclasses import dataclass

from .refusals import BAD_VALUE, Refusal

ONCE = frozenset(
    name.lower()
    for name in """
    Accept-Language acceptLanguage Archived-At Auto-Submitted Bounces-to Comments
    Content-Alternative Content-Base Content-Class Content-Description Content-Disposition
    Content-Duration Content-ID Content-Language Content-Length Content-Location Content-MD5
    Content-Transfer-Encoding Content-Type Date Delivered-To Disposition-Notification-Options
    Disposition-Notification-To DKIM-Signature DomainKey-Signature Errors-To From Importance
    In-Reply-To Keywords List-Archive List-Help List-Id List-Owner List-Post List-Subscribe
    List-Unsubscribe List-Unsubscribe-Post Message-Context Message-ID MIME-Version Organization
    Original-From Original-Message-ID Original-Recipient Original-Subject Precedence Priority
    References Reply-To Return-Path Return-Receipt-To Sender Solicitation Sensitivity Subject
    Thread-Index Thread-Topic User-Agent VBR-Info
    """.split()
)
MAX_PARTS = 500


@dataclass(frozen=True)
class Field:
    """One header field: name, value unfolded and stripped, and its raw lines."""

    name: str
    value: str
    raw: bytes


@dataclass(frozen=True)
class Message:
    """The fields, the separator line and the body of a raw message."""

    fields: tuple[Field, ...]
    body: bytes
    raw: bytes

    def values(self, name: str) -> list[str]:
        """The values of every field of this name, in order."""
        return [field.value for field in self.fields if field.name.lower() == name.lower()]

    def first(self, name: str) -> str | None:
        """The value of the first field of this name."""
        return next(iter(self.values(name)), None)


def parse(raw: bytes) -> Message:
    """Split into fields and body; Refusal for a line that is no field."""
    fields: list[Field] = []
    used = 0
    while used < len(raw):
        end = raw.find(b"\n", used) + 1 or len(raw)
        line, used = raw[used:end], end
        if line in (b"\r\n", b"\n"):
            break
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] = _folded(fields[-1], line)
        else:
            fields.append(_field(line))
    return Message(tuple(fields), raw[used:], raw)


def check_fields(message: Message) -> None:
    """Refusal for duplicate, missing and empty fields, and for a multipart without its parts."""
    seen: set[str] = set()
    for field in message.fields:
        name = field.name.lower()
        if name in ONCE and name in seen:
            raise Refusal(BAD_VALUE, f"Duplicate header '{field.name}'.")
        seen.add(name)
    if "from" not in seen:
        raise Refusal(BAD_VALUE, "Missing required header 'From'.")
    for name in ("From", "To"):
        if message.first(name) == "":
            raise Refusal(BAD_VALUE, f"Empty required header '{name}'.")
    _check_parts(message)


def replace_from(raw: bytes, author: str) -> bytes:
    """The message with its From field replaced, as v2 does for FromEmailAddress."""
    return _rebuilt(parse(raw), ("from",), f"From: {author}\r\n".encode())


def delivered(message: Message, message_id: str, region: str, date: str) -> bytes:
    """What the recipients see: own Date and Message-ID, no Return-Path, no X-SES-* fields."""
    host = "email" if region == "us-east-1" else region
    own = f"Message-ID: <{message_id}@{host}.amazonses.com>\r\nDate: {date}\r\n".encode()
    return _rebuilt(message, ("date", "message-id", "return-path"), own)


def _rebuilt(message: Message, without: tuple[str, ...], own: bytes) -> bytes:
    kept = [
        field.raw
        for field in message.fields
        if field.name.lower() not in without and not field.name.lower().startswith("x-ses-")
    ]
    return b"".join(kept) + own + b"\r\n" + message.body


def _field(line: bytes) -> Field:
    text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    name, colon, value = text.partition(":")
    if not colon or name.rstrip() != name.strip() or any(char <= " " for char in name.rstrip()):
        raise Refusal(BAD_VALUE, f"Illegal header '{text}'.")
    if not name.strip():
        raise Refusal(BAD_VALUE, "Empty header names are illegal.")
    return Field(name.strip(), value.strip(), line)


def _folded(field: Field, line: bytes) -> Field:
    text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    return Field(field.name, (field.value + text).strip(), field.raw + line)


def _check_parts(message: Message) -> None:
    head = email.message.Message()
    head["Content-Type"] = message.first("Content-Type") or "text/plain"
    if head.get_content_maintype() != "multipart":
        return
    if f"--{head.get_boundary('')}".encode() not in message.body:
        raise Refusal(BAD_VALUE, "Missing start boundary")
    # Parsing is slow on 40 MB, and there are no parts without as many boundary lines.
    if message.body.count(b"\n--") > MAX_PARTS:
        parsed = email.message_from_bytes(message.raw, policy=email.policy.compat32)
        if sum(1 for _ in parsed.walk()) > MAX_PARTS:
            raise Refusal(BAD_VALUE, f"Too many MIME parts (limit {MAX_PARTS}).")
