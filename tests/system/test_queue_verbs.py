"""`sesmailctl queue`, `log` and `status` beside a sesmaild that runs: by root and by others."""

from __future__ import annotations

import json
import pwd
from collections.abc import Iterator
from typing import Any

import pytest

from sesmail.sysexits import EX_DATAERR, EX_NOPERM, EX_UNAVAILABLE
from tests import exposition
from tests.fakes import faults
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.spool import IDENTITY, RECIPIENT, Spool, of_another_user

pytestmark = pytest.mark.root

DAEMON = "backup"  # stands in for the user sesmail
CALLER = "www-data"


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool of another user, the host's settings leading to it."""
    with of_another_user(host, ses, DAEMON) as spool:
        yield spool


def control(host: Host, *words: str, user: str | None = None) -> list[str]:
    """Run sesmailctl, which succeeds; return what it writes."""
    result = host.run(*words, name="sesmailctl", user=user)
    assert (result.exit_code, result.stderr) == (0, b"")
    return result.stdout.decode("ascii").splitlines()


def documents(host: Host, *words: str, user: str | None = None) -> list[dict[str, Any]]:
    """Return the documents that a verb answers with."""
    return [json.loads(line) for line in control(host, *words, "--json", user=user)]


def submit(host: Host, user: str | None = None, recipient: str = "bob@example.org") -> None:
    """Drop a message as a user; nobody is told."""
    message = b"From: wiki@example.com\nSubject: hello\n\nsecret\n"
    result = host.run("-odq", recipient, stdin=message, user=user)
    assert (result.exit_code, result.stderr) == (0, b"")


def test_a_message_from_hold_to_its_end(host: Host, spool: Spool) -> None:
    """Held over a restart and though all is to be tried; released it goes, and the log has it."""
    spool.settings(minimal_backoff="1h")
    spool.ses.script("service-unavailable", 1)
    spool.start()
    queue_id = spool.drop("bob@example.org")
    spool.wait_for_log("status=deferred")
    assert control(host, "queue", "hold", queue_id) == ["1 held"]
    spool.wait_for_log(f"{queue_id}: placed on hold")
    assert spool.stop() == 0
    spool.start()
    control(host, "queue", "retry", "--all")
    other = spool.drop("carol@example.org")
    spool.ses.state.wait_for_messages(1)
    (shown,) = documents(host, "queue", "show", queue_id)
    assert shown["paths"][0]["state"] == "held"
    assert shown["holds"][0]["scope"] == "operator"
    assert [one["queue_id"] for one in documents(host, "queue", "list", "--state", "held")] == [
        queue_id
    ]
    assert control(host, "queue", "release", queue_id) == ["1 to be tried again"]
    spool.ses.state.wait_for_messages(2)
    spool.wait_until_empty()
    steps = documents(host, "log", queue_id)
    assert [step["step"] for step in steps] == ["dropped", "deferred", "sent", "removed"]
    assert steps[2]["remote_id"] == spool.ses.state.messages[1].message_id
    assert "sent" in "\n".join(control(host, "log", other))
    assert "bob@example.org" in "\n".join(control(host, "log", "bob@example.org", "--since", "2h"))


def test_what_is_put_off_is_retried(host: Host, spool: Spool) -> None:
    """One message, not the others that wait."""
    spool.settings(minimal_backoff="1h")
    spool.ses.script("service-unavailable", 2)
    spool.start()
    wanted, _ = spool.drop("bob@example.org"), spool.drop("carol@example.org")
    spool.wait_for_log("status=deferred", times=2)
    assert control(host, "queue", "retry", wanted) == ["1 due now"]
    spool.ses.state.wait_for_messages(1)
    assert [one.destinations for one in spool.ses.state.messages] == [["bob@example.org"]]


def test_deleting(host: Host, spool: Spool) -> None:
    """What is being sent stays; what waits is given up with a line in the log, without a DSN."""
    spool.settings(minimal_backoff="1h", postmaster="root@example.com")
    spool.ses.script("service-unavailable", 1)
    spool.start()
    waiting = spool.drop("bob@example.org", reverse_path="wiki@example.com")
    spool.wait_for_log("status=deferred")
    spool.ses.script(faults.slow(60.0))
    active = spool.drop("carol@example.org")
    spool.wait_for_log(f"{active}: from=<wiki@example.com>")
    refused = host.run("queue", "delete", "--yes", active, name="sesmailctl")
    assert refused.exit_code == EX_DATAERR
    assert b"being sent just now" in refused.stderr
    assert control(host, "queue", "delete", "--yes", waiting) == ["1 deleted"]
    spool.wait_for_log(f"sesmail/postsuper[{spool.process.pid}]: {waiting}: removed")  # type: ignore[union-attr]
    assert [one.queue_id for one in spool.waiting()] == [active]
    assert [step["step"] for step in documents(host, "log", waiting)] == [
        "dropped",
        "deferred",
        "deleted",
        "removed",
    ]
    assert not spool.lines("sender non-delivery notification")


