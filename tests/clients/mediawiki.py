"""Debian's MediaWiki in a Machine: an SQLite wiki, used through php-fpm as by a web server."""

from __future__ import annotations

import json
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from tests.clients import fpm
from tests.clients.machine import Machine

CODE = "/usr/share/mediawiki"
_HOME = "/var/lib/wiki"
_ANONYMOUS_TOKEN = "+\\"
_SETTINGS = f"""
$wgPasswordSender = $wgEmergencyContact = trim(file_get_contents("{_HOME}/sender"));
$wgAllowHTMLEmail = true;
$wgPasswordReminderResendTime = 0;
$wgRateLimits = [];
$wgSessionCacheType = CACHE_DB;
"""


def install(machine: Machine) -> None:
    """Make the wiki, its data www-data's, as the command-line installer does."""
    installer = f"{CODE}/maintenance/install.php"
    options = ["--dbtype=sqlite", f"--dbpath={_HOME}", "--dbname=wiki", f"--confpath={_HOME}"]
    options += ["--server=http://wiki.example.com", "--scriptpath=", "--pass=a long pass phrase"]
    machine.run(["install", "-d", "-o", "www-data", _HOME], "root", check=True)
    machine.run(["php", installer, *options, "Example Wiki", "Admin"], check=True)
    settings = (machine.root / _HOME[1:] / "LocalSettings.php").read_text()
    machine.write("/etc/mediawiki/LocalSettings.php", settings + _SETTINGS)
    set_sender(machine, "wiki@example.com")


def set_sender(machine: Machine, address: str) -> None:
    """Set $wgPasswordSender, the author of the wiki's own mail."""
    machine.write(f"{_HOME}/sender", address)


class Visitor:
    """Somebody at the wiki's web API, with the cookies of one session."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._cookies: SimpleCookie = SimpleCookie()

    def reset_password(self, user: str) -> dict[str, Any]:
        """Ask for a new password for this account, as Special:PasswordReset does."""
        return self._call(action="resetpassword", user=user, token=_ANONYMOUS_TOKEN)

    def create_account(self, user: str, email: str) -> dict[str, Any]:
        """Register; the wiki asks the address to confirm."""
        return self._call(
            action="createaccount",
            username=user,
            password="another long pass phrase",
            retype="another long pass phrase",
            email=email,
            realname=user,
            createreturnurl="http://wiki.example.com/",
            createtoken=self._token("createaccount"),
        )

    def log_in(self, user: str, password: str) -> dict[str, Any]:
        """Log in; the status is UI for a temporary password, which has to be changed."""
        return self._call(
            action="clientlogin",
            username=user,
            password=password,
            loginreturnurl="http://wiki.example.com/",
            logintoken=self._token("login"),
        )

    def _token(self, kind: str) -> str:
        tokens = self._call(action="query", meta="tokens", type=kind)["query"]["tokens"]
        return str(tokens[f"{kind}token"])

    def _call(self, **parameters: str) -> dict[str, Any]:
        body = urlencode({**parameters, "format": "json", "formatversion": "2"}).encode()
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())
        head, content = fpm.request(self._machine, f"{CODE}/api.php", body, cookie=cookie)
        for line in head:
            if line.lower().startswith("set-cookie:"):
                self._cookies.load(line.partition(":")[2].strip())
        answer: dict[str, Any] = json.loads(content)
        return answer


def evaluate(machine: Machine, code: str) -> str:
    """What maintenance/eval.php prints for the PHP code on its standard input."""
    words = ["php", f"{CODE}/maintenance/eval.php"]
    return machine.run(words, stdin=code.encode(), check=True).stdout.decode()
