"""The capture transport: the mail in a Maildir instead of SES."""

from __future__ import annotations

import mailbox
from pathlib import Path

from sesmail.delivery import credentials, transport
from sesmail.delivery.outcome import Outcome
from sesmail.delivery.transport.deadline import Deadline

QUEUE_ID = "0193A5F0C0FFEE00112233445566"
SOURCE = "wiki@example.com"
MESSAGE = b"From: wiki@example.com\r\nSubject: gr\xfc\xdfe\r\n\r\n.\r\nFrom me\r\n"


def connect(tmp_path: Path, maildir: Path) -> transport.Sender:
    """Open the transport that captures into ``maildir``."""
    (tmp_path / "example.com").write_text(f"transport = capture\ndirectory = {maildir}\n")
    return transport.open(credentials.load(str(tmp_path), "example.com"), Deadline(25.0))


def test_capture(tmp_path: Path) -> None:
    """A Maildir is made; each message is a file with its envelope on top, LF line ends."""
    maildir = tmp_path / "captured" / "Maildir"
    with connect(tmp_path, maildir) as sender:
        results = sender.send(MESSAGE, SOURCE, ["bob@example.net", "sue@example.org"], QUEUE_ID)
        sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert [result.outcome for result in results] == [Outcome.DELIVERED] * 2
    assert (results[0].relay, results[0].remote_id in results[0].text) == ("capture", True)
    assert (maildir / "new" / results[0].remote_id).read_bytes() == (
        b"Return-Path: <wiki@example.com>\n"
        b"X-Original-To: bob@example.net\nX-Original-To: sue@example.org\n"
        b"From: wiki@example.com\nSubject: gr\xfc\xdfe\n\n.\nFrom me\n"
    )
    assert list((maildir / "tmp").iterdir()) == []
    found = mailbox.Maildir(maildir, create=False)
    assert sorted(len(message.get_all("X-Original-To", [])) for message in found) == [1, 2]


def test_nowhere_to_write(tmp_path: Path) -> None:
    """A directory that cannot be written is a matter of configuration: held, 78, and a remedy."""
    (tmp_path / "file").write_text("")
    with connect(tmp_path, tmp_path / "file") as sender:
        (result,) = sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 78)
    assert "correct directory in the credentials file" in result.text


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """If the message cannot be moved into its place, its temporary file goes, too."""
    maildir = tmp_path / "Maildir"
    (maildir / "tmp").mkdir(parents=True)
    (maildir / "cur").mkdir()
    (maildir / "new").symlink_to("/proc/self")  # a directory in which nothing can be made
    with connect(tmp_path, maildir) as sender:
        (result,) = sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert result.outcome is Outcome.HELD
    assert list((maildir / "tmp").iterdir()) == []