def test_who_may_what(host: Host, spool: Spool) -> None:
    """A user sees his own mail and the totals; he changes nothing, and no content is shown."""
    spool.identity(IDENTITY, "aws_access_key_id = AKIAIOSFODNN7EXAMPLE")  # held
    for user in (None, CALLER):
        submit(host, user)
    spool.start()
    spool.wait(lambda: len(spool.waiting()) == 2, "entries")
    by_uid = {one.uid: one.queue_id for one in spool.waiting()}
    others, own = by_uid[0], by_uid[pwd.getpwnam(CALLER).pw_uid]
    found = [one["queue_id"] for one in documents(host, "queue", "list", user=CALLER)]
    assert found == [own]
    assert documents(host, "queue", "show", own, user=CALLER)
    unknown = host.run("queue", "show", others, name="sesmailctl", user=CALLER)
    assert unknown.exit_code == EX_DATAERR
    (total,) = documents(host, "status", user=CALLER)
    assert total["total"]["messages"] == 2
    for words in (
        ("retry", "--all"),
        ("delete", "--yes", own),
        ("hold", own),
        ("show", own, "--content"),
    ):
        denied = host.run("queue", *words, name="sesmailctl", user=CALLER)
        assert denied.exit_code == EX_NOPERM, words
        assert b"secret" not in denied.stdout + denied.stderr
    denied = host.run("queue", "show", own, "--content", name="sesmailctl", user=DAEMON)
    assert denied.exit_code == EX_NOPERM
    assert "secret" in control(host, "queue", "show", own, "--content")


def test_status(host: Host, spool: Spool) -> None:
    """What the account may send as SES said, what was sent, what is held and why."""
    spool.ses.state.max_24_hour_send = 50_000.0
    spool.identity("held.example", "aws_access_key_id = AKIAIOSFODNN7EXAMPLE")
    spool.start()
    spool.drop("bob@example.org", author="wiki@held.example", identity="held.example")
    spool.drop("bob@example.org")
    spool.wait_for_log("held: ")
    spool.ses.state.wait_for_messages(1)
    spool.wait_for_log("status=sent")
    spool.wait(lambda: documents(host, "status")[0]["quota"] == 50_000.0, "answer of GetAccount")
    ours, held, last = documents(host, "status")
    assert (ours["identity"], ours["sent"], ours["waiting"]) == (IDENTITY, 1, 0)
    assert (ours["max_rate"], ours["enforcement"], ours["production"]) == (
        10_000.0,
        "HEALTHY",
        True,
    )
    assert (held["identity"], held["held"], held["quota"]) == ("held.example", 1, None)
    assert "secret" in held["hold"]["reason"]
    assert last["total"]["running"]
    assert any(line.startswith("  held for ") for line in control(host, "status"))
    metrics = exposition.read("\n".join(control(host, "status", "--metrics")) + "\n")
    assert metrics["sesmail_up"] == {(): 1.0}
    assert metrics["sesmail_queue_messages"] == {(): 1.0}
    assert spool.stop() == 0
    metrics = exposition.read("\n".join(control(host, "status", "--metrics")) + "\n")
    assert metrics["sesmail_up"] == {(): 0.0}
    assert metrics["sesmail_queue_messages"] == {(): 1.0}


def test_others_where_no_daemon_runs(host: Host, spool: Spool) -> None:
    """Only root, or the user itself, may take the daemon's place; its files stay the user's."""
    submit(host)
    assert spool.once() == 0
    refused = host.run("queue", "list", name="sesmailctl", user=CALLER)
    assert refused.exit_code == EX_NOPERM
    assert control(host, "queue", "list") == ["nothing waits"]
    assert control(host, "queue", "list", user=DAEMON) == ["nothing waits"]
    owners = {path.owner() for path in spool.queue_directory.iterdir()}
    assert owners == {DAEMON}


def test_before_the_daemon_has_ever_run(host: Host, spool: Spool) -> None:
    """Nothing is in the queue, which is no failure; what lies in the drop is counted."""
    assert control(host, "queue", "list") == ["nothing waits"]
    queue_id = spool.drop(RECIPIENT)
    assert control(host, "status")[-1] == (
        "0 messages wait (0 bytes), 1 in the drop; sesmaild does not run: start it"
    )
    hint = "; sesmaild, which takes what lies in the drop, does not run: start it"
    for words in ((), (RECIPIENT,)):
        (line,) = control(host, "log", *words)
        assert line.startswith("nothing ")
        assert line.endswith(hint)
    unknown = host.run("log", queue_id, name="sesmailctl")
    assert unknown.exit_code == EX_DATAERR
    assert unknown.stderr.decode().endswith(f"{hint}\n")
    assert control(host, "log", "--json") == []
    assert list(spool.queue_directory.iterdir()) == []
    spool.start()
    spool.wait_until_empty()
    assert control(host, "log")[0] == queue_id


def test_a_spool_that_was_never_made(host: Host, spool: Spool) -> None:
    """Here there is a remedy."""
    spool.queue_directory.rmdir()
    for words in (("status",), ("log",), ("queue", "list")):
        result = host.run(*words, name="sesmailctl")
        assert result.exit_code in (EX_DATAERR, EX_UNAVAILABLE)
        assert result.stderr.endswith(b"; run sesmailctl init as root\n")
