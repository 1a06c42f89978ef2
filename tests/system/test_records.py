"""The records that SES wants, how each stands in the DNS, and the slips that are named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sesmail.control import records
from sesmail.control.dns import Dns, DnsError
from sesmail.control.records import DOUBLED, MISSING, OK, WRONG
from sesmail.sysexits import ConfigurationError, UsageError
from tests.fakes.dns import DnsServer

DOMAIN = "mail.example.com"
MAIL_FROM = "bounce.mail.example.com"
ZONE = "dkim.eu-west-1.example.net"
IDENTITY = {
    "DkimAttributes": {
        "Tokens": ["aaa", "bbb", "ccc"],
        "SigningHostedZone": ZONE,
        "SigningAttributesOrigin": "AWS_SES",
    }
}
CNAME, MX, SPF = 0, 3, 4  # places in WANTED
WANTED = records.wanted(DOMAIN, IDENTITY, "eu-west-1", MAIL_FROM)


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A name server without records."""
    with DnsServer() as made:
        yield made


@pytest.fixture
def dns(server: DnsServer) -> Dns:
    """A resolver that asks it."""
    return Dns(server.address)


def test_what_is_wanted() -> None:
    """Three CNAMEs into the zone that SES named, MX and SPF for the MAIL FROM domain."""
    assert [(one.name, one.type, one.value, one.purpose) for one in WANTED] == [
        (f"aaa._domainkey.{DOMAIN}", "CNAME", f"aaa.{ZONE}", "DKIM"),
        (f"bbb._domainkey.{DOMAIN}", "CNAME", f"bbb.{ZONE}", "DKIM"),
        (f"ccc._domainkey.{DOMAIN}", "CNAME", f"ccc.{ZONE}", "DKIM"),
        (MAIL_FROM, "MX", "10 feedback-smtp.eu-west-1.amazonses.com", "MAIL FROM"),
        (MAIL_FROM, "TXT", "v=spf1 include:amazonses.com ~all", "SPF"),
    ]
    assert len(records.wanted(DOMAIN, IDENTITY, "eu-west-1", "")) == 3


def test_without_a_zone_it_is_the_old_one() -> None:
    """SES did not always tell the zone."""
    (record,) = records.dkim(DOMAIN, {"DkimAttributes": {"Tokens": ["aaa"]}})
    assert record.value == "aaa.dkim.amazonses.com"


def test_a_key_of_ones_own_is_not_guessed() -> None:
    """Then SES has no tokens that would be CNAMEs."""
    identity = {"DkimAttributes": {"SigningAttributesOrigin": "EXTERNAL", "Tokens": ["selector"]}}
    with pytest.raises(ConfigurationError, match="EXTERNAL"):
        records.wanted(DOMAIN, identity, "eu-west-1", "")


def test_the_zone_file_is_what_a_name_server_reads(server: DnsServer, dns: Dns) -> None:
    """Loaded by one, every record is as it should be."""
    proposed = [*WANTED, records.dmarc(DOMAIN, "dmarc@example.com")]
    server.load(records.zone_file(proposed))
    assert [records.look(record, dns).state for record in proposed] == [OK] * 6
    assert dns.txt(f"_dmarc.{DOMAIN}") == ["v=DMARC1; p=none; rua=mailto:dmarc@example.com"]


def test_without_records_all_are_missing(dns: Dns) -> None:
    """The remedy is the value to enter."""
    for record in WANTED:
        found = records.look(record, dns)
        assert (found.state, found.seen) == (MISSING, "")
        assert record.value in found.text()


@pytest.mark.parametrize("appended", [DOMAIN, "example.com"])
@pytest.mark.parametrize("place", [CNAME, MX, SPF])
def test_a_name_with_the_domain_twice(
    server: DnsServer, dns: Dns, place: int, appended: str
) -> None:
    """The provider has appended the domain, or the zone above it: what to type is told."""
    record = WANTED[place]
    server.add(f"{record.name}.{appended}", record.type, record.value)
    found = records.look(record, dns)
    assert found.state == DOUBLED
    assert record.name.removesuffix(f".{appended}") in found.remedy.split()
    assert f"{record.name}.{appended}" in found.remedy


