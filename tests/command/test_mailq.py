"""mailq and `sendmail -bp`: the real sendmail's listing, then ours, and one last line for both."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from sesmail.sysexits import EX_UNAVAILABLE
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.installation import PYTHON
from tests.spool import Spool

EMPTY = b"Mail queue is empty\n"
POSTFIX = """\
-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
4B3C12A0E*     1234 Tue Nov 24 04:19:25  alice@example.org
                                         bob@example.net

4B3C12A0F      1234 Tue Nov 24 04:19:25  alice@example.org
                    (connect to mx.example.net[192.0.2.1]:25: Connection refused)
                                         carol@example.net

-- 3 Kbytes in 2 Requests.
"""
EXIM = " 5m  1.2K 1rCqXa-0001Ab-2C <alice@example.org>\n          bob@example.net\n\n"
WRONG_KEY = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = short\n"
ENTRY = re.compile(
    r"-Queue ID- {20}--Size-- ---Arrival Time---- --Sender/Recipient------\n"
    r"(?P<queue_id>[0-9A-F]{28})(?P<mark>.) {1,8}(?P<size>\d+) \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d "
    r"(?P<sender>\S+)\n"
    r" *\((?P<reason>.+)\)\n"
    r" {59}bob@example\.org\n"
    r" {59}carol@example\.org\n"
    r"\n"
    r"-- 1 Kbytes in 1 Request\.\n"
)


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool that every user may look at, its settings being the host's."""
    made = Spool(host.directory / "mail", ses)
    host.settings(spool_directory=made.directory)
    yield made
    made.close()


def real(host: Host, listing: str = "", then: str = "exit 0") -> None:
    """Let a real sendmail print ``listing`` and do what ``then`` says."""
    text = host.directory / "listing"
    text.write_text(listing)
    script = host.directory / "real-mailq"
    script.write_text(f"#!/bin/sh\ncat {text}\n{then}\n")
    script.chmod(0o755)
    host.settings(real_sendmail=script)


def wait_with_one_held(spool: Spool) -> str:
    """Start the daemon, and let one message wait for the administrator; return its id."""
    spool.identity("example.com", WRONG_KEY)
    spool.start()
    queue_id = spool.drop("bob@example.org", "carol@example.org")
    spool.wait_for_log("error: held")
    spool.wait(lambda: len(spool.waiting()) == 1, "entry")
    return queue_id


@pytest.mark.parametrize("words", [("mailq",), ("sendmail", "-bp"), ("sendmail", "-bp", "-v")])
def test_without_a_spool_it_is_the_real_one(host: Host, words: tuple[str, ...]) -> None:
    """Where nothing is ours the real sendmail is executed, with the words as they came."""
    host.settings(spool_directory=host.directory / "nowhere")
    host.real_exit_code(3)
    assert host.run(*words[1:], name=words[0]).exit_code == 3
    (call,) = host.relayed
    assert call.argv == [word.encode() for word in words]


def test_neither_spool_nor_real_one(host: Host) -> None:
    """With nothing that could hold mail the queue is empty."""
    host.settings(spool_directory=host.directory / "nowhere", real_sendmail="none")
    result = host.run("-bp")
    assert (result.exit_code, result.stdout, result.stderr) == (0, EMPTY, b"")


@pytest.mark.parametrize("listing", [None, "", "Mail queue is empty\n"])
def test_both_empty(host: Host, spool: Spool, listing: str | None) -> None:
    """One line says that nothing waits anywhere."""
    spool.start()
    host.settings(real_sendmail="none")
    if listing is not None:
        real(host, listing)
    result = host.run(name="mailq")
    assert (result.exit_code, result.stdout, result.stderr) == (0, EMPTY, b"")


@pytest.mark.parametrize("listing", [None, "Mail queue is empty\n"])
def test_ours_has_postfix_s_form(host: Host, spool: Spool, listing: str | None) -> None:
    """Queue id and mark, size, arrival, sender; the reason in brackets; the recipients; the sum."""
    host.settings(real_sendmail="none")
    if listing is not None:
        real(host, listing)
    queue_id = wait_with_one_held(spool)
    result = host.run(name="mailq")
    assert (result.exit_code, result.stderr) == (0, b"")
    found = ENTRY.fullmatch(result.stdout.decode("ascii"))
    assert found, result.stdout.decode()
    assert (found["queue_id"], found["mark"]) == (queue_id, "!")
    assert found["sender"] == "wiki@example.com"
    assert "aws_secret_access_key has 5 characters" in found["reason"]


def test_the_last_line_is_the_sum(host: Host, spool: Spool) -> None:
    """Postfix's listing comes first, as it is; its last line gives way to one that counts both."""
    real(host, POSTFIX)
    wait_with_one_held(spool)
    listing, _, last = host.run("-bp").stdout.decode("ascii").rstrip("\n").rpartition("\n")
    assert listing.startswith(POSTFIX.rpartition("\n\n-- ")[0] + "\n\n-Queue ID- ")
    assert last == "-- 4 Kbytes in 3 Requests."


