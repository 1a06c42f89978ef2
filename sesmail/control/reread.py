"""Telling a sesmaild that runs of a credentials file that was written or removed.

It would see that by itself within a second. Whoever must know that the next mail goes by the new
file waits for this answer.
"""

from __future__ import annotations

from sesmail.control import ask
from sesmail.settings import Settings


def tell(settings: Settings, identity: str) -> None:
    """Return once sesmaild goes by the file as it is now; at once where none runs.

    Raises Unavailable where it does not answer, DataError where it is too old for the question.
    """
    if ask.is_running(settings):
        for _ in ask.ask(settings, {"request": "reread", "identity": identity}):
            pass
