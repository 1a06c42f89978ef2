"""DMARC (RFC 7489): what the domain asks of receivers, and whether its mail through SES passes.

Mail passes if DKIM or SPF does, for a domain that is aligned with the author's. SES signs as the
identity's domain and uses the custom MAIL FROM domain, which is below it. Relaxed alignment, the
default, is then given by either; with ``adkim=s`` only if the identity is the author's very domain,
and with ``aspf=s`` never.
"""

from __future__ import annotations

from collections.abc import Iterator

from sesmail.control import records
from sesmail.control.check.finding import Finding, broken, of_failure, ok, warning
from sesmail.control.dns import Dns, DnsError

_STRICT = ("reject", "quarantine")


def look(
    author: str, identity: str, has_dkim: bool | None, has_mail_from: bool | None, dns: Dns
) -> Iterator[Finding]:
    """Look for the policy of the author's domain.

    ``identity``: the domain as which SES signs; ``has_dkim`` and ``has_mail_from`` are None where
    it is not known whether it does.
    """
    domain = author.rpartition("@")[2]
    subject = f"{author}: DMARC"
    try:
        name, text = records.dmarc_in_force(domain, dns)
        there = dns.txt(name) if name else []
    except DnsError as error:
        yield of_failure(warning, subject, error)
        return
    if not name:
        record = records.dmarc(domain)
        yield warning(
            subject,
            f"{domain} has none, which large receivers ask of who sends much",
            f'enter {record.name} TXT "{record.value}"',
        )
        return
    count = len([one for one in there if one.lower().startswith("v=dmarc1")])
    if count > 1:
        yield broken(subject, f"{name} has {count} records, so none counts", "leave one of them")
    else:
        yield judge(author, identity, (name, text), has_dkim, has_mail_from)


def judge(
    author: str,
    identity: str,
    record: tuple[str, str],
    has_dkim: bool | None,
    has_mail_from: bool | None,
) -> Finding:
    """Say what a record, name and text, means for the mail of ``author``."""
    name, text = record
    domain = author.rpartition("@")[2]
    subject = f"{author}: DMARC"
    tags = _tags(text)
    policy = tags.get("p", "none")
    if name != f"_dmarc.{domain}":
        policy = tags.get("sp", policy)
    dkim_aligns = tags.get("adkim", "r") != "s" or identity == domain
    spf_aligns = tags.get("aspf", "r") != "s"
    if (has_dkim and dkim_aligns) or (has_mail_from and spf_aligns):
        return ok(subject, f"p={policy}; the mail passes")
    if has_dkim is None and (dkim_aligns or spf_aligns):
        return ok(subject, f"p={policy}; whether the mail passes is not known: see the SES console")
    why = "neither DKIM nor SPF is aligned with the author's domain"
    if not dkim_aligns:
        why += f" (adkim=s, and SES signs as {identity})"
    if policy in _STRICT:
        return broken(
            subject,
            f"{name} says p={policy}, and {why}: receivers {policy} the mail",
            f"sesmailctl setup {domain} has DKIM set up for it; until then say p=none",
        )
    return warning(
        subject,
        f"{name} says p={policy}, and {why}: the mail does not pass",
        f"sesmailctl setup {domain} has DKIM set up for it",
    )


def _tags(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}
