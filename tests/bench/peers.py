"""The programs that users would take instead, from Debian, each in a root of its own.

How each is configured is in tests/bench/peers/NAME, a tree that is copied over the root. All of
them lead to the stand-in by TLS and with a login. A root lies on the disk where everything else of
a run does, and is no overlay, in which opening a file would cost more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.spawner import PIPE, Command, CommandError, Spawner
from tests.fakes.ses import KEY_ID, SesServer
from tests.installation import CHECKOUT
from tests.packages import base
from tests.packages.root import Root
from tests.spool import AUTHOR, RECIPIENT

_FILES = CHECKOUT / "tests" / "bench" / "peers"
# Where programs look for the certificates that they trust; the first is named in configurations.
_AUTHORITIES = (
    "/etc/stand-in.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/root/.config/libesmtp/ca.pem",
)
_NAMESPACE = "ns/mnt"
_PATIENCE = 30.0  # seconds that a daemon may take to start, or a message to arrive


@dataclass(frozen=True, slots=True)
class Peer:
    """A program: what is installed, how it is called, and what else has to run.

    ``start`` is a line of shell; ``is_up`` one that succeeds when callers can come. With ``waits``
    the caller waits until the stand-in has the message. ``secret`` leads from a file that holds a
    password to its owner and group.
    """

    name: str
    packages: tuple[str, ...]
    words: tuple[str, ...]
    start: str = ""
    is_up: str = "true"
    daemons: tuple[str, ...] = ()  # by the name of their process
    secret: Mapping[str, str] = field(default_factory=dict)
    waits: bool = False


# Programs of a root are those of the tree; what they might write to is a copy.
_COPY = """
cp -al "$1" "$2"
cd "$2"
rm -r etc var root
cp -a "$1/etc" "$1/var" "$1/root" .
"""
_POSTFIX = """
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
postconf -F '*/*/chroot=n'; postconf -MX smtp/inet
postconf -M 'postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd'
postfix start
"""
_TO = ("-f", AUTHOR, RECIPIENT)
PEERS = (
    Peer("msmtp", ("msmtp",), ("/usr/bin/msmtp", *_TO), waits=True),
    Peer("esmtp", ("esmtp",), ("/usr/bin/esmtp", *_TO), waits=True),
    Peer(
        "nullmailer",
        ("nullmailer",),
        ("/usr/sbin/sendmail", *_TO),
        start="rm -f /var/spool/nullmailer/trigger\n"
        "mkfifo -m 622 /var/spool/nullmailer/trigger; chown mail /var/spool/nullmailer/trigger\n"
        "setpriv --reuid=mail --regid=mail --clear-groups nullmailer-send >/dev/null 2>&1 &",
        is_up="pidof nullmailer-send",
        daemons=("nullmailer-send",),
        secret={"/etc/nullmailer/remotes": "mail:mail"},
    ),
    Peer(
        "dma",
        ("dma",),
        ("/usr/sbin/sendmail", *_TO),
        secret={"/etc/dma/auth.conf": "root:mail", "/etc/dma/dma.conf": "root:mail"},
    ),
    Peer(
        "postfix",
        ("postfix", "libsasl2-modules"),
        ("/usr/sbin/sendmail", "-i", *_TO),
        start=_POSTFIX,
        is_up="postfix status",
        daemons=("master", "pickup", "cleanup", "qmgr", "smtp"),
    ),
    Peer(
        "exim",
        ("exim4-daemon-light",),
        ("/usr/sbin/sendmail", "-i", *_TO),
        secret={"/etc/exim4/exim4.conf": "root:Debian-exim"},
    ),
    Peer(
        "opensmtpd",
        ("opensmtpd",),
        ("/usr/sbin/sendmail", "-i", *_TO),
        start="smtpd >/dev/null 2>&1",
        is_up="smtpctl show status",
        daemons=("smtpd",),
        secret={"/etc/smtpd.secrets": "root:opensmtpq"},
    ),
)


class Peers:
    """All that can be had, running; ``absent`` says by name why one cannot.

    ``ports`` leads from the stand-in's ports to those that are to be configured.
    """

    def __init__(
        self, directory: Path, ses: SesServer, ports: Mapping[int, int], spawner: Spawner
    ) -> None:
        self._ses, self._spawner = ses, spawner
        self.absent: dict[str, str] = {}
        self._roots: dict[str, Root] = {}
        self._words = {
            "@USER@": KEY_ID,
            "@PASSWORD@": ses.smtp_password(),
            "@SMTPS@": str(ports[ses.smtps_port]),
            "@STARTTLS@": str(ports[ses.starttls_port]),
        }
        self._stack = ExitStack()
        for peer in PEERS:
            try:
                self._roots[peer.name] = self._start(peer, directory / peer.name)
                self._try(peer)
            except (AssertionError, OSError, CommandError) as error:
                self._roots.pop(peer.name, None)
                self.absent[peer.name] = " ".join(str(error).split())[-200:]

    def close(self) -> None:
        """End the daemons with their roots."""
        self._stack.close()

    def here(self) -> Sequence[Peer]:
        """Return those that can be had."""
        return [peer for peer in PEERS if peer.name in self._roots]

    def command(self, peer: Peer) -> Command:
        """Return what runs it."""
        environ = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root"}
        return Command(peer.name, peer.words, environ, str(self._roots[peer.name].path.parent))

    def daemons(self, peer: Peer) -> list[int]:
        """Return the processes that do a part of the work while the caller waits."""
        if not peer.daemons:
            return []
        inside = os.stat(self._roots[peer.name].path.parent / _NAMESPACE)
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _is(entry, peer.daemons, inside)
        ]

    def _start(self, peer: Peer, place: Path) -> Root:
        tree = base.tree(*peer.packages)
        subprocess.run(["sh", "-ec", _COPY, "sh", tree, place], check=True)
        self._stack.callback(shutil.rmtree, place)
        root = self._stack.enter_context(Root(place, is_changed=True))
        root.write("/etc/mailname", "host.example.com\n")
        for path in _AUTHORITIES:
            root.write(
                path, Path(self._ses.ca_file).read_bytes(), 0o600 if "/root/" in path else 0o644
            )
        self._configure(peer, root)
        if peer.start:
            root.run(peer.start)
            _wait(lambda: root.run(peer.is_up, check=False).returncode == 0, peer.name)
        return root

    def _try(self, peer: Peer) -> None:
        """Send one message: what does not get it to the stand-in is compared with nothing."""
        before = len(self._ses.state.messages)
        message = self._spawner.message(2000)
        self._spawner.times([self.command(peer)], 1, message=message, kind=PIPE)
        self._ses.state.wait_for_messages(before + 1, _PATIENCE)

    def _configure(self, peer: Peer, root: Root) -> None:
        files = _FILES / peer.name
        for file in sorted(path for path in files.rglob("*") if path.is_file()):
            text = file.read_text()
            for word, value in self._words.items():
                text = text.replace(word, value)
            path = f"/{file.relative_to(files)}"
            root.write(path, text)
            if path in peer.secret:
                root.run(["chown", peer.secret[path], path])
                root.run(["chmod", "640", path])


def _is(process: Path, names: Sequence[str], namespace: os.stat_result) -> bool:
    """Tell whether a process has one of these names, and lives in this root or below it."""
    try:
        there = os.stat(process / _NAMESPACE)
        name = (process / "comm").read_text().strip()
    except OSError:
        return False  # it has ended
    return os.path.samestat(there, namespace) and name in names


def _wait(condition: Callable[[], bool], name: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{name} does not start"
        time.sleep(0.05)
