"""Whatever stands in a queue of events: read, it is a clean event or Unreadable, and nothing else.

Whoever may write to the topic or the queue can put anything there. Here records of SES are changed
at random places into what nobody expects there.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sesmail.delivery.events import record
from sesmail.delivery.events.values import Unreadable
from sesmail.queue import events
from tests.fakes import records
from tests.fakes.records import Origin
from tests.fakes.state import Accepted

ACCEPTED = Accepted(
    interface="v2",
    source="ann@example.com",
    destinations=["bob@example.net", "eve@example.net"],
    raw=b"From: ann@example.com\r\nTo: bob@example.net\r\nSubject: hello\r\n\r\nbody\r\n",
    tags={"sesmail-id": "01A20CBEA392AD1C7F7B0B39952A"},
    configuration_set="events",
    message_id="0100019abcdef012-11111111-2222-3333-4444-555555555555-000000",
    delivered=b"",
    key_id="AKIAIOSFODNN7EXAMPLE",
)
ORIGIN = Origin(1_764_000_000.0, "us-east-1", "events", "example.com")
RECORDS = [
    records.record(kind, ACCEPTED, ORIGIN, ACCEPTED.destinations, 1_764_000_001.0, {})
    for kind in records.KINDS
]
JUNK: list[Any] = [
    None, True, -1, 1e308, float("nan"), float("inf"), 10**400,
    "", "\0", "\ud800", "é\n\r\t", "x" * 100_000, "5.1.1\n", "9.9.9",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "2026-13-45T99:99:99Z",
    "@", "a@b@c", "<a@b.example>", "a@b.example\r\nBcc: c@d.example",
    [], {}, [[]], [{}], {"a": {}}, ["x"] * 1000, [{"emailAddress": None}],
    [{"emailAddress": "a@b.example", "status": [], "diagnosticCode": {}}] * 200,
]  # fmt: skip
changes = st.lists(
    st.tuples(st.integers(0, 1000), st.sampled_from([*JUNK, "take it away"])), max_size=3
)


@given(st.sampled_from(RECORDS), changes, st.booleans())
def test_whatever_is_there(told: dict[str, Any], changed: list[Any], enveloped: bool) -> None:
    """Texts are printable ASCII, numbers fit into the database, lists are as long as one call's."""
    document = copy.deepcopy(told)
    for place, junk in changed:
        change(document, place, junk)
    body = json.dumps(document)
    try:
        event = record.read(json.dumps({"Type": "x", "Message": body}) if enveloped else body)
    except Unreadable as unreadable:
        assert changed
        check_text(str(unreadable))
    else:
        if event is not None:
            check(event)


def change(document: dict[str, Any], place: int, junk: Any) -> None:
    """Put junk into one of the places of a document, or take away what is there."""
    owner, key = list(places(document))[place % len(list(places(document)))]
    if junk == "take it away":
        del owner[key]
    else:
        owner[key] = copy.deepcopy(junk)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Everything that has a value, as the dict or list and the key in it; the whole is one, too."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def check(event: record.Event) -> None:
    """Fail unless it is fit for the log, the database and a DSN."""
    assert event.kind in events.KINDS
    assert -(2**63) <= event.at < 2**63
    assert 0 < len(event.told) <= record.MOST_RECIPIENTS
    for text in (event.remote_id, event.queue_id, event.relay):
        check_text(text)
    for told in event.told:
        assert told.address.isprintable()
        assert "@" in told.address
        check_text(told.status)
        check_text(told.text)
        assert len(told.text) < 2000
    assert b"\0" not in event.section


def check_text(text: str) -> None:
    """Fail for what could break a line."""
    assert text.isascii()
    assert text.isprintable()
