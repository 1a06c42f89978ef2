"""The foreground and the SES stand-in: what arrives, what the caller is told, what ends it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from sesmail import launch
from sesmail.sysexits import EX_UNAVAILABLE
from tests.fakes.ses import SECRET, SesServer
from tests.installation import CHECKOUT, Installation
from tests.system.account import AUTHOR, COMMAND, QUEUE_ID, RECIPIENT, Account, ended


@pytest.fixture
def account(ses: SesServer, tmp_path: Path) -> Account:
    """An identity of the stand-in, with API credentials."""
    return Account(ses, tmp_path)


def paths(number: int) -> list[str]:
    """``number`` forward-paths."""
    return [f"r{place}@example.org" for place in range(number)]


@pytest.mark.parametrize("way", ["api", "smtp"])
def test_delivered(account: Account, way: str) -> None:
    """As submission starts it: SES has the message, the caller 0 and not a word."""
    if way == "smtp":
        account.use_smtp()
    assert ended(account.start()) == (0, "")
    (accepted,) = account.ses.state.messages
    assert accepted.source == AUTHOR
    assert accepted.destinations == [RECIPIENT]
    assert accepted.tags == {"sesmail-id": QUEUE_ID}
    assert b"\r\nSubject: hello\r\n" in accepted.raw
    assert account.ses.state.requests == 1


def test_the_source(account: Account) -> None:
    """-f of the identity is the source; a foreign one gives way to the feedback address."""
    account.use_api("feedback_address = bounces@example.com")
    assert account.deliver(reverse_path="sue@list.example.com") == 0
    assert account.deliver(reverse_path="sue@elsewhere.example") == 0
    sources = [message.source for message in account.ses.state.messages]
    assert sources == ["sue@list.example.com", "bounces@example.com"]


@pytest.mark.parametrize("way", ["api", "smtp"])
def test_more_than_fifty(account: Account, way: str) -> None:
    """Over 50 forward-paths are split; everybody gets it once, in the order of the input."""
    if way == "smtp":
        account.use_smtp()
    assert account.deliver(paths(120), budget=25) == 0
    sent = [message.destinations for message in account.ses.state.messages]
    assert [len(batch) for batch in sent] == [50, 50, 20]
    assert [path for batch in sent for path in batch] == paths(120)
    assert account.ses.state.requests == 3


def test_the_blamed_recipient_fails_alone(
    account: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    """A batch refused for one address is repeated singly: the others get the message."""
    account.ses.script("address-local-character", recipient="r1@example.org")
    assert account.deliver(paths(3), budget=25) == 67
    err = capfd.readouterr().err
    assert err.startswith("sendmail: not sent to r1@example.org: ")
    assert err.endswith("; sent to the other 2\n")
    sent = [message.destinations for message in account.ses.state.messages]
    assert sent == [["r0@example.org"], ["r2@example.org"]]
    assert account.ses.state.requests == 4


def test_an_unknown_recipient_of_smtp_fails_alone(
    account: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    """SMTP refuses one at RCPT: the others get it in the same transaction."""
    account.use_smtp()
    account.ses.script("smtp-recipient", recipient="r1@example.org")
    assert account.deliver(paths(3), budget=25) == 67
    assert "not sent to r1@example.org: " in capfd.readouterr().err
    (accepted,) = account.ses.state.messages
    assert accepted.destinations == ["r0@example.org", "r2@example.org"]


def test_part_is_sent(account: Account, capfd: pytest.CaptureFixture[str]) -> None:
    """A quota that ends in the middle: the line says who did not get it, and that others did."""
    account.ses.script("quota", recipient="r50@example.org")
    assert account.deliver(paths(60), budget=25) == 69
    err = capfd.readouterr().err
    assert "not sent, not queued, to r50@example.org, " in err
    assert "sent to the other 50" in err
    assert len(account.ses.state.messages) == 1
    assert sum("status=sent" in line for line in account.log) == 50
    assert sum("status=deferred" in line for line in account.log) == 10


def test_throttled_for_a_moment(account: Account, capfd: pytest.CaptureFixture[str]) -> None:
    """What SES defers for seconds is tried again within the budget, and only what is open."""
    account.ses.script("rate", times=1, recipient="r50@example.org")
    assert account.deliver(paths(60), budget=25) == 0
    assert capfd.readouterr() == ("", "")
    sent = [message.destinations for message in account.ses.state.messages]
    assert sent == [paths(60)[:50], paths(60)[50:]]
    assert account.ses.state.requests == 3
    assert sum("status=deferred" in line for line in account.log) == 10


def test_a_longer_wait_is_told_to_who_watches(
    account: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    """With -v: the wait of more than a second, and then the transaction; without, silence."""
    account.ses.script("rate", times=2)
    assert account.deliver(budget=25, verbose=True) == 0
    wait, transaction = capfd.readouterr().err.splitlines()
    assert wait.endswith("; trying again in 2 s")
    assert transaction.startswith("sendmail: sent through 127.0.0.1 as ")
    assert transaction.endswith(", recipients: 1")


@pytest.mark.parametrize("way", ["api", "smtp"])
def test_nobody_listens(account: Account, way: str, capfd: pytest.CaptureFixture[str]) -> None:
    """SES cannot be reached: 69, and it is certain that nothing was sent."""
    if way == "smtp":
        account.use_smtp()
    account.ses.script("refuse")
    assert account.deliver(paths(120)) == 69
    err = capfd.readouterr().err
    assert err.startswith("sendmail: not sent, not queued, to r0@example.org, ")
    assert "and 110 more: " in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("way", ["api", "smtp"])
def test_an_answer_that_never_comes(
    account: Account, way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The budget ends the wait for SES: 69, the message may have been sent, and only once."""
    if way == "smtp":
        account.use_smtp()
    account.ses.script("slow")
    assert account.deliver(budget=1.0) == 69
    assert f"may have been sent, not queued, to {RECIPIENT}: " in capfd.readouterr().err
    assert len(account.ses.state.messages) == 1
    assert account.ses.state.requests == 1


