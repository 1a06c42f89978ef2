"""Single values of an event, checked: texts, addresses, hosts, moments, header sections.

What cannot be is "", and where nothing works without it, Unreadable is raised.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime

from sesmail.delivery.maillog import printable

LONGEST_TEXT = 500
_LONGEST_ADDRESS = 320  # RFC 3696, 3
_LONGEST_ID = 200
_LONGEST_SECTION = 64 << 10  # characters of the header section
_LATEST = 1 << 52  # milliseconds

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
_FIELD_NAME = re.compile(r"[!-9;-~]{1,200}")
_SMTP = ("smtp", "x-unix", "x-postfix")


class Unreadable(ValueError):
    """It is no event; the text says why, and holds nothing of it."""


def message_id(value: object) -> str:
    """Return the id that SES gave a message. Raises Unreadable."""
    is_id = isinstance(value, str) and 0 < len(value) <= _LONGEST_ID
    if not is_id or printable(str(value)) != value:
        raise Unreadable("no messageId")
    return str(value)


def status(value: object) -> str:
    """Return a status of RFC 3463."""
    return value if isinstance(value, str) and _STATUS.fullmatch(value) else ""


def words(value: object) -> str:
    """Return what a receiver said, without the type that RFC 3464, 2.3.6, puts before it."""
    said = text(value)
    kind, _, rest = said.partition(";")
    return rest.strip() if kind.strip().lower() in _SMTP else said


def section(headers: object) -> bytes:
    """Return the header section that SES repeats, with LF line ends; unfolded."""
    lines: list[str] = []
    size = 0
    for one in headers if isinstance(headers, list) else ():
        name, value = (one.get("name"), one.get("value")) if isinstance(one, dict) else ("", "")
        if not (isinstance(name, str) and isinstance(value, str) and _FIELD_NAME.fullmatch(name)):
            continue
        line = f"{name}: {' '.join(value.split())}\n".replace("\0", "?")
        size += len(line)
        if size > _LONGEST_SECTION:
            break
        lines.append(line)
    return "".join(lines).encode("utf-8", "replace")


def text(value: object) -> str:
    """Return a text in printable ASCII, cut."""
    return printable(value.strip(), LONGEST_TEXT) if isinstance(value, str) else ""


def address(value: object) -> str:
    """Return the address, without a display name or angle brackets that somebody left there."""
    if not isinstance(value, str):
        return ""
    found = value.strip()
    if found.endswith(">"):
        found = found.rpartition("<")[2].removesuffix(">")
    is_address = "@" in found and len(found) <= _LONGEST_ADDRESS
    return found if is_address and printable(found, _LONGEST_ADDRESS) == found else ""


def host(value: object) -> str:
    """Return the name of a host, of which a type may be said."""
    name = text(value).rpartition(";")[2].strip()  # "dns; a8-60.smtp-out.amazonses.com"
    return name if _HOST.fullmatch(name) else ""


def ip_address(value: object) -> str:
    """Return an IP address."""
    try:
        return str(ipaddress.ip_address(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def moment(value: object) -> int:
    """Return milliseconds since the epoch."""
    if not isinstance(value, str):
        raise Unreadable("no timestamp")
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable("no timestamp") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    milliseconds = round(found.timestamp() * 1000)
    if not 0 <= milliseconds < _LATEST:
        raise Unreadable("no timestamp of these days")
    return milliseconds
