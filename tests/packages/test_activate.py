"""sesmailctl activate and deactivate on Debian, and on trees laid out as Fedora's and Arch's are.

Fedora's `alternatives` is not to be had from Debian; its state file has the form of Debian's tool,
which stands in for it, under Fedora's names and with its directory. Neither Fedora nor Arch has
dpkg, nor Arch alternatives: they are taken out of their trees.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator

import pytest

from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.installation import make
from tests.packages import base
from tests.packages.debs import Debs
from tests.packages.root import Done, Root
from tests.packages.snapshot import difference

PACKAGES = ("php-cli", "python3-boto3", "python3-email-validator", "python3-rich")
NAMES = ("/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/mailq", "/usr/bin/newaliases")
OURS = "/usr/local/bin/sesmail"
# Mail, and what dpkg and update-alternatives keep of their state before the last change.
DIFFERENT = ("/var/spool/", "/var/log/", "/var/lib/dpkg/diversions-old", "/tmp/")
INSTALLED = ("/var/cache/", "/var/lib/apt/", "/var/lib/dpkg/status-old")  # by apt-get
MESSAGE = "From: wiki@{domain}\nTo: bob@example.org\nSubject: Hello\n\nText\n"
REAL = "#!/bin/sh\n# version {version}\ncat >>/tmp/real\n"

DEBIANS_TOOL = "/usr/lib/update-alternatives-of-debian"
ALTERNATIVES = f'#!/bin/sh\nexec {DEBIANS_TOOL} --admindir /var/lib/alternatives "$@"\n'
# What check says of each way.
BY_DIVERSIONS = "what packages bring is diverted to .distrib"
BY_ALTERNATIVES = "it is the chosen alternative"
BY_ASIDE = "what was there is moved aside to .real"


class Host:
    """A root with sesmail below /usr/local, and the stand-in for SES."""

    def __init__(self, root: Root, ses: SesServer) -> None:
        self.root = root
        self.ses = ses
        done = make("install", f"DESTDIR={root.path}", "PREFIX=/usr/local", "VENV=none")
        assert done.returncode == 0, done.stderr
        self.ctl("init")
        text = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
        text += f"region = us-east-1\ntransport = api\nendpoint_url = {ses.api_url}\n"
        path = "/etc/sesmail/credentials/example.com"
        root.write(path, text, mode=0o640, group="sesmail")

    def ctl(self, words: str, check: bool = True) -> Done:
        """Run sesmailctl."""
        return self.root.run(f"/usr/local/bin/sesmailctl {words}", check=check)

    def refused(self, words: str, remedy: str) -> None:
        """It fails, with the remedy, and changes nothing."""
        before = self.root.snapshot()
        done = self.ctl(words, check=False)
        assert done.returncode != 0
        assert remedy in done.stderr
        assert difference(before, self.root.snapshot(), DIFFERENT) == []

    def leads(self, path: str = NAMES[0]) -> str:
        """Return where a name leads in the end."""
        return self.root.run(["realpath", path]).stdout.strip()

    def real(self, name: str = NAMES[0]) -> str:
        """Return which real sendmail is found."""
        code = "from sesmail.submission import realsendmail as r; from sesmail import settings; "
        code += f"print(r.find(settings.load({{}}), {OURS!r}, {os.path.basename(name)!r}))"
        python = "/usr/local/lib/sesmail/.venv/bin/python3"
        return self.root.run(f'cd /usr/local/lib/sesmail && {python} -c "{code}"').stdout.strip()

    def send(self) -> None:
        """Mail of an identity reaches SES, from PHP as from a program that calls sendmail."""
        count = len(self.ses.state.messages)
        php = "exit(mail('bob@example.org', 'Hello', 'Text', 'From: wiki@example.com',"
        php += " '-f wiki@example.com') ? 0 : 1);"
        self.root.run(["php", "-r", php], user="www-data")
        for name in NAMES[:2]:
            text = MESSAGE.format(domain="example.com")
            self.root.run(f"{name} -t", user="www-data", input=text)
        self.root.run("/usr/local/sbin/sesmaild --once")
        assert len(self.ses.state.messages) == count + 3

    def send_other(self) -> None:
        """Mail of another domain reaches the real sendmail of the test."""
        text = MESSAGE.format(domain="example.net")
        self.root.run(f"{NAMES[0]} -t", user="www-data", input=text)
        assert "From: wiki@example.net" in self.root.read("/tmp/real")

    def state(self) -> str:
        """Return what check says of who /usr/sbin/sendmail is."""
        lines = self.ctl("check --offline --json", check=False).stdout.splitlines()
        findings = [json.loads(line) for line in lines]
        (text, *_) = [str(one["text"]) for one in findings if one.get("subject") == "sendmail"]
        return text

    @contextlib.contextmanager
    def active(self, by: str) -> Iterator[None]:
        """Activated, twice; then deactivated, twice; the tree is what it was. ``by``: see check."""
        before, state = self.root.snapshot(), self.state()
        assert "is sesmail" not in state
        planned = self.ctl("activate --dry-run").stdout
        assert "would " in planned
        assert difference(before, self.root.snapshot(), DIFFERENT) == []
        done = self.ctl("activate").stdout.splitlines()
        assert len(done) == len(planned.splitlines()) + 1
        between = self.root.snapshot()
        assert json.loads(self.ctl("activate --json").stdout)["steps"] == []
        assert difference(between, self.root.snapshot(), DIFFERENT) == []
        assert {self.leads(name) for name in NAMES} == {OURS}
        assert self.state() == f"/usr/sbin/sendmail is sesmail, by a link to {OURS}; {by}"
        yield
        active = self.root.snapshot()
        planned = self.ctl("deactivate --dry-run").stdout
        assert "would " in planned
        assert difference(active, self.root.snapshot(), DIFFERENT) == []
        assert len(self.ctl("deactivate").stdout.splitlines()) == len(planned.splitlines())
        assert self.state() == state
        assert "nothing was activated" in self.ctl("deactivate").stdout
        assert difference(before, self.root.snapshot(), (*DIFFERENT, *INSTALLED)) == []


@pytest.fixture
def ses() -> Iterator[SesServer]:
    """The stand-in, without a limit of rate."""
    with SesServer(identities=["example.com"]) as server:
        server.state.max_send_rate = 10_000.0
        yield server


@pytest.fixture
def host(ses: SesServer) -> Iterator[Host]:
    """A Debian without a mail program."""
    with Root(base.tree(*PACKAGES)) as root:
        yield Host(root, ses)


@pytest.fixture
def bare_fedora(host: Host) -> Host:
    """No dpkg; `alternatives`, in /usr/sbin, with its state in /var/lib/alternatives."""
    host.root.write("/usr/sbin/alternatives", ALTERNATIVES, mode=0o755)
    host.root.run(
        "mkdir /var/lib/alternatives && mv /var/lib/dpkg/alternatives/* /var/lib/alternatives &&"
        f"mv /usr/bin/update-alternatives {DEBIANS_TOOL} &&"
        "ln -s alternatives /usr/sbin/update-alternatives && rm -r /var/lib/dpkg /usr/bin/dpkg*"
    )
    return host


@pytest.fixture
def fedora(bare_fedora: Host) -> Host:
    """The group mta, as postfix.spec and exim.spec make it, and links from nowhere else."""
    root = bare_fedora.root
    for mta in ("postfix", "exim"):
        for path in (f"/usr/sbin/sendmail.{mta}", f"/usr/lib/sendmail.{mta}"):
            root.write(path, REAL.format(version=1), mode=0o755)
        for name in ("mailq", "newaliases"):
            root.write(f"/usr/bin/{name}.{mta}", REAL.format(version=1), mode=0o755)
        root.write(f"/etc/pam.d/smtp.{mta}", "#%PAM-1.0\n")
        register(root, mta)
    return bare_fedora


def register(root: Root, mta: str) -> None:
    """Do what Fedora's package does after its installation."""
    priority = {"postfix": 60, "exim": 10}[mta]
    words = f"--install /usr/sbin/sendmail mta /usr/sbin/sendmail.{mta} {priority}"
    words += f" --slave /usr/lib/sendmail mta-sendmail /usr/lib/sendmail.{mta}"
    words += f" --slave /etc/pam.d/smtp mta-pam /etc/pam.d/smtp.{mta}"
    for name in ("mailq", "newaliases"):
        words += f" --slave /usr/bin/{name} mta-{name} /usr/bin/{name}.{mta}"
    root.run(f"alternatives {words}")


