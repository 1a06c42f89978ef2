"""What ``sesmailctl status`` knows, in the text form of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/; a timer writes it where the node
exporter's textfile collector looks. All are gauges: what is counted is of the last 24 hours. A
recipient is a forward-path. What is not known has no sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_Number = float | None
_Sample = tuple[dict[str, str], _Number]
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

# Name and help, and the value of an identity's document.
_OF_IDENTITY: dict[str, tuple[str, Callable[[dict[str, Any]], _Number]]] = {
    "attempts_active": ("Attempts being made now.", lambda one: one["active"]),
    "identity_held": (
        "Whether the whole identity waits for the administrator.",
        lambda one: (one["hold"] or {}).get("scope") == "identity",
    ),
    "holds": ("Things that wait for the administrator.", lambda one: one["holds"]),
    "last_day_sent_recipients": ("Taken by SES in 24 hours.", lambda one: one["sent"]),
    "last_day_bounced_recipients": ("Bounced for good in 24 hours.", lambda one: one["bounced"]),
    "last_day_complained_recipients": ("Complaints in 24 hours.", lambda one: one["complained"]),
    "send_rate_recipients_per_second": ("The rate now.", lambda one: one["rate"]),
    "account_max_send_rate_recipients_per_second": (
        "The rate that SES allows the account.",
        lambda one: one["max_rate"],
    ),
    "account_quota_recipients": (
        "What SES allows the account in 24 hours.",
        lambda one: math.inf if one["quota"] == -1 else one["quota"],
    ),
    "account_sent_recipients": (
        "What the account sent in 24 hours, as SES said last.",
        lambda one: one["sent_24_hours"],
    ),
    "account_production": (
        "Whether the account is out of the sandbox of SES.",
        lambda one: one["production"],
    ),
    "account_healthy": (
        "Whether SES is content with the account.",
        lambda one: one["enforcement"] and one["enforcement"] == "HEALTHY",
    ),
}

_OF_ALL: dict[str, tuple[str, Callable[[dict[str, Any]], _Number]]] = {
    "up": ("Whether sesmaild runs.", lambda total: total["running"]),
    "uptime_seconds": ("For how long sesmaild has run.", lambda total: total["uptime"]),
    "drop_messages": ("Messages that wait to be picked up.", lambda total: total["drops"]),
    "queue_messages": ("Messages that wait to be sent.", lambda total: total["messages"]),
    "queue_bytes": ("Their size.", lambda total: total["bytes"]),
}


def lines(identities: Sequence[dict[str, Any]], total: dict[str, Any], now: float) -> Iterator[str]:
    """Yield the lines; for the documents see the daemon's ``answers.status``."""
    yield from _metric("build_info", "The version.", [({"version": total["version"]}, 1)])
    for name, (text, value) in _OF_ALL.items():
        yield from _metric(name, text, [({}, value(total))])
    yield from _metric("queue_recipients", "Recipients by state.", _states(identities))
    ages = [
        (_label(one), None if one["oldest"] is None else max(now - one["oldest"], 0.0))
        for one in identities
    ]
    yield from _metric("queue_oldest_age_seconds", "Age of the oldest message.", ages)
    for name, (text, value) in _OF_IDENTITY.items():
        yield from _metric(name, text, [(_label(one), value(one)) for one in identities])


def _states(identities: Sequence[dict[str, Any]]) -> list[_Sample]:
    return [
        ({**_label(one), "state": state}, one[state])
        for one in identities
        for state in ("waiting", "held", "failed")
    ]


def _label(one: dict[str, Any]) -> dict[str, str]:
    return {"identity": one["identity"]}


def _metric(name: str, text: str, samples: Sequence[_Sample]) -> Iterator[str]:
    known = [(labels, value) for labels, value in samples if value is not None]
    if not known:
        return
    yield f"# HELP sesmail_{name} {text}"
    yield f"# TYPE sesmail_{name} gauge"
    for labels, value in known:
        pairs = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels.items())
        yield f"sesmail_{name}{f'{{{pairs}}}' if pairs else ''} {_number(value)}"


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
