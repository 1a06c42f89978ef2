"""Each row of the error table through a real socket: what SES says is what the caller gets.

Generated: a test for every example that a server can bring about. The budget has no time for a
second try, so the number of requests shows that nothing is sent twice behind our back.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sesmail.delivery.outcome import Outcome, Retry
from sesmail.delivery.reply_row import Example, Row
from sesmail.delivery.reply_rows import ROWS
from tests.fakes import certificates
from tests.fakes.faults import ANSWER, CERTIFICATE, DROP, REFUSE, SLOW, SMTP, V1, V2, Fault, Strike
from tests.fakes.ses import FAULTS, KEY_ID, SECRET, SesServer
from tests.system.account import Account

RECIPIENT = "recipient@example.net"  # whom the examples blame
MOMENTS = {"CONNECT": "greeting", "TEXT": "dot"}  # the stand-in's names; the others are the same
BRINGS_ABOUT = {
    "refused": Strike("connect", REFUSE),
    "untrusted": Strike("connect", CERTIFICATE, message=certificates.UNTRUSTED),
    "dropped": Strike("request", DROP),
    "silent": Strike("accepted", SLOW, seconds=60),
}
FATES = {
    Outcome.FAILED: "not sent to",
    Outcome.DEFERRED: "not sent, not queued, to",
    Outcome.HELD: "not sent, not queued, to",
}
CASES = [
    pytest.param(row, example, id=f"{row.id}-{example.interface}-{example.code}-{number}")
    for row in ROWS
    for number, example in enumerate(row.examples)
    if example.interface != "client" or example.text
]


@pytest.fixture
def account(ses: SesServer, tmp_path: Path) -> Account:
    """An account whose every request meets the fault of the test."""
    return Account(ses, tmp_path)


def fault(row: Row, example: Example) -> Fault:
    """Return what makes the stand-in answer so."""
    moment = MOMENTS.get(example.command, example.command) or "request"
    if example.interface == "client":
        strike = BRINGS_ABOUT[example.text]
        if example.command and strike.action in (DROP, SLOW):
            strike = Strike(moment, strike.action, seconds=strike.seconds)
    elif example.interface == SMTP:
        closes = example.code == "421"
        strike = Strike(moment, ANSWER, int(example.code), "", example.text, closes=closes)
    else:
        strike = Strike(moment, ANSWER, example.http, example.code, example.text)
    interface = SMTP if example.command else example.interface.replace("client", V2)
    return Fault(row.id, row.id, {interface: strike})


def prepare(account: Account, example: Example) -> None:
    """Write the credentials file that goes the way of the example."""
    if example.command:
        account.use_smtp()
    elif example.text == "untrusted":
        account.use_api(f"ca_file = {account.ses.ca_file}", url=account.ses.api_tls_url)
    elif example.interface == V1:
        account.ses.state.denied[KEY_ID] = {"ses:SendEmail"}


def requests(row: Row, example: Example) -> int:
    """Return how many send requests the stand-in must have seen."""
    if example.interface == "client" and (
        example.text in ("refused", "untrusted") or example.command == "CONNECT"
    ):
        return 0
    # SESv2 said first that the key may not.
    return 2 if example.interface == V1 or row.other_interface else 1


@pytest.mark.parametrize(("row", "example"), CASES)
def test_row(
    account: Account, row: Row, example: Example, capfd: pytest.CaptureFixture[str]
) -> None:
    """Outcome, exit code, the line on stderr and the number of requests are the row's."""
    prepare(account, example)
    account.ses.script(fault(row, example))
    budget = 1.0 if example.text == "silent" else 4.0
    exit_code = account.deliver([RECIPIENT], budget)
    out, err = capfd.readouterr()
    assert account.ses.state.requests == requests(row, example)
    assert (out, SECRET in err) == ("", False)
    if row.other_interface:
        assert (exit_code, err) == (0, "")
        return
    assert exit_code == row.exit_code
    check_line(err, row, example)
    check_log(account.log, row)


