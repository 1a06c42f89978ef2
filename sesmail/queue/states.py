"""What a forward-path that is not delivered is called, on command lines and in JSON."""

from __future__ import annotations

WAITING = "waiting"
ACTIVE = "active"  # an attempt is being made
HELD = "held"  # somebody has to act
FAILED = "failed"
NAMES = (WAITING, ACTIVE, HELD, FAILED)
