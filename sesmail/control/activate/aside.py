"""Where the package manager knows neither diversions nor alternatives: NAME moves to NAME.real.

An update of the package that brought it puts it back in our link's place; then ``activate``, which
a hook of the package manager calls, moves it aside again, where it replaces the older one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from sesmail.control.activate import names, tools
from sesmail.control.activate.own import Own
from sesmail.control.activate.step import Step

SUFFIX = ".real"


def take(paths: Sequence[str], own: Own, remembered: Sequence[str]) -> Iterator[Step]:
    """Yield the steps by which names become ours. Raises CannotCreate."""
    for path in paths:
        aside = path + SUFFIX
        is_orphan = path in remembered and _is_orphan(path, aside)
        yield from names.take(path, aside, own, replaces=path in remembered)
        if is_orphan:
            yield names.discard(aside, "whose package is gone")


def give_back(paths: Sequence[str], own: Own) -> Iterator[Step]:
    """Yield the steps by which names go back."""
    for path in paths:
        aside = path + SUFFIX
        if os.path.lexists(path) and not own.was_linked(path):
            if os.path.lexists(aside):
                yield names.discard(aside, f"an older version of {path}")
        elif _is_orphan(path, aside):
            yield names.discard(aside, "whose package is gone")
        else:
            yield from names.put_back(path, aside, own)


def _is_orphan(path: str, aside: str) -> bool:
    """Tell whether a package took our link away as its own file when it went, by pacman's book."""
    if os.path.lexists(path) or not os.path.lexists(aside):
        return False
    pacman = tools.find("pacman")
    return pacman != "" and not tools.succeeds(pacman, "-Qqo", path)
