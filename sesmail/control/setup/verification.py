"""The wait for SES to see the records, or for somebody to follow the link in SES's mail."""

from __future__ import annotations

import argparse
import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

from sesmail.control.aws import Aws, AwsError
from sesmail.control.setup import at_ses
from sesmail.control.setup.at_ses import Answer
from sesmail.control.setup.outcome import Outcome
from sesmail.control.setup.published import Published
from sesmail.control.terminal import BROKEN, OK, WARNING
from sesmail.control.verb import Context


def settle(
    context: Context,
    arguments: argparse.Namespace,
    client: Aws,
    outcome: Outcome,
    found: Answer,
    look: Callable[[Answer], Published],
) -> None:
    """See to it that SES verifies the identity, as far as that can be done; say how it stands.

    ``look`` returns the records of what SES says. The outcome gets the last answer. AwsError.
    """
    if at_ses.status(found) == at_ses.FAILED and _may_renew(context, arguments, outcome):
        at_ses.renew_dkim(client, outcome.identity)
        found = at_ses.find(client, outcome.identity) or found
        context.terminal.say("SES has made new DKIM records, which replace the old ones:")
        outcome.published = look(found)
        outcome.published.show(context.terminal)
    outcome.found = found
    if not arguments.no_wait and not _is_over(found):
        _wait(context, client, outcome, arguments.timeout, arguments.interval)
    _say(context, outcome.identity, outcome.found)


def _may_renew(context: Context, arguments: argparse.Namespace, outcome: Outcome) -> bool:
    """Tell whether SES, which has given up, shall begin anew with other records."""
    terminal, published = context.terminal, outcome.published
    if published is None:
        terminal.mark(
            BROKEN,
            f"The link in SES's mail to {outcome.identity} was not followed in time: delete the "
            "identity in the SES console, and run this again",
        )
        return False
    text = f"SES has given up on the DKIM records of {outcome.identity}"
    if not published.are_dkim_right():
        terminal.mark(BROKEN, f"{text}; enter them first, then run this again")
        return False
    if arguments.new_dkim:
        return True
    if not terminal.has_person:
        terminal.mark(BROKEN, f"{text}, though they are there; use --new-dkim to get new ones")
        return False
    question = f"{text}, though they are there. Get new ones?"
    return terminal.confirm(question, "--new-dkim", default=True)


def _wait(context: Context, client: Aws, outcome: Outcome, timeout: float, interval: float) -> None:
    """Look again each ``interval`` seconds until all is settled or ``timeout`` seconds are over.

    Leaving loses nothing: SES goes on looking, and the next run finds how far it is.
    """
    end = time.monotonic() + timeout
    try:
        with _leaving() as check, context.terminal.progress(_progress(outcome)) as update:
            while not _is_over(outcome.found) and (left := end - time.monotonic()) > 0:
                check()
                time.sleep(min(interval, left))
                if outcome.published is not None:
                    outcome.published.look_again()
                outcome.found = _found(client, outcome)
                update(_progress(outcome))
    except KeyboardInterrupt:
        context.terminal.say()
        context.terminal.say("Left waiting. SES goes on looking for 72 hours.")


@contextlib.contextmanager
def _leaving() -> Iterator[Callable[[], None]]:
    """Yield what raises KeyboardInterrupt once more if it was lost.

    Python drops one that comes while an object is finalized, and libraries have many of those.
    """
    has_left = False

    def leave(number: int, frame: FrameType | None) -> None:
        nonlocal has_left
        has_left = True
        raise KeyboardInterrupt

    def check() -> None:
        if has_left:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def _found(client: Aws, outcome: Outcome) -> Answer | None:
    """Return SES's answer; the last one where nobody answers for now."""
    try:
        return at_ses.find(client, outcome.identity) or outcome.found
    except AwsError as error:
        if error.code or error.is_about_keys:
            raise
        return outcome.found


def _is_over(found: Answer | None) -> bool:
    return found is None or at_ses.is_settled(found) or at_ses.status(found) == at_ses.FAILED


def _progress(outcome: Outcome) -> str:
    """Return a line that fits into 80 columns unless the name is long, which then is its end."""
    name, found = outcome.identity, outcome.found or {}
    if outcome.published is None:
        return f"Waiting (Ctrl-C leaves) until the link in SES's mail is followed: {name}"
    if at_ses.is_verified(found):
        domain, _ = at_ses.mail_from(found)
        return f"Waiting (Ctrl-C leaves): verified, SES still looks for the MX of {domain}"
    return f"Waiting (Ctrl-C leaves): {outcome.published.count()} records are there, of {name}"


def _say(context: Context, name: str, found: Answer | None) -> None:
    terminal, found = context.terminal, found or {}
    if not at_ses.is_verified(found):
        said = at_ses.last_error(found)
        terminal.mark(WARNING, f"{name} is not verified yet" + (f": {said}" if said else ""))
        return
    terminal.mark(OK, f"{name} is verified")
    domain, state = at_ses.mail_from(found)
    if domain:
        level = OK if state == at_ses.SUCCESS else WARNING
        terminal.mark(level, f"MAIL FROM domain {domain}: {state}")
