"""SES's looks at the DNS: is an identity's DKIM published, and its MAIL FROM?"""

from __future__ import annotations

import dns.exception
import dns.resolver

from .dns import DnsServer
from .identity import FAILED, PENDING, SUCCESS, Identity

PATIENCE = 72 * 3600.0  # seconds until SES gives an unverified domain up
_HOST_NOT_FOUND, _TYPE_NOT_FOUND = "HOST_NOT_FOUND", "TYPE_NOT_FOUND"
_INVALID_VALUE, _DNS_SERVER_ERROR = "INVALID_VALUE", "DNS_SERVER_ERROR"
_ANSWER = 0.5  # seconds that the server has for its answer


def look(identity: Identity, server: DnsServer, zone: str, region: str, now: float) -> None:
    """Look once, and keep in the identity what was found.

    zone is where the DKIM keys are, region names the host that takes bounces for MAIL FROM.
    """
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
    resolver.lifetime = _ANSWER
    identity.checked_at = now
    if identity.is_domain and identity.status == PENDING:
        identity.error = _dkim_error(resolver, identity, zone)
        if not identity.error:
            identity.status, identity.succeeded_at = SUCCESS, now
        elif now - identity.created_at > PATIENCE:
            identity.status = FAILED
    if identity.mail_from and identity.mail_from_status == PENDING:
        wanted = {f"feedback-smtp.{region}.amazonses.com"}
        if _values(resolver, identity.mail_from, "MX") == wanted:
            identity.mail_from_status = SUCCESS


def _dkim_error(resolver: dns.resolver.Resolver, identity: Identity, zone: str) -> str:
    """The ErrorType of the first record that is not as it should be; `` if all are."""
    for token in identity.tokens:
        if identity.selector:
            found = _values(resolver, f"{token}._domainkey.{identity.name}", "TXT")
            return found if isinstance(found, str) else ""
        found = _values(resolver, f"{token}._domainkey.{identity.name}", "CNAME")
        if isinstance(found, str):
            return found
        if found != {f"{token}.{zone}"}:
            return _INVALID_VALUE
    return ""


def _values(resolver: dns.resolver.Resolver, name: str, kind: str) -> set[str] | str:
    """The hosts that the records name, else the ErrorType."""
    try:
        answer = resolver.resolve(name, kind)
    except dns.resolver.NXDOMAIN:
        return _HOST_NOT_FOUND
    except dns.resolver.NoAnswer:
        return _TYPE_NOT_FOUND
    except dns.exception.DNSException:
        return _DNS_SERVER_ERROR
    return {one.to_text().split()[-1].rstrip(".").lower() for one in answer}
