"""Programs of the system, unchanged: to SES for an identity, else by the real sendmail."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import identity, postfix, program
from tests.clients.machine import Machine
from tests.clients.programs import ROWS
from tests.clients.recorder import Recorder
from tests.fakes.ses import SesServer
from tests.installation import Installation

PATIENCE = 60.0  # seconds; only a failing test waits for so long
SPOOLED = [name for name, row in ROWS.items() if not row.queued]
QUEUED = [name for name, row in ROWS.items() if row.queued]
FAILING = [name for name, row in ROWS.items() if row.failure is not None]


@pytest.fixture(scope="module", params=["example.com", "example.org"])
def domain(request: pytest.FixtureRequest, debian: Machine) -> Iterator[str]:
    """The domain of the host, which is an identity, or is not; Postfix has learned it."""
    chosen = str(request.param)
    _call_host(debian, f"host.{chosen}")
    yield chosen
    _call_host(debian, "host.example.com")


def _call_host(debian: Machine, name: str) -> None:
    debian.write("/etc/mailname", f"{name}\n")
    debian.write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name} host\n")
    debian.run(["hostname", name], "root", check=True)
    postfix.stop(debian)
    debian.run(["postfix", "start"], "root", check=True)


def _wait_for_reader(fifo: Path, seconds: float = 30.0) -> None:
    """Wait until the daemon reads the FIFO; only a failing test waits for so long."""
    end = time.monotonic() + seconds
    while True:
        try:
            os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            assert time.monotonic() < end, "sesmaild does not start"
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def prepared(debian: Machine) -> Machine:
    """The host with alice and what she sends."""
    program.prepare(debian)
    return debian


@pytest.fixture
def host(prepared: Machine, machine: Machine, ses: SesServer) -> Machine:
    """The host with credentials of example.com that everybody reads."""
    identity.with_api_key(machine, ses)
    (machine.root / identity.FILE.lstrip("/")).chmod(0o644)
    machine.run(["chmod", "0755", "/etc/sesmail/credentials"], "root", check=True)
    return machine


@pytest.fixture
def spool(host: Machine, ses: SesServer, installed: Installation) -> Iterator[Machine]:
    """The host with a spool, and with credentials that only the daemon's user reads."""
    ses.state.max_send_rate = 10_000.0
    host.run([str(installed.command("sesmailctl")), "init"], "root", check=True)
    host.run(["chgrp", "sesmail", identity.FILE], "root", check=True)
    host.run(["chmod", "0640", identity.FILE], "root", check=True)
    yield host
    host.run(["rm", "-r", "/var/spool/sesmail"], "root", check=True)


@pytest.fixture
def spooling(spool: Machine, installed: Installation) -> Iterator[Machine]:
    """The same, and sesmaild runs."""
    daemon = spool.start([str(installed.command("sesmaild"))], "root")
    _wait_for_reader(spool.root / "var/spool/sesmail/wake")
    yield spool
    pid = (spool.root / "var/spool/sesmail/queue/lock").read_text().strip()
    spool.run(["kill", pid], "root", check=True)
    daemon.wait()


@pytest.mark.parametrize("domain", ["example.com"], indirect=True)
@pytest.mark.parametrize("name", ROWS)
def test_mail_of_an_identity_reaches_ses(
    host: Machine, ses: SesServer, domain: str, name: str
) -> None:
    """Envelope, fields and text are the program's, which is content."""
    row = ROWS[name]
    program.assert_succeeded(program.run(host, row, domain), row)
    (accepted,) = ses.state.wait_for_messages(1, PATIENCE)
    assert sorted(accepted.destinations) == sorted(row.to)
    assert accepted.source == (row.sender or row.author).replace("DOMAIN", domain)
    program.assert_arrived(accepted.raw, row, domain)


@pytest.mark.parametrize("domain", ["example.com"], indirect=True)
@pytest.mark.parametrize("name", SPOOLED)
def test_the_spool_takes_it_too(spooling: Machine, ses: SesServer, domain: str, name: str) -> None:
    """With credentials that no caller can read the same arrives by the daemon."""
    row = ROWS[name]
    program.assert_succeeded(program.run(spooling, row, domain), row)
    (accepted,) = ses.state.wait_for_messages(1, PATIENCE)
    assert sorted(accepted.destinations) == sorted(row.to)
    program.assert_arrived(accepted.raw, row, domain)


@pytest.mark.parametrize("domain", ["example.com"], indirect=True)
@pytest.mark.parametrize("name", QUEUED)
def test_the_next_scan_takes_what_is_queued(
    spool: Machine, ses: SesServer, installed: Installation, domain: str, name: str
) -> None:
    """What a program wants to be queued waits in the drop until the daemon looks there."""
    row = ROWS[name]
    program.assert_succeeded(program.run(spool, row, domain), row)
    assert ses.state.requests == 0
    spool.run([str(installed.command("sesmaild")), "--once"], "root", check=True)
    (accepted,) = ses.state.messages
    program.assert_arrived(accepted.raw, row, domain)


@pytest.mark.parametrize("domain", ["example.com"], indirect=True)
@pytest.mark.parametrize("name", FAILING)
def test_a_refusal_is_reported(host: Machine, ses: SesServer, domain: str, name: str) -> None:
    """SES does not know the identity: the program says that it failed."""
    ses.state.identities.clear()
    program.assert_failed(program.run(host, ROWS[name], domain), ROWS[name])
    assert ses.state.requests
    assert not ses.state.messages


@pytest.mark.parametrize("domain", ["example.org"], indirect=True)
@pytest.mark.parametrize("name", ROWS)
def test_other_mail_reaches_the_real_sendmail(
    host: Machine, next_hop: Recorder, ses: SesServer, domain: str, name: str
) -> None:
    """Postfix sends it on as if sesmail were not there; SES hears nothing of it."""
    row = ROWS[name]
    program.assert_succeeded(program.run(host, row, domain), row)
    (recorded,) = next_hop.wait(1, PATIENCE)
    relayed_to = [path.replace("DOMAIN", domain) for path in row.relayed_to or row.to]
    assert sorted(recorded.forward_paths) == sorted(relayed_to)
    sender = row.sender or f"{row.login or row.user}@host.DOMAIN"
    if row.relayed_from is not None:
        sender = row.relayed_from
    assert recorded.reverse_path == sender.replace("DOMAIN", domain)
    program.assert_arrived(recorded.raw, row, domain)
    assert ses.state.requests == 0


@pytest.mark.parametrize("domain", ["example.org"], indirect=True)
@pytest.mark.parametrize("name", FAILING)
def test_no_real_sendmail_is_reported(
    host: Machine, next_hop: Recorder, domain: str, name: str
) -> None:
    """No credentials for the domain and no real sendmail: the program says that it failed."""
    host.write("/etc/sesmail/sesmail.conf", "real_sendmail = none\n")
    program.assert_failed(program.run(host, ROWS[name], domain), ROWS[name])
    assert not next_hop.messages
