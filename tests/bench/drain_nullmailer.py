"""Debian's nullmailer emptying its queue: one message after another, a process and a login each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.drain_ses import SMTP, StandIn
from tests.packages import base
from tests.packages.root import SHARED, Root

_QUEUE = "/var/spool/nullmailer"
_MESSAGE = b"From: wiki@example.com\nTo: bob@example.org\n\n".ljust(1999, b"x") + b"\n"


class Nullmailer:
    """nullmailer in a root of its own, its queue on this host's disk; see ``drain.Contender``."""

    name = "nullmailer"
    interface = SMTP
    warming = 0
    most = 100  # messages, for they take long, and one costs as much as the next

    def __init__(self) -> None:
        self._root = Root(base.tree("nullmailer"))
        self._root.run(f"cp -a {_QUEUE} {SHARED}/nullmailer")
        self._root.run(f"mount --bind {SHARED}/nullmailer {_QUEUE}")
        self._root.run(f"mkfifo -m 622 {_QUEUE}/trigger; chown mail {_QUEUE}/trigger")
        self._root.write("/etc/mailname", "host.example.com\n")
        self._root.write("/message", _MESSAGE)

    def close(self) -> None:
        """End the root."""
        self._root.__exit__(None, None, None)

    @contextmanager
    def sending(self, ses: StandIn, messages: int) -> Iterator[int]:
        """Queue messages, and yield the process that sends them."""
        words = f"--port={ses.ports[SMTP]} --ssl --user=user --pass=password"
        remote = f"localhost smtp {words} --x509cafile=/etc/nullmailer/ca.pem\n"
        self._root.write("/etc/nullmailer/ca.pem", Path(ses.ca_file).read_bytes())
        self._root.write("/etc/nullmailer/remotes", remote, 0o600, "mail", "mail")
        self._root.run(
            f"for number in $(seq {messages}); do"
            " nullmailer-inject -f wiki@example.com bob@example.org </message || exit; done",
            user="mail",
        )
        sender = self._root.start("echo $$ >/tmp/pid; exec nullmailer-send >/dev/null 2>&1", "mail")
        try:
            yield sender.pid
        finally:
            self._root.run("kill $(cat /tmp/pid)")
            sender.wait()
            self._root.run(f"rm -f {_QUEUE}/queue/* {_QUEUE}/failed/*")
