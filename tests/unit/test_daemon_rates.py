"""The token bucket and how its rate follows what SES says; the clock is the test's."""

from __future__ import annotations

import pytest

from sesmail.delivery.daemon.rates import MOST_AT_ONCE, Rate


class Sender:
    """Sends one recipient at a time whenever the rate allows it, in simulated time."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.now = 0.0

    def send(self, seconds: float, delivered: bool = True) -> int:
        """Return how many were begun in that time."""
        end = self.now + seconds
        count = 0
        while (wait := self.rate.wait(self.now)) + self.now < end:
            self.now += max(wait, 0.0001)
            if self.rate.wait(self.now) > 0:
                continue
            self.rate.begin(1)
            self.rate.end(0.05)
            if delivered:
                self.rate.answered(1)
            count += 1
        self.now = end
        return count


def test_nine_tenths_of_the_quota() -> None:
    """GetAccount's rate times 0.9 is what goes out, second after second."""
    rate = Rate(0.0)
    rate.set_quota(20.0)
    sender = Sender(rate)
    sender.send(5.0)
    assert rate.per_second == pytest.approx(18.0)
    assert sender.send(10.0) == pytest.approx(180, abs=2)


def test_without_a_quota_it_doubles_each_second() -> None:
    """From ten a second upwards until SES throttles."""
    rate = Rate(0.0)
    sender = Sender(rate)
    assert rate.per_second == 10.0
    sender.send(1.0)
    first = rate.per_second
    sender.send(1.0)
    assert rate.per_second == pytest.approx(2 * first, rel=0.15)


def test_a_throttle_halves_it_once_a_second() -> None:
    """Thirty throttles of one moment are one; then it grows by one a second."""
    rate = Rate(0.0)
    sender = Sender(rate)
    sender.send(3.0)
    before = rate.per_second
    for _ in range(30):
        rate.throttled(sender.now)
    assert rate.per_second == before / 2
    sender.send(4.0)
    assert rate.per_second == pytest.approx(before / 2 + 4, abs=1.5)
    rate.throttled(sender.now)
    assert rate.per_second < before / 2


def test_it_recovers_to_the_quota_and_no_further() -> None:
    """A quota shared with other hosts: below it after a throttle, back at it later."""
    rate = Rate(0.0)
    rate.set_quota(10.0)
    sender = Sender(rate)
    rate.throttled(0.0)
    assert rate.per_second == pytest.approx(4.5)
    sender.send(20.0)
    assert rate.per_second == pytest.approx(9.0)


def test_max_send_rate_caps_everything() -> None:
    """The file's limit holds below the quota and below the slow start, also when it comes later."""
    rate = Rate(0.0)
    rate.set_cap(2.0)
    sender = Sender(rate)
    sender.send(2.0)
    assert sender.send(10.0) == pytest.approx(20, abs=1)
    rate.set_quota(100.0)
    assert rate.per_second == 2.0


def test_recipients_are_what_is_counted() -> None:
    """A message to 50 is begun at once, and its debt is paid before the next."""
    rate = Rate(0.0)
    rate.set_cap(10.0)
    assert rate.wait(0.0) == 0.0
    rate.begin(50)
    assert rate.wait(0.0) == pytest.approx(5.0)
    assert rate.wait(4.0) == pytest.approx(1.0)
    assert rate.wait(5.01) == 0.0


def test_what_was_asked_again_singly_counts_too() -> None:
    """The recipients that SES was asked for twice are charged twice."""
    rate = Rate(0.0)
    rate.set_cap(10.0)
    rate.begin(1)
    rate.end(0.1, extra_recipients=9)
    assert rate.wait(0.0) == pytest.approx(1.0)


def test_concurrency_is_what_rate_and_latency_need() -> None:
    """14 a second at half a second each need 9 threads or so; much faster needs all."""
    rate = Rate(0.0)
    rate.set_quota(14.0)
    for _ in range(50):
        rate.begin(1)
        rate.end(0.5)
    assert rate.at_once() == 9
    rate.set_quota(1000.0)
    assert rate.at_once() == MOST_AT_ONCE


def test_nobody_answers() -> None:
    """A few failures are the messages' own; then all wait, longer each time, and one asks."""
    rate = Rate(0.0)
    rate.set_quota(1000.0)
    for _ in range(3):
        rate.unreachable(1.0)
    assert not rate.is_paused(1.0)
    pauses = []
    now = 1.0
    for _ in range(7):
        rate.unreachable(now)
        rate.unreachable(now)  # one that began before the pause
        pauses.append(rate.wait(now))
        assert rate.at_once() == 1
        now += pauses[-1]
    assert pauses == pytest.approx([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0])
    rate.answered(1)
    assert rate.at_once() > 1
    assert rate.wait(now) == 0.0
