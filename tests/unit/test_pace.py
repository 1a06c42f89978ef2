"""``max_send_rate`` and the deadline: whether an attempt has its turn in time."""

from __future__ import annotations

import math

from sesmail.delivery.transport.deadline import Deadline
from sesmail.delivery.transport.pace import Pace


def test_no_rate() -> None:
    """Without a rate every attempt has its turn, as long as there is time at all."""
    pace = Pace(None)
    assert all(pace.wait(50, Deadline(60.0)) for _ in range(100))
    assert not pace.wait(1, Deadline(0.0))


def test_rate() -> None:
    """The first attempt has its turn at once, the next after its recipients over the rate."""
    pace = Pace(0.5)
    assert pace.wait(50, Deadline(60.0))
    assert not pace.wait(1, Deadline(60.0))  # 100 seconds
    assert Pace(1e6).wait(50, Deadline())


def test_deadline() -> None:
    """What is left is never negative, and infinite without an end."""
    assert Deadline(0.0).over()
    assert Deadline(-1.0).left() == 0.0
    assert Deadline(1e9).cut(60.0) == 60.0
    assert Deadline(0.0).cut(60.0) == 0.0
    assert Deadline().left() == math.inf
    assert Deadline().cut(60.0) == 60.0
