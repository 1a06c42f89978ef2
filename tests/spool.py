"""A private spool, sesmaild over it, and the SES stand-in behind it.

    def test_it(spool: Spool) -> None:
        spool.start()
        queue_id = spool.drop("bob@example.org")
        spool.ses.state.wait_for_messages(1)
        spool.wait_for_log("status=sent")
        assert spool.stop() == 0

The fixture ``spool`` (tests/conftest.py) ends the daemon. Without the contract's user ``sesmail``
everything belongs to the user of the tests; ``Spool(..., user=…)``, as root, gives drop, wake and
queue to another one, whom the daemon then becomes.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sesmail import launch
from sesmail import settings as settings_file
from sesmail.drop import layout
from sesmail.drop.put import Drop, Wake
from sesmail.envelope import Envelope
from sesmail.queue.listing import Listed, Listing
from sesmail.settings import Settings
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.host import Host
from tests.installation import CHECKOUT

AUTHOR = "wiki@example.com"
IDENTITY = "example.com"
RECIPIENT = "bob@example.org"
COMMAND = (sys.executable, "-I", str(CHECKOUT / launch.DAEMON / "__main__.py"))
PATIENCE = 20.0  # seconds that a condition may take; only a failing test waits for so long


class Spool:
    """Directories, settings and credentials; the daemon's process and its lines."""

    def __init__(
        self,
        directory: Path,
        ses: SesServer,
        user: str | None = None,
        command: Sequence[str | Path] = COMMAND,
    ) -> None:
        owner = pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())
        self.ses = ses
        self.directory = directory / "spool"
        self.drop_directory = self.directory / "drop"
        self.queue_directory = self.directory / "queue"
        self.credentials = directory / "credentials"
        self.configuration = directory / "sesmail.conf"
        self.command = command
        self.process: subprocess.Popen[str] | None = None
        self.log: list[str] = []  # the daemon's lines on stderr, of all its runs
        self._grown = threading.Condition()
        self._reader: threading.Thread | None = None
        self._has_ended = False
        self._keys: dict[str, object] = {}
        self._gid = owner.pw_gid
        self._make(owner)
        self.settings(
            spool_directory=self.directory,
            credentials_directory=self.credentials,
            user=owner.pw_name,
            minimal_backoff="1s",
            minimum_free="1M",
        )
        ses.state.identities.add(IDENTITY)
        ses.state.max_send_rate = 10_000.0  # GetAccount tells it; None there would be 14
        self.use_api()

    def _make(self, owner: pwd.struct_passwd) -> None:
        for path, mode in (
            (self.directory, 0o755),
            (self.credentials, 0o755),
            (self.drop_directory, 0o3733),
            (self.queue_directory, 0o700),
            (self.directory / "run", 0o755),
        ):
            path.mkdir(parents=True)
            if path.parent == self.directory:
                os.chown(path, owner.pw_uid, owner.pw_gid)
            path.chmod(mode)
        (self.directory / "control").symlink_to("run/control")
        wake = self.directory / "wake"
        os.mkfifo(wake)
        os.chown(wake, owner.pw_uid, owner.pw_gid)
        wake.chmod(0o622)

    # Settings and credentials.

    def settings(self, **keys: object) -> None:
        """Set these keys of sesmail.conf and leave the others; None takes a key out."""
        self._keys.update(keys)
        lines = [f"{key} = {value}\n" for key, value in self._keys.items() if value is not None]
        self.configuration.write_text("".join(lines))
        self.configuration.chmod(0o644)

    def use_api(self, *lines: str, identity: str = IDENTITY, secret: str = SECRET) -> Path:
        """Write a credentials file for the stand-in's API."""
        return self.identity(
            identity,
            f"aws_access_key_id = {KEY_ID}",
            f"region = {self.ses.state.region}",
            "transport = api",
            f"aws_secret_access_key = {secret}",
            f"endpoint_url = {self.ses.api_url}",
            *lines,
        )

    def use_smtp(self, *lines: str, identity: str = IDENTITY) -> Path:
        """Write a credentials file for the stand-in's SMTP."""
        return self.identity(
            identity,
            f"aws_access_key_id = {KEY_ID}",
            f"region = {self.ses.state.region}",
            "transport = smtp",
            f"aws_secret_access_key = {self.ses.smtp_password()}",
            f"smtp_host = {self.ses.smtp_host}",
            f"smtp_port = {self.ses.smtps_port}",
            "smtp_tls = wrapper",
            f"ca_file = {self.ses.ca_file}",
            *lines,
        )

    def identity(self, name: str, *lines: str) -> Path:
        """Write a credentials file, as editors do: a new file takes the name."""
        path = self.credentials / name
        new = self.credentials.parent / f"new-{name}"
        new.write_text("\n".join(lines) + "\n")
        os.chown(new, -1, self._gid)
        new.chmod(0o640)
        new.rename(path)
        return path

    def load(self) -> Settings:
        """Return the settings as a program of ours sees them."""
        return settings_file.load({"SESMAIL_CONFIG": str(self.configuration)})

    # Mail.

    def drop(
        self,
        *forward_paths: str,
        author: str = AUTHOR,
        identity: str = IDENTITY,
        reverse_path: str | None = None,
        text: str = "Text.",
        not_before: int = 0,
        ring: bool = True,
        queue_id: str | None = None,
    ) -> str:
        """Drop a message as the client does; return its queue id."""
        queue_id = queue_id or layout.new_queue_id()
        wake = Wake(str(self.directory))
        envelope = Envelope(
            queue_id,
            identity,
            author,
            reverse_path,
            list(forward_paths or (RECIPIENT,)),
            not_before=not_before,
        )
        handlers = {number: signal.getsignal(number) for number in _IGNORED_BY_COMMIT}
        with Drop(self.load(), queue_id) as drop:
            drop.write(envelope.encode())
            drop.write(message(author, forward_paths[0] if forward_paths else RECIPIENT, text))
            drop.commit()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if ring:
            wake.ring(queue_id)
        wake.close()
        return queue_id

    def dropped(self) -> list[str]:
        """Return the names that lie in the drop."""
        return sorted(os.listdir(self.drop_directory))

    def waiting(self) -> list[Listed]:
        """Return what is in the queue and not done."""
        if not (self.queue_directory / "queue.db").exists():
            return []
        listing = Listing(str(self.queue_directory))
        try:
            return list(listing.entries())
        finally:
            listing.close()

    def wait_until_empty(self, seconds: float = PATIENCE) -> None:
        """Wait until nothing is in the drop or open in the queue."""
        self.wait(lambda: not self.dropped() and not self.waiting(), "an empty spool", seconds)

    # The daemon.

    def start(self, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        """Start the daemon; return when it is ready."""
        begin = len(self.log)
        self._has_ended = False
        self.process = self.spawn(*arguments, environ=environ)
        self._reader = threading.Thread(target=self._read, args=(self.process,))
        self._reader.start()
        self.wait_for_log("sesmaild is ready", begin)

    def spawn(
        self, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start the program, and wait for nothing."""
        return subprocess.Popen(
            [*self.command, "--stderr", *arguments],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={"SESMAIL_CONFIG": str(self.configuration), **(environ or {})},
            cwd="/",
        )

    def once(self, *arguments: str) -> int:
        """Make one pass over drop and queue; return the exit code."""
        process = self.spawn("--once", *arguments)
        _, lines = process.communicate(timeout=120)
        self.log += lines.splitlines()
        return process.returncode

    def check(self) -> tuple[int, str]:
        """Run ``--check``; return exit code and stderr."""
        process = self.spawn("--check")
        _, lines = process.communicate(timeout=60)
        return process.returncode, lines

    def send(self, number: int) -> None:
        """Send the daemon a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 80) -> int:
        """End the daemon by a signal; return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.ended(seconds)

    def kill(self) -> None:
        """End the daemon as a crash does."""
        self.stop(signal.SIGKILL)

    def ended(self, seconds: float = 80) -> int:
        """Wait for the daemon's end; return its exit code."""
        assert self.process is not None
        assert self._reader is not None
        code = self.process.wait(seconds)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.process = None
        return code

    def close(self) -> None:
        """End the daemon, if it runs, and remove everything."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.directory)

    # Waiting: for a condition, never for a time.

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait until a condition of files or of the stand-in is true."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"no {what} in time; log:\n" + "\n".join(self.log[-50:])
            time.sleep(0.01)

    def wait_for_log(
        self, text: str, begin: int = 0, times: int = 1, seconds: float = PATIENCE
    ) -> list[str]:
        """Wait until ``times`` lines after the first ``begin`` hold a text; return them."""

        def is_over() -> bool:
            return len(self.lines(text, begin)) >= times or self._has_ended

        with self._grown:
            self._grown.wait_for(is_over, seconds)
        lines = self.lines(text, begin)
        assert len(lines) >= times, f"no {text!r} in time; log:\n" + "\n".join(self.log[-50:])
        return lines

    def lines(self, text: str, begin: int = 0) -> list[str]:
        """Return the lines so far, after the first ``begin``, that hold a text."""
        return [line for line in self.log[begin:] if text in line]

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            with self._grown:
                self.log.append(line.rstrip("\n"))
                self._grown.notify_all()
        with self._grown:
            self._has_ended = True
            self._grown.notify_all()


@contextmanager
def of_another_user(host: Host, ses: SesServer, user: str) -> Iterator[Spool]:
    """Yield a spool of ``user`` for the installed sesmaild, the host's settings leading to it."""
    directory = host.directory / "daemon"
    directory.mkdir()
    spool = Spool(directory, ses, user, [host.installed.command("sesmaild")])
    host.settings(
        spool_directory=spool.directory,
        credentials_directory=spool.credentials,
        user=user,
        minimum_free="1M",
        real_sendmail="none",
    )
    try:
        yield spool
    finally:
        spool.close()


_IGNORED_BY_COMMIT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def message(author: str = AUTHOR, recipient: str = RECIPIENT, text: str = "Text.") -> bytes:
    """Return a message as submission leaves it."""
    lines = [
        f"From: {author}",
        f"To: {recipient}",
        "Subject: hello",
        "Date: Tue, 24 Nov 2026 03:00:00 +0000",
        "Message-ID: <1@example.com>",
        "",
        text,
        "",
    ]
    return "\n".join(lines).encode()