def test_postfix_s_alone_stays_as_it_is(host: Host, spool: Spool) -> None:
    """With nothing of ours the output is the real one's, to the byte."""
    real(host, POSTFIX)
    spool.start()
    assert host.run("-bp").stdout.decode("ascii") == POSTFIX


@pytest.mark.parametrize("listing", [EXIM, POSTFIX.replace("Requests", "Letters"), "no line end"])
def test_another_form_stays_as_it_is(host: Host, spool: Spool, listing: str) -> None:
    """What cannot be counted is passed on; the last line counts ours."""
    real(host, listing)
    spool.start()
    assert host.run("-bp").stdout.decode("ascii") == listing
    assert spool.stop() == 0
    wait_with_one_held(spool)
    output = host.run("-bp").stdout.decode("ascii")
    assert output.startswith(listing)
    assert output.endswith("\n\n-- 1 Kbytes in 1 Request.\n")


@pytest.mark.parametrize(("then", "code"), [("exit 3", 3), ("exit 75", 69), ("kill -9 $$", 69)])
def test_a_real_one_that_fails(host: Host, spool: Spool, then: str, code: int) -> None:
    """Its exit code comes back, but never 75; ours is listed all the same."""
    real(host, POSTFIX, then)
    wait_with_one_held(spool)
    result = host.run("-bp")
    assert result.exit_code == code
    assert result.stdout.endswith(b"\n-- 4 Kbytes in 3 Requests.\n")


def test_a_real_one_that_hangs(host: Host, spool: Spool) -> None:
    """After ten seconds it is ended, a line says so, and ours comes."""
    real(host, EXIM, "exec sleep 60")
    wait_with_one_held(spool)
    result = host.run("-bp", timeout=30)
    assert result.exit_code == EX_UNAVAILABLE
    assert result.stdout.startswith(EXIM.encode())
    assert result.stdout.endswith(b"-- 1 Kbytes in 1 Request.\n")
    assert result.stderr.count(b"\n") == 1
    assert b"more than 10 s" in result.stderr


def test_a_real_one_without_a_queue(host: Host, spool: Spool) -> None:
    """msmtp, under any name, would only say that it knows no -bp and no -q: it is not asked."""
    program = host.directory / "msmtp"
    program.write_text("#!/bin/sh\nexit 64\n")
    program.chmod(0o755)
    link = host.directory / "sendmail.distrib"
    link.symlink_to(program)
    host.settings(real_sendmail=link)
    spool.start()
    for words, stdout in ((["-bp"], EMPTY), (["-q"], b"")):
        result = host.run(*words)
        assert (result.exit_code, result.stdout, result.stderr) == (0, stdout, b"")


def test_without_a_daemon(host: Host, spool: Spool) -> None:
    """Whoever watches the queue must hear that a part is missing; the real one's is shown."""
    real(host, POSTFIX)
    result = host.run("-bp")
    assert (result.exit_code, result.stdout.decode()) == (EX_UNAVAILABLE, POSTFIX)
    assert result.stderr.count(b"\n") == 1
    assert b"sesmaild does not run" in result.stderr


def test_a_daemon_without_its_socket(host: Host, spool: Spool) -> None:
    """One that cannot be asked is told like one that is not there."""
    host.settings(real_sendmail="none")
    spool.start()
    (spool.directory / "control").unlink()
    result = host.run("-bp")
    assert (result.exit_code, result.stdout) == (EX_UNAVAILABLE, b"")
    assert b"sesmaild does not answer" in result.stderr


def test_a_reader_that_goes_away(host: Host, spool: Spool) -> None:
    """`mailq | head` ends without a word."""
    real(host, POSTFIX * 10_000)
    spool.start()
    process = host.start(name="mailq")
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.close()
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) != 0


def test_the_real_one_gets_its_own_environment(host: Host, spool: Spool) -> None:
    """It runs under the name that we were called by, with the guard against a loop."""
    spool.start()
    assert host.run(name="mailq").stdout == EMPTY
    (call,) = host.relayed
    assert call.argv == [b"mailq"]
    assert call.environ[b"SESMAIL_RELAYED"] == b"1"
    assert not call.ignores(13)


def test_no_message_pays_for_it(host: Host) -> None:
    """What mailq needs is imported by nothing else: sockets cost more than a whole submission."""
    code = (
        f"import sys; sys.path.insert(0, {str(host.installed.library)!r});"
        "import sesmail.submission.main, sesmail.submission.route; print(*sys.modules)"
    )
    done = subprocess.run([PYTHON, "-IS", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "sesmail.submission.main" in loaded
    assert loaded.isdisjoint({"socket", "sesmail.submission.mailq", "sesmail.submission.spool"})
