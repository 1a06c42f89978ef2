"""The package beside each mail program: in every order, upgraded, removed and purged."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packages.debs import Debs, repack
from tests.packages.mailhost import DOMAIN, MailHost
from tests.packages.mta import MTAS, another, chosen
from tests.packages.snapshot import difference

# What differs after a purge, and why.
LEFT = (
    "/var/lib/dpkg/",  # dpkg's own records, the triggers' among them
    "/var/lib/apt/",
    "/var/cache/apt/",
    "/var/cache/debconf/",
    "/var/log/",  # dpkg's, apt's and adduser's
    "/etc/passwd-",  # copies that adduser and userdel make
    "/etc/group-",
    "/etc/shadow-",
    "/etc/gshadow-",
    "/etc/subuid-",
    "/etc/subgid-",
    "/run/adduser",  # its lock
)
WAITING = 100
MESSAGE = f"printf 'From: wiki@{DOMAIN}\\nSubject: in between\\n\\nhello\\n'"
DROP = "/usr/sbin/sendmail -odq bob@example.org"  # whether a daemon runs or not
# Sends until /run/stop is there: a line for each message in `taken`, or why not in `refused`.
HAMMER = f"""
number=0
while [ ! -e /run/stop ]; do
    number=$((number + 1)) subject=hammer-$1-$number-
    if printf 'From: wiki@{DOMAIN}\\nSubject: %s\\n\\nhello\\n' $subject |
        /usr/sbin/sendmail bob@example.org 2>>/mnt/refused-$1; then
        echo $subject >>/mnt/taken-$1
    else
        echo $subject $? >>/mnt/refused-$1
    fi
