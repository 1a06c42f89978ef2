"""What the author of a mail, a caller or SES writes is shown as text: no terminal or browser obeys.

One message with escape sequences and markup wherever it may hold some, met with a refusal that has
them as well; then everything that shows something of it.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.drop import layout
from tests.fakes import faults
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.spool import AUTHOR, IDENTITY, Spool
from tests.system.test_isolation import CALLER, isolated, place

pytestmark = pytest.mark.root

TITLE = "\x1b]0;owned\x07"
CLEAR = "\x1b[2J"
C1 = "\x9b31m"
BIDI = "\u202egpj.exe"
MARKUP = "<script>alert(1)</script>"
EVIL = TITLE + CLEAR + C1 + BIDI + MARKUP
TEXT = f"""\
From: "{EVIL}" <{AUTHOR}>
To: "{EVIL}" <bob@example.org>
Subject: {EVIL}
Message-ID: <{EVIL}@example.com>

{EVIL}
"""
LOOKS = """\
queue list
queue show {0}
log {0}
log bob@example.org
status
report
suppression list
"""


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool of a user of its own, over which the host's commands stand."""
    with isolated(host, ses) as spool:
        host.settings(
            spool_directory=spool.directory,
            credentials_directory=spool.credentials,
            user=spool.load().user,
            real_sendmail="none",
        )
        yield spool


def drop(spool: Spool, *forward_paths: str, reverse_path: str) -> str:
    """Put the message into the drop by hand: sendmail would refuse some of it."""
    name = layout.new_queue_id()
    lines = [f"queue-id {name}", f"identity {IDENTITY}", f"author {AUTHOR}"]
    lines += [f"reverse-path {reverse_path}", *(f"forward-path {path}" for path in forward_paths)]
    content = ("\n".join(lines) + "\n\n" + TEXT).encode()
    place(spool, CALLER, name, layout.leading_line(name, len(content), crc32(content)) + content)
    return name


def assert_shown(text: str, what: str) -> None:
    """Fail where a terminal would do anything but show a letter."""
    assert all(letter.isprintable() or letter == "\n" for letter in text), f"{what}: {text!a}"


def test_whatever_shows_it(host: Host, spool: Spool, tmp_path: Path) -> None:
    """The log, each command that looks at mail, and the report in a browser."""
    spool.ses.script(faults.answer(400, "MessageRejected", f"no {EVIL}"))
    spool.start()
    refused = drop(spool, "bob@example.org", reverse_path=f"x{CLEAR}@example.com")
    sent = drop(spool, "bob@example.org", f'"{CLEAR}"@example.org', reverse_path=AUTHOR)
    assert host.run("-q").exit_code == 0
    spool.wait_for_log(f"{refused}: to=<bob@example.org>")
    spool.wait_for_log(f"{sent}: to=<bob@example.org>")
    for line in spool.log:
        assert_shown(line, "log")
    shown = ""
    for queue_id in (refused, sent):
        for words in LOOKS.format(queue_id).splitlines():
            result = host.run(*words.split(), name="sesmailctl")
            text = (result.stdout + result.stderr).decode()
            assert_shown(text, words)
            shown += text
    text = host.run(name="mailq").stdout.decode()
    assert_shown(text, "mailq")
    assert "alert(1)" in shown + "\n".join(spool.log)
    page = tmp_path / "report.html"
    assert host.run("report", "--html", str(page), name="sesmailctl").exit_code == 0
    html = page.read_text()
    assert "<script>alert" not in html
    assert not set(html) & {"\x1b", "\x07", "\x9b", "\u202e"}
    spool.stop()
