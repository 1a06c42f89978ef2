"""Configuration sets: what SES knows of one, and which ones there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSet
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ConfigurationSet:
    """One configuration set.

    options are the members that it was created with (`SendingOptions` and so on); destinations maps
    the name of an event destination to its EventDestination as the API has it.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    destinations: dict[str, dict[str, Any]] = field(default_factory=dict)


class ConfigurationSets(MutableSet[str]):
    """The names of the configuration sets, as a set; `known` has what is known of each."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.known: dict[str, ConfigurationSet] = {}
        for name in names:
            self.add(name)

    def __contains__(self, name: object) -> bool:
        return name in self.known

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.known))

    def __len__(self) -> int:
        return len(self.known)

    def add(self, value: str) -> None:
        """Let there be one of that name."""
        self.known.setdefault(value, ConfigurationSet(value))

    def discard(self, value: str) -> None:
        """Take it away, with its event destinations."""
        self.known.pop(value, None)
