"""The DNS records that SES wants for a domain, and what the DNS has instead.

    TOKEN._domainkey.DOMAIN  CNAME  TOKEN.ZONE     three; SES signs by DKIM, and verifies the domain
    MAIL FROM domain         MX     10 feedback-smtp.REGION.amazonses.com
    MAIL FROM domain         TXT    "v=spf1 include:amazonses.com ~all"
    _dmarc.DOMAIN            TXT    "v=DMARC1; ..."  only where there is none

At the domain itself SES needs no SPF: its mail has the MAIL FROM domain as reverse-path. The usual
slip is a provider that appends the domain to what was typed, to the name or to the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sesmail.control.dns import Dns
from sesmail.sysexits import ConfigurationError

OK, MISSING, WRONG, DOUBLED = "ok", "missing", "wrong", "doubled"
CNAME, MX, TXT = "CNAME", "MX", "TXT"
DKIM, MAIL_FROM, SPF, DMARC = "DKIM", "MAIL FROM", "SPF", "DMARC"
DEFAULT_ZONE = "dkim.amazonses.com"  # what SES used before it told the zone
EASY_DKIM = "AWS_SES"  # and AWS_SES_REGION where the keys are those of another region
_SPF = "v=spf1"
_DMARC = "v=dmarc1"
_OF_SES = "include:amazonses.com"


@dataclass(frozen=True, slots=True)
class Record:
    """A record that should be there; names without the final dot.

    ``value`` is as in a zone file, but for the quotes of a TXT and the final dot of a host name;
    ``purpose`` is DKIM, MAIL_FROM, SPF or DMARC, ``domain`` what it is for.
    """

    name: str
    type: str
    value: str
    purpose: str
    domain: str

    def as_dict(self) -> dict[str, str]:
        """Return it as a document."""
        return {
            "name": self.name,
            "type": self.type,
            "value": self.value,
            "purpose": self.purpose,
        }


@dataclass(frozen=True, slots=True)
class Found:
    """How it stands with a record: a state, what was ``seen`` instead, and what to do."""

    record: Record
    state: str
    seen: str = ""
    remedy: str = ""

    def text(self) -> str:
        """Return a line about it."""
        line = f"{self.record.type} {self.record.name}: {self.state}"
        return "; ".join(part for part in (line, self.remedy) if part)

    def as_dict(self) -> dict[str, str]:
        """Return it as a document."""
        return {
            **self.record.as_dict(),
            "state": self.state,
            "seen": self.seen,
            "remedy": self.remedy,
        }


def wanted(domain: str, identity: Mapping[str, Any], region: str, mail_from: str) -> list[Record]:
    """Return the records for DKIM and, unless ``mail_from`` is "", for the MAIL FROM domain.

    ``identity``: SES's answer to GetEmailIdentity or CreateEmailIdentity. Raises ConfigurationError
    where the domain signs by keys of its own, for which there are no such records.
    """
    records = dkim(domain, identity)
    if mail_from:
        exchange = f"10 feedback-smtp.{region}.amazonses.com"
        records.append(Record(mail_from, MX, exchange, MAIL_FROM, domain))
        records.append(Record(mail_from, TXT, f"{_SPF} {_OF_SES} ~all", SPF, domain))
    return records


def dkim(domain: str, identity: Mapping[str, Any]) -> list[Record]:
    """Return the records that SES's own keys need. Raises ConfigurationError, as ``wanted``."""
    attributes = identity.get("DkimAttributes") or {}
    origin = str(attributes.get("SigningAttributesOrigin") or EASY_DKIM)
    if not origin.startswith(EASY_DKIM):
        raise ConfigurationError(
            f"{domain} signs by a DKIM key of your own ({origin}), whose record SES does not know; "
            "publish that one, or choose Easy DKIM in the SES console"
        )
    zone = str(attributes.get("SigningHostedZone") or DEFAULT_ZONE).removesuffix(".")
    return [
        Record(f"{token}._domainkey.{domain}", CNAME, f"{token}.{zone}".lower(), DKIM, domain)
        for token in attributes.get("Tokens") or ()
    ]


