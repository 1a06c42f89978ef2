"""TLS certificates for the stand-in, made at start: a CA, and four server certificates.

`good` is for localhost and 127.0.0.1 and signed by the CA in `ca_file`; `other-name` is for another
host, `expired` ran out, `untrusted` is signed by a CA that nobody knows.  EC keys, for they take a
few milliseconds.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GOOD = "good"
OTHER_NAME = "other-name"
EXPIRED = "expired"
UNTRUSTED = "untrusted"

_HOUR = datetime.timedelta(hours=1)
_DAY = datetime.timedelta(days=1)


class Authority:
    """A certificate authority of our own, with its key."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        now = datetime.datetime.now(datetime.UTC)
        builder = _builder(self._name, self._name, self._key.public_key(), now - _DAY, now + _DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = builder.add_extension(identifier, False)
        self.certificate = builder.sign(self._key, hashes.SHA256())

    def pem(self) -> bytes:
        """The CA certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, names: list[x509.GeneralName], expired: bool = False) -> bytes:
        """A key and server certificate for these names, as one PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        end = now - _HOUR if expired else now + _DAY
        builder = _builder(_name("stand-in"), self._name, key.public_key(), now - _DAY, end)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ) + certificate.public_bytes(serialization.Encoding.PEM)


def make_contexts(directory: Path, names: Iterable[str] = ()) -> dict[str, ssl.SSLContext]:
    """Server contexts by name; writes `ca.pem` into the directory. `good` is for `names`, too."""
    trusted, stranger = Authority("Stand-in CA"), Authority("Unknown CA")
    (directory / "ca.pem").write_bytes(trusted.pem())
    here: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        *map(x509.DNSName, names),
    ]
    elsewhere: list[x509.GeneralName] = [x509.DNSName("mail.elsewhere.example")]
    pems = {
        GOOD: trusted.issue(here),
        OTHER_NAME: trusted.issue(elsewhere),
        EXPIRED: trusted.issue(here, expired=True),
        UNTRUSTED: stranger.issue(here),
    }
    return {name: _context(directory / f"{name}.pem", pem) for name, pem in pems.items()}


def _context(path: Path, pem: bytes) -> ssl.SSLContext:
    path.write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(path)
    return context


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    start: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
