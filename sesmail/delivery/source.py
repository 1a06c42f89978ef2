"""The source: the address to which SES sends bounces and complaints (the reverse-path's duty).

It is FeedbackForwardingEmailAddress of SESv2, Source of SES v1, MAIL FROM of SMTP. SES refuses one
that is not verified, so the caller's ``-f`` counts only where the author's credentials serve it.
"""

from __future__ import annotations

from sesmail import identity
from sesmail.envelope import Envelope
from sesmail.settings import Settings


def choose(
    envelope: Envelope, settings: Settings, author: str | None, feedback_address: str | None
) -> str:
    """Return the source.

    The reverse-path, if it is an address that the author's identity serves; else
    ``feedback_address``; else the author. ``author`` and ``feedback_address`` are those of the
    credentials file. The null reverse-path counts as none: SES refuses it.
    """
    if envelope.reverse_path and _serves(envelope, settings, author, envelope.reverse_path):
        return envelope.reverse_path
    return feedback_address or author or envelope.author


def _serves(envelope: Envelope, settings: Settings, author: str | None, address: str) -> bool:
    """Tell whether the message's identity may use ``address`` as a source."""
    found = identity.find(address, settings.credentials_directory, settings.identity_lookup)
    if found != envelope.identity:
        return False
    # Where From is rewritten to another domain, the old one need not be known to SES at all.
    if author and not _is_within(_domain(address), _domain(author)):
        return False
    return found != identity.DEFAULT or _domain(address) == _domain(author or envelope.author)


def _is_within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith("." + parent)


def _domain(address: str) -> str:
    return identity.a_labels(address.rpartition("@")[2])
