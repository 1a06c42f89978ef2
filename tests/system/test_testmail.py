"""`sesmailctl test`: a mail through the installed sendmail, followed until its outcome."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from sesmail.sysexits import EX_CONFIG, EX_OK, EX_UNAVAILABLE, EX_USAGE
from tests import aftermath
from tests.fakes.ses import SECRET, SesServer
from tests.host import Host
from tests.installation import Installation
from tests.spool import IDENTITY, Spool
from tests.system.test_isolation import DAEMON, isolated

SIMULATOR = "success@simulator.amazonses.com"
SENDER = "sesmail-test@example.com"


@pytest.fixture
def spool(spool: Spool, installed: Installation) -> Spool:
    """The spool of an installation without a real sendmail."""
    spool.command = (installed.command("sesmaild"),)
    spool.settings(real_sendmail="none")
    return spool


def run(spool: Spool, installed: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the verb."""
    return subprocess.run(
        [installed.command("sesmailctl"), "test", *words],
        env={"SESMAIL_CONFIG": str(spool.configuration)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
    )


def told(
    spool: Spool, installed: Installation, *words: str, code: int = EX_OK
) -> tuple[dict[str, Any], str]:
    """Return the document of a test, and what people are told."""
    done = run(spool, installed, "--json", *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("way", ["api", "smtp"])
def test_sent(spool: Spool, installed: Installation, way: str) -> None:
    """Sent by the daemon: queue id and SES id are told, and SES has the mail."""
    if way == "smtp":
        spool.use_smtp()
    spool.start()
    document, people = told(spool, installed, IDENTITY)
    (one,) = spool.ses.state.messages
    assert document["outcome"] == "sent"
    assert (document["identity"], document["from"], document["to"]) == (
        IDENTITY,
        SENDER,
        SIMULATOR,
    )
    assert document["queue_id"] == one.tags["sesmail-id"]
    assert document["remote_id"] == one.message_id
    assert one.destinations == [SIMULATOR]
    assert f"From: {SENDER}\n".encode() in one.raw.replace(b"\r\n", b"\n")
    assert f"ok      sent: SES took it, {document['relay']} as {one.message_id}\n" in people
    assert spool.stop() == 0


def test_text(spool: Spool, installed: Installation) -> None:
    """For people: who writes to whom, and the outcome."""
    spool.start()
    done = run(spool, installed, IDENTITY, "--from", "wiki@example.com", "--to", "bob@example.org")
    (one,) = spool.ses.state.messages
    assert one.destinations == ["bob@example.org"]
    first, last = done.stdout.splitlines()
    assert first == "From wiki@example.com to bob@example.org"
    assert last.startswith("ok      sent: SES took it, ")
    assert done.stderr.splitlines()[:2] == [
        "sendmail takes the mail",
        "waiting for what becomes of it",
    ]


@pytest.mark.parametrize(
    ("to", "code", "outcome"),
    [
        (SIMULATOR, EX_OK, "delivered"),
        ("bounce@simulator.amazonses.com", EX_UNAVAILABLE, "failed"),
    ],
)
def test_events(spool: Spool, installed: Installation, to: str, code: int, outcome: str) -> None:
    """Where SES tells what becomes of mail, that is what is waited for."""
    aftermath.connect(spool)
    spool.start()
    document, _ = told(spool, installed, IDENTITY, "--to", to, code=code)
    assert document["outcome"] == outcome
    assert document["remote_id"] == spool.ses.state.messages[0].message_id


def test_no_event_comes(spool: Spool, installed: Installation) -> None:
    """It is sent all the same, and what is missing is said."""
    aftermath.connect(spool)
    spool.ses.events.automatic = False
    spool.start()
    document, people = told(spool, installed, IDENTITY, "--timeout", "3")
    assert document["outcome"] == "sent"
    assert "SES has not told yet what became of it" in people


@pytest.mark.parametrize(
    ("fault", "code", "outcome"),
    [
        ("service-unavailable", EX_UNAVAILABLE, "deferred"),
        ("sender-not-verified", EX_CONFIG, "held"),
        ("content-rejected", EX_UNAVAILABLE, "failed"),
    ],
)
def test_what_ses_says(
    spool: Spool, installed: Installation, fault: str, code: int, outcome: str
) -> None:
    """Deferred, held, failed, each with the reason and an exit code of its own."""
    spool.ses.script(fault)
    spool.start()
    document, people = told(spool, installed, IDENTITY, "--timeout", "4", code=code)
    assert document["outcome"] == outcome
    assert document["text"]
    assert document["text"] in people


def test_a_wrong_secret(spool: Spool, installed: Installation) -> None:
    """The identity is held, and the remedy is told."""
    spool.use_api(secret="A" * 40)
    spool.start()
    document, people = told(spool, installed, IDENTITY, code=EX_CONFIG)
    assert document["outcome"] == "held"
    assert "held until somebody mends it" in people
    assert "copy both again" in people


@pytest.mark.root
def test_no_daemon(spool: Spool, installed: Installation) -> None:
    """Whoever can read the credentials delivers himself, and knows at once."""
    document, _ = told(spool, installed, IDENTITY)
    (one,) = spool.ses.state.messages
    assert (document["outcome"], document["remote_id"]) == ("sent", one.message_id)
    spool.ses.script("content-rejected")
    document, people = told(spool, installed, IDENTITY, code=EX_UNAVAILABLE)
    assert document["outcome"] == "failed"
    assert document["text"] in people


def test_nobody_delivers(spool: Spool, installed: Installation) -> None:
    """The mail waits in the drop, and that is no success."""
    spool.settings(delivery_mode="background")
    document, people = told(spool, installed, IDENTITY, code=EX_UNAVAILABLE)
    assert document["outcome"] == "on its way"
    assert "sesmaild does not run" in people
    assert f"{spool.directory}/drop" in people
    assert len(spool.dropped()) == 1


def test_a_daemon_that_does_not_look(spool: Spool, installed: Installation) -> None:
    """A daemon that is stopped picks up nothing: said when the time is over."""
    spool.settings(delivery_mode="queue")
    spool.start()
    document, people = told(spool, installed, IDENTITY, "--timeout", "1", code=EX_UNAVAILABLE)
    assert document["outcome"] == "not seen"
    assert "has not picked it up yet" in people


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("example.net",), EX_CONFIG, "no credentials for sesmail-test@example.net"),
        ((IDENTITY, "--from", "x@example.net"), EX_CONFIG, "no credentials for x@example.net"),
        ((IDENTITY, "--from", "x@example.org"), EX_USAGE, "by the credentials of example.org"),
        ((IDENTITY, "--to", "root"), EX_USAGE, "--to is no address"),
        (("default",), EX_USAGE, "--from names one"),
        (("nonsense",), EX_USAGE, "is no domain or address"),
        ((IDENTITY, "--timeout", "0"), EX_USAGE, "invalid seconds value: '0'"),
        ((IDENTITY, "--timeout", "x"), EX_USAGE, "invalid seconds value: 'x'"),
    ],
)
def test_what_cannot_be_tested(
    spool: Spool, installed: Installation, words: tuple[str, ...], code: int, reason: str
) -> None:
    """Nothing is sent."""
    spool.use_api(identity="example.org")
    done = run(spool, installed, *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert reason in done.stderr
    assert spool.dropped() == []
    assert spool.ses.state.messages == []


def test_a_subdomain(spool: Spool, installed: Installation) -> None:
    """The credentials above it serve it."""
    spool.start()
    document, _ = told(spool, installed, "wiki.example.com")
    assert document["from"] == "sesmail-test@wiki.example.com"
    assert document["outcome"] == "sent"


@pytest.mark.root
def test_another_user(host: Host, ses: SesServer) -> None:
    """Whoever may not read the credentials can still send a mail, and follow his own."""
    with isolated(host, ses) as spool:
        host.settings(
            spool_directory=spool.directory, credentials_directory=spool.credentials, user=DAEMON
        )
        spool.start()
        result = host.run("test", IDENTITY, name="sesmailctl", user="www-data")
        (one,) = ses.state.messages
        assert result.exit_code == EX_OK
        assert f"as {one.message_id}".encode() in result.stdout