def dmarc(domain: str, report_to: str = "") -> Record:
    """Return the mildest DMARC record: nothing is refused, ``report_to`` gets the reports."""
    value = "v=DMARC1; p=none" + (f"; rua=mailto:{report_to}" if report_to else "")
    return Record(f"_dmarc.{domain}", TXT, value, DMARC, domain)


def dmarc_in_force(domain: str, dns: Dns) -> tuple[str, str]:
    """Return name and text of the DMARC record that counts for the domain; "" where there is none.

    That of the domain itself, else of the nearest parent with one. Raises DnsError.
    """
    for host in (domain, *_parents(domain)):
        for text in dns.txt(f"_dmarc.{host}"):
            if text.lower().startswith(_DMARC):
                return f"_dmarc.{host}", text
    return "", ""


def look(record: Record, dns: Dns) -> Found:
    """Ask the DNS for a record. Raises DnsError."""
    found = _look(record, dns)
    return _look_elsewhere(record, dns) if found.state == MISSING else found


def zone_file(records: Sequence[Record]) -> str:
    """Return the records as lines of a zone file, with absolute names."""
    lines = []
    for record in records:
        value = f'"{record.value}"' if record.type == TXT else f"{record.value}."
        lines.append(f"{record.name}. IN {record.type} {value}\n")
    return "".join(lines)


def _look(record: Record, dns: Dns) -> Found:
    return {CNAME: _look_cname, MX: _look_mx, TXT: _look_txt}[record.type](record, dns)


def _look_cname(record: Record, dns: Dns) -> Found:
    target = dns.cname(record.name)
    if target == record.value:
        return Found(record, OK, target)
    if not target:
        return _missing(record)
    if _is_doubled(target, record.value, record.domain):
        return _value_doubled(record, target)
    return Found(record, WRONG, target, f"it leads to {target}: enter {record.value}")


def _look_mx(record: Record, dns: Dns) -> Found:
    there = [f"{preference} {host}" for preference, host in dns.mx(record.name)]
    seen = ", ".join(there)
    if not there:
        return _missing(record)
    host = record.value.split()[1]
    if len(there) > 1:
        return Found(record, WRONG, seen, f"SES wants this one MX alone: {record.value}")
    target = there[0].split()[1]
    if target == host:
        return Found(record, OK, seen)
    if _is_doubled(target, host, record.domain):
        return _value_doubled(record, seen)
    return Found(record, WRONG, seen, f"it is {seen}: enter {record.value}")


def _look_txt(record: Record, dns: Dns) -> Found:
    start = record.value.split()[0].rstrip(";").lower()
    there = [text for text in dns.txt(record.name) if text.lower().startswith(start)]
    seen = " | ".join(there)
    if not there:
        return _missing(record)
    if len(there) > 1:
        return Found(record, WRONG, seen, f"there are {len(there)} of them: leave one")
    if record.purpose == SPF and _OF_SES not in there[0].lower().split():
        return Found(record, WRONG, seen, f"add {_OF_SES} to it")
    return Found(record, OK, seen)


def _missing(record: Record) -> Found:
    return Found(record, MISSING, "", f"enter {record.value}")


def _look_elsewhere(record: Record, dns: Dns) -> Found:
    """Look where the record is if the provider has appended the name of the zone."""
    for zone in (record.domain, *_parents(record.domain)):
        name = f"{record.name}.{zone}"
        found = _look(replace(record, name=name), dns)
        if found.state in (OK, DOUBLED):  # another record may be anybody's, such as a wildcard
            typed = record.name.removesuffix(f".{zone}") if record.name != zone else "@"
            remedy = f"it is at {name}, the provider appends {zone}: enter the name as {typed}"
            return Found(record, DOUBLED, found.seen, remedy)
    return _missing(record)


def _value_doubled(record: Record, seen: str) -> Found:
    remedy = f"the provider has appended the domain to the value: put a dot at its end ({seen})"
    return Found(record, DOUBLED, seen, remedy)


def _is_doubled(target: str, value: str, domain: str) -> bool:
    return any(target == f"{value}.{zone}" for zone in (domain, *_parents(domain)))


def _parents(domain: str) -> list[str]:
    labels = domain.split(".")
    return [".".join(labels[first:]) for first in range(1, len(labels) - 1)]
