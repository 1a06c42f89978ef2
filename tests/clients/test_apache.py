"""PHP's mail() in Apache (mod_php), whose children have no HOME, USER or LOGNAME and LANG=C."""

from __future__ import annotations

import email
import json
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients import identity
from tests.clients.machine import Machine
from tests.clients.recorder import Recorder
from tests.fakes.ses import SesServer

_FILE = "/var/apache.conf"
_SETTINGS = """
ServerName wiki.example.com
ServerRoot /etc/apache2
PidFile /run/apache-of-the-tests.pid
ErrorLog /var/log/apache-of-the-tests.log
Listen 127.0.0.1:%d
User www-data
Group www-data
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule php_module /usr/lib/apache2/modules/libphp8.2.so
StartServers 1
DocumentRoot /var/www
<FilesMatch "\\.php$">
    SetHandler application/x-httpd-php
</FilesMatch>
"""
TEXT = "Schöne Grüße\n.\nAlice\n"
_ENVIRONMENT = {"LANG": "C"}  # what Debian's envvars leave


@pytest.fixture(scope="module")
def url(debian: Machine) -> Iterator[str]:
    """The address of the script of php.py on an Apache that has Debian's modules."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    debian.write(_FILE, _SETTINGS % port)
    debian.run(["apache2", "-f", _FILE, "-k", "start"], "root", environ=_ENVIRONMENT, check=True)
    yield f"http://127.0.0.1:{port}/mail.php"
    debian.run(["apache2", "-f", _FILE, "-k", "stop"], "root", check=True)


def mail(url: str, domain: str) -> dict[str, Any]:
    """Have the page send with this author domain; its answer."""
    arguments = ["bob@example.net", "Grüße", TEXT, f"From: alice@{domain}"]
    with urllib.request.urlopen(url, json.dumps(arguments).encode()) as answer:
        page: dict[str, Any] = json.load(answer)
        return page


def test_mail_goes_both_ways(
    machine: Machine, ses: SesServer, next_hop: Recorder, url: str
) -> None:
    """To SES for an identity, else by Postfix; the page shows nothing of sendmail."""
    identity.with_api_key(machine, ses)
    for domain in ("example.com", "example.org"):
        assert mail(url, domain) == {"sent": True, "error": None}
    (accepted,) = ses.state.messages
    assert (accepted.source, accepted.destinations) == ("alice@example.com", ["bob@example.net"])
    (recorded,) = next_hop.wait(1)
    assert recorded.forward_paths == ["bob@example.net"]
    for raw in (accepted.raw, recorded.raw):
        content = email.message_from_bytes(raw).get_payload(decode=True)
        assert isinstance(content, bytes)
        assert content.decode().replace("\r", "") == f"{TEXT}\n"  # PHP appends an empty line


def test_page_hears_of_a_refusal(machine: Machine, ses: SesServer, url: str) -> None:
    """mail() is false when SES does not know the author."""
    identity.with_api_key(machine, ses)
    ses.state.identities.clear()
    assert mail(url, "example.com")["sent"] is False
    assert not ses.state.messages
