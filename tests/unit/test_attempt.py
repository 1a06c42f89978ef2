"""Attempts: batches of 50, single repeats, and what is written down when something ends them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from sesmail.delivery.attempt import BATCH, NOT_ASKED, UNANSWERED, Delivery
from sesmail.delivery.outcome import Outcome, Result, Retry, delivered

SENT = delivered("relay", "id")
THROTTLED = Result(Outcome.DEFERRED, "4.7.1", "slow down", exit_code=69, retry=Retry.SOON)
QUOTA = Result(Outcome.DEFERRED, "4.7.1", "tomorrow", exit_code=69, retry=Retry.LATER)
LOST = Result(Outcome.DEFERRED, "4.4.2", "no answer", exit_code=69, retry=Retry.AMBIGUOUS)
WRONG_KEY = Result(Outcome.HELD, "4.7.8", "wrong key", exit_code=78)
REFUSED = Result(Outcome.FAILED, "5.0.0", "no", exit_code=69)
SANDBOX = Result(Outcome.HELD, "4.7.1", "sandbox", exit_code=77, singly=True)
BLAMED = Result(Outcome.FAILED, "5.1.3", "a bad address", exit_code=67, singly=True)

Answer = Callable[[Sequence[str]], Result | list[Result]]


class Answering:
    """A transport that answers each request with ``answer``, and keeps the requests."""

    relay = "relay"

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[list[str]] = []

    def send(
        self, message: bytes, source: str, forward_paths: list[str], queue_id: str
    ) -> list[Result]:
        """Keep the request and answer it."""
        self.requests.append(list(forward_paths))
        answer = self.answer(forward_paths)
        return answer if isinstance(answer, list) else [answer] * len(forward_paths)

    def close(self) -> None:
        """There is no session to end."""


def paths(number: int) -> list[str]:
    """``number`` forward-paths."""
    return [f"r{place}@example.org" for place in range(number)]


def deliver(number: int, answer: Answer, attempts: int = 1) -> tuple[Delivery, Answering]:
    """Make ``attempts`` for a message to ``number`` forward-paths."""
    delivery = Delivery(b"", "a@example.com", paths(number), "ID")
    transport = Answering(answer)
    for _ in range(attempts):
        delivery.attempt(transport)
    return delivery, transport


def test_batches_of_fifty_in_input_order() -> None:
    """More than 50 forward-paths go in requests of 50, in the order of the input."""
    delivery, transport = deliver(120, lambda _: SENT)
    assert [len(request) for request in transport.requests] == [BATCH, BATCH, 20]
    assert [path for request in transport.requests for path in request] == paths(120)
    assert delivery.results == [SENT] * 120


@pytest.mark.parametrize("result", [SENT, REFUSED, QUOTA, LOST, WRONG_KEY])
def test_one_request_for_what_no_second_would_change(result: Result) -> None:
    """Only what SES defers for seconds is tried again."""
    assert len(deliver(3, lambda _: result, attempts=3)[1].requests) == 1


def test_the_blamed_one_is_found() -> None:
    """A batch refused for one address is repeated singly: only that one fails."""

    def answer(forward_paths: Sequence[str]) -> Result:
        return BLAMED if "r2@example.org" in forward_paths else SENT

    delivery, transport = deliver(4, answer)
    assert delivery.results == [SENT, SENT, BLAMED, SENT]
    assert transport.requests == [paths(4)] + [[path] for path in paths(4)]


def test_a_single_forward_path_is_not_repeated() -> None:
    """Who was alone in the request has nobody else to blame."""
    delivery, transport = deliver(1, lambda _: BLAMED)
    assert (delivery.results, len(transport.requests)) == ([BLAMED], 1)


def test_only_the_blamed_are_repeated() -> None:
    """Where the reply differs per forward-path (SMTP), the others keep theirs."""

    def answer(forward_paths: Sequence[str]) -> list[Result]:
        return [SENT, BLAMED, SENT] if len(forward_paths) == 3 else [BLAMED]

    delivery, transport = deliver(3, answer)
    assert delivery.results == [SENT, BLAMED, SENT]
    assert transport.requests[1:] == [["r1@example.org"]]


@pytest.mark.parametrize("result", [THROTTLED, QUOTA, WRONG_KEY])
def test_what_concerns_all_stops_the_other_batches(result: Result) -> None:
    """Throttled, unreachable or misconfigured: the batches behind share the result unasked."""
    delivery, transport = deliver(120, lambda _: result)
    assert len(transport.requests) == 1
    assert delivery.results == [result] * 120


@pytest.mark.parametrize("result", [LOST, REFUSED])
def test_what_concerns_one_batch_leaves_the_others(result: Result) -> None:
    """A lost answer, or a refusal, is that batch's: the other batches are sent."""

    def answer(forward_paths: Sequence[str]) -> Result:
        return result if forward_paths[0] == "r0@example.org" else SENT

    delivery, transport = deliver(120, answer)
    assert len(transport.requests) == 3
    assert delivery.results == [result] * 50 + [SENT] * 70


