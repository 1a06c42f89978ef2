"""The life of messages, from what is written down of them, as JSON objects.

``show`` has all of one message, ``steps`` what happened to some, each step an object:

    queue_id at step ...   ``at`` in seconds since the epoch
    dropped     uid identity author reverse_path size
    deferred    address status text relay             an attempt that is, or was, to be repeated
    sent        address status text relay remote_id   SES took it under that id
    failed      address status text relay
    deleted     address text                          by an administrator
    dsn         text                                  the queue id of what tells the sender
    event       address kind status text remote_id    what SES told afterwards
    active      address                               an attempt is being made
    waiting     address text                          ``at`` is when the next attempt is due
    held        address text                          since then, and why
    removed                                           nothing of it is open any more
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from sesmail.queue.listing import HELD_IDENTITIES
from sesmail.queue.store import State

PAGE = 200  # entries, or forward-paths, in one read

Step = dict[str, Any]
_NAMES = {state: state.name.lower() for state in State} | {State.DELIVERED: "sent"}
_STATE = "CASE p.state " + " ".join(f"WHEN {s:d} THEN '{name}'" for s, name in _NAMES.items())

_ENTRY = """
SELECT e.id, json_object(
    'queue_id', e.queue_id, 'identity', i.name, 'uid', e.uid, 'author', e.author,
    'reverse_path', e.reverse_path, 'size', e.size, 'arrived', e.arrived / 1000.0,
    'finished', e.finished / 1000.0,
    'dsns', (SELECT json_group_array(d.queue_id) FROM entry d WHERE d.about = e.queue_id),
    'holds', (
        SELECT json_group_array(json_object(
            'scope', h.scope, 'key', h.key, 'since', h.began / 1000.0, 'reason', h.reason))
        FROM hold h WHERE h.identity = e.identity AND h.ended IS NULL AND e.open > 0 AND (
            h.scope = 'identity' OR h.scope = 'author' AND h.key = e.author
            OR h.scope IN ('entry', 'operator') AND h.key = e.queue_id
            OR h.scope = 'recipient' AND EXISTS (
                SELECT 1 FROM path WHERE entry = e.id AND address = h.key))))
FROM entry e JOIN identity i ON i.id = e.identity
WHERE e.queue_id = ? AND e.uid = coalesce(?, e.uid)
"""

_PATHS = f"""
SELECT max(id), group_concat(document, char(10)) || char(10) FROM (
    SELECT p.id, json_object(
        'address', p.address, 'state', {_STATE} END, 'due', p.due / 1000.0,
        'attempts', p.attempts, 'status', p.status, 'text', p.text, 'relay', p.relay,
        'remote_id', p.remote_id,
        'replies', (
            SELECT json_group_array(json_object(
                'started', a.started / 1000.0, 'ended', a.ended / 1000.0, 'status', x.status,
                'text', x.text, 'relay', x.relay))
            FROM (
                SELECT attempt, status, text, relay FROM reply WHERE path = p.id
                UNION ALL
                SELECT p.attempt, p.status, p.text, p.relay WHERE p.state IN (2, 3)
                ORDER BY 1
            ) x JOIN attempt a ON a.id = x.attempt),
        'events', (
            SELECT json_group_array(json_object(
                'kind', v.kind, 'at', v.at / 1000.0, 'status', v.status, 'text', v.text))
            FROM (SELECT * FROM event WHERE path = p.id ORDER BY at, id) v)
    ) AS document
    FROM path p WHERE p.entry = ? AND p.id > ? ORDER BY p.id LIMIT {PAGE}
)
"""  # noqa: S608  only names and numbers of ours are put in

_CHOSEN = "(SELECT value FROM json_each(?))"

_ENTRIES = f"""
SELECT e.id, e.queue_id, i.name, e.uid, e.author, e.reverse_path, e.size, e.arrived, e.finished
FROM entry e JOIN identity i ON i.id = e.identity WHERE e.id IN {_CHOSEN} ORDER BY e.id
"""  # noqa: S608

_STATES = f"""
WITH {HELD_IDENTITIES}
SELECT p.entry, p.address, iif(p.state = 0 AND w.identity IS NOT NULL, 4, p.state),
    CASE p.state WHEN 0 THEN coalesce(w.began, p.due) WHEN 1 THEN a.started WHEN 2 THEN a.ended
        WHEN 3 THEN coalesce(a.ended, e.finished, e.arrived) WHEN 4 THEN h.began ELSE p.due END,
    p.status, coalesce(h.reason, iif(p.state = 0, w.reason, NULL), p.text), p.relay, p.remote_id
