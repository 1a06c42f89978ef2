"""A host where nothing is set up yet, an AWS account and a DNS: the world of ``setup``."""

from __future__ import annotations

from pathlib import Path

from tests import ctl
from tests.fakes.dns import DnsServer
from tests.fakes.state import KEY_ID, SECRET
from tests.spool import IDENTITY, Spool
from tests.terminal import Person

ADMIN_ID, ADMIN_SECRET = "AKIAIOSFODNN7ADMIN00", "aDminXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SETTING_UP = {
    "ses:CreateEmailIdentity",
    "ses:GetEmailIdentity",
    "ses:PutEmailIdentityMailFromAttributes",
    "ses:PutEmailIdentityDkimSigningAttributes",
    "ses:DeleteEmailIdentity",
    "ses:GetAccount",
    "ses:PutAccountDetails",
}


class World:
    """SES verifies what ``dns`` has; ``ADMIN_ID`` is the key of an administrator."""

    def __init__(self, spool: Spool, dns: DnsServer, directory: Path) -> None:
        self.spool = spool
        self.dns = dns
        self.ses = spool.ses
        self.state = spool.ses.state
        self.directory = directory
        self.file = spool.credentials / IDENTITY
        self.file.unlink()
        self.state.identities.clear()
        self.state.keys[ADMIN_ID] = ADMIN_SECRET
        self.state.verify_when_dns(dns)

    def only_sends(self) -> None:
        """Let the stored key have no right but to send."""
        self.state.denied[KEY_ID] = SETTING_UP

    def secret_file(self, secret: str = SECRET, name: str = "secret") -> str:
        """Return the path of a file with a secret."""
        path = self.directory / name
        path.write_text(f"{secret}\n")
        path.chmod(0o600)
        return str(path)

    def words(self, *words: str, identity: str = IDENTITY) -> list[str]:
        """Return a command line of ``setup`` that asks the stand-ins, and often."""
        return [
            "setup",
            identity,
            "--nameserver",
            self.dns.address,
            "--endpoint-url",
            self.ses.api_url,
            "--interval",
            "0.02",
            *words,
        ]

    def flags(self, secret: str = SECRET) -> list[str]:
        """Return the flags that answer what is asked for the credentials."""
        region = self.state.region
        return ["--key-id", KEY_ID, "--secret-file", self.secret_file(secret), "--region", region]

    def admin_flags(self, secret: str = ADMIN_SECRET, key_id: str = ADMIN_ID) -> list[str]:
        """Return the flags of an administrator's key; ``secret``: the lines of its file."""
        path = self.secret_file(secret, "admin-secret")
        return ["--admin-key-id", key_id, "--admin-secret-file", path]

    def run(self, *words: str, identity: str = IDENTITY, stdin: str = "") -> ctl.Result:
        """Run ``setup`` without a terminal."""
        return ctl.run(self.spool, *self.words(*words, identity=identity), stdin=stdin)

    def person(self, *words: str, identity: str = IDENTITY, columns: int = 80) -> Person:
        """Return a person at a terminal who runs ``setup``."""
        environ = {"SESMAIL_CONFIG": str(self.spool.configuration), "PATH": "/usr/bin:/bin"}
        command = [*ctl.COMMAND, *self.words(*words, identity=identity)]
        return Person(command, environ, columns)

    def publish(self, name: str = IDENTITY, mail_from: str = "") -> None:
        """Enter into the DNS what SES wants for a domain."""
        identity = self.state.identity(name)
        for token in identity.tokens:
            target = f"{token}.{self.state.signing_hosted_zone}"
            self.dns.add(f"{token}._domainkey.{name}", "CNAME", target)
        host = mail_from or f"bounce.{name}"
        self.dns.add(host, "MX", f"10 feedback-smtp.{self.state.region}.amazonses.com")
        self.dns.add(host, "TXT", "v=spf1 include:amazonses.com ~all")
