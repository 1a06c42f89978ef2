"""The DNS stand-in, asked by dnspython's resolver, answers as a resolver on the Internet does."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.resolver
import pytest

from tests.fakes.dns import REFUSED, SERVFAIL, SILENT, DnsServer


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A server without records."""
    with DnsServer() as one:
        yield one


@pytest.fixture
def resolver(server: DnsServer) -> dns.resolver.Resolver:
    """Asks that server and no other, and soon gives up."""
    one = dns.resolver.Resolver(configure=False)
    one.nameservers, one.port, one.lifetime = ["127.0.0.1"], server.port, 5
    return one


def test_records(server: DnsServer, resolver: dns.resolver.Resolver) -> None:
    """Records of several types and several values; names match in any case; queries are kept."""
    server.add("Example.com.", "TXT", "v=spf1 -all")
    server.add("example.com", "TXT", '"two " "strings; \\"quoted\\""')
    server.add("example.com", "MX", "10 mx.example.net")
    texts = {b"".join(one.strings) for one in resolver.resolve("EXAMPLE.com", "TXT")}
    assert texts == {b"v=spf1 -all", b'two strings; "quoted"'}
    [mx] = resolver.resolve("example.com", "MX")
    assert (mx.preference, str(mx.exchange)) == (10, "mx.example.net.")
    assert server.queries == [("example.com", "TXT"), ("example.com", "MX")]
    server.remove("example.com", "TXT")
    with pytest.raises(dns.resolver.NoAnswer):
        resolver.resolve("example.com", "TXT")


def test_what_is_not_there(server: DnsServer, resolver: dns.resolver.Resolver) -> None:
    """No such name, and a name without such a record, are two answers; both carry the SOA."""
    server.add("a.b.example.com", "A", "192.0.2.1")
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve("c.example.com", "A")
    for name in ("a.b.example.com", "b.example.com", "example.com"):
        with pytest.raises(dns.resolver.NoAnswer) as caught:
            resolver.resolve(name, "MX")
        response = caught.value.kwargs["response"]
        assert [str(one.name) for one in response.authority] == ["example.com."]
    server.remove("a.b.example.com")
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve("a.b.example.com", "A")


def test_cname(server: DnsServer, resolver: dns.resolver.Resolver) -> None:
    """A CNAME is followed where it leads to something, and answers for itself when asked for."""
    server.add("x._domainkey.example.com", "CNAME", "x.dkim.example.net")
    [alias] = resolver.resolve("x._domainkey.example.com", "CNAME")
    assert str(alias.target) == "x.dkim.example.net."
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve("x._domainkey.example.com", "TXT")
    server.add("x.dkim.example.net", "TXT", "p=key")
    [text] = resolver.resolve("x._domainkey.example.com", "TXT")
    assert text.strings == (b"p=key",)


def test_long_answers(server: DnsServer, resolver: dns.resolver.Resolver) -> None:
    """A long text is cut into strings; what UDP cannot carry comes over TCP."""
    server.add("example.com", "TXT", "y" * 700)
    [text] = resolver.resolve("example.com", "TXT")
    assert [len(one) for one in text.strings] == [255, 255, 190]
    query = dns.message.make_query("example.com", "TXT")
    answer = dns.query.udp(query, "127.0.0.1", port=server.port, timeout=5)
    assert answer.flags & dns.flags.TC
    assert not answer.answer
    assert dns.query.tcp(query, "127.0.0.1", port=server.port, timeout=5).answer


@pytest.mark.parametrize("failure", [SERVFAIL, REFUSED])
def test_failure(server: DnsServer, resolver: dns.resolver.Resolver, failure: str) -> None:
    """It can say that it cannot."""
    server.add("example.com", "A", "192.0.2.1")
    server.failure = failure
    with pytest.raises(dns.resolver.NoNameservers):
        resolver.resolve("example.com", "A")
    server.failure = ""
    assert resolver.resolve("example.com", "A")


def test_silence(server: DnsServer, resolver: dns.resolver.Resolver) -> None:
    """It can say nothing."""
    server.failure = SILENT
    resolver.lifetime = 0.2
    with pytest.raises(dns.resolver.LifetimeTimeout):
        resolver.resolve("example.com", "A")
    assert set(server.queries) == {("example.com", "A")}


def test_zone_file(server: DnsServer, resolver: dns.resolver.Resolver) -> None:
    """A snippet of a zone file can be loaded as it is."""
    server.load(
        "; records for example.com\n"
        'example.com.  300  IN  TXT  "v=spf1 -all"\n'
        "bounce.example.com.  IN  MX  10 feedback-smtp.us-east-1.amazonses.com.\n"
    )
    [mx] = resolver.resolve("bounce.example.com", "MX")
    assert str(mx.exchange) == "feedback-smtp.us-east-1.amazonses.com."
    assert resolver.resolve("example.com", "TXT")


def test_wrong_values(server: DnsServer) -> None:
    """A value that is none of the type's fails where it is added."""
    with pytest.raises(dns.exception.SyntaxError):
        server.add("example.com", "MX", "prefer mx.example.com")


def test_nonsense_is_not_answered(server: DnsServer, resolver: dns.resolver.Resolver) -> None:
    """What is no DNS message gets no answer, and the server goes on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"nonsense", ("127.0.0.1", server.port))
    server.add("example.com", "A", "192.0.2.1")
    assert resolver.resolve("example.com", "A")
