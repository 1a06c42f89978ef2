"""Attempts for one message: split, tried, repeated singly, and what is known at each moment.

SES takes 50 forward-paths a request (its quota). Where it refuses a batch for one address that it
does not name, each of the batch is tried alone, once. When SES defers a whole batch (throttled,
unreachable) or the configuration is wrong, the batches behind it are not tried, for they would meet
the same. After an unanswered request they are: it says nothing about them.

``results`` is written before a request (SES may have the message) and after it, so that it holds
the truth whenever something ends the attempt in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.sysexits import EX_UNAVAILABLE

if TYPE_CHECKING:
    from sesmail.delivery.transport.base import Transport

BATCH = 50  # forward-paths a request

NOT_ASKED = Result(
    Outcome.DEFERRED, "4.4.7", "SES was not asked", exit_code=EX_UNAVAILABLE, retry=Retry.SOON
)
UNANSWERED = Result(
    Outcome.DEFERRED,
    "4.4.2",
    "SES had not answered yet",
    exit_code=EX_UNAVAILABLE,
    retry=Retry.AMBIGUOUS,
)


class Delivery:
    """The delivery of one message to ``forward_paths``; ``results`` are in their order."""

    def __init__(
        self, message: bytes, source: str, forward_paths: Sequence[str], queue_id: str
    ) -> None:
        self.message = message
        self.source = source
        self.forward_paths = forward_paths
        self.queue_id = queue_id
        self.results = [NOT_ASKED] * len(forward_paths)
        self._alone: set[int] = set()  # to be tried without company

    def open(self) -> list[int]:
        """Return the places of the forward-paths that are worth trying now, or again soon."""
        return [
            place
            for place, result in enumerate(self.results)
            if result.outcome is Outcome.DEFERRED and result.retry in (Retry.NOW, Retry.SOON)
        ]

    def attempt(self, transport: Transport) -> None:
        """Try each open forward-path once."""
        batches = self._batches()
        for number, batch in enumerate(batches, 1):
            self._try(transport, batch)
            if all(_concerns_others(self.results[place]) for place in batch):
                self._share(self.results[batch[-1]], chain(*batches[number:]))
                break

    def _batches(self) -> list[list[int]]:
        places = self.open()
        together = [place for place in places if place not in self._alone]
        batches = [together[start : start + BATCH] for start in range(0, len(together), BATCH)]
        return batches + [[place] for place in places if place in self._alone]

    def _try(self, transport: Transport, batch: list[int]) -> None:
        """Ask for a batch, then for each alone that the reply may have been about."""
        self._ask(transport, batch)
        singly = [place for place in batch if self.results[place].singly]
        if len(batch) == 1 or not singly:
            return
        self._alone.update(singly)
        self._share(NOT_ASKED, singly)
        for number, place in enumerate(singly, 1):
            self._ask(transport, [place])
            if _concerns_others(self.results[place]):
                self._share(self.results[place], singly[number:])
                break

    def _ask(self, transport: Transport, batch: list[int]) -> None:
        self._share(UNANSWERED, batch)
        paths = [self.forward_paths[place] for place in batch]
        answers = transport.send(self.message, self.source, paths, self.queue_id)
        for place, answer in zip(batch, answers, strict=True):
            self.results[place] = answer

    def _share(self, result: Result, places: Iterable[int]) -> None:
        """Write down one result for all of ``places``."""
        for place in places:
            self.results[place] = result


def _concerns_others(result: Result) -> bool:
    """Tell whether other forward-paths would meet the same at this moment."""
    if result.outcome is Outcome.HELD:
        return not result.singly  # singly: an address that the sandbox does not allow
    return result.outcome is Outcome.DEFERRED and result.retry is not Retry.AMBIGUOUS
