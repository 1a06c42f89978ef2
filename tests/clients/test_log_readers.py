"""Debian's pflogsumm and logwatch read the mail log and count right: a foreground's and a daemon's.

Both have to be told the name: ``--syslog-name=sesmail``, and in logwatch's postfix.conf
``$postfix_Syslog_Name = sesmail``; there, with events, also ``$postfix_Ignore_Service = feedback``.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sesmail.delivery.maillog import MailLog
from sesmail.delivery.outcome import Outcome, Result, delivered
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.spool import Spool

DELAYS = (0.1, 0.0, 0.0, 0.4)
RELAY = "email.us-east-1.amazonaws.com"
LOGWATCH = "/usr/share/logwatch/scripts/services/postfix"
UNKNOWN = "<nobody@example.org>: 553 address unknown"


def stamped(lines: list[str]) -> str:
    """Return lines as syslog writes them into a file."""
    return "".join(
        f"Nov 24 03:00:{number % 60:02} host {line}\n" for number, line in enumerate(lines)
    )


def pflogsumm(log: str) -> tuple[dict[str, str], str]:
    """Return the counts by what they count, and the whole report."""
    done = subprocess.run(
        ["/usr/sbin/pflogsumm", "--syslog-name=sesmail", "--verbose-msg-detail"],
        input=log,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    counts = re.findall(r"^ +(\d+) {3}([a-z ]+?)(?:  .*)?$", done.stdout, re.MULTILINE)
    return {what: number for number, what in counts}, done.stdout


def logwatch(log: str) -> tuple[dict[str, str], str]:
    """Return the counts by what they count, and the whole report of logwatch's filter."""
    done = subprocess.run(
        [
            "perl",
            LOGWATCH,
            "--nosect_vars",
            "--detail=10",
            "--syslog_name=sesmail",
            "--ignore_services=feedback",
        ],
        input=log,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    summary = done.stdout.partition("Detail (10)")[0]
    counts = re.findall(r"^ +(\d+) {3}(\*?[A-Z][A-Za-z ():]+?)  ", summary, re.MULTILINE)
    return {what: number for number, what in counts}, done.stdout


@pytest.fixture
def foreground() -> str:
    """The log of three messages that were sent while their callers waited, and one deleted."""
    lines: list[str] = []

    def emit(program: str, priority: int, text: str) -> None:
        lines.append(f"sesmail/{program}[77]: {text}")

    for number, result in enumerate(
        (
            delivered(RELAY, "0100019abc-1"),
            Result(Outcome.DEFERRED, "4.4.1", "cannot connect; try again", RELAY, exit_code=69),
            Result(Outcome.FAILED, "5.1.1", UNKNOWN, RELAY, exit_code=67),
        )
    ):
        queue_id = f"0193A5F0C0FFEE0011223344556{number}"
        emit("submit", 6, f"{queue_id}: uid=33 from=<wiki@example.com>")
        log = MailLog(queue_id, emit)
        log.picked_up(33, "wiki@example.com")
        log.accepted(f"{number}@example.com", "example.com")
        log.active("wiki@example.com", 300, 1)
        log.result(f"r{number}@example.org", result, DELAYS)
        log.removed()
    for words in ("placed on hold", "released from hold", "requeued", "removed"):
        MailLog("0193A5F0C0FFEE00112233445569", emit).administered(words)
    log.warning("the credentials can be read by every user")
    log.fatal("line 3: unknown key")
    return stamped(lines)


@pytest.fixture
def daemon(installed: Installation, ses: SesServer, tmp_path: Path) -> str:
    """A daemon's log: junk, two mails sent, one with a bad recipient and so a DSN, one refused."""
    spool = Spool(tmp_path, ses, command=[installed.command("sesmaild")])
    (spool.drop_directory / "junk").touch()
    spool.start()
    sent = [
        spool.drop("bob@example.org"),
        spool.drop("eve@example.org", "bad", reverse_path="sue@example.com"),
    ]
    spool.ses.state.wait_for_messages(3)
    refused = spool.drop(identity="example.net")
    spool.wait_until_empty()
    spool.wait_for_log(": removed", times=4)
    assert spool.stop() == 0
    spool.close()
    submitted = [
        f"sesmail/submit[76]: {name}: uid=33 from=<wiki@example.com>" for name in (*sent, refused)
    ]
    return stamped(submitted + spool.log)


def test_pflogsumm_reads_a_foreground(foreground: str) -> None:
    """Each outcome is counted, its reason shown, and warnings and fatal errors found."""
    counts, report = pflogsumm(foreground)
    assert counts["received"] == "3"
    assert counts["delivered"] == counts["deferred"] == counts["bounced"] == "1"
    assert (counts["bytes received"], counts["bytes delivered"]) == ("900", "300")
    assert (counts["senders"], counts["recipients"]) == ("1", "1")
    assert "cannot connect; try again" in report
    assert "553 address unknown" in report
    assert "0.5 s" in report
    assert "the credentials can be read by every user" in report
    assert "line 3: unknown key" in report


def test_pflogsumm_reads_a_daemon(daemon: str) -> None:
    """Mail that callers sent counts as received, what was refused as bounced; junk is a warning."""
    counts, report = pflogsumm(daemon)
    assert counts["received"] == "3"
    assert counts["delivered"] == "3"  # the DSN is one of them
    assert counts["bounced"] == "2"
    assert counts["deferred"] == "0"
    assert counts["recipients"] == "3"
    assert "claims the identity example.net" in report
    assert "removed from the drop" in report


def test_logwatch_reads_a_foreground(foreground: str) -> None:
    """The same counts, and no line that it cannot make out."""
    counts, report = logwatch(foreground)
    assert counts["Accepted"] == "3"
    assert counts["Delivered"] == counts["Deferred"] == counts["Bounced (remote)"] == "1"
    assert (counts["Bytes accepted"], counts["Bytes delivered"]) == ("900", "300")
    assert counts["Removed from queue"] == "4"  # one by an administrator
    assert "Unmatched" not in report


def test_logwatch_reads_a_daemon(daemon: str) -> None:
    """The same counts, the DSN as a notification, and no line that it cannot make out."""
    counts, report = logwatch(daemon)
    assert counts["Accepted"] == "3"
    assert counts["Delivered"] == "3"
    assert counts["Bounced (local)"] == "2"
    assert counts["Notifications sent"] == "1"
    assert counts["Removed from queue"] == "4"
    assert "Unmatched" not in report


@pytest.fixture
def told() -> str:
    """The log of four messages that SES took, and of what it told of each later."""
    lines: list[str] = []

    def emit(program: str, priority: int, text: str) -> None:
        lines.append(f"sesmail/{program}[77]: {text}")

    for number, later in enumerate(
        (
            ("2.6.0", "delivered", "250 2.6.0 Message received"),
            ("5.1.1", "bounced", "550 5.1.1 user unknown"),
            ("2.0.0", "complained", "abuse"),
            ("4.4.1", "deferred", "421 4.4.1 Unable to connect"),
        )
    ):
        queue_id = f"0193A5F0C0FFEE0011223344556{number}"
        emit("submit", 6, f"{queue_id}: uid=33 from=<wiki@example.com>")
        log = MailLog(queue_id, emit)
        log.picked_up(33, "wiki@example.com")
        log.active("wiki@example.com", 300, 1)
        log.result(f"r{number}@example.org", delivered(RELAY, f"0100019abc-{number}"), DELAYS)
        log.removed()
        log.told(f"r{number}@example.org", "mx.example.org", 3.0, *later)
    return stamped(lines)


def test_readers_of_what_ses_tells(told: str) -> None:
    """Each message counts as sent once; a bounce and a delay are counted besides."""
    counts, report = pflogsumm(told)
    assert (counts["received"], counts["delivered"]) == ("4", "4")
    assert counts["deferred"] == counts["bounced"] == "1"
    assert "550 5.1.1 user unknown" in report
    counts, report = logwatch(told)
    assert (counts["Accepted"], counts["Delivered"]) == ("4", "4")
    assert counts["Deferred"] == counts["Bounced (remote)"] == "1"
    assert "550 5.1.1 user unknown" in report
    assert "Unmatched" not in report
