"""`sesmailctl setup` without a terminal: every step, run again, and what stops it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sesmail.delivery import credentials
from sesmail.sysexits import (
    EX_CANTCREAT,
    EX_CONFIG,
    EX_DATAERR,
    EX_UNAVAILABLE,
    EX_USAGE,
)
from tests import ctl
from tests.fakes.dns import DnsServer
from tests.fakes.state import KEY_ID, SECRET
from tests.setups import ADMIN_ID, ADMIN_SECRET, World
from tests.spool import IDENTITY, Spool

TEMPORARY = "ASIAIOSFODNN7EXAMPLE"


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    """A DNS without records."""
    with DnsServer() as server:
        yield server


@pytest.fixture
def world(spool: Spool, dns: DnsServer, tmp_path: Path) -> World:
    """Nothing is set up."""
    return World(spool, dns, tmp_path)


def document(result: ctl.Result) -> Any:
    """Return the one document of ``--json``; the exit code is in it."""
    (found,) = result.documents
    assert found["exit"] == result.exit_code
    return found


def states(found: Any) -> list[str]:
    """Return how the records stand."""
    return [record["state"] for record in found["records"]]


# From nothing.


def test_from_nothing_to_the_records(world: World) -> None:
    """The file is there, SES knows the domain, the records are told; 69, for they are missing."""
    result = world.run(*world.flags(), "--no-wait", "--no-test")
    assert result.exit_code == EX_UNAVAILABLE
    identity = world.state.identity(IDENTITY)
    assert (identity.mail_from, identity.on_mx_failure) == (
        f"bounce.{IDENTITY}",
        "USE_DEFAULT_VALUE",
    )
    assert identity.key_length == "RSA_2048_BIT"
    zone = world.state.signing_hosted_zone
    for token in identity.tokens:
        name = f"{token}._domainkey.{IDENTITY}"
        assert f"{name}. IN CNAME {token}.{zone}." in result.stdout.splitlines()
    assert f"sesmailctl setup {IDENTITY} " in result.stdout.splitlines()[-1]
    assert f"may do more than send; enough is: sesmailctl policy {IDENTITY}" in result.stdout
    loaded = credentials.load(str(world.spool.credentials), IDENTITY)
    assert (loaded.access_key_id, loaded.secret_access_key) == (KEY_ID, SECRET)
    assert stat.S_IMODE(world.file.stat().st_mode) == 0o640


def test_the_zone_is_the_one_that_ses_names(world: World) -> None:
    """Also with a botocore that is older than that member."""
    world.state.signing_hosted_zone = "dkim.mars-1.example.net"
    found = document(world.run(*world.flags(), "--no-wait", "--no-test", "--json"))
    assert all(
        record["value"].endswith(".dkim.mars-1.example.net") for record in found["records"][:3]
    )


def test_the_second_run_goes_on(world: World) -> None:
    """It needs none of the flags, finds everything, and ends with 0; the third is the same."""
    world.run(*world.flags(), "--no-wait", "--no-test")
    written = world.file.stat()
    world.publish()
    for _ in range(2):
        found = document(world.run("--no-test", "--json"))
        assert (found["exit"], found["verified"], found["status"]) == (0, True, "SUCCESS")
        assert states(found) == ["ok"] * 5 + ["missing"]  # DMARC, which is only proposed
        assert found["mail_from"] == {"domain": f"bounce.{IDENTITY}", "status": "SUCCESS"}
        assert found["credentials"]["written"] is False
    assert world.file.stat().st_ino == written.st_ino
    assert len(world.state.identities.known) == 1


def test_all_in_one_command_while_the_records_appear(world: World) -> None:
    """The zone file of the first run, loaded during the wait of the second, ends that wait."""
    zone = world.directory / "zone"
    world.run(*world.flags(), "--no-wait", "--no-test", "--zone", str(zone))
    with world.person("--no-test") as person:
        person.expect("Waiting (Ctrl-C leaves)")
        world.dns.load(zone.read_text())
        assert person.ended() == 0
        assert f"{IDENTITY} is set up." in person.screen


def test_json_is_one_document_with_everything(world: World) -> None:
    """Standard output has it and nothing else; the zone in it can be loaded."""
    result = world.run(*world.flags(), "--no-wait", "--no-test", "--json")
    found = document(result)
    assert found["verified"] is False
    assert found["credentials"]["caller"].startswith("arn:aws:iam::123456789012:user/")
    assert found["account"]["production"] is True
    world.dns.load(found["zone"])
    again = document(world.run("--no-test", "--json"))
    assert (again["exit"], again["verified"]) == (0, True)
    assert states(again) == ["ok"] * 5  # a DMARC record is there now, and is left alone


def test_no_secret_in_what_is_said(world: World) -> None:
    """Not with --json either."""
    for words in ((), ("--json",)):
        result = world.run(*world.flags(), "--no-wait", "--no-test", *words)
        assert SECRET not in result.stdout + result.stderr


def test_a_name_with_umlauts(world: World) -> None:
    """SES and the file get A-labels."""
    world.run(*world.flags(), "--no-wait", "--no-test", identity="Bücher.example")
    assert (world.spool.credentials / "xn--bcher-kva.example").exists()
    assert world.state.identity("xn--bcher-kva.example").mail_from == (
        "bounce.xn--bcher-kva.example"
    )


@pytest.mark.parametrize("name", ["*", "../x", "a/b.com", "localhost", "", "exa mple.com", "-@x"])
def test_a_name_that_is_none(world: World, name: str) -> None:
    """64 before anything is asked or written."""
    result = world.run(*world.flags(), identity=name)
    assert result.exit_code == EX_USAGE
    assert world.state.requests == 0
    assert list(world.spool.credentials.iterdir()) == []


# The credentials.


def test_what_is_missing_is_named_by_its_flag(world: World) -> None:
    """Without a terminal nobody is asked."""
    result = world.run()
    assert (result.exit_code, result.stdout) == (EX_USAGE, "")
    assert "--key-id" in result.stderr
    result = world.run("--key-id", KEY_ID)
    assert "--secret-file" in result.stderr
    result = world.run("--key-id", KEY_ID, "--secret-file", world.secret_file())
    assert "--region" in result.stderr
    assert not world.file.exists()


@pytest.mark.parametrize(
    ("key_id", "secret", "said"),
    [
        (SECRET, KEY_ID, "--key-id: that is the secret"),
        ("ses-smtp-user.20261124-081500", SECRET, "--key-id: that is the name of the IAM user"),
        ("AIDAIOSFODNN7EXAMPLE", SECRET, "--key-id: that is an id of a user or role"),
        (TEMPORARY, SECRET, "--key-id: that is a temporary key"),
        (KEY_ID[:-1], SECRET, "--key-id: that has 19 characters"),
        (KEY_ID, KEY_ID, "--secret-file: that is an access key id once more"),
        (KEY_ID, SECRET[:-2], "--secret-file: that has 38 characters"),
        (KEY_ID, SECRET[:-1] + "!", "--secret-file: that has a character"),
        (KEY_ID, "X" * 44, "--secret-file: that has 44 characters, but is no SMTP password"),
    ],
)
def test_a_wrong_shape_is_told_at_once(world: World, key_id: str, secret: str, said: str) -> None:
    """64, what it is instead, and no value; nobody was asked."""
    flags = ["--key-id", key_id, "--secret-file", world.secret_file(secret), "--region", "x-y-1"]
    result = world.run(*flags)
    assert result.exit_code == EX_USAGE
    assert said in result.stderr
    assert secret not in result.stderr
    assert world.state.counts["connection"] == 0
    assert not world.file.exists()


def test_a_secret_that_does_not_match_reaches_no_file(world: World) -> None:
    """78, with the reason; nothing is left, not even for a moment under another name."""
    result = world.run(*world.flags(SECRET[:-1] + "Z"), "--no-wait")
    assert result.exit_code == EX_CONFIG
    assert "do not match" in result.stderr
    assert list(world.spool.credentials.iterdir()) == []


def test_a_key_that_is_gone(world: World) -> None:
    """78 as well; a file that was there stays."""
    del world.state.keys[KEY_ID]
    assert world.run(*world.flags()).exit_code == EX_CONFIG
    world.spool.use_api()
    before = world.file.read_bytes()
    result = world.run("--no-wait")
    assert (result.exit_code, world.file.read_bytes()) == (EX_CONFIG, before)


def test_a_secret_from_standard_input(world: World) -> None:
    """``-``; two of them cannot both be that."""
    flags = ["--key-id", KEY_ID, "--secret-file", "-", "--region", world.state.region]
    world.run(*flags, "--no-wait", "--no-test", stdin=f"{SECRET}\n")
    assert SECRET in world.file.read_text()
    both = ["--admin-key-id", ADMIN_ID, "--admin-secret-file", "-"]
    assert world.run(*flags, *both, stdin=f"{SECRET}\n").exit_code == EX_USAGE


def test_other_keys_of_the_file(world: World) -> None:
    """Whatever sesmail.conf(5) knows of, but for secrets."""
    more = ["--set", "submitters = www-data", "--set", "tags=a=b", "--no-wait", "--no-test"]
    world.run(*world.flags(), *more)
    loaded = credentials.load(str(world.spool.credentials), IDENTITY)
    assert (loaded.submitters, loaded.tags) == (("www-data",), (("a", "b"),))
    for wrong in ("aws_secret_access_key=x", "submitters", "rubbish=x"):
        result = world.run("--set", wrong)
        assert result.exit_code == EX_USAGE
        assert "--set" in result.stderr


def test_what_is_there_is_not_overwritten(world: World) -> None:
    """The same again is no change; another secret needs --replace, and keeps the other keys."""
    world.run(*world.flags(), "--set", "tags=a=b", "--no-wait", "--no-test")
    before = world.file.read_bytes()
    assert world.run(*world.flags(), "--no-wait", "--no-test").exit_code == EX_UNAVAILABLE
    world.state.keys["AKIAIOSFODNN7ANOTHER"] = ADMIN_SECRET
    other = ["--key-id", "AKIAIOSFODNN7ANOTHER", "--secret-file", world.secret_file(ADMIN_SECRET)]
    result = world.run(*other, "--no-wait", "--no-test")
    assert result.exit_code == EX_CANTCREAT
    assert "--replace" in result.stderr
    assert world.file.read_bytes() == before
    world.run(*other, "--replace", "--no-wait", "--no-test")
    loaded = credentials.load(str(world.spool.credentials), IDENTITY)
    assert (loaded.access_key_id, loaded.tags) == ("AKIAIOSFODNN7ANOTHER", (("a", "b"),))


def test_a_file_of_no_use_is_not_lost_either(world: World) -> None:
    """Its fault is told; --replace writes it anew."""
    world.spool.identity(IDENTITY, "aws_access_key_id = AKIA")
    result = world.run(*world.flags(), "--no-wait", "--no-test")
    assert (result.exit_code, world.file.read_text()) == (
        EX_CONFIG,
        "aws_access_key_id = AKIA\n",
    )
    world.run(*world.flags(), "--replace", "--no-wait", "--no-test")
    assert SECRET in world.file.read_text()


def test_mail_that_is_captured_is_not_set_up(world: World) -> None:
    """There is no SES behind it."""
    world.spool.identity(IDENTITY, "transport = capture", "directory = /var/tmp/caught")
    result = world.run()
    assert result.exit_code == EX_DATAERR
    assert "/var/tmp/caught" in result.stderr


def test_nobody_answers(world: World) -> None:
    """The file is written, 69, and what could not be tried is told."""
    flags = [*world.flags(), "--no-wait", "--no-test"]
    words = ["setup", IDENTITY, *flags, "--endpoint-url", "http://127.0.0.1:1"]
    result = ctl.run(world.spool, *words, "--nameserver", world.dns.address)
    assert result.exit_code == EX_UNAVAILABLE
    assert "could not be tried" in result.stdout
    assert "run the same command again: sesmailctl setup" in result.stdout
    assert world.file.exists()


@pytest.mark.parametrize(
    ("action", "verified", "left"),
    [
        ("ses:GetEmailIdentity", None, ["identity", "records", "verification", "account", "test"]),
        (
            "ses:PutEmailIdentityMailFromAttributes",
            False,
            ["identity", "records", "verification", "account", "test"],
        ),
        ("ses:PutAccountDetails", False, ["account", "test"]),
    ],
)
def test_the_network_fails_on_the_way(
    world: World, action: str, verified: bool | None, left: list[str]
) -> None:
    """The document has what is done and what is open; the same command does that."""
    flags = [*world.flags(), "--no-wait", "--no-test", "--json"]
    request = ["--request-production", "--website", "https://example.com", "--use-case", "Shop."]
    request += ["--contact", "me@example.com", "--mail-type", "transactional"]
    world.state.sandbox = True
    world.state.refusing[action] = ConnectionResetError()
    found = document(world.run(*flags, *request))
    assert found["exit"] == EX_UNAVAILABLE
    assert found["failure"].startswith(action.removeprefix("ses:"))
    assert (found["verified"], found["open"]) == (verified, left)
    assert found["credentials"]["written"] is True
    assert bool(found["records"]) == ("records" not in left)
    del world.state.refusing[action]
    found = document(world.run(*flags, *request))
    assert (found["failure"], found["open"], found["verified"]) == ("", [], False)


# Rights.


def test_an_administrator_sets_up_and_is_forgotten(world: World) -> None:
    """The stored key only sends; the other one sets up, and is nowhere stored."""
    world.only_sends()
    admin = world.admin_flags()
    result = world.run(*world.flags(), *admin, "--no-wait", "--no-test")
    assert world.state.identity(IDENTITY).mail_from
    assert "may do more" not in result.stdout
    text = world.file.read_text()
    assert KEY_ID in text
    assert ADMIN_ID not in text
    assert ADMIN_SECRET not in text + result.stdout + result.stderr


def test_without_rights_there_are_steps_for_the_console(world: World) -> None:
    """What is not known is said; with a key that works 0, for more cannot be done here."""
    world.only_sends()
    found = document(world.run(*world.flags(), "--no-test", "--json"))
    assert (found["exit"], found["verified"], found["account"]) == (0, None, None)
    assert any("GetEmailIdentity" in line for line in found["unknown"])
    assert any(f'"Domain": {IDENTITY}' in step for step in found["steps"])
    assert world.state.identities.known == {}


def test_an_administrator_who_may_not(world: World) -> None:
    """What is missing is named, with the verb that prints the policy."""
    world.state.denied[ADMIN_ID] = {"ses:CreateEmailIdentity"}
    admin = world.admin_flags()
    result = world.run(*world.flags(), *admin, "--no-wait", "--no-test", "--json")
    assert "sesmailctl policy" in document(result)["unknown"][0]
    assert "CreateEmailIdentity" in document(result)["unknown"][0]


def test_a_wrong_key_of_an_administrator(world: World) -> None:
    """78; the stored key is written already, for it works."""
    admin = world.admin_flags(SECRET)
    result = world.run(*world.flags(), *admin, "--no-wait", "--no-test")
    assert result.exit_code == EX_CONFIG
    assert world.file.exists()


@pytest.mark.parametrize(
    ("secret", "said"),
    [("short", "has 40 characters"), ("smtp", "an SMTP password cannot set anything up")],
)
def test_an_administrator_needs_a_secret_access_key(world: World, secret: str, said: str) -> None:
    """An SMTP password is told apart."""
    secret = world.ses.smtp_password() if secret == "smtp" else secret
    result = world.run(*world.flags(), *world.admin_flags(secret), "--no-wait")
    assert result.exit_code == EX_USAGE
    assert said in result.stderr
    assert secret not in result.stderr


def test_a_temporary_key_of_an_administrator(world: World) -> None:
    """Its session token is the second line of the file."""
    world.only_sends()
    world.state.keys[TEMPORARY] = ADMIN_SECRET
    world.state.session_tokens[TEMPORARY] = "token"
    admin = world.admin_flags(f"{ADMIN_SECRET}\ntoken", TEMPORARY)
    world.run(*world.flags(), *admin, "--no-wait", "--no-test")
    assert world.state.identity(IDENTITY).mail_from


# SMTP.


def smtp_flags(world: World) -> list[str]:
    """Return the flags for an SMTP password and the stand-in's door."""
    ses = world.ses
    keys = {
        "smtp_host": ses.smtp_host,
        "smtp_port": ses.smtps_port,
        "smtp_tls": "wrapper",
        "ca_file": ses.ca_file,
    }
    return [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]


