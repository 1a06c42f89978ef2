"""Following one message from the drop to its outcome, by asking the daemon for its log."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from sesmail.control import ask
from sesmail.settings import Settings
from sesmail.sysexits import EX_CONFIG, EX_OK, EX_UNAVAILABLE, Unavailable

SENT, DELIVERED, FAILED, HELD = "sent", "delivered", "failed", "held"
DEFERRED, ON_ITS_WAY, NOT_SEEN = "deferred", "on its way", "not seen"
_CODES = {SENT: EX_OK, DELIVERED: EX_OK, HELD: EX_CONFIG}
_LOOK = 0.25  # seconds between two questions
_BAD_EVENTS = ("bounce", "complaint", "reject", "renderingfailure")
_SAID = ("status", "text", "relay", "remote_id")  # of a step, in the order of an outcome

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of the message in the end; ``name`` is one of the words above."""

    name: str
    queue_id: str = ""
    status: str = ""
    text: str = ""
    relay: str = ""
    remote_id: str = ""

    @property
    def exit_code(self) -> int:
        """What sesmailctl ends with."""
        return _CODES.get(self.name, EX_UNAVAILABLE)

    def as_dict(self) -> dict[str, str]:
        """Return it as a document."""
        words = asdict(self)
        return {"outcome": words.pop("name"), **words}


@dataclass(frozen=True, slots=True)
class Sought:
    """How the message is known again: by its author, the caller, and the time it was sent at.

    ``since`` in milliseconds. ``has_events``: SES tells what becomes of it after it was taken.
    """

    author: str
    forward_path: str
    since: int
    has_events: bool = False


def follow(
    settings: Settings, sought: Sought, seconds: float, tell: Callable[[Step], None]
) -> Outcome:
    """Follow the message until its outcome, for so many seconds at most; ``tell`` of each step."""
    follower = _Follower(settings, sought, tell)
    end = time.monotonic() + seconds
    while not follower.look() and time.monotonic() < end:
        time.sleep(_LOOK)
    return follower.outcome


class _Follower:
    def __init__(self, settings: Settings, sought: Sought, tell: Callable[[Step], None]) -> None:
        self._settings = settings
        self._sought = sought
        self._tell = tell
        self._told: set[tuple[str, str, float]] = set()
        self._queue_id = ""
        self.outcome = Outcome(NOT_SEEN)

    def look(self) -> bool:
        """Take in what is new; tell whether that is the end."""
        if not ask.is_running(self._settings):
            return False  # without a daemon the question would make another user of us, for good
        try:
            steps = list(self._steps())
        except Unavailable:
            return False  # it is just starting, or ending
        for step in steps:
            self._tell_once(step)
        if steps:
            self.outcome = _outcome(self._queue_id, steps)
        is_sent = self.outcome.name == SENT
        return self.outcome.name in _FINAL or (is_sent and not self._sought.has_events)

    def _steps(self) -> Iterator[Step]:
        if not self._queue_id:
            self._queue_id = self._find()
        if self._queue_id:
            yield from ask.ask(self._settings, {"request": "log", "id": self._queue_id})

    def _find(self) -> str:
        """Return the queue id; two tests at once that look alike have the same outcome, too."""
        sought = self._sought
        request: dict[str, object] = {"address": sought.author, "since": sought.since}
        ids: dict[str, None] = {}
        for step in ask.ask(self._settings, {"request": "log", **request}):
            if step["step"] == "dropped" and self._is_it(step):
                ids[step["queue_id"]] = None
            elif step.get("address") == sought.forward_path and step["queue_id"] in ids:
                return str(step["queue_id"])
        return ""

    def _is_it(self, step: Step) -> bool:
        is_ours = step["uid"] == os.getuid() and step["author"] == self._sought.author
        return bool(is_ours and step["at"] * 1000 >= self._sought.since)

    def _tell_once(self, step: Step) -> None:
        known = (step["step"], step.get("kind", ""), step["at"])
        if known not in self._told:
            self._told.add(known)
            self._tell(step)


_FINAL = (DELIVERED, FAILED, HELD)
_OF_STEPS = {
    "dropped": ON_ITS_WAY,
    "deferred": DEFERRED,
    "sent": SENT,
    "failed": FAILED,
    "deleted": FAILED,
    "held": HELD,
}
_OF_EVENTS = {"delivery": DELIVERED} | dict.fromkeys(_BAD_EVENTS, FAILED)


def _outcome(queue_id: str, steps: list[Step]) -> Outcome:
    """Return what the steps so far, in the order of time, come to.

    Events go by the clock of SES, which may be before ours.
    """
    *_, own = (step for step in steps if step["step"] in _OF_STEPS)
    outcome = Outcome(_OF_STEPS[own["step"]], queue_id, *(own.get(key, "") for key in _SAID))
    events = [step for step in steps if step.get("kind") in _OF_EVENTS]
    if outcome.name == SENT and events:
        worst = min(events, key=lambda event: event["kind"] == "delivery")
        name = _OF_EVENTS[worst["kind"]]
        return replace(outcome, name=name, status=worst["status"], text=worst["text"])
    return outcome
