"""`sesmailctl check` and what it asks: SES by API and by SMTP, the DNS, sesmaild."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.delivery.secret import smtp_password
from sesmail.drop import layout
from sesmail.sysexits import EX_CONFIG, EX_DATAERR, EX_USAGE
from tests import ctl
from tests.fakes.client import Caller
from tests.fakes.dns import SILENT, DnsServer
from tests.fakes.ses import KEY_ID, SECRET
from tests.spool import IDENTITY, Spool

Lines = list[tuple[str, str, str, str]]


@pytest.fixture
def dns(spool: Spool) -> Iterator[DnsServer]:
    """The DNS, with what SES wants of example.com."""
    state = spool.ses.state
    with DnsServer() as server:
        for token in state.identity(IDENTITY).tokens:
            server.add(f"{token}._domainkey.{IDENTITY}", "CNAME", f"{token}.dkim.amazonses.com")
        server.add(f"_dmarc.{IDENTITY}", "TXT", "v=DMARC1; p=reject")
        yield server


def check(spool: Spool, dns: DnsServer, *words: str) -> ctl.Result:
    """Run it for machines; no secret is in what it writes."""
    result = ctl.run(spool, "check", "--json", "--nameserver", dns.address, *words)
    assert SECRET not in result.stdout + result.stderr
    assert smtp_password(SECRET, spool.ses.state.region) not in result.stdout + result.stderr
    return result


def network(result: ctl.Result) -> Lines:
    """Return the lines about the network: level, subject, text, remedy."""
    lines = [tuple(one[key] for key in KEYS) for one in result.documents]
    wanted = ("endpoint", "clock", f"{IDENTITY}: ")
    local = (f"{IDENTITY}: permissions", f"{IDENTITY}: secrets")
    return [line for line in lines if line[1].startswith(wanted) and not line[1].startswith(local)]


ADMIN_SECRET = "Administrator/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEYS = ("level", "subject", "text", "remedy")


def wrong(result: ctl.Result) -> Lines:
    """Return those that are not ok."""
    return [line for line in network(result) if line[0] != "ok"]


def of(result: ctl.Result, subject: str) -> tuple[str, str, str, str]:
    """Return the one line about a subject of the identity."""
    (line,) = [line for line in network(result) if line[1] == f"{IDENTITY}: {subject}"]
    return line


# The API.


def test_all_is_well(spool: Spool, dns: DnsServer) -> None:
    """Whose the keys are, the account, the identity and its records."""
    result = check(spool, dns)
    assert wrong(result) == []
    assert "user/" in of(result, "keys")[2]
    assert {line[1] for line in network(result)} == {
        "endpoint",
        "clock",
        *(
            f"{IDENTITY}: {name}"
            for name in (
                *("credentials", "keys", "account", "suppression", "identity", "DKIM"),
                *("MAIL FROM", "DNS", "DMARC", "events"),
            )
        ),
    }


def test_a_key_that_may_only_send(spool: Spool, dns: DnsServer) -> None:
    """What it may not ask is not known, and no fault."""
    spool.ses.state.denied[KEY_ID] = {
        "ses:GetAccount",
        "ses:GetEmailIdentity",
        "ses:ListSuppressedDestinations",
        "sts:GetCallerIdentity",
    }
    result = check(spool, dns)
    assert wrong(result) == []
    for subject in ("account", "identity", "suppression"):
        assert "sesmailctl policy" in of(result, subject)[2]
    assert "whether the mail passes is not known" in of(result, "DMARC")[2]
    assert "whose they are is not known" in of(result, "keys")[2]


def test_a_key_that_is_gone(spool: Spool, dns: DnsServer) -> None:
    """It is told once; nothing else is asked with it."""
    del spool.ses.state.keys[KEY_ID]
    result = check(spool, dns)
    ((level, subject, text, remedy),) = wrong(result)
    assert (level, subject) == ("broken", f"{IDENTITY}: keys")
    assert "InvalidClientTokenId" in text
    assert "make a new one" in remedy
    assert result.exit_code == 2


def test_temporary_keys_that_have_run_out(spool: Spool, dns: DnsServer) -> None:
    """They are told to be renewed."""
    state, key_id = spool.ses.state, "ASIAIOSFODNN7EXAMPLE"
    state.keys[key_id] = SECRET
    state.session_tokens[key_id] = "token"
    state.expired_tokens.add(key_id)
    spool.identity(
        IDENTITY,
        f"aws_access_key_id = {key_id}",
        f"aws_secret_access_key = {SECRET}",
        "aws_session_token = token",
        f"endpoint_url = {spool.ses.api_url}",
    )
    ((level, subject, text, remedy),) = wrong(check(spool, dns))
    assert (level, subject) == ("broken", f"{IDENTITY}: keys")
    assert "Expired" in text
    assert "get new ones" in remedy


def test_an_author_below_the_identity(spool: Spool, dns: DnsServer) -> None:
    """Its file is that of the domain above, and so is its identity; its policy is sp."""
    dns.remove(f"_dmarc.{IDENTITY}")
    dns.add(f"_dmarc.{IDENTITY}", "TXT", "v=DMARC1; p=none; sp=reject; adkim=s")
    result = check(spool, dns, f"shop.{IDENTITY}")
    (found,) = [one for one in result.documents if one["subject"] == f"shop.{IDENTITY}: DMARC"]
    assert found["level"] == "broken"
    assert f"adkim=s, and SES signs as {IDENTITY}" in found["text"]
    assert "is verified" in of(result, "identity")[2]


def test_several_identities_of_an_account(spool: Spool, dns: DnsServer) -> None:
    """The account is asked once; what else there is, for each."""
    for name in ("example.net", "example.org"):
        spool.ses.state.identities.add(name)
        spool.use_api(identity=name)
    result = check(spool, dns)
    subjects = [one["subject"] for one in result.documents]
    assert subjects.count("example.com, example.net, example.org: account") == 1
    assert subjects.count("endpoint") == 1
    assert {f"example.{zone}: identity" for zone in ("com", "net", "org")} <= set(subjects)


def test_a_domain_without_credentials(spool: Spool, dns: DnsServer) -> None:
    """It is told where its mail goes, and what would change that; nobody is asked."""
    result = check(spool, dns, "example.org")
    (found,) = [one for one in result.documents if one["subject"].startswith("example.org")]
    assert (found["level"], found["remedy"]) == ("broken", "sesmailctl setup example.org")
    assert spool.ses.state.counts["connection"] == 0


def test_an_identity_in_no_such_place(spool: Spool, dns: DnsServer) -> None:
    """SES does not know it: perhaps in another region."""
    spool.ses.state.identities.clear()
    ((level, subject, text, remedy),) = wrong(check(spool, dns))
    assert (level, subject) == ("broken", f"{IDENTITY}: identity")
    assert "does not know example.com in region us-east-1" in text
    assert "correct region" in remedy


def test_the_configuration_set(spool: Spool, dns: DnsServer) -> None:
    """One that is not there would have SES refuse all mail."""
    spool.use_api("configuration_set = shop")
    ((level, subject, text, remedy),) = wrong(check(spool, dns))
    assert (level, subject) == ("broken", f"{IDENTITY}: configuration set")
    assert "shop" in text
    assert "correct configuration_set" in remedy


def test_events(spool: Spool, dns: DnsServer) -> None:
    """A queue that is not there, one that may not be read, one that is read."""
    url = f"{spool.ses.api_url}/123456789012/sesmail"
    spool.use_api(f"events_queue_url = {url}")
    ((level, _, text, remedy),) = wrong(check(spool, dns))
    assert (level, remedy) == ("broken", f"sesmailctl events setup {IDENTITY}")
    assert "there is no queue" in text
    with Caller(spool.ses) as caller:
        caller.sqs().create_queue(QueueName="sesmail")
    spool.ses.state.denied[KEY_ID] = {"sqs:ChangeMessageVisibility"}
    ((level, _, text, remedy),) = wrong(check(spool, dns))
    assert (level, "sesmailctl events policy" in remedy) == ("broken", True)
    spool.ses.state.denied.clear()
    assert wrong(check(spool, dns)) == []


ADMIN = "AKIAADMINISTRATOR123"
BY_ADMIN = ("--admin-key-id", ADMIN, "--admin-secret-file", "-")


@pytest.mark.parametrize("way", ["api", "smtp"])
def test_the_administrator_asks(spool: Spool, dns: DnsServer, way: str) -> None:
    """His keys ask what the stored ones may not; these are tried all the same."""
    if way == "smtp":
        spool.use_smtp(f"endpoint_url = {spool.ses.api_url}")
    state = spool.ses.state
    state.keys[ADMIN] = ADMIN_SECRET
    state.denied[KEY_ID] = {"ses:GetAccount", "ses:GetEmailIdentity"}
    state.sandbox = True
    words = ("check", "--json", "--nameserver", dns.address, IDENTITY, *BY_ADMIN)
    result = ctl.run(spool, *words, stdin=f"{ADMIN_SECRET}\n")
    ((level, subject, _, _),) = wrong(result)
    assert (level, subject) == ("broken", f"{IDENTITY}: account")
    assert KEY_ID.lower() in of(result, "keys")[2].lower()
    assert "is verified" in of(result, "identity")[2]
    assert ADMIN_SECRET not in result.stdout + result.stderr


# SMTP.


def test_a_login_by_smtp(spool: Spool, dns: DnsServer) -> None:
    """With the password alone it is tried for real; what it cannot ask is said."""
    spool.use_smtp()
    result = check(spool, dns)
    assert wrong(result) == []
    assert "log in" in of(result, "keys")[2]
    assert "SMTP password can only send" in of(result, "SES")[2]
    assert spool.ses.state.counts["auth"] == 1
    assert spool.ses.state.messages == []


def test_an_smtp_password_of_another_region(spool: Spool, dns: DnsServer) -> None:
    """SES refuses the login; the remedy is a password for this region."""
    spool.use_smtp()
    spool.ses.state.region = "eu-west-1"
    ((level, subject, text, remedy),) = wrong(check(spool, dns))
    assert (level, subject) == ("broken", f"{IDENTITY}: keys")
    assert "535" in text
    assert "made for this region" in remedy


def test_nobody_answers_by_smtp(spool: Spool, dns: DnsServer) -> None:
    """It is the endpoint that is blamed, not the password."""
    spool.identity(
        IDENTITY,
        f"aws_access_key_id = {KEY_ID}",
        f"aws_secret_access_key = {spool.ses.smtp_password()}",
        "smtp_host = 127.0.0.1",
        "smtp_port = 1",
    )
    ((level, subject, _, remedy),) = wrong(check(spool, dns))
    assert (level, subject) == ("broken", f"{IDENTITY}: endpoint")
    assert "smtp_port" in remedy


# The DNS.


def test_the_dns_is_silent(spool: Spool, dns: DnsServer) -> None:
    """That is no missing record: warnings, and the rest is told."""
    dns.failure = SILENT
    result = check(spool, dns)
    assert {line[0] for line in wrong(result)} == {"warning"}
    assert "is verified" in of(result, "identity")[2]


def test_no_dmarc(spool: Spool, dns: DnsServer) -> None:
    """A warning, with the record to enter."""
    dns.remove(f"_dmarc.{IDENTITY}")
    ((level, subject, _, remedy),) = wrong(check(spool, dns))
    assert (level, subject) == ("warning", f"{IDENTITY}: DMARC")
    assert f'_dmarc.{IDENTITY} TXT "v=DMARC1; p=none"' in remedy


def test_two_dmarc_records(spool: Spool, dns: DnsServer) -> None:
    """Then none counts (RFC 7489, 6.6.3)."""
    dns.add(f"_dmarc.{IDENTITY}", "TXT", "v=DMARC1; p=none")
    ((level, _, text, _),) = wrong(check(spool, dns))
    assert (level, "2 records" in text) == ("broken", True)


# The daemon, and what waits.


def documents(result: ctl.Result, subject: str) -> list[dict[str, str]]:
    """Return what is said of a subject."""
    return [one for one in result.documents if one["subject"] == subject]


@pytest.mark.parametrize("is_running", [True, False])
def test_what_is_held(spool: Spool, dns: DnsServer, is_running: bool) -> None:
    """The reason of the hold is told, by the daemon or from the queue that it left."""
    spool.use_api(secret=SECRET.replace("E", "F"))
    spool.start()
    spool.drop("bob@example.org")
    spool.wait_for_log("held:")
    if not is_running:
        spool.stop()
    result = check(spool, dns, "--offline")
    (found,) = documents(result, f"{IDENTITY}: waiting")
    assert found["level"] == "broken"
    assert "1 forward-path is held" in found["text"]
    assert "copy both again" in found["remedy"]
    (daemon,) = documents(result, "sesmaild")
    assert daemon["level"] == ("ok" if is_running else "broken")


def test_what_nobody_picks_up(spool: Spool, dns: DnsServer) -> None:
    """Mail that lies in the drop while somebody reads the FIFO: the daemon is stuck."""
    spool.start()
    queue_id = layout.new_queue_id()
    written = spool.drop_directory / f".{queue_id}"
    written.write_text(f"sesmail-drop 9 {queue_id} 0000000001 00000000\n.")  # of a newer version
    written.chmod(0o640)
    old = time.time() - 600
    os.utime(written, (old, old))
    written.rename(spool.drop_directory / queue_id)
    (found,) = documents(check(spool, dns, "--offline"), "drop")
    assert found["level"] == "broken"
    assert "1 message lies there, for up to 10 minutes" in found["text"]


@pytest.mark.parametrize(
    ("count", "says"), [(1, "1 message waits for sesmaild"), (2, "2 messages wait for sesmaild")]
)
def test_what_waits_for_a_daemon(spool: Spool, dns: DnsServer, count: int, says: str) -> None:
    """Mail in the drop of a host where none runs: a warning beside what is broken."""
    for _ in range(count):
        spool.drop("bob@example.org")
    result = check(spool, dns, "--offline")
    (found,) = documents(result, "drop")
    assert found["level"] == "warning"
    assert found["text"].startswith(says)
    (daemon,) = documents(result, "sesmaild")
    assert (daemon["level"], daemon["remedy"]) == ("broken", found["remedy"])


def test_a_daemon_that_does_not_answer(spool: Spool, dns: DnsServer) -> None:
    """It reads the FIFO, so callers drop; but who asks it hears nothing."""
    spool.start()
    place = spool.directory / "run" / "control"
    place.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        listener.settimeout(60)

        def hang_up() -> None:
            listener.accept()[0].close()

        answering = threading.Thread(target=hang_up)
        answering.start()
        result = check(spool, dns, "--offline")
        answering.join()
    told = [one for one in documents(result, "sesmaild") if one["level"] == "broken"]
    assert [one["remedy"] for one in told] == [
        "look for its last lines in the mail log, then restart it"
    ]
    assert "does not answer" in told[0]["text"]


# The command line.


def test_offline_asks_nobody(spool: Spool, dns: DnsServer) -> None:
    """Neither SES nor the DNS."""
    check(spool, dns, "--offline")
    assert spool.ses.state.counts["connection"] == 0
    assert dns.queries == []


def test_capture_asks_nobody(spool: Spool, dns: DnsServer, tmp_path: Path) -> None:
    """A Maildir has no keys."""
    spool.identity(IDENTITY, "transport = capture", f"directory = {tmp_path}")
    assert wrong(check(spool, dns)) == []
    assert spool.ses.state.counts["connection"] == 0


def test_for_people(spool: Spool, dns: DnsServer) -> None:
    """A line each, the remedy below it; what goes on, and the sum, on standard error."""
    spool.ses.state.sandbox = True
    result = ctl.run(spool, "check", "--nameserver", dns.address)
    lines = result.stdout.splitlines()
    place = lines.index(
        "broken  example.com: account: it is in the sandbox: SES sends only to addresses that are "
        "verified, 200 a day"
    )
    assert lines[place + 1] == "        sesmailctl setup example.com --request-production"
    assert all(line.startswith(("ok ", "warning ", "broken ", " " * 8)) for line in lines)
    assert "asking SES and the DNS" in result.stderr
    assert result.stderr.splitlines()[-1].endswith(" broken")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["not a domain"], EX_USAGE),
        (["--admin-profile", "me"], EX_USAGE),
        (["--nameserver", "nowhere"], EX_USAGE),
        (["--unit", "no-such-unit"], EX_DATAERR),
    ],
)
def test_what_cannot_be_followed(spool: Spool, words: list[str], code: int) -> None:
    """The exit codes of sysexits, not those for what was found."""
    assert ctl.run(spool, "check", *words).exit_code == code


def test_settings_that_cannot_be_read(spool: Spool, dns: DnsServer) -> None:
    """File, line and remedy, of each; what does not depend on them is looked at all the same."""
    spool.settings(history="soon", minimum_free="much")
    for words in ((), ("--offline",)):
        result = check(spool, dns, *words)
        assert result.exit_code == 2
        found = documents(result, "settings")
        assert [one["level"] for one in found] == ["broken"] * 2
        for one, name in zip(found, ("minimum_free", "history"), strict=True):
            assert f"sesmail.conf', line {5 + (name == 'history')}: {name}: " in one["text"]
            assert "sesmail.conf(5)" in one["remedy"]
        (drop,) = documents(result, "drop")
        assert drop["text"] == "empty: all that was dropped has been picked up"
    result = ctl.run(spool, "status")
    assert result.exit_code == EX_CONFIG
    assert "line 5: minimum_free" in result.stderr


def test_settings_that_cannot_be_read_and_a_unit(spool: Spool) -> None:
    """They are told before what is wrong with the unit, which is not there here."""
    spool.settings(history="soon")
    result = ctl.run(spool, "check", "--json", "--unit", "no-such-unit")
    assert result.exit_code == EX_DATAERR
    (found,) = documents(result, "settings")
    assert "history" in found["text"]
