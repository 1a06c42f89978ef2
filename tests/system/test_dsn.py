"""DSNs: what SES refuses for good comes back to whoever sent it, once, and by the same identity."""

from __future__ import annotations

import os
import pwd
import sqlite3
from email.message import EmailMessage

import pytest

from tests import ctl
from tests.desk import parsed
from tests.fakes import faults
from tests.spool import Spool

REJECTED = faults.answer(400, "MessageRejected", "Email content is rejected")
SENDER = "sue@example.com"


def reports(spool: Spool, number: int) -> list[EmailMessage]:
    """Return the DSNs that SES accepted, once there are so many messages in all."""
    messages = spool.ses.state.wait_for_messages(number)
    return [parsed(one.raw) for one in messages if one.source.startswith("MAILER-DAEMON@")]


def reason(report: EmailMessage) -> str:
    """Return the text of the part for people, on one line."""
    part = next(report.iter_parts())
    assert isinstance(part, EmailMessage)
    return " ".join(part.get_content().split())


def run_to_the_end(spool: Spool) -> None:
    """Let the daemon do everything, DSNs too, and end."""
    spool.wait_until_empty()
    assert spool.stop() == 0


def test_refused_for_good(spool: Spool) -> None:
    """One DSN to the reverse-path: what, why, the header section; the source bounces nowhere."""
    spool.start()
    spool.ses.script(REJECTED, 1)
    name = spool.drop("bob@example.org", "eve@example.org", reverse_path=SENDER, text="secret")
    (report,) = reports(spool, 1)
    run_to_the_end(spool)
    (sent,) = spool.ses.state.messages
    assert (sent.source, sent.destinations) == ("MAILER-DAEMON@example.com", [SENDER])
    assert report["To"] == SENDER
    assert "<bob@example.org>:" in reason(report)
    assert "<eve@example.org>:" in reason(report)
    assert "Email content is rejected" in reason(report)
    assert b"Subject: hello" in sent.raw
    assert b"secret" not in sent.raw
    (line,) = spool.lines(f"{name}: sender non-delivery notification: ")
    (told,) = [
        step for step in ctl.run(spool, "log", name, "--json").documents if step["step"] == "dsn"
    ]
    assert line.endswith(told["text"])


def test_a_local_sender(spool: Spool) -> None:
    """PHP's www-data@host goes through the aliases file."""
    aliases = spool.directory / "aliases"
    login = pwd.getpwuid(os.getuid()).pw_name
    aliases.write_text(f"{login}: admins\nadmins: ada@example.org, ben@example.org\n")
    spool.settings(aliases=aliases)
    spool.start()
    for number, path in enumerate((None, f"{login}@localhost")):
        spool.ses.script(REJECTED, 1)
        spool.drop(reverse_path=path)
        reports(spool, number + 1)
    run_to_the_end(spool)
    for sent in spool.ses.state.messages:
        assert sent.destinations == ["ada@example.org", "ben@example.org"]


def test_nobody_to_tell(spool: Spool) -> None:
    """Neither alias nor postmaster: one line says so, and the message stays as failed."""
    spool.start()
    spool.ses.script(REJECTED, 1)
    name = spool.drop(reverse_path="www-data@localhost")
    spool.wait_for_log(f"{name}: no DSN: the reverse-path leads nowhere")
    run_to_the_end(spool)
    connection = sqlite3.connect(spool.queue_directory / "queue.db")
    rows = connection.execute("SELECT queue_id, message FROM entry JOIN content ON entry = id")
    ((queue_id, message),) = rows.fetchall()
    connection.close()
    assert queue_id == name
    assert message.startswith(b"From: ")
    assert spool.ses.state.messages == []


def test_a_dsn_that_bounces(spool: Spool) -> None:
    """It is not answered: that is the end of it."""
    spool.start()
    spool.ses.script(REJECTED, 2)
    spool.drop(reverse_path=SENDER)
    spool.wait_for_log("no DSN: the reverse-path is null")
    run_to_the_end(spool)
    assert spool.ses.state.messages == []
    assert len(spool.lines("status=bounced")) == 2
    assert len(spool.lines("sender non-delivery notification")) == 1


def test_a_dsn_waits_as_any_mail(spool: Spool) -> None:
    """SES is away for a moment when it is due: it is deferred and then delivered."""
    spool.start()
    spool.ses.script(REJECTED, 1)
    spool.ses.script("service-unavailable", 1)
    spool.drop(reverse_path=SENDER)
    (report,) = reports(spool, 1)
    assert report["To"] == SENDER
    spool.wait_for_log("status=sent")
    assert len(spool.lines("status=deferred")) == 1
    run_to_the_end(spool)


@pytest.mark.parametrize("is_held", [False, True])
def test_expired(spool: Spool, is_held: bool) -> None:
    """Over queue_lifetime: a DSN, unless it was the identity itself that failed."""
    spool.settings(queue_lifetime="1d", postmaster="pm@example.com")
    fault = "signature" if is_held else "service-unavailable"
    spool.ses.script(fault, 1)
    name = spool.drop(reverse_path=SENDER)
    assert spool.once() == 0
    connection = sqlite3.connect(spool.queue_directory / "queue.db")
    with connection:
        connection.execute("UPDATE entry SET arrived = arrived - 3 * 86400000")
        connection.execute("UPDATE hold SET began = began - 2 * 86400000")
        connection.execute("UPDATE path SET due = 0")
    connection.close()
    spool.ses.script(fault, 1)
    assert spool.once() == 0
    assert spool.once() == 0  # for the DSN
    assert "dsn=4.4.7" in spool.lines("status=bounced")[0]
    if is_held:
        assert spool.lines(f"{name}: no DSN: the identity example.com cannot send")
        assert spool.ses.state.messages == []
    else:
        (report,) = reports(spool, 1)
        assert "not delivered in" in reason(report)
