"""sesmaild emptying its queue, by the API or by SMTP."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.drain_ses import API, SMTP, StandIn
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.installation import Installation
from tests.scale import queues
from tests.spool import IDENTITY, Spool


class Ours:
    """The installed daemon; see ``drain.Contender``."""

    most = sys.maxsize

    def __init__(self, directory: Path, installed: Installation, interface: str) -> None:
        self.name = {API: "sesmail by API", SMTP: "sesmail by SMTP"}[interface]
        self.interface = interface
        # By SMTP nobody tells what SES allows: it begins with 10 a second and doubles them.
        self.warming = 500 if interface == SMTP else 0
        self._directory = directory
        self._command = installed.command("sesmaild")

    def close(self) -> None:
        """Nothing is kept."""

    @contextmanager
    def sending(self, ses: StandIn, messages: int) -> Iterator[int]:
        """Queue messages, and yield the process that sends them."""
        directory = Path(tempfile.mkdtemp(dir=self._directory))
        with SesServer() as unused:  # a spool wants an account
            spool = Spool(directory, unused, command=[self._command])
            lead_to(spool, ses, self.interface)
            queues.fill(spool.queue_directory, messages, int(time.time() * 1000))
            spool.start()
            assert spool.process is not None
            yield spool.process.pid
            spool.close()


def lead_to(spool: Spool, ses: StandIn, interface: str = API, identity: str = IDENTITY) -> None:
    """Write the credentials file that sends an identity's mail to the stand-in."""
    lines = [f"aws_access_key_id = {KEY_ID}", f"ca_file = {ses.ca_file}"]
    if interface == API:
        lines += [f"aws_secret_access_key = {SECRET}", f"endpoint_url = {ses.url}"]
    else:
        lines += [f"aws_secret_access_key = {spool.ses.smtp_password()}"]
        lines += ["smtp_host = localhost", f"smtp_port = {ses.ports[SMTP]}"]
        lines += ["smtp_tls = wrapper"]
    spool.identity(identity, f"transport = {interface}", *lines)