done
"""


@pytest.fixture
def host() -> Iterator[MailHost]:
    """A host without a mail program."""
    with MailHost() as made:
        yield made


@pytest.mark.root
@pytest.mark.parametrize("name", chosen())
def test_installed_after_the_mail_program(host: MailHost, debs: Debs, name: str) -> None:
    """It takes over; the mail program can be installed again and replaced, and has all back."""
    if mta := MTAS.get(name):
        host.install_mta(mta)
    before = host.root.snapshot()
    host.install(debs.sesmail)
    host.check()
    if mta:
        host.root.apt_get("--reinstall", "install", mta.name)
        host.check()
    host.root.apt_get("remove", "sesmail")
    host.check_gone(before)
    assert host.root.inside(f"/etc/sesmail/credentials/{DOMAIN}").exists()
    assert host.root.inside("/var/spool/sesmail/drop").is_dir()
    host.install(debs.sesmail)
    host.check()
    host.root.apt_get("purge", "sesmail")
    host.check_gone(before)
    assert difference(before, host.root.snapshot(), (*LEFT, *(mta.traces if mta else ()))) == []


@pytest.mark.root
@pytest.mark.parametrize("name", chosen())
def test_installed_before_the_mail_program(host: MailHost, debs: Debs, name: str) -> None:
    """What is installed later, and what then takes its place, gets the other mail."""
    before = host.root.snapshot()
    host.install(debs.sesmail)
    host.check()
    if mta := MTAS.get(name):
        host.install_mta(mta)
        host.check()
    host.install_mta(another(name))
    host.check()
    host.root.apt_get("purge", "sesmail")
    host.check_packages()
    differing = difference(before, host.root.snapshot(), LEFT)
    assert [line for line in differing if "sesmail" in line or ".distrib" in line] == []
    assert host.root.run("getent passwd sesmail; getent group sesmail", check=False).stdout == ""
    host.check_other_mail(is_taken=True)


@pytest.mark.root
@pytest.mark.parametrize("name", chosen())
def test_upgraded(host: MailHost, debs: Debs, previous_debs: Debs, name: str) -> None:
    """What waits is sent by the new version, and every mail that is sent meanwhile is taken."""
    if mta := MTAS.get(name):
        host.install_mta(mta)
    before = host.root.snapshot()
    host.install(previous_debs.sesmail)
    host.credentials("http://127.0.0.1:9")  # nobody there: the mail waits in the queue
    half = [host.token() for _ in range(WAITING // 2)]
    host.start()
    assert host.php_mail(f"wiki@{DOMAIN}", *half).returncode == 0
    drop = host.root.inside("/var/spool/sesmail/drop")
    host.wait_for_pickup()
    host.stop()
    other_half = [host.token() for _ in range(WAITING // 2)]
    assert host.php_mail(f"wiki@{DOMAIN}", *other_half).returncode == 0
    assert len(list(drop.iterdir())) == WAITING // 2
    host.credentials(host.ses.api_url)
    hammers = [host.root.start(["sh", "-c", HAMMER, "sh", number]) for number in "12"]
    host.install(debs.sesmail)
    host.root.write("/run/stop", "")
    for hammer in hammers:
        assert hammer.wait(60) == 0
    host.root.run("rm /run/stop")
    assert host.root.run("cat /mnt/refused-*").stdout == ""
    taken = host.root.run("cat /mnt/taken-*").stdout.split()
    assert {word.split("-")[1] for word in taken} == {"1", "2"}
    assert host.root.run("ls -d /usr/share/sesmail.*", check=False).stdout == ""
    host.start()
    host.root.run("sesmailctl queue retry --all", check=False)
    host.wait_for_ses(*half, *other_half, *taken)
    host.stop()
    host.check()
    host.root.apt_get("purge", "sesmail")
    host.check_gone(before)
    assert difference(before, host.root.snapshot(), (*LEFT, *(mta.traces if mta else ()))) == []


@pytest.mark.root
def test_new_and_old_modules_never_meet(
    host: MailHost, debs: Debs, previous_debs: Debs, tmp_path: Path
) -> None:
    """A mail is taken when only some files are the new ones, and when all are and none compiled."""
    module = "/usr/share/sesmail/sesmail/submission/route.py"

    def changed(tree: Path) -> None:
        shutil.copy(tree / module[1:], host.root.shared)
        _append(tree, "preinst", f"cp /mnt/route.py {module}\n{MESSAGE} | {DROP}\n")
        _append(tree, "postinst", f"{MESSAGE} | {DROP}\n", where="#!/bin/sh\n")

    new = repack(debs.sesmail, tmp_path / "sesmail_meeting.deb", changed)
    host.install(previous_debs.sesmail)
    host.root.install_deb(new)
    assert len(list(host.root.inside("/var/spool/sesmail/drop").iterdir())) == 2


@pytest.mark.root
def test_a_sendmail_that_began_before_ends_with_its_code(
    host: MailHost, debs: Debs, previous_debs: Debs, tmp_path: Path
) -> None:
    """An upgrade waits for it, for a while."""

    def changed(tree: Path) -> None:
        _append(tree, "preinst", "echo new >>/mnt/order\n", where="#!/bin/sh\n")

    new = repack(debs.sesmail, tmp_path / "sesmail_waiting.deb", changed)
    host.install(previous_debs.sesmail)
    # Its input ends a second after the old package's last script has begun.
    until = "until [ -L /usr/share/sesmail.keep ]; do sleep 0.05; done; sleep 1"
    command = f"({until}; {MESSAGE}) | {DROP}; echo old >>/mnt/order"
    slow = host.root.start(command)
    host.root.run("until grep -qsxz -e -IS /proc/[0-9]*/cmdline; do sleep 0.05; done")
    host.root.install_deb(new)
    assert slow.wait(30) == 0
    assert (host.root.shared / "order").read_text().split() == ["old", "new"]
    assert len(list(host.root.inside("/var/spool/sesmail/drop").iterdir())) == 1


def _append(tree: Path, script: str, text: str, where: str = "") -> None:
    """Put commands at the end of a maintainer script, or behind these words."""
    file = tree / "DEBIAN" / script
    old = file.read_text()
    file.write_text(old.replace(where, where + text, 1) if where else old + text)


@pytest.mark.root
def test_what_waits_is_counted(host: MailHost, debs: Debs) -> None:
    """A removal says how many messages wait and keeps them; a purge how many went."""
    host.install(debs.sesmail)
    tokens = [host.token() for _ in range(3)]
    assert host.php_mail(f"wiki@{DOMAIN}", *tokens).returncode == 0
    removed = host.root.apt_get("remove", "sesmail").stdout
    assert re.findall("sesmail: .*", removed) == [
        "sesmail: 3 undelivered messages stay in /var/spool/sesmail for another installation"
    ]
    host.install(debs.sesmail)
    host.start()
    host.wait_for_ses(*tokens)
    host.credentials("http://127.0.0.1:9")
    host.root.run("kill -HUP $(cat /run/sesmaild.pid)")
    assert host.php_mail(f"wiki@{DOMAIN}", host.token(), host.token()).returncode == 0
    host.wait_for_pickup()
    host.stop()
    purged = host.root.apt_get("purge", "sesmail").stdout
    lines = re.findall("sesmail: .*", purged)
    assert lines[-1] == "sesmail: 2 undelivered messages went with /var/spool/sesmail"


@pytest.mark.root
def test_the_user_may_be_there_and_policy_missing(host: MailHost, debs: Debs) -> None:
    """A user of before is taken; without policy-rc.d, and without an init, all ends well."""
    host.root.run("useradd --system --user-group sesmail; rm /usr/sbin/policy-rc.d")
    host.install(debs.sesmail)
    host.check()
    enabled = host.root.inside("/etc/systemd/system/multi-user.target.wants/sesmaild.service")
    assert enabled.is_symlink()


@pytest.mark.root
def test_the_only_mail_program(host: MailHost, debs: Debs) -> None:
    """sesmail-mta is a mail-transport-agent until another comes; sesmail stays then."""
    host.install(debs.sesmail)
    host.root.install_deb(debs.sesmail_mta)
    host.check()
    host.install_mta(MTAS["nullmailer"])
    host.check()
    status = host.root.run("dpkg-query -W -f '${db:Status-Abbrev}' sesmail-mta", check=False)
    assert not status.stdout.startswith("ii")
