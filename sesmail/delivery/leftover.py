"""What the foreground could not deliver for now, left in the drop for the daemon.

Only the forward-paths that are still open go there, and after an unanswered request only with a
moment before which nothing is tried: else they would be the duplicates that we avoid elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.drop import layout
from sesmail.drop.put import ABSENT, Drop, Wake
from sesmail.envelope import AMBIGUOUS_WAIT, Envelope
from sesmail.settings import Settings


def keep(
    settings: Settings, envelope: Envelope, message: bytes, results: Sequence[Result]
) -> dict[int, str]:
    """Drop ``message`` for the open forward-paths; return queue ids by the places of these.

    Nothing without a spool. Raises CannotCreate, IOFailure or NotPermitted where the drop fails.
    """
    wake = Wake(settings.spool_directory)
    if wake.state == ABSENT:
        return {}
    certain, ambiguous = _open(results)
    if settings.on_ambiguous == "hold":
        ambiguous = []  # whether to send again is the administrator's decision
    kept: dict[int, str] = {}
    # The ambiguous keep the id with which SES tagged them: an event may tell of it.
    for places, not_before in ((ambiguous, now() + AMBIGUOUS_WAIT), (certain, 0)):
        if places:
            queue_id = layout.new_queue_id() if kept else envelope.queue_id
            _drop(settings, envelope, message, queue_id, places, not_before)
            wake.ring(queue_id)
            kept.update(dict.fromkeys(places, queue_id))
    return kept


def now() -> int:
    """Return this moment in milliseconds."""
    return int(time.time() * 1000)


def _open(results: Sequence[Result]) -> tuple[list[int], list[int]]:
    """Return the places that only need time, and those that SES may have served."""
    certain: list[int] = []
    ambiguous: list[int] = []
    for place, result in enumerate(results):
        if result.outcome in (Outcome.DEFERRED, Outcome.HELD):
            (ambiguous if result.retry is Retry.AMBIGUOUS else certain).append(place)
    return certain, ambiguous


def _drop(
    settings: Settings,
    envelope: Envelope,
    message: bytes,
    queue_id: str,
    places: list[int],
    not_before: int,
) -> None:
    left = Envelope(
        queue_id,
        envelope.identity,
        envelope.author,
        envelope.reverse_path,
        [envelope.forward_paths[place] for place in places],
        not_before=not_before,
    )
    with Drop(settings, queue_id) as drop:
        drop.write(left.encode())
        drop.write(message)
        drop.commit()
