"""Identities: what SES knows of a domain or an address that wants to send."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, MutableSet
from dataclasses import dataclass, field

PENDING, SUCCESS, FAILED = "PENDING", "SUCCESS", "FAILED"
NOT_STARTED = "NOT_STARTED"
USE_DEFAULT, REJECT = "USE_DEFAULT_VALUE", "REJECT_MESSAGE"


@dataclass(slots=True)
class Identity:
    """A domain, or an address (it has an `@`).

    status is that of the identity, and of a domain's DKIM, which is how domains are verified.
    selector is that of the owner's own DKIM key, `` where SES makes the keys.
    Times are seconds of the state's clock.  error is the ErrorType of the last look at the DNS.
    """

    name: str
    status: str = PENDING
    created_at: float = 0.0
    signing: bool = True
    selector: str = ""
    key_length: str = "RSA_2048_BIT"
    generation: int = 1
    mail_from: str = ""
    mail_from_status: str = PENDING
    on_mx_failure: str = USE_DEFAULT
    feedback_forwarding: bool = True
    configuration_set: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    error: str = ""
    checked_at: float | None = None
    succeeded_at: float | None = None

    @property
    def is_domain(self) -> bool:
        """Is it a domain?"""
        return "@" not in self.name

    @property
    def tokens(self) -> list[str]:
        """The three DKIM tokens, always the same for a name and generation; or the own selector."""
        if self.selector or not self.is_domain:
            return [self.selector] if self.selector else []
        return [_token(f"{self.name} {self.generation} {number}") for number in range(3)]

    def verify(self) -> None:
        """SES has seen all that it wants to see, of DKIM and MAIL FROM."""
        self.status, self.error = SUCCESS, ""
        if self.mail_from:
            self.mail_from_status = SUCCESS

    def fail(self, error: str = "HOST_NOT_FOUND") -> None:
        """SES has given up."""
        self.status, self.error = FAILED, error

    def renew(self) -> None:
        """New DKIM keys: other tokens, to be verified again."""
        self.generation += 1
        self.status = PENDING


class Identities(MutableSet[str]):
    """The names of the identities that may send, as a set.  `known` has the others as well."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.known: dict[str, Identity] = {}
        self.update(names)

    def __contains__(self, name: object) -> bool:
        found = self.known.get(name) if isinstance(name, str) else None
        return found is not None and found.status == SUCCESS

    def __iter__(self) -> Iterator[str]:
        return iter([one.name for one in list(self.known.values()) if one.status == SUCCESS])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Identities({sorted(self)})"

    def add(self, value: str) -> None:
        """Let the name be verified, known or not."""
        self.known.setdefault(value, Identity(value)).verify()

    def update(self, names: Iterable[str]) -> None:
        """Let all these be verified."""
        for name in names:
            self.add(name)

    def discard(self, value: str) -> None:
        """Forget the name."""
        self.known.pop(value, None)

    def clear(self) -> None:
        """Forget all, those that are not verified too."""
        self.known.clear()

    def of(self, address: str) -> Identity | None:
        """The identity in force for an address: its own, else the nearest verified domain's.

        Domains match in any case and with every subdomain; addresses match exactly.
        """
        if address in self:
            return self.known[address]
        domains = {name.lower(): name for name in self if "@" not in name}
        labels = address.rpartition("@")[2].lower().split(".")
        for start in range(len(labels)):
            name = domains.get(".".join(labels[start:]))
            if name is not None:
                return self.known[name]
        return None


def _token(seed: str) -> str:
    return base64.b32encode(hashlib.sha256(seed.encode()).digest()).decode().lower()[:32]
