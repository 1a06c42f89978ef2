"""One identity, example.com, at the SES stand-in, and the delivery half that sends for it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sesmail import launch, settings
from sesmail.delivery import foreground
from sesmail.envelope import Envelope
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.installation import CHECKOUT

QUEUE_ID = "0193A5F0C0FFEE00112233445566"
AUTHOR = "wiki@example.com"
RECIPIENT = "bob@example.org"
MESSAGE = (
    b"From: wiki@example.com\nTo: bob@example.org\nSubject: hello\n"
    b"Date: Tue, 24 Nov 2026 03:00:00 +0000\nMessage-ID: <1@example.com>\n\nText.\n"
)
COMMAND = (sys.executable, "-I", str(CHECKOUT / launch.FOREGROUND / "__main__.py"))


class Account:
    """Settings, a credentials file, and what the last run logged."""

    def __init__(self, ses: SesServer, directory: Path) -> None:
        self.ses = ses
        self.directory = directory
        self.configuration = directory / "sesmail.conf"
        self.credentials = directory / "example.com"
        self.log: list[str] = []
        ses.state.identities.add("example.com")
        self.configure()
        self.use_api()

    def configure(self, *lines: str) -> None:
        """Write the settings."""
        text = [f"credentials_directory = {self.directory}", *lines]
        self.configuration.write_text("\n".join(text) + "\n")

    def use_api(self, *lines: str, url: str | None = None) -> None:
        """Write a credentials file for the API at ``url``, or the stand-in's without TLS."""
        self._write(
            "transport = api",
            f"aws_secret_access_key = {SECRET}",
            f"endpoint_url = {url or self.ses.api_url}",
            *lines,
        )

    def use_smtp(self, *lines: str) -> None:
        """Write a credentials file for SMTP."""
        self._write(
            "transport = smtp",
            f"aws_secret_access_key = {self.ses.smtp_password()}",
            f"smtp_host = {self.ses.smtp_host}",
            f"smtp_port = {self.ses.smtps_port}",
            "smtp_tls = wrapper",
            f"ca_file = {self.ses.ca_file}",
            *lines,
        )

    def _write(self, *lines: str) -> None:
        text = [f"aws_access_key_id = {KEY_ID}", f"region = {self.ses.state.region}", *lines]
        self.credentials.write_text("\n".join(text) + "\n")
        self.credentials.chmod(0o640)

    def deliver(
        self,
        forward_paths: Sequence[str] = (RECIPIENT,),
        budget: float = 4.0,
        reverse_path: str | None = None,
        verbose: bool = False,
    ) -> int:
        """Run the foreground in this process; the default budget has no time for a second try."""
        loaded = settings.load({"SESMAIL_CONFIG": str(self.configuration)})
        stream = io.BytesIO(wire(forward_paths, reverse_path, verbose))
        self.log = []
        return foreground.run(
            stream, loaded, budget, lambda program, _, text: self.log.append(f"{program}: {text}")
        )

    def start(
        self,
        forward_paths: Sequence[str] = (RECIPIENT,),
        command: Sequence[str] = COMMAND,
        environ: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start the foreground as submission does: message on descriptor 0, nothing inherited."""
        descriptor = os.memfd_create("message")
        os.write(descriptor, wire(forward_paths))
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            return subprocess.Popen(
                command,
                stdin=descriptor,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"SESMAIL_CONFIG": str(self.configuration), **(environ or {})},
                cwd="/",
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        finally:
            os.close(descriptor)


def wire(
    forward_paths: Sequence[str], reverse_path: str | None = None, verbose: bool = False
) -> bytes:
    """Return envelope and message as the delivery half reads them."""
    envelope = Envelope(QUEUE_ID, "example.com", AUTHOR, reverse_path, list(forward_paths), verbose)
    return envelope.encode() + MESSAGE


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Wait for the end; return exit code and stderr. Nothing may be on stdout."""
    out, err = process.communicate(timeout=60)
    assert out == b""
    return process.returncode, err.decode("ascii")
