"""How an SES account stands: sandbox, quota, whether it may send. From GetAccount's answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def lines(account: Mapping[str, Any]) -> Iterator[str]:
    """Yield how the account stands, from the answer to GetAccount."""
    quota = account.get("SendQuota") or {}
    most = float(quota.get("Max24HourSend", 0))
    sent = float(quota.get("SentLast24Hours", 0))
    per_day = "any number of" if most < 0 else f"{most:.0f}"
    yield (
        f"Quota: {per_day} recipients in 24 hours, {sent:.0f} used; "
        f"{float(quota.get('MaxSendRate', 0)):g} a second."
    )
    if not account.get("SendingEnabled", True):
        yield "Sending is switched off for this account, or AWS has stopped it."
    verdict = str(account.get("EnforcementStatus") or "HEALTHY")
    if verdict != "HEALTHY":
        yield f"AWS says of this account: {verdict}. Read what AWS wrote to its owner."
    if account.get("ProductionAccessEnabled"):
        return
    yield "The account is in the sandbox: it reaches verified addresses and the simulator only."
    if review(account) == "PENDING":
        yield "A request for production access is under review."
    else:
        yield "To leave it, run the same command with --request-production."


def summary(account: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same as a document."""
    quota = account.get("SendQuota") or {}
    return {
        "production": bool(account.get("ProductionAccessEnabled")),
        "sending": bool(account.get("SendingEnabled", True)),
        "enforcement": str(account.get("EnforcementStatus") or ""),
        "review": review(account),
        "max_24_hour_send": quota.get("Max24HourSend"),
        "max_send_rate": quota.get("MaxSendRate"),
        "sent_last_24_hours": quota.get("SentLast24Hours"),
    }


def review(account: Mapping[str, Any]) -> str:
    """Return how far AWS is with a request: PENDING, FAILED, GRANTED, DENIED, or "" for none."""
    details = account.get("Details") or {}
    return str((details.get("ReviewDetails") or {}).get("Status") or "")
