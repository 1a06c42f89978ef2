"""A DNS server on loopback, UDP and TCP on one port, that answers as a recursive resolver does.

    with DnsServer() as dns:
        dns.add("example.com", "TXT", "v=spf1 -all")
        dns.address                  # "127.0.0.1:PORT"
        dns.queries                  # [("example.com", "TXT"), ...]

Only dnspython's reading and writing of messages is used; what to answer is decided here.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zonefile

from .listener import Connection, Listener

SERVFAIL, REFUSED, SILENT = "SERVFAIL", "REFUSED", "SILENT"
TTL = 60
_LENGTH = struct.Struct("!H")
_STRING = 255  # octets of one string of a TXT record
_CHAIN = 8  # CNAMEs followed
_PORTS = 20  # tries for a port that is free for both UDP and TCP


class DnsServer:
    """The records are `records[name, type]`: names without the final dot, values as in zone files.

    A name that has no record, and none below it, does not exist (NXDOMAIN); one that has records of
    other types answers with none (NODATA).  `failure` makes every query fail: SERVFAIL, REFUSED or
    SILENT (no answer); queries are counted all the same.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.queries: list[tuple[str, str]] = []
        self.failure = ""
        self._lock = threading.Lock()
        self._tcp, self._udp = self._bind()
        self.port = self._tcp.port
        self.address = f"127.0.0.1:{self.port}"
        self._closing = False
        self._worker = threading.Thread(target=self._serve_udp, name=f"dns-{self.port}")
        self._worker.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End both sockets and the threads."""
        self._closing = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self._worker.join()
        self._udp.close()
        self._tcp.close()

    def add(self, name: str, type: str, value: str) -> None:
        """Add a record.

        The value is that of a zone file; host names need no final dot.  The text of a TXT record
        may be bare, and is cut into strings of 255 octets; several strings of other lengths are
        written as in a zone file, each in quotes.
        """
        if type == "TXT" and not value.startswith('"'):
            pieces = [value[at : at + _STRING] for at in range(0, len(value), _STRING)] or [""]
            value = " ".join('"' + piece.replace('"', '\\"') + '"' for piece in pieces)
        _record(type, value)  # a wrong one fails here
        with self._lock:
            self.records.setdefault((_plain(name), type), []).append(value)

    def load(self, text: str) -> None:
        """Add what a zone-file snippet has; names without the final dot are absolute too."""
        for found in dns.zonefile.read_rrsets(text, rdclass=None, default_ttl=TTL):
            for record in found:
                self.add(str(found.name), dns.rdatatype.to_text(found.rdtype), record.to_text())

    def remove(self, name: str, type: str = "") -> None:
        """Take away the records of the name, or only those of one type."""
        with self._lock:
            for key in [key for key in self.records if key[0] == _plain(name)]:
                if type in ("", key[1]):
                    del self.records[key]

    def clear(self) -> None:
        """Take all records away."""
        with self._lock:
            self.records.clear()

    def _answer(self, wire: bytes, limit: int | None) -> bytes | None:
        """The answer to a query, at most `limit` octets long; None for no answer."""
        query = dns.message.from_wire(wire)
        [question] = query.question
        name, kind = _plain(str(question.name)), dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query, recursion_available=True)
        with self._lock:
            self.queries.append((name, kind))
            if self.failure == SILENT:
                return None
            if self.failure:
                answer.set_rcode(dns.rcode.from_text(self.failure))
            else:
                self._fill(answer, name, kind)
        packed = answer.to_wire(max_size=65535)
        if limit is not None and len(packed) > max(limit, query.payload):
            short = dns.message.make_response(query, recursion_available=True)
            short.flags |= dns.flags.TC
            return short.to_wire()
        return packed

    def _fill(self, answer: dns.message.Message, name: str, kind: str) -> None:
        """The records, behind the CNAMEs that lead to them; else the SOA of the zone."""
        for _ in range(_CHAIN):
            alias = self.records.get((name, "CNAME"))
            if alias is None or kind == "CNAME":
                break
            answer.answer.append(_rrset(name, "CNAME", alias))
            name = _plain(alias[0])
        values = self.records.get((name, kind))
        if values is not None:
            answer.answer.append(_rrset(name, kind, values))
            return
        if not any(known == name or known.endswith("." + name) for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        zone = ".".join(name.split(".")[-2:])
        soa = f"ns1.{zone}. hostmaster.{zone}. 2026112401 3600 900 604800 60"
        answer.authority.append(_rrset(zone, "SOA", [soa]))

    def _serve_udp(self) -> None:
        while True:
            wire, client = self._udp.recvfrom(65535)
            if self._closing:
                return
            with contextlib.suppress(dns.exception.DNSException):  # no DNS message: no answer
                answer = self._answer(wire, 512)
                if answer is not None:
                    self._udp.sendto(answer, client)

    def _serve_tcp(self, connection: Connection) -> None:
        with connection.socket.makefile("rb") as stream:
            while len(length := stream.read(_LENGTH.size)) == _LENGTH.size:
                answer = self._answer(stream.read(*_LENGTH.unpack(length)), None)
                if answer is not None:
                    connection.socket.sendall(_LENGTH.pack(len(answer)) + answer)

    def _bind(self) -> tuple[Listener, socket.socket]:
        for _ in range(_PORTS):
            tcp = Listener(self._serve_tcp)
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.bind(("127.0.0.1", tcp.port))
            except OSError:
                udp.close()
                tcp.close()
            else:
                return tcp, udp
        raise RuntimeError("no port that is free for both UDP and TCP")


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _rrset(name: str, kind: str, values: list[str]) -> dns.rrset.RRset:
    records = [_record(kind, one) for one in values]
    return dns.rrset.from_rdata_list(dns.name.from_text(name), TTL, records)


def _record(kind: str, value: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text("IN", kind, value, origin=dns.name.root, relativize=False)