@pytest.mark.parametrize("place", [CNAME, MX])
def test_a_value_with_the_domain_appended(server: DnsServer, dns: Dns, place: int) -> None:
    """A zone file without the final dot."""
    record = WANTED[place]
    server.add(record.name, record.type, f"{record.value}.{DOMAIN}")
    found = records.look(record, dns)
    assert found.state == DOUBLED
    assert "dot" in found.remedy


@pytest.mark.parametrize(
    ("place", "values", "said"),
    [
        (CNAME, ["aaa.dkim.amazonses.com"], f"enter aaa.{ZONE}"),
        (MX, ["10 feedback-smtp.us-east-1.amazonses.com"], "feedback-smtp.eu-west-1"),
        (MX, ["10 feedback-smtp.eu-west-1.amazonses.com", "20 mx.example.com"], "alone"),
        (SPF, ["v=spf1 -all"], "add include:amazonses.com"),
        (SPF, ["v=spf1 include:amazonses.com.evil.example ~all"], "add include:amazonses.com"),
        (SPF, ["v=spf1 include:amazonses.com ~all", "v=spf1 -all"], "leave one"),
    ],
)
def test_what_is_wrong_is_named(
    server: DnsServer, dns: Dns, place: int, values: list[str], said: str
) -> None:
    """Another value, or one too many."""
    for value in values:
        server.add(WANTED[place].name, WANTED[place].type, value)
    found = records.look(WANTED[place], dns)
    assert found.state == WRONG
    assert said in found.remedy
    assert found.seen


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (MX, "5 Feedback-SMTP.eu-west-1.amazonses.com"),
        (SPF, "V=spf1 include:_spf.example.com include:amazonses.com -all"),
        (CNAME, f"AAA.{ZONE}"),
    ],
)
def test_what_is_as_good(server: DnsServer, dns: Dns, place: int, value: str) -> None:
    """Case, preference and what else an SPF record allows do not matter."""
    server.add(WANTED[place].name, WANTED[place].type, value)
    server.add(WANTED[SPF].name, "TXT", "google-site-verification=x")
    assert records.look(WANTED[place], dns).state == OK


def test_dmarc_that_counts(server: DnsServer, dns: Dns) -> None:
    """The domain's own, else that of a parent; other TXT records at that name are nothing."""
    assert records.dmarc_in_force(DOMAIN, dns) == ("", "")
    server.add("_dmarc.example.com", "TXT", "v=DMARC1; p=reject")
    server.add(f"_dmarc.{DOMAIN}", "TXT", "something else")
    assert records.dmarc_in_force(DOMAIN, dns) == ("_dmarc.example.com", "v=DMARC1; p=reject")
    server.add(f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=none")
    assert records.dmarc_in_force(DOMAIN, dns) == (f"_dmarc.{DOMAIN}", "v=DMARC1; p=none")


@pytest.mark.parametrize("failure", ["SERVFAIL", "REFUSED"])
def test_no_answer_is_not_no_record(server: DnsServer, dns: Dns, failure: str) -> None:
    """Nobody is told to enter a record that may be there."""
    server.failure = failure
    with pytest.raises(DnsError, match="--nameserver"):
        records.look(WANTED[0], dns)


@pytest.mark.parametrize(
    "text", ["name.example", "127.0.0.1:x", "127.0.0.1:70000", "::1:53:", "[::1"]
)
def test_a_nameserver_is_an_address(text: str) -> None:
    """Else the flag is named."""
    with pytest.raises(UsageError, match="--nameserver"):
        Dns(text)


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("::1", "::1", 53),
        ("[::1]:5353", "::1", 5353),
        ("[::1]", "::1", 53),
        ("1.1.1.1", "1.1.1.1", 53),
    ],
)
def test_forms_of_a_nameserver(text: str, address: str, port: int) -> None:
    """IPv6 with a port has brackets."""
    resolver = Dns(text)._resolver
    assert (resolver.nameservers, resolver.port) == ([address], port)


def test_a_long_text_is_one(server: DnsServer, dns: Dns) -> None:
    """A TXT of several strings is read as their sum."""
    server.add("example.com", "TXT", '"v=spf1 " "-all"')
    assert dns.txt("example.com") == ["v=spf1 -all"]
