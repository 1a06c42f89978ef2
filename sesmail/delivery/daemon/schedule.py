"""Whose turn it is. A lane is what one uid sends through one identity.

The queue's index orders a lane; here is only when its first forward-path is due. Turns go round
robin over identities, and inside one over its uids, so that neither an account with a long queue
nor a user with a long list keeps the others waiting.
"""

from __future__ import annotations

from collections.abc import Callable

Lane = tuple[str, int]


class Schedule:
    """The lanes in which something waits. Times are milliseconds."""

    def __init__(self) -> None:
        self._lanes: dict[str, dict[int, int]] = {}  # in the order of turns

    def set(self, lane: Lane, due: int | None) -> None:
        """Take over when a lane's first forward-path is due; None: nothing waits in it."""
        identity, uid = lane
        if due is not None:
            self._lanes.setdefault(identity, {})[uid] = due
            return
        uids = self._lanes.get(identity, {})
        uids.pop(uid, None)
        if not uids:
            self._lanes.pop(identity, None)

    def identities(self) -> list[str]:
        """Return the identities for which something waits."""
        return list(self._lanes)

    def lanes(self) -> list[Lane]:
        """Return all lanes."""
        return [(identity, uid) for identity, uids in self._lanes.items() for uid in uids]

    def due(self, identity: str) -> int | None:
        """Return when the first forward-path of an identity is due."""
        return min(self._lanes.get(identity, {}).values(), default=None)

    def next(self, now: int, may_send: Callable[[str], bool]) -> Lane | None:
        """Return a lane with something due, of an identity that may send, and end its turn."""
        for identity in list(self._lanes):
            uids = self._lanes[identity]
            uid = next((uid for uid, due in uids.items() if due <= now), None)
            if uid is None or not may_send(identity):
                continue
            self._lanes[identity] = self._lanes.pop(identity)
            uids[uid] = uids.pop(uid)
            return identity, uid
        return None
