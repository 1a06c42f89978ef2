"""Debian's mail programs in a root: what sesmail hands the other mail to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.clients.recorder import Recorder
from tests.packages.root import Root

NAMES = os.environ.get("MTA", "none postfix exim4-daemon-light nullmailer msmtp-mta").split()
_PATIENCE = 30.0  # seconds until a message shows; only a failing test waits for so long


@dataclass(frozen=True)
class Mta:
    """A mail program: how it is set up after its installation, and what it has taken.

    ``has`` tells whether a message that holds these words is in its queue, log or next hop;
    ``traces`` are the files that its own work changes. With ``keeps``, messages stay in its queue.
    """

    name: str
    set_up: Callable[[Root, Recorder], None]
    has: Callable[[Root, Recorder, str], bool]
    traces: tuple[str, ...] = ()
    keeps: bool = False

    def install(self, root: Root, next_hop: Recorder) -> None:
        """Install it, or put it in place of the one that is there."""
        root.install(self.name)
        self.set_up(root, next_hop)

    def wait_for(self, root: Root, next_hop: Recorder, words: str) -> None:
        """Return once it has the message. Fails if that takes too long."""
        deadline = time.monotonic() + _PATIENCE
        while not self.has(root, next_hop, words):
            assert time.monotonic() < deadline, f"{self.name} has no message with {words!r}"
            time.sleep(0.05)


def _nothing(root: Root, next_hop: Recorder) -> None:
    pass


def _postfix(root: Root, next_hop: Recorder) -> None:
    """Let its daemons run: no DNS, no listener, everything to the next hop."""
    settings = {
        "compatibility_level": "3.6",
        "myhostname": "host.example.com",
        "mydestination": "",
        "inet_interfaces": "loopback-only",
        "inet_protocols": "ipv4",
        "smtp_dns_support_level": "disabled",
        "smtp_host_lookup": "native",
        "alias_maps": "",
        "relayhost": f"[127.0.0.1]:{next_hop.port}",
    }
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    root.write("/etc/postfix/main.cf", "".join(lines))
    root.run("cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf")
    root.run("postconf -F '*/*/chroot=n'; postconf -MX smtp/inet; postfix start")


def _msmtp(root: Root, next_hop: Recorder) -> None:
    account = f"account default\nhost 127.0.0.1\nport {next_hop.port}\n"
    root.write("/etc/msmtprc", account + "from %U@host.example.com\nallow_from_override on\n")


def _in_files(*places: str) -> Callable[[Root, Recorder, str], bool]:
    def has(root: Root, next_hop: Recorder, words: str) -> bool:
        done = root.run(["grep", "-rqsF", "-e", words, *places], check=False)
        return done.returncode == 0

    return has


def _at_next_hop(root: Root, next_hop: Recorder, words: str) -> bool:
    return any(words.encode() in message.raw for message in next_hop.messages)


MTAS = {
    mta.name: mta
    for mta in (
        Mta(
            "postfix",
            _postfix,
            _at_next_hop,
            ("/var/spool/postfix/", "/var/lib/postfix/"),
        ),
        # It delivers by itself as it takes a message: to nobody but local users, as installed.
        Mta(
            "exim4-daemon-light",
            _nothing,
            _in_files("/var/spool/exim4/input", "/var/log/exim4/mainlog"),
            ("/var/spool/exim4/", "/var/log/exim4/", "/var/mail/"),
        ),
        Mta(
            "nullmailer",
            _nothing,
            _in_files("/var/spool/nullmailer/queue"),
            ("/var/spool/nullmailer/",),
            keeps=True,
        ),
        Mta("msmtp-mta", _msmtp, _at_next_hop),
    )
}


def chosen() -> list[str]:
    """Return the names of MTA in the environment, `none` for no mail program."""
    unknown = set(NAMES) - {"none", *MTAS}
    assert not unknown, f"MTA has unknown names: {unknown}"
    return NAMES


def another(name: str) -> Mta:
    """Return one that takes the place of this one."""
    return MTAS["msmtp-mta" if name == "nullmailer" else "nullmailer"]
