"""The command line as completion sees it: after which verbs which words may follow.

Read off the parser itself, so that what can be typed and what is offered are one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field

IDENTITIES, QUEUE_IDS, FILES = "identities", "queue-ids", "files"
_BY_METAVAR = {"DOMAIN": IDENTITIES, "DOMAIN|ADDRESS": IDENTITIES, "FILE": FILES}
_BY_DEST = {"identity": IDENTITIES, "queue_id": QUEUE_IDS, "what": QUEUE_IDS}


@dataclass(frozen=True, slots=True)
class Values:
    """What may stand in a place: one of ``words``, or something of a ``kind`` ("": anything)."""

    kind: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag and its line of help; ``values`` is None where it takes none."""

    name: str
    text: str
    values: Values | None


@dataclass(slots=True)
class Place:
    """After ``verbs``: further verbs with their help, flags, and what the operands are."""

    verbs: tuple[str, ...]
    following: dict[str, str] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    operand: Values | None = None

    @property
    def name(self) -> str:
        """The verbs, in a line."""
        return " ".join(self.verbs)


def places(parser: argparse.ArgumentParser, verbs: tuple[str, ...] = ()) -> Iterator[Place]:
    """Yield every place of a command line, the outer ones first."""
    place = Place(verbs)
    inner: list[Place] = []
    for action in parser._actions:  # argparse has no public way to them
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            for name, sub in action.choices.items():
                place.following[name] = helps.get(name, "")
                inner += places(sub, (*verbs, name))
        elif action.option_strings:
            values = None if action.nargs == 0 else _values(action)
            text = (action.help or "") % {"default": action.default}
            place.flags.append(Flag(action.option_strings[-1], text, values))
        else:
            place.operand = _values(action)
    yield place
    yield from inner


def _values(action: argparse.Action) -> Values:
    if action.choices is not None:
        return Values(words=tuple(map(str, action.choices)))
    kind = _BY_METAVAR.get(str(action.metavar)) or _BY_DEST.get(action.dest, "")
    return Values(kind)