FROM path p JOIN entry e ON e.id = p.entry
LEFT JOIN attempt a ON a.id = p.attempt
LEFT JOIN hold h ON h.id = p.hold AND p.state = 4
LEFT JOIN held w ON w.identity = p.identity
WHERE p.entry IN {_CHOSEN}
"""  # noqa: S608

_REPLIES = f"""
SELECT p.entry, p.address, a.ended, r.status, r.text, r.relay
FROM path p JOIN reply r ON r.path = p.id JOIN attempt a ON a.id = r.attempt
WHERE p.entry IN {_CHOSEN}
"""  # noqa: S608

_EVENTS = f"""
SELECT p.entry, p.address, v.at, v.kind, v.status, v.text, v.remote_id
FROM path p JOIN event v ON v.path = p.id WHERE p.entry IN {_CHOSEN}
"""  # noqa: S608

_DSNS = f"""
SELECT e.id, d.arrived, d.queue_id FROM entry e JOIN entry d ON d.about = e.queue_id
WHERE e.id IN {_CHOSEN}
"""  # noqa: S608

_NEXT = "SELECT max(id) FROM (SELECT id FROM entry WHERE id > ? ORDER BY id LIMIT ?)"

_MATCHING = """
SELECT e.id FROM entry e WHERE e.id > :after AND e.id <= :last
    AND e.uid = coalesce(:uid, e.uid)
    AND (e.arrived >= :since OR coalesce(e.finished, :since) >= :since)
    AND (:address IS NULL OR e.author = :address COLLATE NOCASE
        OR e.reverse_path = :address COLLATE NOCASE OR EXISTS (
            SELECT 1 FROM path WHERE entry = e.id AND address = :address COLLATE NOCASE))
ORDER BY e.id
"""
_LOOKED_AT = 2000  # entries in one read


def show(connection: sqlite3.Connection, queue_id: str, uid: int | None) -> Iterator[str]:
    """Yield a line with the message, then lines with its forward-paths; nothing if it is unknown.

    ``uid``: whose it must be; None: anybody's.
    """
    found = connection.execute(_ENTRY, (queue_id, uid)).fetchone()
    if found is None:
        return
    entry, document = found
    yield f"{document}\n"
    after = 0
    while after is not None:
        after, text = connection.execute(_PATHS, (entry, after)).fetchone()
        yield text or ""


def find(
    connection: sqlite3.Connection, uid: int | None, address: str | None, since: int
) -> Iterator[list[int]]:
    """Yield the ids of entries, oldest first, a piece at a time, perhaps an empty one.

    ``address``: of an author, reverse-path or forward-path. Something happened since ``since``, in
    milliseconds, or is still to happen.
    """
    after = 0
    while last := connection.execute(_NEXT, (after, _LOOKED_AT)).fetchone()[0]:
        wanted = {"after": after, "last": last, "uid": uid, "address": address, "since": since}
        numbers = [number for (number,) in connection.execute(_MATCHING, wanted).fetchall()]
        for start in range(0, len(numbers) or 1, PAGE):
            yield numbers[start : start + PAGE]
        after = last


def number_of(connection: sqlite3.Connection, queue_id: str, uid: int | None) -> int | None:
    """Return the id of the entry with a queue id, if there is one that ``uid`` may see."""
    row = connection.execute(
        "SELECT id FROM entry WHERE queue_id = ? AND uid = coalesce(?, uid)", (queue_id, uid)
    ).fetchone()
    return None if row is None else row[0]


def steps(connection: sqlite3.Connection, entries: list[int]) -> Iterator[Step]:
    """Yield what happened to entries, one after the other, in the order of time."""
    chosen = json.dumps(entries)
    found: dict[int, list[Step]] = {}
    names: dict[int, str] = {}
    for row in connection.execute(_ENTRIES, (chosen,)).fetchall():
        names[row[0]] = row[1]
        found[row[0]] = list(_ends(*row[1:]))
    for number, step in _between(connection, chosen):
        if number in found:
            found[number].append(step)
    for number, life in found.items():
        for step in sorted(life, key=_order):
            yield {"queue_id": names[number], **step, "at": step["at"] / 1000}


def _ends(
    queue_id: str,
    identity: str,
    uid: int,
    author: str,
    reverse_path: str | None,
    size: int,
    arrived: int,
    finished: int | None,
) -> Iterator[Step]:
    """Yield how an entry began and, if so, ended."""
    named = int(queue_id[:12], 16)  # a requeued entry counts as arrived anew, its name does not
    yield {
        "at": min(named, arrived),
        "step": "dropped",
        "uid": uid,
        "identity": identity,
        "author": author,
        "reverse_path": reverse_path,
        "size": size,
    }
    if finished is not None:
        yield {"at": finished, "step": "removed"}


def _between(connection: sqlite3.Connection, chosen: str) -> Iterator[tuple[int, Step]]:
    for number, address, at, status, text, relay in connection.execute(_REPLIES, (chosen,)):
        yield number, _step(at, "deferred", address, status=status, text=text, relay=relay)
    for number, address, state, at, status, text, relay, remote_id in connection.execute(
        _STATES, (chosen,)
    ):
        name = _NAMES[state]
        if name in ("sent", "failed"):
            reply = {"status": status, "text": text, "relay": relay}
            more = {"remote_id": remote_id} if name == "sent" else {}
            yield number, _step(at, name, address, **reply, **more)
        else:
            yield number, _step(at, name, address, text=text)
    for number, address, at, kind, status, text, remote_id in connection.execute(
        _EVENTS, (chosen,)
    ):
        told = {"kind": kind, "status": status, "text": text, "remote_id": remote_id}
        yield number, _step(at, "event", address, **told)
    for number, at, queue_id in connection.execute(_DSNS, (chosen,)):
        yield number, {"at": at, "step": "dsn", "text": queue_id}


def _step(at: int | None, name: str, address: str, **more: str) -> Step:
    return {"at": at or 0, "step": name, "address": address, **more}


def _order(step: Step) -> tuple[int, int]:
    """Sort by time; of the same time the beginning first, the end last."""
    return step["at"], {"dropped": 0, "removed": 2}.get(step["step"], 1)
