"""Pages of the listing: bounded work, whoever's entries they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.queue.listing import Listing
from sesmail.queue.store import State, Store
from tests.queue_entries import NOW, all_finished, entry

OTHERS, OWN = 10, 3


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A queue in which one uid has three entries behind ten of another's."""
    store = Store(str(tmp_path))
    with store.transaction():
        store.add([entry(uid=33) for _ in range(OTHERS)])
        store.add([entry(uid=1000) for _ in range(OWN)])
    yield store
    store.close()


@pytest.fixture
def listing(store: Store, tmp_path: Path) -> Iterator[Listing]:
    """The reader of that queue."""
    listing = Listing(str(tmp_path))
    yield listing
    listing.close()


def test_pages_follow_each_other(listing: Listing) -> None:
    """Each begins where the last ended, and together they hold everything once."""
    seen, counts, last = [], [], 0
    while True:
        page = listing.page(last, most=4)
        seen += [listed.queue_id for listed in page.entries]
        counts.append(page.messages)
        if page.last is None:
            break
        last = page.last
    assert len(set(seen)) == len(seen) == OTHERS + OWN
    assert counts == [4, 4, 4, 1]


def test_a_page_counts_others_and_shows_one_s_own(listing: Listing) -> None:
    """A page looks at so many messages of anybody; of those it lists this uid's."""
    size = len(entry().message)
    first = listing.page(0, uid=1000, most=OTHERS)
    assert (first.entries, first.messages, first.size) == ([], OTHERS, OTHERS * size)
    assert first.last is not None
    second = listing.page(first.last, uid=1000, most=OTHERS)
    assert [listed.uid for listed in second.entries] == [1000] * OWN
    assert (second.messages, second.last) == (OWN, None)


def test_what_is_done_is_not_looked_at(store: Store, listing: Listing) -> None:
    """Delivered entries stay for the history, and are neither listed nor counted."""
    with store.transaction():
        for _ in range(OTHERS):
            job = store.claim("example.com", 33, NOW)
            assert job is not None
            store.finish(job, all_finished(job, State.DELIVERED), NOW)
    page = listing.page(0, most=OWN)
    assert [listed.uid for listed in page.entries] == [1000] * OWN
    assert page.messages == OWN