def test_an_smtp_password_logs_in_and_the_rest_are_steps(world: World) -> None:
    """The login is real; records that need no answer of SES are told with their values."""
    words = [*world.flags(world.ses.smtp_password()), *smtp_flags(world), "--no-test", "--json"]
    found = document(world.run(*words))
    assert (found["exit"], found["verified"]) == (0, None)
    assert found["credentials"]["transport"] == "smtp"
    assert found["credentials"]["work"] is True
    assert [record["type"] for record in found["records"]] == ["MX", "TXT", "TXT"]
    steps = "\n".join(found["steps"])
    assert "feedback-smtp.us-east-1.amazonses.com" in steps
    assert f"bounce.{IDENTITY}" in steps
    assert world.state.counts["auth"] == 1
    assert world.state.identities.known == {}


def test_a_wrong_smtp_password(world: World) -> None:
    """That of another region has the right shape; 78, and no file."""
    world.state.region = "eu-west-1"
    password = world.ses.smtp_password()
    world.state.region = "us-east-1"
    result = world.run(*world.flags(password), *smtp_flags(world), "--no-test")
    assert result.exit_code == EX_CONFIG
    assert "535" in result.stderr
    assert "region" in result.stderr
    assert password not in result.stderr
    assert not world.file.exists()


def test_an_smtp_password_and_an_administrator(world: World) -> None:
    """Then SES can be asked after all."""
    admin = [
        "--admin-key-id",
        ADMIN_ID,
        "--admin-secret-file",
        world.secret_file(ADMIN_SECRET, "a"),
    ]
    world.run(
        *world.flags(world.ses.smtp_password()),
        *smtp_flags(world),
        *admin,
        "--no-wait",
        "--no-test",
    )
    assert world.state.identity(IDENTITY).mail_from


