"""``sesmailctl report``."""

from __future__ import annotations

from sesmail.control.verb import Verbs


def add(verbs: Verbs) -> None:
    """Add the verb."""