@pytest.fixture
def arch(host: Host) -> Host:
    """/usr/sbin is /usr/bin, Postfix's commands lie there, and dpkg knows nothing."""
    host.root.run(
        "cp -a -n /usr/sbin/. /usr/bin/ && rm -r /usr/sbin && ln -s bin /usr/sbin &&"
        "rm -r /var/lib/dpkg /var/lib/alternatives /usr/bin/dpkg-divert 2>/dev/null || :"
    )
    host.root.write("/usr/bin/sendmail", REAL.format(version=1), mode=0o755)
    host.root.run("ln -s sendmail /usr/bin/mailq && ln -s sendmail /usr/bin/newaliases")
    return host


def test_debian_without_a_mail_program(host: Host) -> None:
    """Mail of identities goes; a mail program that comes later lands beside us, and stays."""
    with host.active(BY_DIVERSIONS):
        host.send()
    host.ctl("activate")
    host.root.install("nullmailer")
    assert {host.leads(name) for name in NAMES[:3]} == {OURS}
    assert host.root.inside("/usr/sbin/sendmail.distrib").exists()
    host.ctl("deactivate")
    assert host.leads() == "/usr/sbin/sendmail"
    assert host.root.run("dpkg -V nullmailer; dpkg --audit").stdout == ""
    assert "local" not in host.root.run("dpkg-divert --list").stdout


