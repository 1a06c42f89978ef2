"""What is done, one change after the other; if one fails, those before it are undone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sesmail.sysexits import CannotCreate, Failure

Action = Callable[[], None]
Say = Callable[[str], None]
_DONE = {
    "divert": "diverted",
    "enable": "enabled",
    "install": "installed",
    "link": "linked",
    "move": "moved",
    "put": "put",
    "remove": "removed",
    "replace": "replaced",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A change: ``verb`` and ``rest`` say which.

    ``undo`` also has to put right what ``do`` left half done. Both raise a Failure or OSError.
    """

    verb: str
    rest: str
    do: Action
    undo: Action

    @property
    def planned(self) -> str:
        """Say it before."""
        return f"would {self.verb} {self.rest}"

    @property
    def done(self) -> str:
        """Say it afterwards."""
        return f"{_DONE[self.verb]} {self.rest}"


def run(steps: Sequence[Step], say: Say) -> None:
    """Do all, or none: raises the Failure of the one that could not be done."""
    begun: list[Step] = []
    try:
        for step in steps:
            begun.append(step)
            step.do()
            say(step.done)
    except BaseException as error:
        for step in reversed(begun):
            with contextlib.suppress(Failure, OSError):
                step.undo()
        if isinstance(error, OSError):
            raise CannotCreate(
                f"cannot change {error.filename or 'a file'!a}: {error.strerror}; "
                "all is as it was before"
            ) from None
        raise
