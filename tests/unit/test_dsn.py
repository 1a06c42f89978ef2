"""DSNs: whether, to whom, as whom, and a text that the standard library's parser reads back."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from email.message import EmailMessage, Message
from pathlib import Path
from typing import NamedTuple

import pytest

from sesmail.delivery import dsn, recipients, report_message
from sesmail.delivery.report_message import Failed
from sesmail.envelope import Envelope
from sesmail.queue.store import Finished, Job, NewEntry, State
from sesmail.queue.store import Path as QueuedPath
from sesmail.queue.upkeep import Hold
from tests.desk import AUTHOR, HOST, MESSAGE, Desk, parsed

REASON = "553 5.1.1 no such user; correct it"
FAILED = Failed("bob@example.org", "5.1.1", REASON, "email.us-east-1.amazonaws.com")


class Mail(NamedTuple):
    """What failed."""

    reverse_path: str | None = "sue@example.com"
    identity: str = "example.com"
    author: str = AUTHOR
    uid: int = 33
    queue_id: str = "0193A5F0C0FFEE00112233445566"
    arrived: int = 1_800_000_000_000


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An identity and a queue."""
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def make(desk: Desk, mail: Mail, *failed: Failed, message: bytes = MESSAGE) -> NewEntry | None:
    """Make the DSN for some failures."""
    return desk.dsns.make(mail, failed or [FAILED], lambda: message)


def addressees(desk: Desk, reverse_path: str | None, uid: int = 33) -> list[str]:
    """Return to whom the DSN of such a mail goes; nobody: there is none."""
    entry = make(desk, Mail(reverse_path, uid=uid))
    return [path.address for path in entry.paths] if entry else []


def text(desk: Desk, *failed: Failed, message: bytes = MESSAGE) -> EmailMessage:
    """Return a DSN as a mail reader gets it."""
    entry = make(desk, Mail(), *failed, message=message)
    assert entry is not None
    return parsed(entry.message)


# The entry.


def test_the_entry(desk: Desk) -> None:
    """From MAILER-DAEMON at the author's domain, by the same identity, null reverse-path."""
    entry = make(desk, Mail())
    assert entry is not None
    assert (entry.identity, entry.author) == ("example.com", "MAILER-DAEMON@example.com")
    assert entry.reverse_path == ""
    assert entry.uid == os.getuid()
    assert [(path.address, path.state, path.due) for path in entry.paths] == [
        ("sue@example.com", State.WAITING, desk.now)
    ]


def test_for_a_job(desk: Desk) -> None:
    """The loop passes what it has: the job, its failed paths and their results."""
    path = QueuedPath(1, "bob@example.org", 1)
    job = Job(1, 1, "ID", "example.com", AUTHOR, "sue@example.com", 33, 0, 1, 0, [path])
    finished = Finished(1, State.FAILED, 0, "5.1.1", REASON, "relay.example")
    entry = desk.dsns.for_job(job, [(path, finished)], lambda: MESSAGE)
    assert entry is not None
    assert b"Remote-MTA: dns; relay.example\n" in entry.message


@pytest.mark.parametrize(
    ("name", "lines", "author"),
    [
        ("wiki@example.com", [], "wiki@example.com"),
        ("example.com", ["author = cron@example.com"], "cron@example.com"),
        ("default", [], "MAILER-DAEMON@example.com"),
    ],
)
def test_as_whom(desk: Desk, name: str, lines: list[str], author: str) -> None:
    """Where SES may know one address only, that is the one."""
    desk.identity(name, *lines)
    entry = make(desk, Mail(identity=name))
    assert entry is not None
    assert entry.author == author


# To whom.