# MAIL FROM.


def test_another_mail_from(world: World) -> None:
    """Chosen by a flag; what is there stays unless another is given; none takes it away."""
    words = ["--no-wait", "--no-test"]
    world.run(*world.flags(), *words, "--mail-from", f"ses.{IDENTITY}")
    assert world.state.identity(IDENTITY).mail_from == f"ses.{IDENTITY}"
    world.run(*words)
    assert world.state.identity(IDENTITY).mail_from == f"ses.{IDENTITY}"
    found = document(world.run(*words, "--mail-from", "none", "--json"))
    assert world.state.identity(IDENTITY).mail_from == ""
    assert [record["purpose"] for record in found["records"]] == ["DKIM"] * 3 + ["DMARC"]


@pytest.mark.parametrize("name", ["bounce.example.org", IDENTITY, "*.example.com", "bounce"])
def test_a_mail_from_elsewhere(world: World, name: str) -> None:
    """It is a subdomain, or SES refuses it."""
    result = world.run(*world.flags(), "--mail-from", name)
    assert result.exit_code == EX_USAGE
    assert not world.file.exists()


# The DNS.


def test_a_doubled_record_is_named(world: World) -> None:
    """What the provider has made of the name, and what to type instead."""
    world.run(*world.flags(), "--no-wait", "--no-test")
    token, *others = world.state.identity(IDENTITY).tokens
    zone = world.state.signing_hosted_zone
    name = f"{token}._domainkey.{IDENTITY}"
    world.dns.add(f"{name}.{IDENTITY}", "CNAME", f"{token}.{zone}")
    for other in others:
        world.dns.add(f"{other}._domainkey.{IDENTITY}", "CNAME", f"{other}.{zone}")
    result = world.run("--no-wait", "--no-test")
    (line,) = [line for line in result.stdout.splitlines() if "the provider appends" in line]
    assert f"{name}.{IDENTITY}" in line
    assert f"enter the name as {token}._domainkey" in line
    found = document(world.run("--no-wait", "--no-test", "--json"))
    assert states(found)[:3] == ["doubled", "ok", "ok"]


