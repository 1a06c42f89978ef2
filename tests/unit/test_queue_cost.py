"""The steps that SQLite takes for the schedule: a look-up each, however much waits."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from sesmail.queue.store import Store
from tests.scale import queues
from tests.scale.cost import counted

NOW = 1_800_000_000_000
FEW, MANY = 10, 1000


@pytest.mark.parametrize(
    "work",
    [
        Store.lanes,
        Store.interrupted,
        lambda store: store.due(queues.IDENTITY, queues.UID),
        lambda store: store.claim(queues.IDENTITY, queues.UID, NOW),
        lambda store: store.add(queues.entries(1, NOW)),
    ],
    ids=["lanes", "interrupted", "due", "claim", "add"],
)
def test_steps_do_not_grow(tmp_path: Path, work: Callable[[Store], object]) -> None:
    """A hundred times the queue costs next to nothing more."""
    steps = []
    for messages in (FEW, MANY):
        directory = tmp_path / str(messages)
        directory.mkdir()
        queues.fill(directory, messages, NOW)
        with counted() as counter:
            store = Store(str(directory))
            steps.append(counter.of(functools.partial(work, store)).steps)
            store.close()
    assert steps[1] <= 1.3 * steps[0]