@pytest.mark.parametrize(
    "path",
    [
        None,
        "www-data",
        "www-data@localhost",
        "www-data@web",
        "www-data@web.example.net",
        "www-data@WEB.example.net",
        "www-data@local.example",
    ],
)
def test_a_local_reverse_path(desk: Desk, path: str | None) -> None:
    """It goes through the aliases file, bare names in it too; and else to postmaster."""
    desk.settings.local_domains = ("local.example",)
    assert addressees(desk, path) == []
    (line,) = desk.logged("no DSN")
    assert "leads nowhere, and there is no postmaster" in line
    desk.settings.postmaster = "pm@example.com"
    assert addressees(desk, path) == ["pm@example.com"]
    desk.aliases("www-data: root\nroot: ada@example.org, ben@example.org\n")
    assert addressees(desk, path) == ["ada@example.org", "ben@example.org"]


def test_a_uid_without_a_name(desk: Desk) -> None:
    """Without a reverse-path nobody but postmaster is left."""
    uid = next(uid for uid in range(60_000, 65_000) if not _is_known(uid))
    desk.settings.postmaster = "pm@example.com"
    assert addressees(desk, None, uid) == ["pm@example.com"]


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def test_a_local_postmaster(desk: Desk) -> None:
    """``postmaster`` may be a local name too, if the aliases file leads somewhere."""
    desk.settings.postmaster = "root@localhost"
    assert addressees(desk, "www-data@web") == []
    desk.aliases("root: ada@example.org")
    assert addressees(desk, "www-data@web") == ["ada@example.org"]


@pytest.mark.parametrize("value", ["|/bin/program", "/var/mail/x", "other", "ada@localhost"])
def test_an_alias_that_leads_nowhere(desk: Desk, value: str) -> None:
    """Programs are not run, files not written, and nothing goes round in circles."""
    desk.aliases(f"www-data: {value}\nother: www-data\n")
    assert addressees(desk, "www-data@web") == []


def test_an_identity_is_never_local(desk: Desk) -> None:
    """A host that calls itself by its mail domain sends its DSNs there."""
    desk.settings.origin = "example.com"
    desk.aliases("sue: ada@example.org")
    assert addressees(desk, "sue@example.com") == ["sue@example.com"]


def test_a_reverse_path_that_no_mail_reaches(desk: Desk) -> None:
    """It counts as none."""
    desk.settings.postmaster = "pm@example.com"
    assert addressees(desk, "sue@-.example.com") == ["pm@example.com"]


# Whether.


def test_never_for_the_null_reverse_path(desk: Desk) -> None:
    """A bounce is not bounced."""
    desk.settings.postmaster = "pm@example.com"
    assert addressees(desk, "") == []
    assert desk.logged("no DSN: the reverse-path is null")


@pytest.mark.parametrize("value", [b"auto-generated", b"Auto-Replied; x=y", b"", b"no-ne"])
def test_never_for_automatic_mail(desk: Desk, value: bytes) -> None:
    """RFC 3834, section 5: whatever it is, unless it is no."""
    message = b"Auto-Submitted: " + value + b"\n" + MESSAGE
    assert make(desk, Mail(), message=message) is None
    assert desk.logged("no DSN: the message was submitted automatically")


@pytest.mark.parametrize("value", [b"no", b" NO ; comment"])
def test_mail_that_says_it_is_not_automatic(desk: Desk, value: bytes) -> None:
    """Somebody waits for an answer."""
    assert make(desk, Mail(), message=b"Auto-Submitted:" + value + b"\n" + MESSAGE)


def test_never_for_a_refusal_of_policy(desk: Desk) -> None:
    """It would go out through the identity that was refused; postmaster learns it."""
    desk.settings.postmaster = "pm@example.com"
    assert make(desk, Mail(), Failed("bob@example.org", "5.7.1", "user 33 may not")) is None
    summary = desk.summary.take(at_once=True)
    assert summary is not None
    assert b"1 of uid 33: user 33 may not" in summary.message


def test_a_refusal_by_ses_is_none_of_policy(desk: Desk) -> None:
    """With the same status, but said by somebody else."""
    assert make(desk, Mail(), Failed("bob@example.org", "5.7.1", "spam", "relay.example"))