def test_an_existing_dmarc_is_left_alone(world: World) -> None:
    """Also that of a parent domain: nothing weaker is proposed."""
    world.dns.add(f"_dmarc.{IDENTITY}", "TXT", "v=DMARC1; p=reject")
    found = document(world.run(*world.flags(), "--no-wait", "--no-test", "--json"))
    assert "DMARC" not in [record["purpose"] for record in found["records"]]
    result = world.run(*world.flags(), "--no-wait", "--no-test", identity=f"sub.{IDENTITY}")
    assert "v=DMARC1; p=reject" in result.stdout
    assert "p=none" not in result.stdout


def test_a_dns_that_does_not_answer(world: World) -> None:
    """No record is called missing then, and no DMARC is proposed."""
    world.dns.failure = "SERVFAIL"
    found = document(world.run(*world.flags(), "--no-wait", "--no-test", "--json"))
    assert states(found) == ["not known"] * 5


def test_a_domain_with_a_key_of_its_owner(world: World) -> None:
    """SES does not know that record: nothing is guessed, and nothing replaced."""
    world.run(*world.flags(), "--no-wait", "--no-test")
    world.publish()
    identity = world.state.identity(IDENTITY)
    identity.selector = "own"
    result = world.run("--no-wait", "--no-test", "--new-dkim")
    assert result.exit_code == EX_CONFIG
    assert "a DKIM key of your own" in result.stderr
    identity.verify()
    result = world.run("--no-test")
    assert (result.exit_code, identity.selector) == (0, "own")
    assert "a DKIM key of your own" in result.stdout
    assert "_domainkey" not in result.stdout