def test_debian_with_postfix(host: Host) -> None:
    """Identities' mail goes to SES, the rest to Postfix, also when that is installed again."""
    host.root.install("postfix")
    with host.active(BY_DIVERSIONS):
        host.send()
        assert host.real() == "/usr/sbin/sendmail.distrib"
        text = MESSAGE.format(domain="example.net")
        host.root.run("sendmail -t", user="www-data", input=text)
        waiting = host.root.run("cat /var/spool/postfix/maildrop/*").stdout
        assert "From: wiki@example.net" in waiting
        host.root.apt_get("install", "--reinstall", "postfix")
        assert host.leads() == OURS
        assert host.root.run("dpkg -V postfix; dpkg --audit").stdout == ""


def test_debian_after_an_interruption(host: Host) -> None:
    """The book of dpkg is changed, and the file not yet: the second attempt goes on."""
    host.root.write("/usr/sbin/sendmail", REAL.format(version=1), mode=0o755)
    words = "--local --no-rename --divert /usr/sbin/sendmail.distrib --add /usr/sbin/sendmail"
    host.root.run(f"dpkg-divert {words}")
    host.root.run("ln /usr/sbin/sendmail /usr/sbin/sendmail.distrib")
    host.ctl("activate")
    assert host.leads() == OURS
    host.send_other()
    host.ctl("deactivate")
    assert host.root.read("/usr/sbin/sendmail") == REAL.format(version=1)


