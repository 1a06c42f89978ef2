"""Pickup without a daemon: a drop, a queue and credentials of one's own, and a clock that stands.

desk = Desk(tmp_path)
name = desk.drop("bob@example.org")
desk.pick_up()
assert desk.states(name) == {"bob@example.org": State.WAITING}
"""

from __future__ import annotations

import os
import signal
import time
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from pathlib import Path
from typing import Any

from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.dsn import DsnMaker
from sesmail.delivery.pickup import Batch, Pickup
from sesmail.delivery.postmaster import Summary
from sesmail.drop import layout
from sesmail.drop.put import Drop
from sesmail.drop.take import DropDirectory
from sesmail.envelope import Envelope
from sesmail.queue.store import State, Store
from sesmail.queue.upkeep import Hold
from sesmail.settings import Settings

AUTHOR = "wiki@example.com"
IDENTITY = "example.com"
HOST = "web.example.net"
MESSAGE = b"From: Wiki <wiki@example.com>\nTo: bob@example.org\nMessage-ID: <1@x>\n\nhello\n"
_IGNORED_BY_COMMIT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Desk:
    """Everything that pickup needs; ``now`` is the clock, in milliseconds."""

    def __init__(self, directory: Path) -> None:
        self.drop_directory = directory / "drop"
        self.drop_directory.mkdir()
        self.drop_directory.chmod(0o3733)
        self.queue = directory / "queue"
        self.queue.mkdir(mode=0o700)
        self.credentials = directory / "credentials"
        self.credentials.mkdir()
        self.settings = Settings()
        self.settings.spool_directory = str(directory)
        self.settings.credentials_directory = str(self.credentials)
        self.settings.aliases = str(directory / "aliases")
        self.settings.origin = HOST
        self.settings.minimum_free = 0
        self.now = int(time.time() * 1000) + 1000
        self.lines: list[str] = []
        self.holds: list[Hold] = []
        self.identity(IDENTITY)
        self.open()

    def open(self) -> None:
        """Begin as a daemon does: with what is on the disk."""
        self.log = DaemonLog(lambda program, _, text: self.lines.append(f"{program}: {text}"))
        self.store = Store(str(self.queue))
        self.directory = DropDirectory(str(self.drop_directory))
        load = Identities(self.settings.credentials_directory).load
        self.summary = Summary(self.settings, load, lambda: self.now, self.log)
        self.dsns = DsnMaker(
            self.settings,
            load,
            lambda: self.holds,
            lambda: self.now,
            self.log,
            self.summary.note,
        )
        self.pickup = Pickup(
            self.directory,
            self.store,
            self.settings,
            load,
            self.dsns,
            self.summary,
            lambda: self.now,
            self.log,
        )

    def close(self) -> None:
        """End as a crash does: nothing is done any more."""
        self.store.close()
        self.directory.close()

    # Files.

    def identity(self, name: str, *lines: str) -> Path:
        """Write a credentials file."""
        path = self.credentials / name
        path.write_text("\n".join(["region = us-east-1", *lines, ""]))
        return path

    def aliases(self, text: str) -> None:
        """Write the aliases file."""
        Path(self.settings.aliases).write_text(text)

    def drop(
        self,
        *forward_paths: str,
        message: bytes = MESSAGE,
        author: str = AUTHOR,
        identity: str = IDENTITY,
        reverse_path: str | None = None,
        not_before: int = 0,
        queue_id: str = "",
    ) -> str:
        """Drop a message as the client does; return its name."""
        paths = list(forward_paths or ("bob@example.org",))
        name = queue_id or layout.new_queue_id()
        envelope = Envelope(name, identity, author, reverse_path, paths, not_before=not_before)
        return self.drop_bytes(name, envelope.encode() + message)

    def drop_bytes(self, name: str, content: bytes) -> str:
        """Drop whatever comes after the first line."""
        handlers = {number: signal.getsignal(number) for number in _IGNORED_BY_COMMIT}
        with Drop(self.settings, name) as dropped:
            dropped.write(content)
            dropped.commit()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        return name

    def names(self) -> list[str]:
        """Return what lies in the drop."""
        return sorted(os.listdir(self.drop_directory))

    # Picking up, and what came of it.

    def pick_up(self, *names: str) -> Batch:
        """Pick up these names, or what a scan finds."""
        return self.pickup.run(names or [name for name, _ in self.directory.scan()])

    def states(self, queue_id: str) -> dict[str, State]:
        """Return the state of each forward-path of an entry; empty: there is no such entry."""
        rows = self.store.connection.execute(
            "SELECT p.address, p.state FROM path p JOIN entry e ON e.id = p.entry"
            " WHERE e.queue_id = ? ORDER BY p.id",
            (queue_id,),
        )
        return {address: State(state) for address, state in rows}

    def entry(self, queue_id: str) -> dict[str, Any]:
        """Return the columns of an entry, the name of its identity, and its message."""
        cursor = self.store.connection.execute(
            "SELECT e.*, i.name AS identity_name, c.message FROM entry e"
            " JOIN identity i ON i.id = e.identity JOIN content c ON c.entry = e.id"
            " WHERE e.queue_id = ?",
            (queue_id,),
        )
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))

    def queue_ids(self) -> list[str]:
        """Return the queue ids of all entries, in the order of their coming."""
        rows = self.store.connection.execute("SELECT queue_id FROM entry ORDER BY id")
        return [queue_id for (queue_id,) in rows]

    def dsns_queued(self) -> list[tuple[str, EmailMessage]]:
        """Return queue id and message of what the daemon itself queued."""
        rows = self.store.connection.execute(
            "SELECT e.queue_id, c.message FROM entry e JOIN content c ON c.entry = e.id"
            " WHERE e.author LIKE 'MAILER-DAEMON@%' ORDER BY e.id"
        )
        return [(queue_id, parsed(message)) for queue_id, message in rows]

    def logged(self, text: str) -> list[str]:
        """Return the lines that hold a text."""
        return [line for line in self.lines if text in line]


def parsed(message: bytes) -> EmailMessage:
    """Read a message with the standard library; any defect is an error."""
    parser = BytesParser(policy=default.clone(raise_on_defect=True, linesep=SMTP.linesep))
    read = parser.parsebytes(message)
    assert isinstance(read, EmailMessage)
    return read