def test_a_throttled_single_leaves_the_rest_open() -> None:
    """Throttled among the singles: the rest stays open, and is tried alone the next time."""
    answers: list[Result] = [BLAMED, SENT, THROTTLED, SENT, BLAMED]
    delivery, transport = deliver(3, lambda _: answers.pop(0))
    assert delivery.results == [SENT, THROTTLED, THROTTLED]
    delivery.attempt(transport)
    assert delivery.results == [SENT, SENT, BLAMED]
    assert transport.requests[3:] == [["r1@example.org"], ["r2@example.org"]]


def test_the_sandbox_holds_only_the_unverified() -> None:
    """In the sandbox one recipient that is not verified does not hold the others back."""

    def answer(forward_paths: Sequence[str]) -> Result:
        return SANDBOX if "r0@example.org" in forward_paths else SENT

    delivery, _ = deliver(3, answer)
    assert delivery.results == [SANDBOX, SENT, SENT]


def test_the_next_attempt_takes_only_what_is_open() -> None:
    """A further attempt sends nothing twice."""

    def answer(forward_paths: Sequence[str]) -> Result:
        return THROTTLED if len(transport.requests) == 2 else SENT

    transport = Answering(answer)
    delivery = Delivery(b"", "a@example.com", paths(60), "ID")
    delivery.attempt(transport)
    assert delivery.open() == list(range(50, 60))
    delivery.attempt(transport)
    assert transport.requests[2] == paths(60)[50:]
    assert delivery.results == [SENT] * 60


def test_an_end_in_the_middle_leaves_the_truth() -> None:
    """Whatever breaks off: before it delivered, in it perhaps sent, behind it not asked."""

    def answer(forward_paths: Sequence[str]) -> Result:
        if forward_paths[0] == "r50@example.org":
            raise KeyboardInterrupt
        return SENT

    delivery = Delivery(b"", "a@example.com", paths(120), "ID")
    with pytest.raises(KeyboardInterrupt):
        delivery.attempt(Answering(answer))
    assert delivery.results == [SENT] * 50 + [UNANSWERED] * 50 + [NOT_ASKED] * 20


def test_a_transport_gets_what_it_needs() -> None:
    """Message, source and queue id reach the transport unchanged."""
    seen: list[tuple[bytes, str, str]] = []

    class Looking(Answering):
        def send(
            self, message: bytes, source: str, forward_paths: list[str], queue_id: str
        ) -> list[Result]:
            seen.append((message, source, queue_id))
            return [SENT] * len(forward_paths)

    Delivery(b"text", "a@example.com", paths(1), "ID").attempt(Looking(lambda _: SENT))
    assert seen == [(b"text", "a@example.com", "ID")]
