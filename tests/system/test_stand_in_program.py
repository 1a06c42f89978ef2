"""The SES stand-in as a program, and what its options make of the account."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import dns.resolver
import pytest

from tests.fakes.client import Caller, refusal
from tests.fakes.dns import DnsServer
from tests.fakes.identity import Identity
from tests.fakes.zone import Zone

MESSAGE = b"From: ann@example.com\r\nTo: bob@example.net\r\nSubject: hello\r\n\r\n.one line\r\n"


@contextlib.contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], Mapping[str, str]]]:
    """The program while it runs, and the addresses that it told; it must end well."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.ses", *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        try:
            words = process.stdout.readline().split()
            yield process, dict(word.split("=", 1) for word in words[1:])
        finally:
            process.terminate()
        assert process.wait() == 0


def test_program(tmp_path: Path) -> None:
    """It announces itself, shows what it got and ends on SIGTERM."""
    ready = tmp_path / "ready"
    key_id, secret = "AKIAI44QH8DHBEXAMPLE", "some/secret:key"
    with running(
        *("--identity", "example.com", "--show", "--key", f"{key_id}:{secret}"),
        *("--once-ready-file", str(ready)),
    ) as (process, told):
        announced = ready.read_text().split()
        with Caller(told, key_id=key_id, secret=secret) as caller:
            caller.send("v2", MESSAGE, tags={"id": "7"}, destinations=["c@example.net"])
        process.terminate()
        assert process.stdout is not None
        shown = process.stdout.read()
    assert announced == [f"{name}={value}" for name, value in told.items()]
    assert "accepted by v2" in shown
    assert "destinations:      c@example.net" in shown
    assert "id=7" in shown
    assert ".one line" in shown


def test_account() -> None:
    """Sandbox, quota, rate, SES's verdict and the suppression list are options."""
    with (
        running(
            *("--sandbox", "--quota", "200", "--rate", "1", "--enforcement", "PROBATION"),
            *("--suppress", "gone@example.org", "--verify-after", "0"),
        ) as (_, told),
        Caller(told) as caller,
    ):
        account = caller.v2().get_account()
        caller.v2().create_email_identity(EmailIdentity="example.net")
        identity = caller.v2().get_email_identity(EmailIdentity="example.net")
        caller.v2().get_suppressed_destination(EmailAddress="gone@example.org")
    assert account["ProductionAccessEnabled"] is False
    assert account["EnforcementStatus"] == "PROBATION"
    assert account["SendQuota"] == {
        "Max24HourSend": 200.0,
        "MaxSendRate": 1.0,
        "SentLast24Hours": 0.0,
    }
    assert identity["VerificationStatus"] == "SUCCESS"


def test_clock() -> None:
    """Its clock can be wrong."""
    with running("--clock-offset", "3600") as (_, told), Caller(told) as caller:
        assert "Signature expired" in refusal(caller.v2().get_account).text


def test_dns(tmp_path: Path) -> None:
    """It can be the DNS, too, and verify what has its records there."""
    zone = tmp_path / "zone"
    zone.write_text(
        "".join(
            f"{token}._domainkey.example.net. IN CNAME {token}.dkim.amazonses.com.\n"
            for token in Identity("example.net").tokens
        )
    )
    with running("--zone", str(zone)) as (_, told), Caller(told) as caller:
        resolver = dns.resolver.Resolver(configure=False)
        host, _, port = told["dns"].partition(":")
        resolver.nameservers, resolver.port = [host], int(port)
        token = Identity("example.net").tokens[0]
        assert resolver.resolve(f"{token}._domainkey.example.net", "CNAME")
        caller.v2().create_email_identity(EmailIdentity="example.net")
        found = caller.v2().get_email_identity(EmailIdentity="example.net")
    assert found["VerificationStatus"] == "SUCCESS"


def test_zone_that_changes(tmp_path: Path) -> None:
    """The file may come later, be wrong for a while, be mended, and go."""
    path = tmp_path / "zone"
    with DnsServer() as server:
        zone = Zone(path, server)
        assert zone.refresh() == ""
        path.write_text("example.com. IN TXT one\n")
        assert zone.refresh() == ""
        assert set(server.records) == {("example.com", "TXT")}
        path.write_text("example.com. IN MX")
        assert zone.refresh().startswith(f"{path}: ")
        assert zone.refresh() == ""
        path.write_text("example.com. IN MX 10 mx.example.com.\n")
        assert zone.refresh() == ""
        assert server.records == {("example.com", "MX"): ["10 mx.example.com."]}
        path.unlink()
        assert zone.refresh() == ""
        assert server.records == {}


@pytest.mark.parametrize("option", ["--enforcement", "--quota"])
def test_wrong_options(option: str) -> None:
    """An option that it cannot make sense of ends it at once."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fakes.ses", option, "WRONG"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert ended.returncode == 2
    assert option in ended.stderr
