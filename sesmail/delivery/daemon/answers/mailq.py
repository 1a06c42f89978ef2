"""The text requests, which mailq and ``sendmail -q`` make: submission does not import json.

    list     entry QUEUE-ID MARK SIZE ARRIVED SENDER    MARK: * active, ! held, - else; in seconds
             because REASON                             of the forward-paths that follow
             to FORWARD-PATH
             total MESSAGES BYTES                       the last line: without it something lacks
    flush    done                                       what waits is tried now

Whoever may not flush everything lets the drop be looked through all the same.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from sesmail.delivery.daemon.answers.frame import Client, Desk
from sesmail.delivery.maillog import printable
from sesmail.queue.listing import Listed, Listing

PAGE = 500  # messages looked at in one step
_LONGEST_REASON = 400  # characters


def list_queue(desk: Desk, client: Client) -> Generator[str, None, None]:
    """Yield the listing in pieces; the database is closed with the generator."""
    messages = size = 0
    last: int | None = 0
    with closing(Listing(desk.directory)) as listing:
        while last is not None:
            page = listing.page(last, client.only, PAGE)
            messages += page.messages
            size += page.size
            last = page.last
            yield "".join(line for entry in page.entries for line in _lines(entry))
    yield f"total {messages} {size}\n"


def flush(desk: Desk, client: Client) -> Generator[str, None, None]:
    """Have everything tried now."""
    if client.sees_all:
        for _ in desk.writer.flush():
            yield ""
    if desk.daemon is not None:
        desk.daemon.scan()
    yield "done\n"


def _lines(entry: Listed) -> Iterator[str]:
    if not entry.waiting:
        return  # sent since its page was read
    mark = "*" if entry.is_active else "!" if entry.is_held else "-"
    sender = printable(entry.sender)
    yield f"entry {entry.queue_id} {mark} {entry.size} {entry.arrived // 1000} {sender}\n"
    reasons: dict[str, list[str]] = {}
    for address, reason in entry.waiting:
        reasons.setdefault(reason, []).append(address)
    for reason, addresses in reasons.items():
        yield f"because {printable(reason, _LONGEST_REASON)}\n"
        yield from (f"to {printable(address)}\n" for address in addresses)
