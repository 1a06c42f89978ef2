"""The steps in the SES console, for whoever has no keys that may set anything up.

An SMTP password can ask SES nothing, and so can a key that only sends. All that does not depend on
SES's answers is told with its exact value; the DKIM records only the console knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from sesmail.control.records import DMARC, Record

_CONSOLE = "https://{region}.console.aws.amazon.com/ses/home?region={region}#/{page}"


def steps(name: str, region: str, mail_from: str, records: Sequence[Record]) -> list[str]:
    """Return what to do, in order. ``records``: those that are known without SES."""
    identities = _CONSOLE.format(region=region, page="identities")
    account = _CONSOLE.format(region=region, page="account")
    if "@" in name:
        done = [
            f"Open {identities}",
            f'"Create identity", "Email address": {name}, "Create identity"',
            f"Follow the link in the mail that SES sends to {name}",
        ]
    else:
        done = _domain(name, mail_from, records, identities)
    done.append(
        f'Open {account}; while it says that the account is in the sandbox, "Request production '
        'access"'
    )
    return done


def _domain(name: str, mail_from: str, records: Sequence[Record], identities: str) -> list[str]:
    done = [f"Open {identities}", f'"Create identity", "Domain": {name}']
    if mail_from:
        done.append(
            f'Tick "Use a custom MAIL FROM domain": {mail_from}; "Behavior on MX failure": "Use '
            'default MAIL FROM domain"'
        )
    done.append('"Verify your domain": "Easy DKIM", "RSA_2048_BIT"; then "Create identity"')
    done.append(
        f"Enter the three CNAME records, TOKEN._domainkey.{name}, that the console shows under "
        '"Publish DNS records"'
    )
    for record in records:
        why = " (only if there is none)" if record.purpose == DMARC else ""
        done.append(f"Enter the record {record.name} {record.type} {record.value}{why}")
    done.append('Wait until the console says "Verified", usually minutes')
    return done