def check_line(err: str, row: Row, example: Example) -> None:
    """Check that stderr is one line: what became of the message, what SES said, what to do."""
    fate = FATES[row.outcome]
    if row.retry is Retry.AMBIGUOUS:
        fate = "may have been sent, not queued, to"
    assert err.startswith(f"sendmail: {fate} {RECIPIENT}: ")
    assert err.endswith("\n")
    assert err[:-1].isascii()
    assert err[:-1].isprintable()
    if row.about_policy and "not authorized to perform" in example.text:
        assert "the key's policy must allow ses:SendRawEmail on arn:aws:ses:" in err
    else:
        assert row.remedy in err
    if row.quotes and example.interface != "client":
        assert example.text[:60] in err


def check_log(log: list[str], row: Row) -> None:
    """Check that the mail log has one result, with the status of the row."""
    (line,) = [line for line in log if "status=" in line]
    assert line.startswith("ses: ")
    assert f"to=<{RECIPIENT}>, relay=" in line
    word = "bounced" if row.outcome is Outcome.FAILED else "deferred"
    assert f"dsn={row.status}, status={word} (" in line


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        (name, interface)
        for name, fault in FAULTS.items()
        if fault.row in ("", "10", "11") and name != "slow"
        for interface in fault.interfaces
        if (fault.row, interface) != ("11", V1)  # SESv2 meets the certificate first
    ],
)
def test_broken_connections(
    account: Account, name: str, interface: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """However a connection breaks, it is deferred, told in one line, and nothing is sent twice."""
    if interface == SMTP:
        account.use_smtp()
    elif FAULTS[name].row == "11":
        account.use_api(f"ca_file = {account.ses.ca_file}", url=account.ses.api_tls_url)
    if interface == V1:
        account.ses.state.denied[KEY_ID] = {"ses:SendEmail"}
    account.ses.script(Fault(name, "", {interface: FAULTS[name].strikes[interface]}))
    assert account.deliver([RECIPIENT]) == 69
    err = capfd.readouterr().err
    assert f"sent, not queued, to {RECIPIENT}: " in err
    assert err.count("\n") == 1
    assert len(account.ses.state.messages) == (name == "accept-then-drop")
    if account.ses.state.messages:
        assert err.startswith("sendmail: may have been sent, ")
    assert account.ses.state.requests <= (2 if interface == V1 else 1)


@pytest.mark.parametrize(
    "name", ["quota", "accept-then-drop", "signature", "blacklisted", "message-length"]
)
def test_no_second_try_of_what_time_does_not_mend(account: Account, name: str) -> None:
    """With all of the budget left, only what SES defers for seconds is tried again."""
    account.ses.script(name)
    assert account.deliver([RECIPIENT], budget=25.0) in (69, 78)
    assert account.ses.state.requests == 1


def test_every_row_has_an_example() -> None:
    """No row of the table goes untested for want of an example."""
    assert [row.id for row in ROWS if not row.examples] == []


@pytest.mark.parametrize(
    ("interface", "status", "said"), [(V2, 418, "Teapot"), (V1, 418, "Teapot"), (SMTP, 599, "What")]
)
def test_what_no_row_knows(
    account: Account,
    interface: str,
    status: int,
    said: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """An answer that nobody foresaw is deferred, never failed: 69."""
    if interface == SMTP:
        account.use_smtp()
    elif interface == V1:
        account.ses.state.denied[KEY_ID] = {"ses:SendEmail"}
    moment = "dot" if interface == SMTP else "request"
    strike = Strike(moment, ANSWER, status, "" if interface == SMTP else "NeverHeardOf", said)
    account.ses.script(Fault("unknown", "", {interface: strike}))
    assert account.deliver([RECIPIENT]) == 69
    assert f"not sent, not queued, to {RECIPIENT}: " in capfd.readouterr().err
    (line,) = [line for line in account.log if "status=" in line]
    assert "status=deferred" in line