# The wait.


def test_the_wait_ends(world: World) -> None:
    """With the time-out: 69, and how to go on."""
    result = world.run(*world.flags(), "--timeout", "0.1", "--no-test")
    assert result.exit_code == EX_UNAVAILABLE
    assert "run the same command again" in result.stdout


def test_verified_but_for_the_mail_from(world: World) -> None:
    """Mail flows, but not all is done."""
    world.run(*world.flags(), "--no-wait", "--no-test")
    world.publish()
    world.dns.remove(f"bounce.{IDENTITY}")
    found = document(world.run("--no-wait", "--no-test", "--json"))
    assert (found["exit"], found["status"], found["verified"]) == (
        EX_UNAVAILABLE,
        "SUCCESS",
        False,
    )


def test_ses_has_given_up(world: World) -> None:
    """With the records there: new ones only if somebody wants that; they replace the old."""
    world.run(*world.flags(), "--no-wait", "--no-test")
    identity = world.state.identity(IDENTITY)
    old = identity.tokens
    identity.fail()
    result = world.run("--no-test")
    assert "enter them first" in result.stdout
    world.publish()
    result = world.run("--no-test")
    assert result.exit_code == EX_UNAVAILABLE
    assert "--new-dkim" in result.stdout
    assert world.state.identity(IDENTITY).tokens == old
    found = document(world.run("--no-test", "--no-wait", "--new-dkim", "--json"))
    new = world.state.identity(IDENTITY).tokens
    assert not set(new) & set(old)
    assert [record["name"].split(".")[0] for record in found["records"][:3]] == new
    world.publish()
    assert world.run("--no-test").exit_code == 0


