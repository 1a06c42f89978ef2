"""The requests about what became of the mail: report, suppression, unsuppress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple

from sesmail.delivery.daemon.answers.frame import Answer, Client, Desk, Part, Request
from sesmail.queue import statistics, suppressions
from sesmail.sysexits import UsageError


def report(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``since`` (milliseconds): what was counted from then on, in pieces that are to be added up.

    A piece has ``counts`` and ``bounced``: the fields of ``statistics.Count`` and ``Bounced``.
    """
    client.must_see_all(desk.settings)
    with closing(desk.read()) as connection:
        for piece in statistics.pieces(connection, request.number("since")):
            yield {
                "counts": [astuple(one) for one in piece.counts],
                "bounced": [astuple(one) for one in piece.bounced],
            }


def suppression(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``identity``, or all: the addresses that bounced for good or complained.

    ``where``: the identity; ``address``, ``reason``, ``text``, and ``since`` in seconds.
    """
    client.must_see_all(desk.settings)
    with closing(desk.read()) as connection:
        for page in suppressions.pages(connection, request.text("identity")):
            for one in page:
                yield {
                    "where": one.identity,
                    "address": one.address,
                    "reason": one.reason,
                    "since": one.since / 1000,
                    "text": one.text,
                }


def unsuppress(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``address``, and ``identity`` or all: forget that; ``identities`` is of how many."""
    client.must_see_all(desk.settings)
    address, identity = request.text("address"), request.text("identity")
    if "@" not in address:
        raise UsageError("an address is needed")
    writer = desk.writer
    count = writer.change(lambda _: suppressions.forget(writer.connection, address, identity))
    yield {"identities": count}


READING: dict[str, Answer] = {"report": report, "suppression": suppression}
CHANGING: dict[str, Answer] = {"unsuppress": unsuppress}
