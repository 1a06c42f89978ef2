"""Credentials of example.com in a Machine, for the stand-in."""

from __future__ import annotations

from pathlib import Path

from tests.clients.machine import Machine
from tests.fakes.ses import KEY_ID, SECRET, SesServer

DOMAIN = "example.com"
FILE = f"/etc/sesmail/credentials/{DOMAIN}"
_CA_FILE = "/etc/sesmail/ca.pem"


def with_api_key(machine: Machine, ses: SesServer) -> None:
    """An IAM user's key pair: the API. SES knows the domain."""
    ses.state.identities.add(DOMAIN)
    _write(machine, SECRET, f"endpoint_url = {ses.api_url}\n")


def with_smtp_password(machine: Machine, ses: SesServer) -> None:
    """The pair that the console calls SMTP user name and password: SMTP, certificate checked."""
    ses.state.identities.add(DOMAIN)
    machine.write(_CA_FILE, Path(ses.ca_file).read_bytes())
    server = f"smtp_host = {ses.smtp_host}\nsmtp_port = {ses.smtps_port}\nsmtp_tls = wrapper\n"
    _write(machine, ses.smtp_password(), f"{server}ca_file = {_CA_FILE}\n")


def _write(machine: Machine, secret: str, rest: str) -> None:
    text = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {secret}\n{rest}"
    machine.write(FILE, text, 0o640, "www-data")
