"""What ends the foreground from outside becomes an exception, once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from sesmail.delivery import interrupt
from sesmail.delivery.interrupt import Interrupted

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Put the handlers back, whatever a test leaves."""
    before = {number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGALRM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_raised(number: signal.Signals) -> None:
    """TERM, INT and HUP raise Interrupted, which names the signal."""
    signal.signal(number, signal.SIG_DFL)
    with pytest.raises(Interrupted, match=f"interrupted by {number.name}"), interrupt.raised(60):
        os.kill(os.getpid(), number)


def test_the_end_of_time_is_raised() -> None:
    """After the seconds given Interrupted comes by itself, whatever the code waits for."""
    with pytest.raises(Interrupted, match="time ran out"), interrupt.raised(0.01):
        signal.pause()


def test_only_the_first_counts() -> None:
    """While the first is being told, a second does not disturb."""
    with pytest.raises(Interrupted, match="SIGTERM"), interrupt.raised(60):
        _raise_thrice()


def _raise_thrice() -> None:
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)


def test_ignored_on_request() -> None:
    """After ignore() a signal changes nothing."""
    with interrupt.raised(60):
        interrupt.ignore()
        os.kill(os.getpid(), signal.SIGTERM)


def test_what_the_caller_ignored_stays_ignored() -> None:
    """Under nohup a hang-up does not end the delivery."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interrupt.raised(60):
        os.kill(os.getpid(), signal.SIGHUP)


def test_handlers_are_put_back() -> None:
    """Afterwards the handlers are those of before, and no alarm is pending."""
    before = {number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGALRM)}
    with interrupt.raised(60):
        assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in before} == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_no_library_swallows_it() -> None:
    """Interrupted is no Exception: ``except Exception`` lets it pass."""
    assert not issubclass(Interrupted, Exception)