def test_an_identity_that_cannot_be_read(desk: Desk) -> None:
    """It will send no DSN either."""
    desk.identity("example.com", "no such key = 1")
    assert make(desk, Mail()) is None
    assert len(desk.logged("no DSN")) == 1


@pytest.mark.parametrize(
    ("scope", "key", "is_told"),
    [
        ("identity", "", False),
        ("author", "other@EXAMPLE.com", False),
        ("author", "wiki@example.net", True),
        ("recipient", "bob@example.org", True),
    ],
)
def test_what_expired_while_it_was_held(desk: Desk, scope: str, key: str, is_told: bool) -> None:
    """When the identity, or the author's domain under it, could not send, nor can a DSN."""
    desk.holds = [Hold(1, "example.com", scope, key, 0, "wrong key")]
    expired = Failed("bob@example.org", "4.4.7", "not delivered in 5 days; last: wrong key")
    assert bool(make(desk, Mail(), expired)) is is_told
    assert make(desk, Mail())  # any other failure is told: the DSN waits with the rest


def test_at_most_100_an_hour_for_a_uid(desk: Desk) -> None:
    """Whoever provokes them mails nobody thousands; another uid is not concerned."""
    desk.now -= desk.now % 3_600_000
    made = [make(desk, Mail()) for _ in range(dsn.MOST_AN_HOUR + 1)]
    assert None not in made[:-1]
    assert made[-1] is None
    assert desk.logged("no DSN: over 100 an hour for uid 33")
    assert make(desk, Mail(uid=34))
    desk.now += 3_600_000
    assert make(desk, Mail())


def test_the_message_is_read_only_for_a_dsn(desk: Desk) -> None:
    """It may be large, and most mail that fails has no reader."""

    def message() -> bytes:
        raise AssertionError

    assert desk.dsns.make(Mail(""), [FAILED], message) is None


# The text.


def test_the_report(desk: Desk) -> None:
    """multipart/report of three parts, in ASCII, which answers nobody and asks for no answer."""
    read = text(desk, message=MESSAGE.replace(b"<1@x>", b"<1@example.com>"))
    assert read["From"] == "Mail Delivery System <MAILER-DAEMON@example.com>"
    assert read["To"] == "sue@example.com"
    assert read["Auto-Submitted"] == "auto-replied"
    assert read["In-Reply-To"] == "<1@example.com>"
    assert read["Date"].datetime.timestamp() == desk.now // 1000
    assert read["Message-ID"].endswith("@example.com>")
    assert not [name for name in read.keys() if name.lower().startswith("x-")]  # noqa: SIM118
    assert read.get_content_type() == "multipart/report"
    assert read.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in read.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]


def test_the_part_for_people(desk: Desk) -> None:
    """Who speaks, what failed and why, what now, whom to ask; no line is wide."""
    desk.settings.postmaster = "pm@example.com"
    people = parts(text(desk))[0].get_content()
    for words in (
        f"mail system of {HOST}",
        "<bob@example.org>:",
        REASON,
        "will not be tried again",
    ):
        assert words in " ".join(people.split())
    assert "<pm@example.com>" in people
    assert Mail().queue_id in people
    assert max(map(len, people.splitlines())) <= 76


def test_the_part_for_programs(desk: Desk) -> None:
    """RFC 3464, section 2: fields of the message, then fields of each recipient."""
    expired = Failed("eve@example.org", "4.4.7", "not delivered in 5 days; last: timeout " * 9)
    status = parts(text(desk, FAILED, expired))[1]
    message, first, second = groups(status)
    assert message["Reporting-MTA"] == f"dns; {HOST}"
    assert message["Arrival-Date"] is not None
    assert first["Final-Recipient"] == "rfc822; bob@example.org"
    assert (first["Action"], first["Status"]) == ("failed", "5.1.1")
    assert first["Remote-MTA"] == "dns; email.us-east-1.amazonaws.com"
    assert first["Diagnostic-Code"] == f"X-sesmail; {REASON}"
    assert (second["Final-Recipient"], second["Status"]) == ("rfc822; eve@example.org", "4.4.7")
    assert second["Remote-MTA"] is None


