"""What SES and the DNS say: each endpoint once, then each identity by its own keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sesmail.control import aws
from sesmail.control.check import account, dmarc, doctor, endpoint, events, identity, keys
from sesmail.control.check.endpoint import Endpoint
from sesmail.control.check.finding import Check, Finding, ok
from sesmail.control.dns import Dns
from sesmail.control.terminal import BROKEN
from sesmail.delivery.credential_rules import API, CAPTURE, SMTP
from sesmail.delivery.credentials import Credentials
from sesmail.identity import DEFAULT


def ask(credentials: Sequence[Credentials], author: str, nameserver: str) -> Iterator[Finding]:
    """Yield what is found for these credentials.

    ``author``: the domain or address that is asked for; "": the one that each file is named for.
    """
    endpoints = {endpoint.of(one) for one in credentials if one.transport == API}
    found: dict[Endpoint, list[Finding]] = {place: [] for place in endpoints}
    reaching: dict[str, Check] = {
        f"endpoint {place.url}": _reach(place, found[place])
        for place in sorted(endpoints, key=lambda place: place.url)
    }
    yield from doctor.at_once(reaching)
    asking: dict[str, Check] = {
        one.identity: _asking(one, author, found, nameserver)
        for one in credentials
        if one.transport != CAPTURE
    }
    yield from doctor.at_once(asking)


def _reach(place: Endpoint, found: list[Finding]) -> Check:
    def reach() -> list[Finding]:
        found.extend(endpoint.reach(place))
        return found

    return reach


def _asking(
    one: Credentials, author: str, reached: Mapping[Endpoint, list[Finding]], nameserver: str
) -> Check:
    def asked() -> Iterator[Finding]:
        if one.transport == SMTP:
            found = keys.of_smtp(one)
            yield found
            if found.level == BROKEN:
                return
        elif reason := _hopeless(reached[endpoint.of(one)]):
            yield ok(f"{one.identity}: SES", f"not asked: {reason}")
            return
        yield from _of_identity(one, author or _author(one), Dns(nameserver))

    return asked


def _hopeless(reached: Sequence[Finding]) -> str:
    """Return why asking would only repeat what was said, "" if it would not."""
    subjects = [finding.subject for finding in reached if finding.level == BROKEN]
    if not reached:
        return "its endpoint did not answer in time"
    if "clock" in subjects:
        return "AWS would refuse, for this host's clock is wrong"
    return "its endpoint cannot be reached" if subjects else ""


def _of_identity(one: Credentials, author: str, dns: Dns) -> Iterator[Finding]:
    if not aws.can_ask(one):
        yield from keys.cannot_ask(one)
        if author:
            yield from dmarc.look(author, author, None, None, dns)
        return
    asked = aws.from_credentials(one)
    try:
        if one.transport == API:
            found = keys.of_api(one, asked)
            yield found
            if found.level == BROKEN:
                return
        yield from account.look(one, asked)
        yield from account.suppression(one, asked)
        if author:
            yield from identity.look(one, author, asked, dns)
        yield from events.look(one, asked)
    finally:
        asked.close()


def _author(one: Credentials) -> str:
    """Return for whom the credentials are: what From becomes, else what the file is named like."""
    return one.author or ("" if one.identity == DEFAULT else one.identity)
