"""A root with PHP, a stand-in for SES, perhaps a mail program, and sesmail as a package."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.clients.recorder import Recorder
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.packages import base
from tests.packages.mta import Mta
from tests.packages.root import Done, Root
from tests.packages.snapshot import Snapshot

# What sesmail depends on is there before, so that a test sees what the package itself leaves.
PACKAGES = ("adduser", "php-cli", "python3-boto3", "python3-email-validator", "python3-rich")
DOMAIN = "example.com"  # an identity
OTHER_DOMAIN = "example.net"
SENDMAIL = "/usr/sbin/sendmail"
OURS = {
    SENDMAIL: "../bin/sesmail",
    "/usr/lib/sendmail": "../sbin/sendmail",
    "/usr/bin/mailq": "sesmail",
    "/usr/bin/newaliases": "sesmail",
}
_PHP = """
[, $author, $recipient] = $argv;
foreach (array_slice($argv, 3) as $token) {
    $fields = ['From' => $author, 'Message-ID' => "<$token@example.com>"];
    mail($recipient, $token, 'hello', $fields) || exit(1);
}
"""
_PATIENCE = 30.0  # seconds; only a failing test waits for so long


class MailHost:
    """The host, until the end of its ``with``."""

    def __init__(self, mta: Mta | None = None) -> None:
        self.mta = mta
        self.ses = SesServer(identities=[DOMAIN])
        self.ses.state.max_send_rate = 10_000.0
        self.next_hop = Recorder()
        self.root = Root(base.tree(*PACKAGES))
        self._numbers = itertools.count(1)
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.ses.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.root.__exit__(kind, error, trace)
        if self._daemon:
            self._daemon.wait(_PATIENCE)
        self.next_hop.__exit__(kind, error, trace)
        self.ses.__exit__(kind, error, trace)

    def install_mta(self, mta: Mta) -> None:
        """Install a mail program, in place of the one that may be there."""
        mta.install(self.root, self.next_hop)
        self.mta = mta

    def install(self, deb: Path) -> Done:
        """Install sesmail, with the credentials of DOMAIN if there are none."""
        done = self.root.install_deb(deb)
        if not self.root.inside(f"/etc/sesmail/credentials/{DOMAIN}").exists():
            self.credentials(self.ses.api_url)
        return done

    def credentials(self, endpoint_url: str) -> None:
        """Write the credentials of DOMAIN, for this endpoint."""
        text = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
        text += f"region = {self.ses.state.region}\ntransport = api\n"
        text += f"endpoint_url = {endpoint_url}\n"
        path = f"/etc/sesmail/credentials/{DOMAIN}"
        self.root.write(path, text, 0o640, "root", "sesmail")

    # The daemon: there is no init in a root.

    def start(self) -> None:
        """Start sesmaild, and return once it listens."""
        command = "echo $$ >/run/sesmaild.pid; exec /usr/sbin/sesmaild"
        null = subprocess.DEVNULL
        self._daemon = self.root.start(command, stdout=null, stderr=null)
        wake = self.root.inside("/var/spool/sesmail/wake")
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                os.close(os.open(wake, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                assert time.monotonic() < deadline, "sesmaild does not listen"
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End sesmaild, and return when it has ended."""
        assert self._daemon
        self.root.run("kill $(cat /run/sesmaild.pid); rm /run/sesmaild.pid")
        assert self._daemon.wait(_PATIENCE) == 0
        self._daemon = None

    def wait_for_pickup(self) -> None:
        """Return once sesmaild has taken what is in the drop."""
        drop = self.root.inside("/var/spool/sesmail/drop")
        deadline = time.monotonic() + _PATIENCE
        while list(drop.iterdir()):
            assert time.monotonic() < deadline, "sesmaild leaves what is in the drop"
            time.sleep(0.05)

    # What must hold.

    def php_mail(self, author: str, *tokens: str, recipient: str = "bob@example.org") -> Done:
        """Let PHP send a message for each token, its subject, as www-data."""
        command = ["php", "-r", _PHP, "--", author, recipient, *tokens]
        return self.root.run(command, user="www-data", check=False)

    def token(self) -> str:
        """Return words that no other message of this host has."""
        return f"token-{next(self._numbers):05}-{os.getpid()}"

    def check(self) -> None:
        """sesmail is whole, and each mail takes its way."""
        self.check_packages()
        for path, target in OURS.items():
            assert os.readlink(self.root.inside(path)) == target
        self.start()
        token = self.token()
        done = self.php_mail(f"wiki@{DOMAIN}", token)
        assert done.returncode == 0, done
        self.wait_for_ses(token)
        self.root.run("mailq")
        self.stop()
        self.check_other_mail(is_taken=self.mta is not None)

    def check_other_mail(self, *, is_taken: bool) -> None:
        """Mail of another domain is the mail program's, where there is one; its mailq lists it."""
        token = self.token()
        done = self.php_mail(f"wiki@{OTHER_DOMAIN}", token, recipient="carol@example.org")
        assert (done.returncode == 0) is is_taken, done
        if self.mta:
            self.mta.wait_for(self.root, self.next_hop, token)
            if self.mta.keeps:
                listed = self.root.run("mailq", check=False).stdout  # sesmaild may not run
                assert "carol@example.org" in listed

    def check_packages(self) -> None:
        """Have dpkg find every file as it was unpacked, and no package half done."""
        found = self.root.run("dpkg --verify").stdout.splitlines()
        diversions = self._diversions()
        # dpkg --verify looks where a diverted file was and finds ours; so we look where it is.
        wrong = [line for line in found if not self._is_whole(line.split()[-1], diversions)]
        assert wrong == [], wrong
        audit = self.root.run("dpkg --audit").stdout
        assert audit == "", audit

    def _diversions(self) -> dict[str, str]:
        """Return where our diversions lead, by where they lead from."""
        text = self.root.run("dpkg-divert --list").stdout
        return dict(re.findall("diversion of (.*) to (.*) by sesmail", text))

    def _is_whole(self, path: str, diversions: dict[str, str]) -> bool:
        """Tell whether a file that moved aside has the sum that its package has for it."""
        moved = diversions.get(path)
        if not moved:
            return False
        digest = self.root.run(["md5sum", moved]).stdout.split()[0]
        line = f"{digest}  {path.lstrip('/')}"
        command = f"grep -qsFx '{line}' /var/lib/dpkg/info/*.md5sums"
        return self.root.run(command, check=False).returncode == 0

    def check_gone(self, before: Snapshot) -> None:
        """sesmail is no more, and the mail program has its names again."""
        self.check_packages()
        self.check_given_back(before)

    def check_given_back(self, before: Snapshot) -> None:
        """The mail program has its names again, and takes mail."""
        after = self.root.snapshot()
        for path in (*OURS, *(f"{path}.distrib" for path in OURS)):
            assert after.get(path) == before.get(path), path
        assert self._diversions() == {}
        if self.mta:
            self.check_other_mail(is_taken=True)

    def wait_for_ses(self, *tokens: str) -> None:
        """Return once SES has a message with each of these words."""
        deadline = time.monotonic() + _PATIENCE
        while missing := [word for word in tokens if word.encode() not in self._taken()]:
            assert time.monotonic() < deadline, f"SES has not got {missing}"
            time.sleep(0.05)

    def _taken(self) -> bytes:
        return b"".join(message.raw for message in list(self.ses.state.messages))