def test_a_rate_that_the_budget_has_no_time_for(
    account: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    """max_send_rate puts the second batch off beyond the budget: it is told at once."""
    account.use_api("max_send_rate = 1")
    assert account.deliver(paths(60), budget=25) == 69
    err = capfd.readouterr().err
    assert "not sent, not queued, to r50@example.org, " in err
    assert "sent to the other 50" in err
    assert account.ses.state.requests == 1


def test_no_time_left(account: Account, capfd: pytest.CaptureFixture[str]) -> None:
    """Without time for a request none is made: 69, not sent."""
    assert account.deliver(budget=0.0) == 69
    assert f"not sent, not queued, to {RECIPIENT}: " in capfd.readouterr().err
    assert account.ses.state.requests == 0


@pytest.mark.parametrize("way", ["api", "smtp"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_while_ses_is_slow(account: Account, way: str, number: signal.Signals) -> None:
    """TERM, INT or HUP while SES has not answered: 69 and one line that says what is known."""
    if way == "smtp":
        account.use_smtp()
    account.ses.script("slow")
    process = account.start()
    account.ses.state.wait_for_messages(1)
    process.send_signal(number)
    code, err = ended(process)
    assert code == 69
    assert err == (
        f"sendmail: interrupted by {number.name}; may have been sent, not queued, to {RECIPIENT}: "
        "SES had not answered yet\n"
    )


def test_a_signal_between_two_tries(account: Account) -> None:
    """SIGTERM while SES asks for patience: nothing was sent, and the line says so."""
    account.ses.script("rate")
    process = account.start()
    with account.ses.state.changed:
        assert account.ses.state.changed.wait_for(lambda: account.ses.state.requests >= 2, 30)
    process.terminate()
    code, err = ended(process)
    assert code == 69
    assert err.startswith("sendmail: interrupted by SIGTERM; ")
    assert "sent, not queued, to" in err
    assert account.ses.state.messages == []


@pytest.mark.root
def test_unreadable_credentials(ses: SesServer, installed: Installation) -> None:
    """A caller who may not read the credentials: 77, and the line names the file."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        account = Account(ses, Path(directory))
        command = launch.command(str(installed.library), launch.FOREGROUND)
        code, err = ended(account.start(command=command, user=65534))
    assert code == 77
    assert str(account.credentials) in err
    assert err.count("\n") == 1
    assert ses.state.requests == 0


def test_malformed_credentials(account: Account) -> None:
    """A credentials file that cannot be read: 78 with file and line, and no secret."""
    account.use_api("no equals sign here")
    code, err = ended(account.start())
    assert code == 78
    assert f"{account.credentials}, line 6: " in err
    assert SECRET not in err
    assert account.ses.state.requests == 0


def test_malformed_settings(account: Account) -> None:
    """sesmail.conf that cannot be read: 78 with file and line."""
    account.configure("identity_lookup = sideways")
    code, err = ended(account.start())
    assert code == 78
    assert "line 2: identity_lookup" in err
    assert err.count("\n") == 1


def test_the_callers_environment_changes_nothing(account: Account) -> None:
    """Endpoints, proxies, trust stores, profiles and options of the caller do not count."""
    elsewhere = "http://127.0.0.1:1"
    environ = {
        "AWS_ENDPOINT_URL": elsewhere,
        "AWS_ENDPOINT_URL_SESV2": elsewhere,
        "AWS_CA_BUNDLE": "/nonexistent",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_PROFILE": "nobody",
        "AWS_ACCESS_KEY_ID": "AKIAAAAAAAAAAAAAAAAA",
        "AWS_DATA_PATH": "/nonexistent",
        "AWS_REGION": "xx-nowhere-1",
        "BOTO_CONFIG": "/nonexistent",
        "HTTP_PROXY": elsewhere,
        "http_proxy": elsewhere,
        "ALL_PROXY": elsewhere,
        "SSL_CERT_FILE": "/nonexistent",
        "PYTHONPATH": "/nonexistent",
        "PYTHONWARNINGS": "error",
    }
    assert ended(account.start(environ=environ)) == (0, "")
    assert len(account.ses.state.messages) == 1


def test_a_broken_environment(account: Account) -> None:
    """Without its third-party packages the delivery half says how to mend it: 69."""
    script = f"import sys, runpy; sys.path.insert(0, {str(CHECKOUT)!r}); "
    script += "runpy.run_module('sesmail.delivery', run_name='__main__')"
    process = account.start(command=[sys.executable, "-I", "-S", "-c", script])
    code, err = ended(process)
    assert code == EX_UNAVAILABLE
    assert "make venv" in err
    assert err.count("\n") == 1


def test_refusals_import_no_client(account: Account) -> None:
    """botocore and smtplib are imported for a message that is good, not for one that is refused."""
    account.use_api("regoin = x")
    script = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); "
        "from sesmail.delivery.main import main; main(); "
        "sys.exit(len({'botocore', 'boto3', 'smtplib'} & set(sys.modules)))"
    )
    command = [sys.executable, "-I", "-c", script]
    assert ended(account.start(command=command))[0] == 0
    account.use_api()
    assert ended(account.start(command=command))[0] > 0


@pytest.mark.root
def test_the_mail_log_goes_to_syslog(account: Account) -> None:
    """With a syslog socket the lines arrive there, with facility and process id."""
    account.configure("syslog_facility = local3")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(account.directory / "log"))
        process = account.start(command=[*with_syslog(account.directory), *COMMAND])
        assert ended(process) == (0, "")
        log.setblocking(False)
        lines = [log.recv(4096).decode("ascii") for _ in range(5)]
    programs = ("pickup", "cleanup", "qmgr", "ses", "qmgr")
    for program, line in zip(programs, lines, strict=True):
        assert line.startswith("<158>")  # local3.info
        assert f" sesmail/{program}[" in line
        assert f"]: {QUEUE_ID}: " in line
    assert "status=sent (SES " in lines[3]


def with_syslog(directory: Path) -> list[str]:
    """Return the command that runs another with ``directory/log`` as /dev/log.

    In a chroot / is no mount whose propagation can be changed, but /dev is one.
    """
    script = (
        "{ mount --make-rprivate / 2>/dev/null || mount --make-rprivate /dev; } && "
        'mkdir "$0/dev" && mount --rbind /dev "$0/dev" && mount -t tmpfs dev /dev && '
        'ln -s "$0"/dev/* /dev && ln -sf "$0/log" /dev/log && exec "$@"'
    )
    return ["unshare", "--mount", "--propagation=unchanged", "sh", "-c", script, str(directory)]


def test_stderr_is_closed(account: Account) -> None:
    """A caller who closed descriptor 2 still gets the exit code."""
    account.use_api("regoin = x")
    closing = ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND]
    assert ended(account.start(command=closing)) == (78, "")


def test_stdin_is_closed(account: Account) -> None:
    """Without a descriptor 0 there is no message: 74 and one line."""
    closing = ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND]
    code, err = ended(account.start(command=closing))
    assert code == 74
    assert err == "sendmail: cannot read descriptor 0: Bad file descriptor\n"
