"""Questions to the DNS: what the resolvers of this host say, or one that is named."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from sesmail.submission.log import printable
from sesmail.sysexits import Unavailable, UsageError

_PORT = 53
_LIFETIME = 10.0  # seconds for an answer, tries included


class DnsError(Unavailable):
    """Nobody answered, which is not the same as "there is no such record"."""


class Dns:
    """A resolver. Names and host names come and go without the final dot."""

    def __init__(self, nameserver: str = "") -> None:
        """``nameserver``: ADDRESS or ADDRESS:PORT ([ADDRESS]:PORT for IPv6); "": the system's.

        Raises UsageError, DnsError where the system has none.
        """
        try:
            self._resolver = dns.resolver.Resolver(configure=not nameserver)
        except dns.exception.DNSException:
            raise DnsError(
                "this host has no resolver in /etc/resolv.conf; use --nameserver"
            ) from None
        if nameserver:
            address, port = _split(nameserver)
            self._resolver.nameservers = [address]
            self._resolver.port = port
        self._resolver.lifetime = _LIFETIME

    def txt(self, name: str) -> list[str]:
        """Return the texts of the TXT records, the strings of each joined. Raises DnsError."""
        return [
            b"".join(record.strings).decode("utf-8", "replace")
            for record in self._ask(name, "TXT")
            if isinstance(record, TXT)
        ]

    def cname(self, name: str) -> str:
        """Return the host name that a CNAME leads to, in lower case; "" without. DnsError."""
        for record in self._ask(name, "CNAME"):
            if isinstance(record, CNAME):
                return _host(record.target)
        return ""

    def mx(self, name: str) -> list[tuple[int, str]]:
        """Return preference and host of the MX records, the first first. Raises DnsError."""
        return sorted(
            (record.preference, _host(record.exchange))
            for record in self._ask(name, "MX")
            if isinstance(record, MX)
        )

    def _ask(self, name: str, kind: str) -> list[object]:
        try:
            answer = self._resolver.resolve(name, kind, search=False, raise_on_no_answer=False)
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.NameTooLong):
            return []
        except dns.exception.DNSException as error:
            raise DnsError(
                f"no answer from the DNS to {kind} of {printable(name)} ({type(error).__name__}); "
                "try again, or use --nameserver"
            ) from None
        return list(answer)


def _split(text: str) -> tuple[str, int]:
    try:
        url = urlsplit(f"//[{text}]" if text.count(":") > 1 and "]" not in text else f"//{text}")
        return str(ipaddress.ip_address(url.hostname or "")), url.port or _PORT
    except ValueError:
        raise UsageError("--nameserver: an IP address is needed, with or without :PORT") from None


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
