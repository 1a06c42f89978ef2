"""The one table of our own keys in a credentials file: what each value may be, and its type.

A parser raises ValueError with what is needed; it never repeats the value, which may be a secret in
the wrong line. What goes to SES is held to SES's own alphabets (SESv2 API reference, MessageTag).
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from sesmail.identity import a_labels
from sesmail.message import address

TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
QUEUE_ID_TAG = "sesmail-id"
_CONFIGURATION_SET = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")
_QUEUE_PATH = re.compile(r"(/[A-Za-z0-9_.-]+)*/[A-Za-z0-9_-]{1,80}(\.fifo)?")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SUBMITTER = re.compile(r"@?[A-Za-z_][A-Za-z0-9_.-]*\$?")


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` is this machine: ``localhost`` or an address of the loopback."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError("one of " + ", ".join(words) + " is needed")
        return value.lower()

    return parse


def _matching(pattern: re.Pattern[str], needed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"{needed} is needed")
        return value

    return parse


def _url(value: str) -> str:
    try:
        url = urlsplit(value)
        host, _ = url.hostname or "", url.port
    except ValueError:
        host = ""
    if not host or url.scheme not in ("http", "https") or "@" in url.netloc or " " in value:
        raise ValueError("a URL such as https://email.eu-west-1.amazonaws.com is needed")
    if url.scheme == "http" and not is_loopback(host):
        raise ValueError("http:// is only for this machine; use https://")
    return value


def _queue_url(value: str) -> str:
    try:
        _url(value)
    except ValueError:
        is_whole = False
    else:
        url = urlsplit(value)
        is_whole = bool(_QUEUE_PATH.fullmatch(url.path)) and not (url.query or url.fragment)
    if not is_whole:
        raise ValueError(
            "the URL of an SQS queue is needed, such as "
            "https://sqs.eu-west-1.amazonaws.com/123456789012/sesmail"
        )
    return value


def _host(value: str) -> str:
    if not _HOST.fullmatch(value) and not is_loopback(value):
        raise ValueError("a host name is needed; the port goes to smtp_port")
    return value


def _port(value: str) -> int:
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise ValueError("a port number is needed")
    return int(value)


def _readable_file(value: str) -> str:
    if not value.startswith("/") or not os.access(value, os.R_OK):
        raise ValueError("the absolute path of a file that can be read is needed")
    return value


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("an absolute path is needed")
    return value


def _tags(value: str) -> tuple[tuple[str, str], ...]:
    tags = []
    for pair in value.split(","):
        name, _, tag = (part.strip() for part in pair.partition("="))
        if not TAG.fullmatch(name) or not TAG.fullmatch(tag):
            raise ValueError("name=value, name=value is needed; only letters, digits, - and _")
        if name == QUEUE_ID_TAG:
            raise ValueError(f"{QUEUE_ID_TAG} is the tag that holds the queue id")
        tags.append((name, tag))
    return tuple(tags)


def _address(value: str) -> str:
    try:
        (mailbox,) = address.parse(value)
    except ValueError:
        raise ValueError("one address is needed") from None
    except address.AddressError:
        raise ValueError("an address such as wiki@example.com is needed") from None
    text = f"{mailbox.local_part}@{a_labels(mailbox.domain)}"
    if mailbox.name or not mailbox.domain or not text.isascii():
        raise ValueError("an address such as wiki@example.com is needed")
    return text


def _submitters(value: str) -> tuple[str, ...]:
    names = tuple(value.replace(",", " ").split())
    # An empty list would be everybody: surely not what was meant.
    if not names or not all(_SUBMITTER.fullmatch(name) for name in names):
        raise ValueError("names of users, and of groups after an @, are needed")
    return names


def _rate(value: str) -> float:
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not 0.0 < rate < 1e6:
        raise ValueError("recipients per second, more than 0, are needed")
    return rate


PARSERS: dict[str, Callable[[str], object]] = {
    "transport": _one_of("api", "smtp", "capture"),
    "region": _matching(_REGION, "the name of a region such as eu-west-1"),
    "endpoint_url": _url,
    "smtp_host": _host,
    "smtp_port": _port,
    "smtp_tls": _one_of("wrapper", "starttls", "none"),
    "ca_file": _readable_file,
    "events_queue_url": _queue_url,
    "suppression": _one_of("on", "off"),
    "configuration_set": _matching(_CONFIGURATION_SET, "the name of a configuration set"),
    "tags": _tags,
    "feedback_address": _address,
    "author": _address,
    "submitters": _submitters,
    "max_send_rate": _rate,
    "directory": _absolute,
    "x_ses_headers": _one_of("strip", "keep"),
}
