"""Attempts of which nobody knows whether SES has the message: an event tells, or it goes again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import aftermath
from tests.aftermath import BOUNCES, SENDER
from tests.fakes import faults
from tests.fakes.ses import SesServer
from tests.installation import CHECKOUT, Installation
from tests.spool import RECIPIENT, Spool, message

_IMPATIENT = f"""
import sys
sys.path.insert(0, {str(CHECKOUT)!r})
from sesmail import envelope
envelope.AMBIGUOUS_WAIT = 300
from sesmail.delivery.daemon.main import main
raise SystemExit(main(sys.argv[1:]))
"""


@pytest.fixture
def impatient(ses: SesServer, tmp_path: Path) -> Iterator[Spool]:
    """A spool whose daemon waits 0.3 seconds where others wait ten minutes."""
    program = tmp_path / "impatient.py"
    program.write_text(_IMPATIENT)
    made = Spool(tmp_path, ses, command=(sys.executable, "-I", program))
    yield made
    made.close()


@pytest.mark.parametrize("policy", ["resend", "hold"])
@pytest.mark.parametrize("way", ["api", "smtp"])
def test_taken_and_not_answered(spool: Spool, way: str, policy: str) -> None:
    """The event stands for the answer: sent once, under SES's id, and the content is gone."""
    spool.settings(on_ambiguous=policy)
    queue = aftermath.connect(spool, way=way)
    spool.ses.script("accept-then-drop", 1)
    spool.start()
    name = spool.drop(RECIPIENT, "eve@example.net")
    (accepted,) = spool.ses.state.wait_for_messages(1)
    lines = spool.wait_for_log(
        f"status=sent (SES {accepted.message_id}; told by an event)", times=2
    )
    assert f"{name}: to=<{RECIPIENT}>" in lines[0]
    spool.wait_for_log(f"{name}: removed")
    aftermath.wait_until_read(queue)
    assert spool.waiting() == []
    assert spool.stop() == 0
    assert spool.ses.state.requests == 1
    assert aftermath.rows(spool, "SELECT * FROM content") == []
    assert aftermath.rows(spool, "SELECT * FROM hold WHERE ended IS NULL") == []
    paths = aftermath.rows(spool, "SELECT DISTINCT state, remote_id FROM path")
    assert paths == [(2, accepted.message_id)]


@pytest.mark.parametrize("kind", ["send", "delivery", "bounce", "reject"])
def test_any_event_is_an_answer(spool: Spool, kind: str) -> None:
    """Each of them says that SES had the message."""
    aftermath.connect(spool)
    spool.ses.events.automatic = False
    spool.ses.script("accept-then-drop", 1)
    spool.start()
    spool.drop(reverse_path=SENDER)
    spool.wait_for_log("status=deferred")
    spool.ses.events.publish(kind, spool.ses.state.messages[0])
    spool.wait_for_log("told by an event")
    spool.wait_until_empty()
    assert spool.stop() == 0
    is_lost = kind in ("bounce", "reject")
    assert len(aftermath.dsns(spool)) == is_lost


def test_killed_after_the_event(spool: Spool) -> None:
    """What SES told before the kill is found at the next start."""
    aftermath.connect(spool)
    spool.ses.script(faults.slow(60.0), 1)
    spool.start()
    spool.drop(BOUNCES, reverse_path=SENDER)
    spool.wait_for_log(f"to=<{SENDER}>")  # the DSN is out
    spool.wait_for_log(": removed")
    spool.kill()
    finish_in_doubt(spool)


def test_killed_before_the_event(spool: Spool) -> None:
    """What SES tells only after the kill counts, too."""
    queue = aftermath.connect(spool)
    spool.ses.state.queues.away = "unavailable"
    spool.ses.script(faults.slow(60.0), 1)
    spool.start()
    spool.drop(BOUNCES, reverse_path=SENDER)
    spool.ses.state.wait_for_messages(1)
    spool.kill()
    spool.ses.state.queues.away = ""
    finish_in_doubt(spool)
    assert len(queue) == 0


def finish_in_doubt(spool: Spool) -> None:
    """Start again after the kill: told once, sent once, one DSN."""
    spool.ses.state.queues.advance(60)  # what was received and not deleted comes again
    spool.start()
    spool.wait_for_log("told by an event")
    spool.wait_for_log(f"to=<{SENDER}>")
    spool.wait_until_empty()
    aftermath.wait_until_read(aftermath.queue_of(spool))
    assert spool.stop() == 0
    assert len(spool.lines("told by an event")) == 1
    assert len(spool.lines("status=bounced")) == 1
    assert len(aftermath.dsns(spool)) == 1
    assert spool.ses.state.requests == 2


def test_a_foreground_without_an_answer(spool: Spool, installed: Installation) -> None:
    """What it left to the daemon is not sent again: the tag is the queue id of what it left."""
    aftermath.connect(spool)
    spool.settings(real_sendmail="none")
    spool.ses.script("accept-then-drop", 1)
    spool.start()
    done = subprocess.run(
        [installed.sendmail, "-odi", "-i", RECIPIENT],
        input=message(),
        env={"SESMAIL_CONFIG": str(spool.configuration)},
    )
    assert done.returncode == 0
    spool.wait(lambda: is_told_in_time(spool), "event")
    spool.wait_until_empty()
    assert spool.stop() == 0
    assert spool.ses.state.requests == 1


def is_told_in_time(spool: Spool) -> bool:
    """Let time pass for SQS: an event that came before the drop was left for another host."""
    spool.ses.state.queues.advance(5)
    return bool(spool.lines("told by an event"))


def test_nothing_told(impatient: Spool) -> None:
    """Then it is sent again when the time is over."""
    aftermath.connect(impatient)
    impatient.ses.script("drop-before-accept", 1)
    impatient.start()
    impatient.drop()
    impatient.wait_for_log("status=delivered")
    assert impatient.stop() == 0
    assert impatient.ses.state.requests == 2
    assert len(impatient.ses.state.messages) == 1
    assert not impatient.lines("told by an event")


def test_without_events(impatient: Spool) -> None:
    """Nobody can tell: it is sent again, and comes twice."""
    impatient.ses.script("accept-then-drop", 1)
    impatient.start()
    impatient.drop()
    impatient.wait_for_log("status=sent")
    assert len(impatient.ses.state.messages) == 2
