"""Debian's pflogsumm reads the mail log: what was sent, deferred and bounced, and to whom."""

from __future__ import annotations

import subprocess

import pytest

from sesmail.delivery.maillog import MailLog
from sesmail.delivery.outcome import Outcome, Result, delivered

DELAYS = (0.1, 0.0, 0.0, 0.4)
RELAY = "email.us-east-1.amazonaws.com"


@pytest.fixture
def lines() -> list[str]:
    """The log of three messages, as syslog writes it to a file."""
    lines: list[str] = []

    def emit(program: str, priority: int, text: str) -> None:
        lines.append(f"Nov 24 03:00:{len(lines):02} host sesmail/{program}[77]: {text}\n")

    for number, result in enumerate(
        (
            delivered(RELAY, "0100019abc-1"),
            Result(Outcome.DEFERRED, "4.4.1", "cannot connect; try again", RELAY, exit_code=69),
            Result(Outcome.FAILED, "5.1.1", "553 address unknown; correct it", RELAY, exit_code=67),
        )
    ):
        log = MailLog(f"0193A5F0C0FFEE0011223344556{number}", emit)
        log.accepted(f"{number}@example.com", "example.com")
        log.active("wiki@example.com", 1234, 1)
        log.result(f"r{number}@example.org", result, DELAYS)
        log.removed()
    log.warning("the credentials can be read by every user")
    log.fatal("line 3: unknown key")
    return lines


def test_pflogsumm_reads_it(lines: list[str]) -> None:
    """Each outcome is counted, its reason shown, and warnings and fatal errors found."""
    done = subprocess.run(
        ["/usr/sbin/pflogsumm", "--syslog-name=sesmail", "--verbose-msg-detail"],
        input="".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    report = done.stdout
    assert done.stderr == ""
    for count in ("1   delivered", "1   deferred", "1   bounced", "1234   bytes delivered"):
        assert count in report
    assert "cannot connect; try again" in report
    assert "553 address unknown" in report
    assert "0.5 s" in report
    assert "the credentials can be read by every user" in report
    assert "line 3: unknown key" in report
