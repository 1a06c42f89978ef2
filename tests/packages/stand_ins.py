"""A Debian of a test's own where AWS, the DNS and systemd are stand-ins, for typing what pages say.

All that differs from what a stranger has stands here:

- `sesmailctl` is a script that adds flags, so that the stand-ins are asked (_SESMAILCTL);
- `systemctl` starts and stops what a unit's ExecStart says, for nothing runs as process 1;
- `make` is told VENV=none, for no test fetches packages of Python;
- a role is that of a container: where its keys are is in the environment.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes.dns import DnsServer
from tests.fakes.role import Agent
from tests.fakes.ses import KEY_ID, SesServer
from tests.installation import CHECKOUT
from tests.packages import base
from tests.packages.root import PATH, Root
from tests.terminal import Person

REGION = "eu-west-1"
DOMAIN = "example.com"
PROMPT = "host# "
PATIENCE = 300.0  # seconds for a command, apt's too; only a failing test waits for so long
PYTHON = ("python3-boto3", "python3-email-validator", "python3-rich")
PROGRAMS = ("adduser", "php-cli", *PYTHON, "make", "git", "python3-venv")
_INSTALLED_BY_PAGES = ("adduser", "build-essential", "debhelper", "fakeroot", "mandoc", "git")
_CA = "/etc/ssl/stand-in.pem"
_PROGRAMS = "/opt/stand-ins"  # before all others in PATH
_SESMAILCTL = """\
#!/bin/sh
# What is stored sends to the stand-ins; the DNS is asked at a stand-in, and often.
real=/usr/local/bin/sesmailctl
[ -x $real ] || real=/usr/bin/sesmailctl
dns="--nameserver {dns}"
lines="endpoint_url={api} smtp_host=localhost smtp_port={smtps} smtp_tls=wrapper ca_file={ca}"
case $1 in
setup)
    for line in $lines; do set -- "$@" --set "$line"; done
    exec $real "$@" $dns --interval 0.1
    ;;
check)
    case $* in *--unit* | *--offline*) dns= ;; esac
    exec $real "$@" $dns
    ;;
