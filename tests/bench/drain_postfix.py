"""Debian's Postfix emptying its queue: a null client whose relay host is the stand-in.

In a root of its own, its queue on this host's disk as the others' are. Mail comes in by its own
smtp-source and smtpd while nothing may go out, and waits as deferred.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.drain_bare import THREADS
from tests.bench.drain_ses import SMTP, StandIn
from tests.packages import base
from tests.packages.root import SHARED, Root

_LOG = "/var/log/postfix.log"
_SETTINGS = {
    "compatibility_level": "3.6",
    "myhostname": "host.example.com",
    "mydestination": "",
    "mynetworks": "127.0.0.0/8",
    "inet_interfaces": "loopback-only",
    "inet_protocols": "ipv4",
    "smtp_dns_support_level": "disabled",
    "smtp_host_lookup": "native",
    "alias_maps": "",
    "maillog_file": _LOG,
    "smtp_sasl_auth_enable": "yes",
    "smtp_sasl_password_maps": "static:user:password",
    "smtp_sasl_security_options": "noanonymous",
    "smtp_tls_security_level": "verify",
    "smtp_tls_wrappermode": "yes",
    "smtp_tls_CAfile": "/etc/postfix/ca.pem",
    # A session for many messages, as sesmaild has it.
    "smtp_tls_session_cache_database": "btree:${data_directory}/smtp_scache",
    "smtp_tls_connection_reuse": "yes",
    "smtp_connection_cache_destinations": "[localhost]",
    "smtp_destination_concurrency_limit": str(THREADS),
    "initial_destination_concurrency": str(THREADS),
    "default_process_limit": "100",
}
_FILLED = f"{SHARED}/filled"
_SESSIONS = 20  # of smtp-source


class Postfix:
    """Postfix in its root; see ``drain.Contender``."""

    name = "Postfix"
    interface = SMTP
    most = sys.maxsize
    warming = 0

    def __init__(self) -> None:
        self._root = Root(base.tree("libsasl2-modules", "postfix"))
        self._root.run(f"cp -a /var/spool/postfix {SHARED}/postfix")
        self._root.run(f"mount --bind {SHARED}/postfix /var/spool/postfix")
        self._port = _free_port()
        self._filled = 0  # messages that lie in FILLED

    def close(self) -> None:
        """End the root."""
        self._root.__exit__(None, None, None)

    @contextmanager
    def sending(self, ses: StandIn, messages: int) -> Iterator[int]:
        """Queue messages, and yield the process below which Postfix sends them."""
        self._configure(ses)
        if self._filled != messages:
            with self._running():
                self._fill(messages)
            self._filled = messages
        # Postfix gives each file the name that its new inode has to have.
        self._root.run(f"cp -a {_FILLED}/deferred /var/spool/postfix && postsuper")
        self._root.run("postconf -X defer_transports")
        with self._running() as master:
            self._root.run("postqueue -f")
            yield master
        self._root.run("postsuper -d ALL")

    @contextmanager
    def _running(self) -> Iterator[int]:
        master = self._root.start(["postfix", "start-fg"], stderr=subprocess.DEVNULL)
        try:
            _wait(self._port)
            yield master.pid
        finally:
            self._root.run("postfix stop")
            master.wait()

    def _configure(self, ses: StandIn) -> None:
        settings = {
            **_SETTINGS,
            "relayhost": f"[localhost]:{ses.ports[SMTP]}",
            "defer_transports": "smtp",
        }
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        self._root.write("/etc/postfix/main.cf", "".join(lines))
        self._root.write(_LOG, "", owner="postfix")  # postsuper writes it as that user
        with open(ses.ca_file, "rb") as file:
            self._root.write("/etc/postfix/ca.pem", file.read())
        services = self._root.inside("/usr/share/postfix/master.cf.dist")
        self._root.write("/etc/postfix/master.cf", services.read_bytes())
        self._root.run("postconf -F '*/*/chroot=n'; postconf -MX smtp/inet")
        for service in (
            f"{self._port}/inet={self._port} inet n - n - - smtpd",
            "postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd",
            "tlsproxy/unix=tlsproxy unix - - n - 0 tlsproxy",  # holds sessions for many messages
        ):
            self._root.run(["postconf", "-M", service])

    def _fill(self, messages: int) -> None:
        """Take messages in once, for that takes long, and keep the queue for each drain."""
        words = f"-s {_SESSIONS} -m {messages} -l 2000 -f wiki@example.com -t bob@example.org"
        self._root.run(f"smtp-source {words} 127.0.0.1:{self._port}")
        waiting = "find /var/spool/postfix/incoming /var/spool/postfix/active -type f | grep -q ."
        self._root.run(f"while {waiting}; do sleep 0.1; done")
        self._root.run(f"rm -rf {_FILLED} && mkdir {_FILLED}")
        self._root.run(f"cp -a /var/spool/postfix/deferred {_FILLED} && postsuper -d ALL")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait(port: int) -> None:
    """Wait until somebody listens."""
    while True:
        with socket.socket() as client:
            if not client.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
