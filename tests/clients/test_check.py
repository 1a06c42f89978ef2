"""`sesmailctl check`: a healthy host is all ok; each way to break it is named, with the remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.clients import healthy
from tests.clients.healthy import DOMAIN, FILE, MAIL_FROM, SPOOL, UNIT, Healthy
from tests.clients.machine import Machine
from tests.fakes.dns import DnsServer
from tests.fakes.identity import PENDING
from tests.fakes.ses import SesServer
from tests.installation import Installation

WRONG_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEX"
PHP_INI = "/etc/php/8.2/cli/conf.d/99-mail.ini"
LEVELS = {"ok": 0, "warning": 1, "broken": 2}


@pytest.fixture(scope="module")
def examined(
    installed: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """The host, for the tests of this file; its spool lies on what it shares with this one."""
    volume = installed.prefix.parent / "volume"
    volume.mkdir()
    with Machine(tmp_path_factory.mktemp("examined"), installed.prefix.parent) as machine:
        healthy.prepare(machine, installed, volume)
        yield machine


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    """The DNS that the host asks."""
    with DnsServer() as server:
        yield server


@pytest.fixture
def host(
    examined: Machine, installed: Installation, ses: SesServer, dns: DnsServer
) -> Iterator[Healthy]:
    """The host as each test finds it: healthy."""
    with healthy.host(examined, installed, ses, dns) as made:
        yield made


def test_a_healthy_host(host: Healthy) -> None:
    """Everything is ok, and the exit code 0."""
    code, found = host.check()
    assert [one for one in found if one.level != "ok"] == []
    assert code == 0
    assert {"sendmail", "php", "units", "queue", f"{DOMAIN}: keys"} <= {
        one.subject for one in found
    }


# Breaking one thing.


def wrong_secret(host: Healthy) -> None:
    host.credentials(secret=WRONG_SECRET)


def smtp_password_as_secret(host: Healthy) -> None:
    host.credentials("transport = api", secret=host.ses.smtp_password())


def secret_as_smtp_password(host: Healthy) -> None:
    smtp(host, "region = eu-west-1")


def smtp(host: Healthy, *lines: str, **secret: str) -> None:
    """Send by SMTP."""
    ca_file = "/etc/sesmail/ca.pem"
    with open(host.ses.ca_file) as file:
        host.machine.write(ca_file, file.read())
    server = [f"smtp_host = {host.ses.smtp_host}", f"smtp_port = {host.ses.smtps_port}"]
    server.append("smtp_tls = wrapper")
    host.credentials("transport = smtp", *server, f"ca_file = {ca_file}", *lines, **secret)


def unverified(host: Healthy) -> None:
    identity = host.ses.state.identity(DOMAIN)
    identity.status = identity.mail_from_status = PENDING


def sandbox(host: Healthy) -> None:
    host.ses.state.sandbox = True


def clock_off(host: Healthy) -> None:
    host.ses.state.clock_offset = 3600.0


def world_readable(host: Healthy) -> None:
    host.path(FILE).chmod(0o644)


def readable_through_a_group(host: Healthy) -> None:
    host.root(
        f"chgrp www-data {FILE}; setfacl -m g:sesmail:r {FILE} || gpasswd -a sesmail www-data"
    )


def in_the_group(host: Healthy) -> None:
    host.root("gpasswd -a www-data sesmail")


def no_real_sendmail(host: Healthy) -> None:
    host.machine.write("/etc/sesmail/sesmail.conf", "")
    host.root("for file in /usr/sbin/sendmail.distrib /usr/bin/msmtp; do mv $file $file.away; done")


def another_sendmail_path(host: Healthy) -> None:
    host.machine.write(PHP_INI, 'sendmail_path = "/usr/bin/msmtp -t"\n')


def no_such_sendmail_path(host: Healthy) -> None:
    host.machine.write(PHP_INI, 'sendmail_path = "/usr/bin/mhsendmail"\n')


def pool_of_fpm(host: Healthy) -> None:
    line = 'php_admin_value[sendmail_path] = "/usr/bin/msmtp -t"\n'
    host.machine.write("/etc/php/8.2/fpm/pool.d/shop.conf", f"[shop]\n{line}")


def another_program(host: Healthy) -> None:
    host.root("ln -sf /usr/bin/msmtp /usr/sbin/sendmail")


def dead_daemon(host: Healthy) -> None:
    host.stop()


def doubled_record(host: Healthy) -> None:
    token = host.ses.state.identity(DOMAIN).tokens[0]
    name = f"{token}._domainkey.{DOMAIN}"
    host.dns.remove(name)
    host.dns.add(f"{name}.{DOMAIN}", "CNAME", f"{token}.dkim.amazonses.com")


def quota_used(host: Healthy) -> None:
    host.ses.state.max_24_hour_send = 10.0
    host.ses.state.sent.append((host.ses.state.now(), 10))


def quota_nearly_used(host: Healthy) -> None:
    host.ses.state.max_24_hour_send = 10.0
    host.ses.state.sent.append((host.ses.state.now(), 8))


def paused(host: Healthy) -> None:
    host.ses.state.enforcement = "SHUTDOWN"


def on_probation(host: Healthy) -> None:
    host.ses.state.enforcement = "PROBATION"


def wrong_region(host: Healthy) -> None:
    host.credentials("region = eu-west-1")


def no_such_region(host: Healthy) -> None:
    host.credentials("region = eu-wset-1", "endpoint_url = https://email.eu-wset-1.invalid")


def unreachable(host: Healthy) -> None:
    host.credentials("endpoint_url = http://127.0.0.1:1")


def no_certificate(host: Healthy) -> None:
    host.credentials(f"endpoint_url = {host.ses.api_tls_url}")


def syntax_error(host: Healthy) -> None:
    host.credentials("regoin = us-east-1")


def closed_directory(host: Healthy) -> None:
    host.path("/etc/sesmail/credentials").chmod(0o700)


def unaligned(host: Healthy) -> None:
    identity = host.ses.state.identity(DOMAIN)
    identity.signing = False
    identity.mail_from = ""


def mail_from_without_mx(host: Healthy) -> None:
    host.dns.remove(MAIL_FROM, "MX")


def read_only_for_the_unit(host: Healthy) -> None:
    host.machine.write(
        f"/etc/systemd/system/{UNIT}.d/strict.conf", "[Service]\nProtectSystem=strict\n"
    )


def damaged_database(host: Healthy) -> None:
    host.stop()
    with host.path(f"{SPOOL}/queue/queue.db").open("r+b") as file:
        file.write(bytes(4096))
    host.start()


def damaged_page(host: Healthy) -> None:
    host.stop()  # so that all is in this file
    with host.path(f"{SPOOL}/queue/queue.db").open("r+b") as file:
        file.seek(3 * 8192)
        file.write(b"\xff" * 8192)
    host.start()


def writable_directory(host: Healthy) -> None:
    host.path(f"{SPOOL}/drop").chmod(0o1777)


def closed_above_the_drop(host: Healthy) -> None:
    host.path("/var/spool").chmod(0o710)


def closed_above_the_credentials(host: Healthy) -> None:
    host.path("/etc/sesmail").chmod(0o700)


def leftover(host: Healthy) -> None:
    host.root(f"cp -p {FILE} {FILE}.bak")


def unknown_setting(host: Healthy) -> None:
    host.machine.write("/etc/sesmail/sesmail.conf", "histroy = 1d\n")


def wrong_setting(host: Healthy) -> None:
    host.machine.write("/etc/sesmail/sesmail.conf", "history = soon\n")


def loop(host: Healthy) -> None:
    host.machine.write("/usr/local/bin/wrapper", '#!/bin/sh\nexec /usr/sbin/sendmail "$@"\n', 0o755)
    host.machine.write("/etc/sesmail/sesmail.conf", "real_sendmail = /usr/local/bin/wrapper\n")


def volatile(host: Healthy) -> None:
    host.stop()
    host.root(f"mount -t tmpfs volatile {SPOOL}; {host.installed.command('sesmailctl')} init")
    host.start()


@dataclass(frozen=True)
class Case:
    """How the host is broken; what is said of it, by whom (`subject`), and what to do."""

    break_it: Callable[[Healthy], None]
    level: str
    subject: str
    says: str
    remedy: str
    besides: tuple[str, ...] = ()  # subjects that cannot be ok then, either


CASES = [
    Case(wrong_secret, "broken", f"{DOMAIN}: keys", "SignatureDoesNotMatch", "copy both again"),
    Case(
        smtp_password_as_secret,
        "broken",
        f"{DOMAIN}: credentials",
        "is an SES SMTP password",
        "IAM secret access key",
    ),
    Case(
        secret_as_smtp_password,
        "broken",
        f"{DOMAIN}: keys",
        "an IAM secret, from which the SMTP password for region eu-west-1 is made",
        "made for this region",
    ),
    Case(
        unverified,
        "broken",
        f"{DOMAIN}: identity",
        "example.com is not verified (PENDING)",
        "sesmailctl setup example.com",
        (f"{DOMAIN}: DKIM", f"{DOMAIN}: MAIL FROM", f"{DOMAIN}: DMARC"),
    ),
    Case(sandbox, "broken", f"{DOMAIN}: account", "in the sandbox", "--request-production"),
    Case(
        clock_off, "broken", "clock", "s behind 127.0.0.1: AWS refuses", "timedatectl set-ntp true"
    ),
    Case(world_readable, "broken", f"{DOMAIN}: permissions", "every user can read", "chmod 0640"),
    Case(
        readable_through_a_group,
        "broken",
        f"{DOMAIN}: secrets",
        "www-data can read the secret",
        f"chgrp sesmail {FILE}",
    ),
    Case(
        in_the_group,
        "broken",
        f"{DOMAIN}: secrets",
        "through the group sesmail",
        "gpasswd -d www-data sesmail",
    ),
    Case(no_real_sendmail, "warning", "real sendmail", "there is none", "real_sendmail = none"),
    Case(
        another_sendmail_path,
        "warning",
        "php",
        "/usr/bin/php: sendmail_path names /usr/bin/msmtp",
        'sendmail_path = "/usr/sbin/sendmail -t -i"',
    ),
    Case(no_such_sendmail_path, "broken", "php", "which is no program", "/usr/sbin/sendmail -t -i"),
    Case(pool_of_fpm, "warning", "php", "pool.d/shop.conf", "/usr/sbin/sendmail -t -i"),
    Case(another_program, "broken", "sendmail", "is /usr/bin/msmtp, not sesmail", "activate"),
    Case(dead_daemon, "broken", "sesmaild", "does not run", "start sesmaild"),
    Case(
        doubled_record,
        "broken",
        f"{DOMAIN}: DNS",
        "is doubled",
        "the provider appends example.com",
    ),
    Case(quota_used, "broken", f"{DOMAIN}: account", "10 of 10 mails", "a larger quota"),
    Case(quota_nearly_used, "warning", f"{DOMAIN}: account", "80 %", "a larger quota"),
    Case(paused, "broken", f"{DOMAIN}: account", "SHUTDOWN", "appeal in the SES console"),
    Case(on_probation, "warning", f"{DOMAIN}: account", "PROBATION", "answer in the SES console"),
    Case(wrong_region, "broken", f"{DOMAIN}: keys", "valid region", "correct region"),
    Case(no_such_region, "broken", "endpoint", "eu-west-1 is meant?", "correct region"),
    Case(unreachable, "broken", "endpoint", "TCP: no connection", "firewall"),
    Case(no_certificate, "broken", "endpoint", "TLS", "check ca_file"),
    Case(
        syntax_error,
        "broken",
        f"{DOMAIN}: credentials",
        f"{FILE}, line 5: unknown key regoin",
        "region is meant?",
    ),
    Case(
        closed_directory,
        "broken",
        "permissions",
        "callers cannot find out which identities there are",
        "chmod o+x /etc/sesmail/credentials",
        (f"{DOMAIN}: secrets",),
    ),
    Case(
        unaligned,
        "broken",
        f"{DOMAIN}: DMARC",
        "receivers reject the mail",
        "sesmailctl setup example.com",
        (f"{DOMAIN}: DKIM",),
    ),
    Case(
        mail_from_without_mx,
        "warning",
        f"{DOMAIN}: DNS",
        f"MAIL FROM: MX {MAIL_FROM} is missing",
        "enter 10 feedback-smtp.us-east-1.amazonses.com",
    ),
    Case(
        read_only_for_the_unit,
        "warning",
        UNIT,
        "ProtectSystem=strict: the spool is read-only for it",
        f"ReadWritePaths={SPOOL}",
    ),
    Case(damaged_database, "broken", "queue", "was damaged and is set aside", "queue salvage"),
    Case(damaged_page, "broken", "queue", "is damaged", "restart sesmaild"),
    Case(writable_directory, "broken", "permissions", "sesmail:sesmail 3733", "sesmailctl init"),
    Case(
        closed_above_the_drop,
        "broken",
        "callers",
        "www-data cannot write to /var/spool/sesmail/drop: /var/spool is closed",
        "chmod o+x /var/spool",
        ("queue", "waiting"),  # the user of sesmaild cannot go there, either
    ),
    Case(
        closed_above_the_credentials,
        "broken",
        "callers",
        "cannot look for identities",
        "chmod o+x /etc/sesmail",
        (f"{DOMAIN}: secrets",),
    ),
    Case(leftover, "warning", f"{DOMAIN}.bak: credentials", "no author leads to", "move it out"),
    Case(unknown_setting, "broken", "settings", "line 1: unknown key 'histroy'", "correct"),
    Case(wrong_setting, "broken", "settings", "line 1: history: a duration", "sesmail.conf(5)"),
    Case(loop, "broken", "real sendmail", "a loop", "name the real sendmail itself"),
    Case(volatile, "broken", "file system", "on tmpfs: what waits is gone", "a local volume"),
]


@pytest.mark.parametrize("case", CASES, ids=[case.break_it.__name__ for case in CASES])
def test_what_is_broken_is_named(host: Healthy, case: Case) -> None:
    """The one thing that is broken is told, with its remedy, and nothing else is blamed."""
    case.break_it(host)
    code, found = host.check()
    wrong = [one for one in found if one.level != "ok"]
    told = [one for one in wrong if one.subject == case.subject and case.says in one.text]
    assert told, wrong
    assert {one.level for one in told} == {case.level}
    assert all(case.remedy in one.remedy for one in told), told
    others = {one.subject for one in wrong} - {case.subject, *case.besides}
    assert others == set(), wrong
    assert code == max(LEVELS[one.level] for one in wrong)


def test_the_drop_in_lets_the_unit_out(host: Healthy) -> None:
    """What `--unit` prints, pasted into a shell, is what was missing."""
    read_only_for_the_unit(host)
    command = str(host.installed.command("sesmailctl"))
    done = host.machine.run([command, "check", "--unit", "php8.2-fpm"], "root")
    assert done.returncode == LEVELS["broken"]
    told, _, pasted = done.stdout.decode().partition("\n\n")
    assert "the spool is read-only for it" in told
    done = host.machine.run([command, "check", "--unit", "php8.2-fpm", "--json"], "root")
    *_, document = (json.loads(line) for line in done.stdout.splitlines())
    assert document == {
        "unit": UNIT,
        "file": f"/etc/systemd/system/{UNIT}.d/sesmail.conf",
        "text": f"[Service]\nReadWritePaths={SPOOL}\n",
    }
    # systemd does not run in this machine.
    host.root("systemctl() { :; }\n" + pasted)
    done = host.machine.run([command, "check", "--unit", "php8.2-fpm"], "root")
    assert (done.returncode, done.stdout.count(b"\n")) == (LEVELS["ok"], 1)


def test_for_another_user(host: Healthy) -> None:
    """www-data sees less, is told what, and finds nothing broken in that."""
    code, found = host.check("www-data")
    wrong = [one for one in found if one.level != "ok"]
    assert code == LEVELS["warning"]
    assert {one.subject for one in wrong} == {"credentials", "drop", "queue", "waiting"}
    assert {one.remedy for one in wrong} == {"sudo sesmailctl check"}


def test_without_a_spool(host: Healthy) -> None:
    """Where callers send themselves, they may read the secret; what that costs is a warning."""
    host.stop()
    host.root(f"rm -rf {SPOOL}/*; chgrp www-data {FILE}")
    code, found = host.check()
    wrong = [one for one in found if one.level != "ok"]
    assert [(one.level, one.subject) for one in wrong] == [("warning", "permissions")]
    assert "there is no spool" in wrong[0].text
    assert code == LEVELS["warning"]
    (read,) = [one for one in found if one.subject == f"{DOMAIN}: secrets"]
    assert "as sending without a spool needs" in read.text