import)
    $real "$@" || exit
    for file in /etc/sesmail/credentials/*; do
        [ -e "$file" ] || continue
        for line in $lines; do grep -q "^${{line%%=*}} *=" "$file" || echo "$line" >>"$file"; done
    done
    ;;
*) exec $real "$@" ;;
esac
"""
_SYSTEMCTL = """\
#!/bin/sh
# systemctl VERB UNIT ...: of sesmaild, start and stop its process; others need only be units.
set -e
verb=$1
shift
[ "$1" != --now ] || shift
for unit; do
    file=
    for place in /etc /usr/local/lib /lib; do
        [ ! -e "$place/systemd/system/$unit.service" ] || file=$place/systemd/system/$unit.service
    done
    [ "$file" ] || { echo "Unit $unit.service could not be found." >&2; exit 5; }
    [ "$unit" = sesmaild ] || continue
    case $verb in disable | stop | restart)
        [ ! -e /run/sesmaild.pid ] || kill "$(cat /run/sesmaild.pid)"
        rm -f /run/sesmaild.pid
        ;;
    esac
    case $verb in enable | start | restart)
        program=$(sed -n 's/^ExecStart=//p' "$file")
        setsid $program --stderr </dev/null >/run/sesmaild.log 2>&1 &
        echo $! >/run/sesmaild.pid
        ;;
    esac
done
"""
_MAKE = '#!/bin/sh\nexec /usr/bin/make "$@" VENV=none\n'


class StandIns:
    """The host as `root`, and what it meets; with a deb, sesmail is there and its daemon runs.

    ``packages`` are on the host that has none of ours, beside PHP.
    """

    def __init__(
        self, deb: Path | None = None, *, has_role: bool = False, packages: Sequence[str] = ()
    ) -> None:
        self._all = contextlib.ExitStack()
        enter = self._all.enter_context
        try:
            self.ses = enter(SesServer(region=REGION))
            self.dns = enter(DnsServer())
            agent = enter(Agent())
            # No test counts downloads.
            base.fetch(base.tree("php-cli"), *PYTHON, "python3-venv", *_INSTALLED_BY_PAGES)
            there = PROGRAMS if deb else ("php-cli", *packages)
            self.root = enter(Root(base.tree(*there)))
            self.ses.state.verify_when_dns(self.dns)
            self._environ = {"PATH": f"{_PROGRAMS}:{PATH}"}
            if has_role:
                self._environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{agent.url}/keys"
            self._write_stand_ins()
            if deb:
                self.root.install_deb(deb)
                self.start_daemon()
        except BaseException:
            self._all.close()
            raise

    def _write_stand_ins(self) -> None:
        values = {"dns": self.dns.address, "api": self.ses.api_url, "ca": _CA}
        script = _SESMAILCTL.format(**values, smtps=self.ses.smtps_port)
        for name, text in (
            ("sesmailctl", script),
            ("systemctl", _SYSTEMCTL),
            ("make", _MAKE),
        ):
            self.root.write(f"{_PROGRAMS}/{name}", text, 0o755)
        self.root.write(_CA, Path(self.ses.ca_file).read_bytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.root.inside("/run/sesmaild.log").exists() and error is not None:
            print(self.root.read("/run/sesmaild.log"))
        self._all.close()

    def run(self, command: str, input: str = "") -> None:
        """Run a command as `shell` would, whatever its exit code is."""
        self.root.run(command, input=input, env=self._environ, check=False)

    @property
    def smtp_password(self) -> str:
        """What the SES console shows once."""
        return self.ses.smtp_password(KEY_ID)

    def start_daemon(self) -> None:
        """Do what systemd does when the package was installed."""
        self.root.run("systemctl start sesmaild", env=self._environ)
        self._until("test -e /var/spool/sesmail/run/control")

    def bring_checkout(self) -> None:
        """Put the files of this tree where commands are typed."""
        archive = subprocess.run(
            [CHECKOUT / "packaging/dist"], capture_output=True, text=True, check=True
        ).stdout.strip()
        place = self.root.inside("/root/sesmail")
        place.mkdir()
        subprocess.run(
            ["tar", "xzf", CHECKOUT / archive, "--strip-components=1", "-C", place], check=True
        )

    def bring_deb(self, deb: Path) -> None:
        """Put the package where commands are typed."""
        place = self.root.inside("/root/sesmail")
        place.mkdir(exist_ok=True)
        shutil.copy(deb, place)

    def enter_records(self) -> None:
        """Do at the DNS provider what SES asks for."""
        for token in self.ses.state.identity(DOMAIN).tokens:
            target = f"{token}.{self.ses.state.signing_hosted_zone}"
            self.dns.add(f"{token}._domainkey.{DOMAIN}", "CNAME", target)
        self.dns.add(f"bounce.{DOMAIN}", "MX", f"10 feedback-smtp.{REGION}.amazonses.com")
        self.dns.add(f"bounce.{DOMAIN}", "TXT", "v=spf1 include:amazonses.com ~all")
        self.dns.add(f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=none")

    def shell(self) -> Person:
        """Return root at a shell, with nothing in his environment but what a login gives."""
        login = {"HOME": "/root", "LANG": "C.UTF-8", "PS1": PROMPT, "PAGER": "cat"}
        environ = self._environ | login | base.proxies()
        words = ["bash", "--norc", "--noprofile", "-i"]
        person = Person(
            [str(word) for word in self.root.words(words)], environ, 200, 60, patience=PATIENCE
        )
        person.expect(PROMPT)
        person.type("cd /root/sesmail 2>/dev/null || cd /root")
        person.expect(PROMPT)
        return person

    def wait_until_sent(self) -> None:
        """Return when nothing waits: what was dropped has been picked up, and has its outcome."""
        drop = "/var/spool/sesmail/drop"
        self._until(f"mailq 2>&1 | grep -q 'queue is empty' && [ -z \"$(ls -A {drop})\" ]")

    def _until(self, condition: str) -> None:
        end = time.monotonic() + PATIENCE
        while self.root.run(condition, check=False).returncode != 0:
            assert time.monotonic() < end, f"never: {condition}"
            time.sleep(0.05)
