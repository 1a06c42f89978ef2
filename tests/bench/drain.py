"""Queues emptied: sesmail by API and SMTP, a bare loop, Postfix as null client, nullmailer.

All send the same kind of message to the same stand-in, so far away as the latency says, over TLS
with a login, and over sessions for many messages where they can. They take turns, as often as their
queues are soon filled. Each has its whole queue when a turn begins, and is watched for some seconds
after the first fortieth of it. See ``drain_stand_in``.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import Protocol

from tests.bench import rows
from tests.bench.drain_bare import Bare
from tests.bench.drain_nullmailer import Nullmailer
from tests.bench.drain_ours import Ours
from tests.bench.drain_postfix import Postfix
from tests.bench.drain_ses import API, SMTP, Drained, StandIn, watch
from tests.bench.plan import Plan
from tests.bench.rows import Bar, Row
from tests.installation import Installation

NAME = "drain"
API_AT, SMTP_AT = 50, 25  # ms of a round trip where the bars are
RATE_BAR = rows.at_least(0.75, "a queue is empty a third later at most than by the barest program")
CPU_BAR = rows.at_most(1.7, "what keeping a queue may add to what sending costs")
POSTFIX_BAR = rows.at_least(0.95, "who comes from Postfix waits no longer")
_SECONDS = 12  # for which a contender is watched at a latency, in all its turns
_BOUND = 0.8  # of the ceiling: from there on the stand-in is measured, and not the sender


class Contender(Protocol):
    """A sender: ``interface`` is how it talks to SES.

    ``most``: how many messages are enough; ``warming``: how many it needs until its rate stays.
    """

    name: str
    interface: str
    most: int
    warming: int

    def close(self) -> None:
        """Remove what it needs."""

    def sending(self, ses: StandIn, messages: int) -> AbstractContextManager[int]:
        """Queue messages, and yield the process below which they are being sent."""


def measure(directory: Path, installed: Installation, plan: Plan) -> Iterator[Row]:
    """Yield the stand-in's ceilings, then rate and cost of each at each latency."""
    with ExitStack() as opened:
        ses = opened.enter_context(StandIn())
        ceilings = {each: ses.ceiling(each, plan.count(5, 1)) for each in (API, SMTP)}
        for interface, rate in ceilings.items():
            yield Row(name=f"the stand-in alone, {interface}", value=rate, unit="messages/s")
        makers: dict[str, Callable[[], Contender]] = {
            "api": lambda: Ours(directory, installed, API),
            "bare": Bare,
            "smtp": lambda: Ours(directory, installed, SMTP),
            "postfix": Postfix,
            "nullmailer": Nullmailer,
        }
        made: dict[str, Contender] = {}
        for name in dict.fromkeys(name for _, names in _programme(plan) for name in names):
            try:
                made[name] = opened.enter_context(closing(makers[name]()))
            except (AssertionError, OSError) as error:  # no root, no network, no mmdebstrap
                yield rows.absent(name, str(error).partition("\n")[0])
        for latency, names in _programme(plan):
            turns = [name for name in names if name in made]
            drained = _take_turns(ses, made, turns, latency, plan)
            for name, runs in drained.items():
                yield _row(made[name], latency, runs, ceilings)
            yield from _ratios(drained, latency)
            plan.sample_floor()


def _programme(plan: Plan) -> list[tuple[int, list[str]]]:
    """Return who drains at which latency in milliseconds, turn by turn.

    Postfix takes two of them only where the bar is: its queue takes long to lay out.
    """
    api, smtp = ["api", "bare"], ["smtp", "postfix"]
    if plan.is_quick:
        return [(SMTP_AT, smtp), (API_AT, api)]
    everybody = [*api * 3, *smtp, "nullmailer"]
    return [(0, everybody), (SMTP_AT, [*everybody, *smtp]), (API_AT, api * 3), (100, everybody)]


def _take_turns(
    ses: StandIn, made: Mapping[str, Contender], turns: Sequence[str], latency: int, plan: Plan
) -> dict[str, list[Drained]]:
    drained: dict[str, list[Drained]] = {name: [] for name in turns}
    ses.set_latency(latency / 1000)
    for name in turns:
        contender = made[name]
        messages = min(plan.count(20_000, 1_000), contender.most)
        seconds = plan.count(_SECONDS, 2) / turns.count(name)
        before = int(ses.counts()["messages"])
        with contender.sending(ses, messages) as process:
            watched = watch(ses, process, messages, seconds, before, contender.warming)
        drained[name].append(watched)
    return drained


def _row(
    contender: Contender, latency: int, runs: Sequence[Drained], ceilings: Mapping[str, float]
) -> Row:
    rates = _rates(runs)
    is_bound = statistics.median(rates) > _BOUND * ceilings[contender.interface]
    facts = {
        "ms of CPU each": 1000 * statistics.median(_cpus(runs)),
        "MiB at most": max(one.rss for one in runs),
        "MiB of them its own": max(one.pss for one in runs),
        "connections": max(one.connections for one in runs),
        "ms of the stand-in's CPU each": 1000 * statistics.mean(one.stand_in_cpu for one in runs),
    }
    note = "stand-in bound" if is_bound else ""
    name = f"{contender.name}, {latency} ms"
    return rows.amount(name, "messages/s", rates, facts=facts, note=note)


def _ratios(drained: Mapping[str, Sequence[Drained]], latency: int) -> Iterator[Row]:
    """Yield ours beside theirs, where both were there."""
    at = f"{latency} ms"
    if "bare" in drained:
        ours, bare = drained["api"], drained["bare"]
        bar = RATE_BAR if latency == API_AT else None
        yield _ratio(
            f"sesmail by API / bare loop: messages/s, {at}", _rates(ours), _rates(bare), bar
        )
        bar = CPU_BAR if latency == API_AT else None
        yield _ratio(f"sesmail by API / bare loop: CPU each, {at}", _cpus(ours), _cpus(bare), bar)
    if "postfix" in drained:
        ours, others = drained["smtp"], drained["postfix"]
        bar = POSTFIX_BAR if latency == SMTP_AT else None
        yield _ratio(
            f"sesmail by SMTP / Postfix: messages/s, {at}", _rates(ours), _rates(others), bar
        )
        yield _ratio(f"sesmail by SMTP / Postfix: CPU each, {at}", _cpus(ours), _cpus(others), None)


def _ratio(name: str, ours: list[float], others: list[float], bar: Bar | None) -> Row:
    """Return the row of a ratio; the slower may have been watched for one second more."""
    length = min(len(ours), len(others))
    return rows.ratio(name, ours[:length], others[:length], bar=bar)


def _rates(runs: Sequence[Drained]) -> list[float]:
    return [rate for one in runs for rate in one.rates]


def _cpus(runs: Sequence[Drained]) -> list[float]:
    return [cpu for one in runs for cpu in one.cpus]
