"""The requests that change the queue: retry, hold, release, delete, requeue, reread."""

from __future__ import annotations

from collections.abc import Iterator

from sesmail.delivery.daemon.answers.frame import Answer, Client, Desk, Part, Request


def retry(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``id``, or ``all``: have what waits tried now."""
    client.must_see_all(desk.settings)
    if not request.flag("all"):
        yield {"paths": desk.writer.retry(request.queue_id())}
        return
    total = 0
    for count in desk.writer.retry_all():
        total += count
        yield ""
    yield {"paths": total}


def hold(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``id``: let an entry wait until it is released."""
    client.must_see_all(desk.settings)
    yield {"paths": desk.writer.hold(request.queue_id(), client.uid)}


def release(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``id``: end that, or a hold because SES may have it."""
    client.must_see_all(desk.settings)
    yield {"paths": desk.writer.release(request.queue_id())}


def delete(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``id``: give an entry up, without a DSN."""
    client.must_see_all(desk.settings)
    yield {"paths": desk.writer.delete(request.queue_id(), client.uid)}


def requeue(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``id``: try again what failed, or is held because SES may have it."""
    client.must_see_all(desk.settings)
    yield {"paths": desk.writer.requeue(request.queue_id())}


def reread(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """``identity``: its credentials file has changed; what is sent from now on goes by it.

    What the old one held waits no longer. There is nothing to do where no daemon runs.
    """
    client.must_see_all(desk.settings)
    if desk.daemon is not None:
        desk.daemon.reread(request.text("identity"))
    yield ""


ANSWERS: dict[str, Answer] = {
    "retry": retry,
    "hold": hold,
    "release": release,
    "delete": delete,
    "requeue": requeue,
    "reread": reread,
}