# The account.


def test_the_sandbox_is_told_and_not_left_unasked(world: World) -> None:
    """Nothing is requested without the flag."""
    world.state.sandbox = True
    result = world.run(*world.flags(), "--no-wait", "--no-test")
    assert "sandbox" in result.stdout
    assert world.state.details == {}


PRODUCTION = [
    "--request-production",
    "--mail-type",
    "transactional",
    "--website",
    "https://example.com",
    "--use-case",
    "Notices of a wiki to its members.",
    "--contact",
    "admin@example.com",
]


def test_production_access(world: World) -> None:
    """Requested with what the flags say; the second time AWS is at it already."""
    world.state.sandbox = True
    words = [*PRODUCTION, "--no-wait", "--no-test", "--json"]
    first = document(world.run(*world.flags(), *words))
    assert first["production_request"] == "requested"
    assert world.state.details["MailType"] == "TRANSACTIONAL"
    assert first["account"]["review"] == "PENDING"
    assert document(world.run(*words))["production_request"] == "pending"
    world.state.sandbox = False
    assert document(world.run(*words))["production_request"] == "granted"


def test_production_access_needs_answers(world: World) -> None:
    """Without a terminal each is named by its flag."""
    world.state.sandbox = True
    result = world.run(*world.flags(), *PRODUCTION[:-2], "--no-wait", "--no-test")
    assert result.exit_code == EX_USAGE
    assert "--contact" in result.stderr


