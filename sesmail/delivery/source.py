"""The source: the address to which SES sends bounces and complaints (the reverse-path's duty).

It is FeedbackForwardingEmailAddress of SESv2, Source of SES v1, MAIL FROM of SMTP. SES refuses one
that is not verified, so the caller's ``-f`` counts only where the author's credentials serve it.
"""

from __future__ import annotations

from sesmail import identity
from sesmail.delivery.credentials import Credentials
from sesmail.envelope import Envelope
from sesmail.settings import Settings


def choose(envelope: Envelope, settings: Settings, credentials: Credentials) -> str:
    """Return the source.

    The reverse-path, if it is an address that the author's identity serves; else
    ``feedback_address``; else the author: the one in the credentials file, or the message's. The
    null reverse-path counts as none, for SES refuses it; but what a mail system sends with it, a
    DSN above all, has itself as the source: a bounce of it must reach nobody.
    """
    if _is_of_mail_system(envelope) and not credentials.author:
        return envelope.author
    author = credentials.author or envelope.author
    path = envelope.reverse_path
    if path and _is_served(path, author, envelope, settings, credentials):
        return path
    return credentials.feedback_address or author


def _is_served(
    path: str, author: str, envelope: Envelope, settings: Settings, credentials: Credentials
) -> bool:
    """Tell whether SES should know ``path`` as it knows the author."""
    found = identity.find(path, settings.credentials_directory, settings.identity_lookup)
    if found != envelope.identity:
        return False
    if found == identity.DEFAULT:
        return _domain(path) == _domain(author)
    # Where From is rewritten, perhaps to another domain, the old one may be unknown to SES.
    return not credentials.author or _is_within(_domain(path), _domain(author))


def _is_of_mail_system(envelope: Envelope) -> bool:
    return envelope.reverse_path == "" and envelope.author.lower().startswith("mailer-daemon@")


def _is_within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith("." + parent)


def _domain(address: str) -> str:
    return identity.a_labels(address.rpartition("@")[2])
