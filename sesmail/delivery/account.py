"""What SES tells of the account behind some credentials (GetAccount)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Account:
    """Rate and quota count recipients; ``quota`` is -1 where there is no limit.

    ``sent`` is what the account sent in the last 24 hours, with whatever other keys and from
    whatever host; ``enforcement`` SES's verdict: HEALTHY, PROBATION or SHUTDOWN.
    """

    rate: float  # per second
    quota: float  # in 24 hours
    sent: float
    enforcement: str
    is_production: bool

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Account:
        """Read an answer of GetAccount. Raises KeyError, ValueError where it is none."""
        quota = answer["SendQuota"]
        return cls(
            float(quota["MaxSendRate"]),
            float(quota["Max24HourSend"]),
            float(quota["SentLast24Hours"]),
            str(answer.get("EnforcementStatus", "")),
            bool(answer.get("ProductionAccessEnabled", False)),
        )
