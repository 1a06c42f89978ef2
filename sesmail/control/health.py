"""When the health of an identity needs a word: bounces, complaints, the quota, SES's own verdict.

SES reviews an account at 5 % bounces or 0.1 % complaints, and may then pause it. A rate says little
while there is little mail: so it counts once there were a few such events, or mail enough that a
single one would not exceed the limit. One bounce of three mails is no warning; three of three are,
and so is one complaint in a thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LIMITS = {"bounced": 0.05, "complained": 0.001}  # of what SES took
_FEW = {"bounced": 3, "complained": 2}  # as many count, whatever number they are of
QUOTA = 0.8  # of what the account may send in 24 hours
_ADVICE = {
    "bounced": "bounced; see sesmailctl report, and mend the addresses",
    "complained": "drew complaints; see sesmailctl log",
}
_VERDICTS = {
    "PROBATION": "SES has the account under review (PROBATION); mend bounces and complaints, "
    "and answer in the SES console",
    "SHUTDOWN": "SES has paused the account (SHUTDOWN) and sends nothing; appeal in the SES "
    "console",
}


def warnings(identity_status: Mapping[str, Any]) -> list[str]:
    """Return what to warn of, in whole sentences, the worst first.

    ``identity_status`` has, as far as known: ``sent``, ``bounced`` and ``complained``, the
    forward-paths of the last day that SES took, that bounced for good, and whose owners
    complained; ``sent_24_hours`` and ``quota``, what the whole account sent in 24 hours and may
    (-1: without limit); ``enforcement``, SES's verdict HEALTHY, PROBATION or SHUTDOWN.
    """
    found = []
    verdict = _VERDICTS.get(str(identity_status.get("enforcement") or ""))
    if verdict:
        found.append(verdict)
    sent = _number(identity_status, "sent")
    for kind, limit in LIMITS.items():
        count = _number(identity_status, kind)
        if is_too_much(kind, count, sent):
            share = f"{100 * count / sent:.2g} %" if sent else "all"
            found.append(
                f"{count:.0f} of {sent:.0f} mails of the last day ({share}; the limit of SES is "
                f"{100 * limit:g} %) {_ADVICE[kind]}"
            )
    quota, used = _number(identity_status, "quota"), _number(identity_status, "sent_24_hours")
    if quota > 0 and used >= QUOTA * quota:
        found.append(
            f"{used:.0f} of {quota:.0f} mails that the account may send in 24 hours are sent "
            f"({100 * used / quota:.0f} %); ask SES for a higher quota"
        )
    return found


def is_too_much(kind: str, count: float, sent: float) -> bool:
    """Tell whether ``count`` of ``sent`` bounced, or complained, is beyond the limit and chance."""
    limit = LIMITS[kind]
    return count > 0 and count >= limit * sent and (count >= _FEW[kind] or sent * limit >= 1)


def _number(values: Mapping[str, Any], key: str) -> float:
    value = values.get(key)
    return float(value) if isinstance(value, int | float) else 0.0
