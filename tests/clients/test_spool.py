"""PHP's mail() as www-data, which can read no credentials: through the drop, by the daemon."""

from __future__ import annotations

import grp
import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.fakes.ses import SesServer
from tests.host import Host
from tests.spool import AUTHOR, IDENTITY, Spool

pytestmark = pytest.mark.root

DAEMON = "backup"  # stands in for the user sesmail
CODE = f'exit(mail("bob@example.org", "hello", "text", "From: {AUTHOR}", "-f{AUTHOR}") ? 0 : 1);'


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool whose credentials only the daemon can read."""
    directory = host.directory / "daemon"
    directory.mkdir()
    spool = Spool(directory, ses, DAEMON, [host.installed.command("sesmaild")])
    os.chown(spool.credentials / IDENTITY, 0, grp.getgrnam(DAEMON).gr_gid)
    (spool.credentials / IDENTITY).chmod(0o640)
    yield spool
    spool.close()


def php(host: Host, spool: Spool) -> subprocess.CompletedProcess[bytes]:
    """Call mail() as www-data."""
    return subprocess.run(
        ["php", "-d", f"sendmail_path={host.installed.sendmail} -t -i", "-r", CODE],
        user="www-data",
        group="www-data",
        extra_groups=[],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "SESMAIL_CONFIG": str(spool.configuration)},
        capture_output=True,
    )


def test_mail_is_delivered(host: Host, spool: Spool) -> None:
    """mail() returns true, prints nothing, and the mail arrives with what PHP gave."""
    spool.start()
    done = php(host, spool)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (sent,) = spool.ses.state.wait_for_messages(1)
    assert (sent.source, sent.destinations) == (AUTHOR, ["bob@example.org"])
    assert b"\r\nSubject: hello\r\n" in sent.raw
    assert spool.stop() == 0


def test_mail_waits_for_the_daemon(host: Host, spool: Spool) -> None:
    """While none runs mail() returns true all the same; the next daemon sends what waits."""
    assert php(host, spool).returncode == 0
    assert len(spool.dropped()) == 1
    assert spool.once() == 0
    assert len(spool.ses.state.messages) == 1