def groups(status: EmailMessage) -> list[Message]:
    """Return the groups of fields of the part for programs."""
    payload = status.get_payload()
    assert isinstance(payload, list)
    return [group for group in payload if isinstance(group, Message)]


def parts(message: EmailMessage) -> list[EmailMessage]:
    """Return the parts of a report."""
    return [part for part in message.iter_parts() if isinstance(part, EmailMessage)]


def returned(message: EmailMessage) -> bytes:
    """Return the header section that came back."""
    content = parts(message)[2].get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def test_the_header_section_comes_back(desk: Desk) -> None:
    """As it was, without the body."""
    head, _, body = MESSAGE.partition(b"\n\n")
    read = text(desk)
    assert returned(read).strip() == head
    assert body.strip() not in bytes(read)


@pytest.mark.parametrize(
    "field",
    [b"Subject: gr\xc3\xbcn", b"Subject: \xff\xfe", b"Subject: " + b"x" * 2000, b"X-Fold: a\n\t b"],
)
def test_a_header_section_that_is_not_of_today(desk: Desk, field: bytes) -> None:
    """The mail stays ASCII of short lines, and the bytes come back all the same."""
    entry = make(desk, Mail(), message=field + b"\n" + MESSAGE)
    assert entry is not None
    assert entry.message.isascii()
    assert max(map(len, entry.message.split(b"\n"))) <= 998
    assert returned(parsed(entry.message)).startswith(field + b"\n")


def test_a_hostile_header_section(desk: Desk) -> None:
    """It can neither end its part nor begin another, nor make a field of the DSN."""
    hostile = (
        b"Message-ID: <1@x>\n Bcc: eve@example.net\n"
        b"X: --\n --boundary\nContent-Type: text/html\n" + MESSAGE
    )
    read = text(desk, message=hostile)
    assert len(parts(read)) == 3
    assert read["In-Reply-To"] is None
    assert b"Content-Type: text/html" in returned(read)


def test_an_endless_header_section(desk: Desk) -> None:
    """What is returned has a limit, and ends with a whole field."""
    fields = b"".join(b"X-%d: %b\n" % (number, b"y" * 500) for number in range(1000))
    section = returned(text(desk, message=fields + MESSAGE))
    assert len(section) <= report_message.LONGEST_SECTION
    assert section.endswith(b"y" * 500 + b"\n")


def test_very_many_failures(desk: Desk) -> None:
    """One DSN tells of all, and lists a hundred."""
    failed = [Failed(f"u{number}@example.org", "5.1.1", REASON) for number in range(1000)]
    read = text(desk, *failed)
    assert "And 900 more addresses" in parts(read)[0].get_content()
    assert len(groups(parts(read)[1])) == 1 + report_message.MOST_LISTED


def test_what_ses_gets_of_it(desk: Desk) -> None:
    """Repair has nothing to mend in it, and its source is nobody's mailbox but its own."""
    from sesmail.delivery import repair, source
    from sesmail.delivery.credentials import Credentials

    entry = make(desk, Mail())
    assert entry is not None
    paths = [path.address for path in entry.paths]
    assert all(recipients.check(path) == recipients.Verdict() for path in paths)
    envelope = Envelope(entry.queue_id, entry.identity, entry.author, entry.reverse_path, paths)
    options = repair.Options(find_identity=lambda _: entry.identity)
    sent = repair.repair(entry.message, envelope, options)
    assert sent == entry.message.replace(b"\n", b"\r\n")
    feedback = Credentials("", "example.com", "api", "us-east-1", feedback_address="fb@example.com")
    assert source.choose(envelope, desk.settings, feedback) == "MAILER-DAEMON@example.com"
