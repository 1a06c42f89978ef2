"""What becomes of an accepted message at each recipient: SES's mailbox simulator, and the rest.

SES Developer Guide, "Using the mailbox simulator": each address of simulator.amazonses.com has its
fate, also with a label (`bounce+label@`).  An address on the account's suppression list is bounced
by SES itself, everybody else gets the mail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .state import Accepted, State

DOMAIN = "simulator.amazonses.com"
# SES scans for viruses; this is the text that scanners agree to find (eicar.org).
VIRUS = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
_OWN_MTA = "dns; amazonses.com"


@dataclass(frozen=True)
class Fate:
    """One thing that happens: a name of records.KINDS, and what it tells beyond the usual."""

    kind: str
    details: dict[str, Any] = field(default_factory=dict)


DELIVERED = Fate("delivery")
REJECTED = Fate("reject")
SUPPRESSED_BY_ACCOUNT = Fate(
    "bounce",
    {
        "bounceSubType": "OnAccountSuppressionList",
        "diagnosticCode": "Amazon SES did not send the message to this address because it is on "
        "the suppression list for your account. For more information about removing addresses "
        "from the suppression list, see the Amazon SES Developer Guide at "
        "https://docs.aws.amazon.com/ses/latest/DeveloperGuide/sending-email-suppression-list.html",
        "reportingMTA": _OWN_MTA,
    },
)
SUPPRESSED_BY_SES = Fate(
    "bounce",
    {
        "bounceSubType": "Suppressed",
        "diagnosticCode": "Amazon SES has suppressed sending to this address because it has a "
        "recent history of bouncing as an invalid address. For more information about how to "
        "remove an address from the suppression list, see the Amazon SES Developer Guide: "
        "http://docs.aws.amazon.com/ses/latest/DeveloperGuide/remove-from-suppressionlist.html",
        "reportingMTA": _OWN_MTA,
    },
)
COMPLAINED = Fate("complaint", {"userAgent": "Amazon SES Mailbox Simulator"})
MAILBOXES = {
    "success": (DELIVERED,),
    "bounce": (Fate("bounce"),),
    # Delivered; the answer that its owner is out of the office is a mail, and no event.
    "ooto": (DELIVERED,),
    "complaint": (DELIVERED, COMPLAINED),
    "suppressionlist": (SUPPRESSED_BY_SES,),
}


def fates(state: State, accepted: Accepted, recipient: str) -> tuple[Fate, ...]:
    """What happens to the message at the recipient, in this order; the SEND event is not here."""
    suppressed = state.suppressed.get(recipient)
    if suppressed is not None and suppressed.reason in state.suppressed_reasons:
        return (SUPPRESSED_BY_ACCOUNT,)
    local, _, domain = recipient.lower().rpartition("@")
    if domain == DOMAIN:
        return MAILBOXES.get(local.partition("+")[0], (DELIVERED,))
    return (DELIVERED,)


def is_rejected(accepted: Accepted) -> bool:
    """Does SES find a virus in it?  Then it goes to nobody."""
    return VIRUS in accepted.raw