def test_leftovers_are_refused(host: Host) -> None:
    """What is in the way stays, and so does all else, even what came before it."""
    host.root.write("/usr/sbin/sendmail", REAL.format(version=1), mode=0o755)
    host.root.write("/usr/bin/newaliases.distrib", "another's")
    host.root.write("/usr/bin/newaliases", "a program")
    host.refused("activate", "/usr/bin/newaliases.distrib is in the way")
    host.root.run("rm /usr/bin/newaliases.distrib /usr/bin/newaliases; mkdir /usr/bin/newaliases")
    host.refused("activate", "it is a directory")
    host.root.run("rmdir /usr/bin/newaliases")
    divert = "dpkg-divert --no-rename --divert /usr/bin/mailq.other"
    host.root.run(f"{divert} --package other --add /usr/bin/mailq")
    host.refused("activate", "by the package other")
    host.root.run(f"{divert} --package other --remove /usr/bin/mailq")
    host.root.write("/etc/sesmail/sesmail.conf", "real_sendmail = /usr/sbin/sendmail\n")
    host.refused("activate", "take the line out")


def test_only_root(host: Host) -> None:
    """Others are told so."""
    for name in ("activate", "deactivate"):
        done = host.root.run(f"/usr/local/bin/sesmailctl {name}", user="www-data", check=False)
        assert done.returncode == 77
        assert f"sudo sesmailctl {name}" in done.stderr


def test_fedora(fedora: Host) -> None:
    """We are the first of the group; what is not ours of it stays with Postfix."""
    with fedora.active(BY_ALTERNATIVES):
        fedora.send()
        fedora.send_other()
        assert fedora.real() == "/usr/sbin/sendmail.postfix"
        assert fedora.real("/usr/bin/mailq") == "/usr/bin/mailq.postfix"
        assert fedora.leads("/etc/pam.d/smtp") == "/etc/pam.d/smtp.postfix"
        fedora.root.run("alternatives --remove mta /usr/sbin/sendmail.postfix")
        assert fedora.leads() == OURS
        register(fedora.root, "postfix")
        assert fedora.leads() == OURS


def test_fedora_without_a_mail_program(bare_fedora: Host) -> None:
    """The group is made, and goes with us; a mail program that comes later is behind us."""
    with bare_fedora.active(BY_ALTERNATIVES):
        bare_fedora.send()
    bare_fedora.ctl("activate")
    bare_fedora.root.write("/usr/sbin/sendmail.postfix", REAL.format(version=1), mode=0o755)
    bare_fedora.root.run(
        "alternatives --install /usr/sbin/sendmail mta /usr/sbin/sendmail.postfix 60"
    )
    assert bare_fedora.leads() == OURS
    bare_fedora.send_other()
    bare_fedora.ctl("deactivate")
    assert bare_fedora.leads() == "/usr/sbin/sendmail.postfix"


def test_fedora_where_somebody_has_chosen(fedora: Host) -> None:
    """The choice by hand takes the rest of the mail as before, and comes back."""
    fedora.root.run("alternatives --set mta /usr/sbin/sendmail.exim")
    line = "real_sendmail = /usr/sbin/sendmail.exim"
    fedora.refused("activate", f"write {line} in sesmail.conf")
    fedora.root.write("/etc/sesmail/sesmail.conf", f"{line}\n")
    with fedora.active(BY_ALTERNATIVES):
        fedora.send()
        fedora.send_other()
        assert fedora.real() == "/usr/sbin/sendmail.exim"
    assert fedora.leads() == "/usr/sbin/sendmail.exim"


def test_alternatives_that_do_nothing_are_no_success(fedora: Host) -> None:
    """A plain file where a link of the group should be: the tool warns, and ends with 0."""
    fedora.root.write("/usr/bin/mailq", REAL.format(version=1), mode=0o755)
    fedora.refused("activate", "left /usr/bin/mailq as it was")
    assert fedora.leads() == "/usr/sbin/sendmail.postfix"