# An address.


def test_an_address(world: World) -> None:
    """No records; SES sends a mail, and waits for the link to be followed."""
    name = f"wiki@{IDENTITY}"
    result = world.run(*world.flags(), "--no-wait", "--no-test", identity=name)
    assert result.exit_code == EX_UNAVAILABLE
    assert f"SES sends a mail to {name}" in result.stdout
    assert "_domainkey" not in result.stdout
    world.state.identity(name).verify()
    assert world.run("--no-test", identity=name).exit_code == 0
    for flag in (("--mail-from", "none"), ("--zone", "/dev/null")):
        assert world.run(*flag, identity=name).exit_code == EX_USAGE


def test_an_address_of_a_verified_domain(world: World) -> None:
    """It needs nothing: SES knows it by its domain."""
    world.state.identities.add(IDENTITY)
    name = f"wiki@{IDENTITY}"
    result = world.run(*world.flags(), "--no-test", identity=name)
    assert (result.exit_code, name in world.state.identities.known) == (0, False)


def test_an_address_whose_link_has_expired(world: World) -> None:
    """SES sends no second mail: what to do is told, and nothing is waited for."""
    name = f"wiki@{IDENTITY}"
    world.run(*world.flags(), "--no-wait", "--no-test", identity=name)
    world.state.identity(name).fail()
    result = world.run("--no-test", identity=name)
    assert result.exit_code == EX_UNAVAILABLE
    assert "not followed in time" in result.stdout


# Flags.


@pytest.mark.parametrize(
    "words",
    [
        ["--role", "--secret-file", "-"],
        ["--role", "--key-id", KEY_ID],
        ["--admin-secret-file", "-"],
        ["--website", "https://example.com"],
        ["--test-to", "bob"],
        ["--test-to", "bob@example.org", "--no-test"],
        ["--interval", "-1"],
        ["--timeout", "nan"],
        ["--nameserver", "localhost"],
    ],
)
def test_flags_that_say_nothing_together(world: World, words: list[str]) -> None:
    """64, before anything is asked or written."""
    result = world.run(*words)
    assert result.exit_code == EX_USAGE
    assert result.stderr.count("\n") == 1
    assert world.state.counts["connection"] == 0
    assert not world.file.exists()


def test_a_verified_domain_without_mail_from_keeps_it_so(world: World) -> None:
    """Somebody wanted that; only the flag changes it."""
    world.state.identities.add(IDENTITY)
    assert world.run(*world.flags(), "--no-test").exit_code == 0
    assert world.state.identity(IDENTITY).mail_from == ""
    world.run("--no-test", "--no-wait", "--mail-from", f"bounce.{IDENTITY}")
    assert world.state.identity(IDENTITY).mail_from == f"bounce.{IDENTITY}"


@pytest.mark.root
def test_nothing_was_ever_initialized(world: World) -> None:
    """Spool and credentials directory are made first; one command is enough."""
    world.spool.credentials.rmdir()
    result = world.run(*world.flags(), "--no-wait", "--no-test")
    assert f"made {world.spool.credentials}: root:root 0751" in result.stdout
    assert world.file.exists()
