"""A Machine on which all is well: sesmail in its place, sesmaild, an identity at the stand-in, DNS.

`break_it` is what a test does to it; `check` is what `sesmailctl check` then says.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.machine import Machine
from tests.fakes.dns import DnsServer
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.installation import Installation

DOMAIN = "example.com"
MAIL_FROM = "bounce.example.com"
FILE = f"/etc/sesmail/credentials/{DOMAIN}"
SPOOL = "/var/spool/sesmail"
UNIT = "php8.2-fpm.service"
_PID = "/run/sesmaild.pid"
_PATIENCE = 20.0  # seconds; only a failing test waits for so long
_WANTS = "/etc/systemd/system/multi-user.target.wants"
_HARD_LINKS = "/proc/sys/fs/protected_hardlinks"

# What tests do to the host, undone.
_MEND = f"""
    umask 022
    if grep -q "^volatile {SPOOL} " /proc/mounts; then umount {SPOOL}; fi
    rm -rf /etc/sesmail {SPOOL}/*
    mkdir /etc/sesmail
    chmod 755 /var/spool
    for file in /usr/sbin/sendmail.distrib /usr/bin/msmtp; do
        if [ -e $file.away ]; then mv $file.away $file; fi
    done
    ln -sf $1 /usr/sbin/sendmail
    rm -rf /etc/php/8.2/cli/conf.d/99-mail.ini /etc/php/8.2/fpm/pool.d/shop.conf
    rm -rf /etc/systemd/system/{UNIT}.d
    if id sesmail >/dev/null 2>&1; then
        gpasswd -d www-data sesmail || :
        gpasswd -d sesmail www-data || :
    fi
"""


@dataclass(frozen=True)
class Found:
    """A line of the answer."""

    level: str
    subject: str
    text: str
    remedy: str


class Healthy:
    """The host, the stand-ins behind it, and the daemon's process."""

    def __init__(
        self, machine: Machine, installed: Installation, ses: SesServer, dns: DnsServer
    ) -> None:
        self.machine = machine
        self.installed = installed
        self.ses = ses
        self.dns = dns
        self._secrets = {ses.smtp_password()}
        self._daemon: subprocess.Popen[bytes] | None = None

    # The host.

    def root(self, script: str, *arguments: str) -> None:
        """Run a shell script inside, as root."""
        self.machine.run(["sh", "-ec", script, "sh", *arguments], "root", check=True)

    def path(self, inside: str) -> Path:
        """Where a file of the host is, seen from outside."""
        return self.machine.root / inside.lstrip("/")

    def credentials(self, *lines: str, secret: str = SECRET) -> None:
        """Write the credentials file; of a key that is given twice the last counts."""
        keys = {
            "aws_access_key_id": KEY_ID,
            "aws_secret_access_key": secret,
            "region": self.ses.state.region,
            "endpoint_url": self.ses.api_url,
        }
        self._secrets.add(secret)
        keys.update(dict(line.split(" = ", 1) for line in lines))
        text = "".join(f"{key} = {value}\n" for key, value in keys.items())
        self.machine.write(FILE, text, 0o640, "root")
        self.root(f"chgrp sesmail {FILE}")

    def start(self) -> None:
        """Start the daemon; return when it answers."""
        command = f"echo $$ >{_PID}; exec {self.installed.command('sesmaild')}"
        self._daemon = self.machine.start(["sh", "-c", command], "root")
        self._wait(self.path(SPOOL) / "run/control")

    def stop(self) -> None:
        """End the daemon, if it runs."""
        if self._daemon is not None:
            self.root(f"kill $(cat {_PID})")
            self._daemon.wait(80)
            self._daemon = None

    def _wait(self, path: Path) -> None:
        """Wait for the last thing that the daemon makes before it is ready."""
        end = time.monotonic() + _PATIENCE
        while not path.exists():
            assert time.monotonic() < end, "the daemon does not start"
            time.sleep(0.02)

    # The doctor.

    def check(self, user: str = "root") -> tuple[int, list[Found]]:
        """Run `sesmailctl check --json`; return exit code and findings."""
        words = ["check", "--json", "--nameserver", self.dns.address]
        done = self.machine.run([str(self.installed.command("sesmailctl")), *words], user)
        for secret in self._secrets:
            assert secret.encode() not in done.stdout + done.stderr
        found = [Found(**json.loads(line)) for line in done.stdout.splitlines()]
        return done.returncode, found


def prepare(machine: Machine, installed: Installation, volume: Path) -> None:
    """Do once what all tests share; the spool is `volume`, for the host's root is an overlay."""
    script = f"""
        mv /usr/sbin/sendmail /usr/sbin/sendmail.distrib
        for name in mailq newaliases; do mv /usr/bin/$name /usr/bin/$name.distrib; done
        ln -s {installed.sendmail} /usr/sbin/sendmail
        for name in mailq newaliases; do ln -s {installed.prefix}/bin/$name /usr/bin/$name; done
        rm -rf {_WANTS}
        mkdir -p {_WANTS} {SPOOL}
        ln -s /lib/systemd/system/{UNIT} {_WANTS}/{UNIT}
        mount --bind {volume} {SPOOL}
        echo 1 >/etc/protected
        mount --bind /etc/protected {_HARD_LINKS}
    """
    machine.run(["sh", "-ec", script], "root", check=True)


@contextmanager
def host(
    machine: Machine, installed: Installation, ses: SesServer, dns: DnsServer
) -> Iterator[Healthy]:
    """A healthy host for a test; what the test breaks is whole again for the next."""
    made = Healthy(machine, installed, ses, dns)
    made.root(_MEND, str(installed.sendmail))
    made.root(f"{installed.command('sesmailctl')} init")
    _at_ses(ses)
    _in_dns(ses, dns)
    made.credentials()
    made.start()
    try:
        yield made
    finally:
        made.stop()


def _at_ses(ses: SesServer) -> None:
    ses.state.identities.add(DOMAIN)
    identity = ses.state.identities.known[DOMAIN]
    identity.mail_from = MAIL_FROM
    identity.verify()
    ses.state.max_24_hour_send = 50_000.0


def _in_dns(ses: SesServer, dns: DnsServer) -> None:
    identity, state = ses.state.identities.known[DOMAIN], ses.state
    for token in identity.tokens:
        name = f"{token}._domainkey.{DOMAIN}"
        dns.add(name, "CNAME", f"{token}.{state.signing_hosted_zone}.")
    dns.add(MAIL_FROM, "MX", f"10 feedback-smtp.{state.region}.amazonses.com.")
    dns.add(MAIL_FROM, "TXT", '"v=spf1 include:amazonses.com ~all"')
    dns.add(f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1; p=reject"')