def test_arch(arch: Host) -> None:
    """Postfix's commands move aside, again after its update, and come back."""
    with arch.active(BY_ASIDE):
        arch.send()
        arch.send_other()
        assert arch.real() == "/usr/sbin/sendmail.real"
    arch.ctl("activate")
    arch.root.write("/usr/bin/sendmail", REAL.format(version=2), mode=0o755)
    arch.ctl("activate")
    assert arch.leads() == OURS
    assert arch.root.read("/usr/bin/sendmail.real") == REAL.format(version=2)
    arch.ctl("deactivate")
    assert arch.root.read("/usr/bin/sendmail") == REAL.format(version=2)
    assert not arch.root.inside("/usr/bin/sendmail.real").exists()


def test_arch_where_the_mail_program_is_removed(arch: Host) -> None:
    """pacman takes our link away as Postfix's file, and knows no owner: the old file goes, too."""
    arch.ctl("activate")
    arch.root.write("/usr/bin/pacman", "#!/bin/sh\nexit 1\n", mode=0o755)
    arch.root.run("rm /usr/bin/sendmail /usr/bin/mailq /usr/bin/newaliases")
    arch.ctl("activate")
    assert arch.leads() == OURS
    assert not arch.root.inside("/usr/bin/sendmail.real").exists()
    arch.ctl("deactivate")
    assert not arch.root.inside("/usr/bin/sendmail").exists()


def test_arch_leftover(arch: Host) -> None:
    """A .real that we did not make stays."""
    arch.root.write("/usr/bin/sendmail.real", "another's")
    arch.refused("activate", "/usr/bin/sendmail.real is in the way")


def test_php_only(host: Host) -> None:
    """PHP calls us, and nothing else has changed."""
    before = host.root.snapshot()
    host.ctl("activate --php-only")
    ini = "/etc/php/8.2/cli/conf.d/99-sesmail.ini"
    changed = {line.split(":")[0] for line in difference(before, host.root.snapshot())}
    assert changed >= {ini, "/var/lib/sesmail", "/var/lib/sesmail/activation.json"}
    assert all("99-sesmail.ini" in path or "/var/lib/sesmail" in path for path in changed)
    assert json.loads(host.ctl("activate --php-only --json").stdout)["steps"] == []
    php = "exit(mail('bob@example.org', 'Hello', 'Text', 'From: wiki@example.com') ? 0 : 1);"
    host.root.run(["php", "-r", php], user="www-data")
    host.root.run("/usr/local/sbin/sesmaild --once")
    assert len(host.ses.state.messages) == 1
    host.ctl("deactivate")
    assert difference(before, host.root.snapshot(), DIFFERENT) == []
    host.root.write(ini, "sendmail_path = /another\n")
    host.refused("activate --php-only", "sesmail did not write it")


def test_debians_package_needs_no_activation(ses: SesServer, debs: Debs) -> None:
    """It says so, ends with 0, and changes nothing; deactivate says what does it."""
    with Root(base.tree("adduser", *PACKAGES)) as root:
        root.install_deb(debs.sesmail)
        before = root.snapshot()
        for words in ("activate", "activate --dry-run", "deactivate", "deactivate --dry-run"):
            done = root.run(f"sesmailctl {words}")
            assert difference(before, root.snapshot(), DIFFERENT) == []
            if words != "activate --dry-run":
                assert "the Debian package sesmail does this by itself" in done.stdout
                assert "apt remove sesmail" in done.stdout
        assert json.loads(root.run("sesmailctl activate --json").stdout) == {
            "way": "package",
            "dry_run": False,
            "steps": [],
        }


def test_uninstall_waits_for_deactivate(host: Host) -> None:
    """`make uninstall` leaves no link to nothing."""
    host.ctl("activate")
    words = ("uninstall", f"DESTDIR={host.root.path}", "PREFIX=/usr/local")
    refused = make(*words)
    assert refused.returncode != 0
    assert "sesmailctl deactivate" in refused.stderr
    host.ctl("deactivate")
    assert make(*words).returncode == 0
