"""What would become of an account: a credentials file, or the reason why none.

Of a server of SES nothing is kept but its region: name and ports follow from that, and which port
speaks which TLS is the same everywhere. Other names of SES's servers (FIPS, endpoints in a VPC)
and ports that are not tried anyway stay.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sesmail.control import identity_name
from sesmail.control.importing.account import Account, is_host
from sesmail.delivery import credential_rules, secret
from sesmail.delivery.credential_rules import PAIR
from sesmail.delivery.credentials_file import DEFAULT, Entry, File
from sesmail.sysexits import Failure

_SES = re.compile(
    r"(?:vpce-[a-z0-9-]+\.)?email-smtp(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?"
)
_TRIED_PORTS = (None, 465, 587)
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """The file of an identity ("": not known yet), or an obstacle. ``keys`` hold the secret."""

    account: Account
    identity: str = ""
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    obstacle: str = ""

    def secret_kind(self) -> str:
        """Say which kind of secret it is, by its shape, and how long."""
        value = self.keys["aws_secret_access_key"]
        return f"{'SMTP' if secret.smtp_version(value) else 'API'} ({len(value)} characters)"

    def settings(self) -> dict[str, str]:
        """Return the keys beside the pair."""
        return {key: value for key, value in self.keys.items() if key not in PAIR}

    def named(self, identity: str) -> Proposal:
        """Return the same for another identity. Raises UsageError."""
        return dataclasses.replace(self, identity=identity_name.read(identity))


def propose(accounts: Iterable[Account], region: str = "") -> list[Proposal]:
    """Return proposals; ``region`` is for those that tell none."""
    proposals: list[Proposal] = []
    for account in accounts:
        obstacle, keys = _judge(account, region)
        if obstacle:
            proposals.append(Proposal(account, obstacle=obstacle))
            continue
        proposals += [_of_sender(account, sender, keys) for sender in account.senders or ("",)]
    return apart(proposals)


def apart(proposals: list[Proposal]) -> list[Proposal]:
    """Leave out what is there twice; of two logins for one identity the first counts."""
    taken: dict[str, Proposal] = {}
    kept: list[Proposal] = []
    for one in proposals:
        first = taken.setdefault(one.identity, one) if one.identity else one
        if first is one or one.obstacle:
            kept.append(one)
        elif first.keys != one.keys:
            kept.append(
                Proposal(
                    one.account,
                    obstacle=f"another login for {one.identity} than {first.account.place}, which "
                    "counts; --account chooses",
                )
            )
    return kept


def _of_sender(account: Account, sender: str, keys: dict[str, str]) -> Proposal:
    try:
        return Proposal(account, identity_name.read(sender) if sender else "", keys)
    except Failure as failure:
        return Proposal(account, obstacle=str(failure))


def _judge(account: Account, region: str) -> tuple[str, dict[str, str]]:
    """Return why it cannot be taken over, or the keys of its credentials file."""
    match = _SES.fullmatch(account.host.lower())
    if account.host and not match:
        return f"{account.host if is_host(account.host) else 'its server'} is not of SES", {}
    if account.obstacle:
        return account.obstacle, {}
    values = dict(zip(PAIR, (account.key_id, account.secret, account.token), strict=True))
    entries = {key: Entry(value, account.line) for key, value in values.items() if value}
    try:
        credential_rules.check_pair(File(account.path, 0, {DEFAULT: entries}))
    except Failure as failure:
        return str(failure).removeprefix(f"{account.path}, line {account.line}: "), {}
    if account.token:
        return "a temporary key, which ends within hours", {}
    keys = {key: entry.value for key, entry in entries.items()}
    found = account.region or (match[1] if match else "") or region
    if found:
        if not _REGION.fullmatch(found):
            return "its region is not of the form eu-west-1", {}
        keys["region"] = found
    if secret.smtp_version(account.secret):
        keys |= _server(account, found)
    return "", keys


def _server(account: Account, region: str) -> dict[str, str]:
    keys = {}
    if account.host and account.host.lower() != f"email-smtp.{region}.amazonaws.com":
        keys["smtp_host"] = account.host.lower()
    if account.port not in _TRIED_PORTS:
        keys["smtp_port"] = str(account.port)
    return keys
