"""What submission loads: on the way to the real sendmail and on the way to SES.

Structure is free and imports are not: PHP starts sendmail once per message.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.host import Host
from tests.installation import PYTHON

STANDARD = {"__future__", "_stat", "errno", "fcntl", "pwd", "stat"}
FOR_SES = STANDARD | {"binascii", "syslog"}
MESSAGE = b"From: sue@example.com\nTo: bob@example.org\nSubject: hello\n\nhello\n"
PROBE = b"EHLO x\r\nMAIL FROM:<sue@example.com>\r\nRCPT TO:<bob@example.org>\r\n"
SESSION = PROBE + b"DATA\r\n" + MESSAGE.replace(b"\n", b"\r\n") + b".\r\nQUIT\r\n"


def loaded(host: Host, command: Path, *argv: str, stdin: bytes = MESSAGE) -> set[str]:
    """Run a command under ``-X importtime``; return what it imports beyond an empty Python."""
    empty = _imports(host, MESSAGE, "-c", "pass")
    return _imports(host, stdin, str(command), *argv) - empty


def _imports(host: Host, stdin: bytes, *words: str) -> set[str]:
    done = subprocess.run(
        [PYTHON, "-X", "importtime", "-IS", *words],
        input=stdin,
        env=host.environment(),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines[1:]}


def not_allowed(modules: set[str], allowed: set[str]) -> set[str]:
    """Return what is neither allowed nor ours; of ours, delivery is not allowed either."""
    return {
        module
        for module in modules - allowed
        if module.split(".")[0] != "sesmail" or module.startswith("sesmail.delivery")
    }


@pytest.mark.parametrize("module", ["re", "sesmail.delivery"])
def test_the_check_sees_a_forbidden_import(host: Host, tmp_path: Path, module: str) -> None:
    """A copy of the command that imports one module too many is caught."""
    command = tmp_path / "sesmail"
    shutil.copy(host.installed.command("sesmail"), command)
    text = command.read_text()
    command.write_text(text.replace("\nfrom sesmail.", f"\nimport {module}\nfrom sesmail.", 1))
    assert module in not_allowed(loaded(host, command, "-i", "bob@example.org"), STANDARD)


def test_relay_loads_only_what_is_allowed(host: Host) -> None:
    """The way to the real sendmail loads our own modules and the few cheap standard ones."""
    modules = loaded(host, host.installed.sendmail, "-i", "bob@example.org")
    assert len(host.relayed) == 1
    assert "sesmail.submission.relay" in modules
    assert not_allowed(modules, STANDARD) == set()


def test_relay_does_not_load_what_only_ses_needs(host: Host) -> None:
    """Relayed mail does not pay for composing a message."""
    modules = loaded(host, host.installed.sendmail, "-i", "bob@example.org")
    assert not {"sesmail.submission.send", "sesmail.envelope"} & modules


def test_submission_to_ses_loads_only_what_is_allowed(host: Host, ses: SesServer) -> None:
    """The way to SES, up to the exec of the delivery half, loads little more."""
    ses.state.identities.add("example.com")
    host.identity(
        "example.com",
        f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
        f"endpoint_url = {ses.api_url}\n",
    )
    modules = loaded(host, host.installed.sendmail, "-i", "bob@example.org")
    assert len(ses.state.messages) == 1
    assert "sesmail.envelope" in modules
    assert not_allowed(modules, FOR_SES) == set()


def test_a_session_loads_only_what_is_allowed(host: Host, ses: SesServer) -> None:
    """-bs loads as little, and a probe nothing of what sends a message."""
    probe = loaded(host, host.installed.sendmail, "-bs", stdin=PROBE)
    assert "sesmail.submission.smtp.session" in probe
    assert not {"sesmail.submission.send", "sesmail.envelope", "sesmail.drop"} & probe
    assert not_allowed(probe, FOR_SES) == set()

    assert (
        not_allowed(loaded(host, host.installed.sendmail, "-bs", stdin=SESSION), FOR_SES) == set()
    )
    assert len(host.relayed) == 1

    ses.state.identities.add("example.com")
    host.identity(
        "example.com",
        f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
        f"endpoint_url = {ses.api_url}\n",
    )
    modules = loaded(host, host.installed.sendmail, "-bs", stdin=SESSION)
    assert len(ses.state.messages) == 1
    assert not_allowed(modules, FOR_SES) == set()
