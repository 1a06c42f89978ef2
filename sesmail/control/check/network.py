"""What SES and the DNS say: each endpoint once, each account once, each identity by its keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial

from sesmail.control import aws
from sesmail.control.aws import Aws
from sesmail.control.check import account, dmarc, doctor, endpoint, events, identity, keys
from sesmail.control.check.endpoint import Endpoint
from sesmail.control.check.finding import Check, Finding, ok
from sesmail.control.dns import Dns
from sesmail.control.terminal import BROKEN
from sesmail.delivery.credential_rules import API, CAPTURE, SMTP
from sesmail.delivery.credentials import Credentials
from sesmail.identity import DEFAULT

Reached = Mapping[Endpoint, list[Finding]]
"""What was found on the way to each endpoint."""


def ask(
    credentials: Sequence[Credentials], author: str, nameserver: str, admin: Aws | None = None
) -> Iterator[Finding]:
    """Yield what is found for these credentials.

    ``author``: the domain or address that is asked for; "": the one that each file is named for.
    ``admin`` asks, where it is given, what the stored keys may not ask.
    """
    endpoints = {endpoint.of(one) for one in credentials if one.transport == API}
    reached: Reached = {place: [] for place in endpoints}
    reaching: dict[str, Check] = {
        f"endpoint {place.url}": _reach(place, reached[place])
        for place in sorted(endpoints, key=lambda place: place.url)
    }
    yield from doctor.at_once(reaching)
    groups = _groups(one for one in credentials if one.transport != CAPTURE)
    asking: dict[str, Check] = {
        group[0].identity: _Asking(group, author, reached, nameserver, admin).findings
        for group in groups
    }
    yield from doctor.at_once(asking, doctor.PATIENCE * max(map(len, groups), default=1))


def _groups(credentials: Iterable[Credentials]) -> list[list[Credentials]]:
    """Return them by account and region, as far as the same key tells that they have the same.

    SES takes one question a second from an account, so these are asked one after the other.
    """
    groups: dict[tuple[str, ...], list[Credentials]] = {}
    for one in credentials:
        key = (one.access_key_id or one.identity, one.region, one.endpoint_url)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _reach(place: Endpoint, found: list[Finding]) -> Check:
    def reach() -> list[Finding]:
        found.extend(endpoint.reach(place))
        return found

    return reach


class _Asking:
    """What is asked with one key, or in its place by the administrator's."""

    def __init__(
        self,
        group: Sequence[Credentials],
        author: str,
        reached: Reached,
        nameserver: str,
        admin: Aws | None,
    ) -> None:
        self._group = group
        self._author = author
        self._reached = reached
        self._nameserver = nameserver
        self._admin = admin
        self._knows_account = False

    def findings(self) -> Iterator[Finding]:
        """Ask for one identity after the other."""
        for one in self._group:
            yield from doctor.guarded(f"{one.identity}: SES", partial(self._of, one))

    def _of(self, one: Credentials) -> Iterator[Finding]:
        if one.transport == SMTP:
            found = keys.of_smtp(one)
            yield found
            if found.level == BROKEN:
                return
        elif reason := _hopeless(self._reached[endpoint.of(one)]):
            yield ok(f"{one.identity}: SES", f"not asked: {reason}")
            return
        with ExitStack() as opened:
            own = None
            if aws.can_ask(one):
                own = opened.enter_context(closing(aws.from_credentials(one)))
            yield from self._by_api(one, own)

    def _by_api(self, one: Credentials, own: Aws | None) -> Iterator[Finding]:
        if own is not None and one.transport == API:
            found = keys.of_api(one, own)
            yield found
            if found.level == BROKEN:
                return
        if own is not None and self._admin is not None:
            yield from keys.of_one_account(one, own, self._admin)
        for subject, check in self._themes(one, own).items():
            yield from doctor.guarded(f"{one.identity}: {subject}", check)

    def _themes(self, one: Credentials, own: Aws | None) -> dict[str, Check]:
        author, dns = self._author or _author(one), Dns(self._nameserver)
        asked = self._admin or own
        checks: dict[str, Check] = {}
        if asked is None:
            checks["SES"] = lambda: keys.cannot_ask(one)
            if author:
                checks["DMARC"] = lambda: dmarc.look(author, author, None, None, dns)
            return checks
        if not self._knows_account:
            names = [other.identity for other in self._group]
            checks["account"] = lambda: account.look(names, asked)
            self._knows_account = True
        if author:
            checks["identity"] = lambda: identity.look(one, author, asked, dns)
        if own is not None:
            checks["events"] = lambda: events.look(one, own)
        return checks


def _hopeless(reached: Sequence[Finding]) -> str:
    """Return why asking would only repeat what was said, "" if it would not."""
    subjects = [finding.subject for finding in reached if finding.level == BROKEN]
    if not reached:
        return "its endpoint did not answer in time"
    if "clock" in subjects:
        return "AWS would refuse, for this host's clock is wrong"
    return "its endpoint cannot be reached" if subjects else ""


def _author(one: Credentials) -> str:
    """Return for whom the credentials are: what From becomes, else what the file is named like."""
    return one.author or ("" if one.identity == DEFAULT else one.identity)
