"""Faults that a test can script: what strikes, at which moment, on which interface.

The table `FAULTS` is in `fault_table`; here are the shapes, the makers of ad-hoc faults, and the
Script that hands them out.

Moments.  API: `connect` (TLS certificate, or refused), `request` (after the request was read and
its signature checked, instead of the answer; nothing is accepted), `accepted` (after the message
was taken).  SMTP: `connect`, `greeting`, `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`, `dot` (the final
dot, instead of accepting) and `accepted`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

ANSWER = "answer"
DROP = "drop"
SLOW = "slow"
GARBAGE = "garbage"
REFUSE = "refuse"
CERTIFICATE = "certificate"

V2, V1, SMTP = "v2", "v1", "smtp"
API = (V2, V1)


@dataclass(frozen=True)
class Strike:
    """What one interface does.

    action is ANSWER (status, code, message; for SMTP a reply of status and message; an HTTP answer
    with an empty code is a page of nothing but the message), DROP (close without a word), SLOW (go
    on after `seconds`), GARBAGE (bytes that are no answer), REFUSE (nobody listens) or CERTIFICATE
    (message names it).
    closes: the connection ends after the answer.
    """

    moment: str
    action: str = ANSWER
    status: int = 0
    code: str = ""
    message: str = ""
    seconds: float = 0.0
    closes: bool = False


@dataclass(frozen=True)
class Fault:
    """A named fault: row is that of the error table (`1`-`34`), `2.1` for an SMTP reply, or ``."""

    name: str
    row: str
    strikes: Mapping[str, Strike]

    @property
    def interfaces(self) -> tuple[str, ...]:
        """On which of v2, v1, smtp it can strike."""
        return tuple(self.strikes)

    @property
    def refuses(self) -> bool:
        """Is this one about connections that nobody accepts?"""
        return any(strike.action == REFUSE for strike in self.strikes.values())


def answer(status: int, code: str, message: str = "") -> Fault:
    """An ad-hoc API fault: HTTP status, error code, message, for v2 and v1."""
    strike = Strike("request", ANSWER, status, code, message)
    return Fault("ad hoc", "", dict.fromkeys(API, strike))


def reply(moment: str, status: int, message: str, closes: bool | None = None) -> Fault:
    """An ad-hoc SMTP fault: at `moment` the reply `status message`; 421 closes the session."""
    ends = status == 421 if closes is None else closes
    return Fault("ad hoc", "", {SMTP: Strike(moment, ANSWER, status, "", message, closes=ends)})


def slow(seconds: float) -> Fault:
    """Each message is accepted, and the answer comes `seconds` later."""
    strike = Strike("accepted", SLOW, seconds=seconds)
    return Fault("slow", "10", dict.fromkeys((V2, V1, SMTP), strike))


@dataclass
class _Scripted:
    fault: Fault
    left: int | None
    recipient: str | None


class Script:
    """Which fault the next requests meet.  Faults come in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Scripted] = deque()

    def add(self, fault: Fault, times: int | None, recipient: str | None) -> None:
        """Let `times` requests (None: all until the next `add`) meet the fault.

        With a recipient only the requests that have it among their forward-paths.
        """
        with self._lock:
            if self._waiting and self._waiting[-1].left is None:
                self._waiting.pop()
            self._waiting.append(_Scripted(fault, times, recipient))

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._waiting.clear()

    def take(
        self,
        interface: str,
        moment: str,
        context: Mapping[str, str],
        recipients: Iterable[str] = (),
    ) -> Strike | None:
        """The strike due at this moment, its message filled in from the context; it is used up."""
        with self._lock:
            if not self._waiting:
                return None
            scripted = self._waiting[0]
            strike = scripted.fault.strikes.get(interface)
            if strike is None or strike.moment != moment:
                return None
            if scripted.recipient is not None and scripted.recipient not in recipients:
                return None
            if scripted.left is not None:
                scripted.left -= 1
                if scripted.left == 0:
                    self._waiting.popleft()
        return replace(strike, message=_filled(strike.message, context))


def _filled(message: str, context: Mapping[str, str]) -> str:
    for name, value in context.items():
        message = message.replace("{" + name + "}", value)
    return message
