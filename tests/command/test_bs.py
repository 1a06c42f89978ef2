"""``sendmail -bs``: dialogues byte for byte, where each message goes, and what its reply is."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from sesmail import envelope
from tests import memory, submission_alone
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.host import Host, Result
from tests.installation import Installation, compile_program
from tests.smtp_client import Client
from tests.spool import AUTHOR, RECIPIENT, Spool
from tests.submission_alone import handed_over

OURS = b"From: sue@example.com\nTo: bob@example.org\nBcc: eve@example.org\nSubject: hi\n\n.dot\n"
OTHER = b"From: ann@elsewhere.example\nTo: bob@example.org\nBCC:\n\nhello\n"
MAIL = b"MAIL FROM:<sue@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
LARGEST = 28 << 20  # bytes: message_size_limit


@pytest.fixture
def submission(host: Host) -> Host:
    """A host with an identity, where the delivery half is a program that records."""
    submission_alone.install(host)
    host.identity("example.com", "")
    return host


def identity(host: Host, ses: SesServer) -> None:
    """Give example.com working credentials."""
    ses.state.identities.add("example.com")
    host.identity(
        "example.com",
        f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
        f"endpoint_url = {ses.api_url}\n",
    )


def codes(result: Result) -> str:
    """Return the reply codes, without those of lines that go on."""
    lines = result.stdout.decode("ascii").split("\r\n")
    assert lines.pop() == ""
    return " ".join(line[:3] for line in lines if line[3] == " ")


def test_a_dialogue_byte_for_byte(submission: Host) -> None:
    """What a client sees of a session with a probe, an unknown command and one message."""
    result = submission.run(
        "-bs",
        stdin=b"EHLO client.example\r\nMAIL FROM:<ann@elsewhere.example> SIZE=50 BODY=8BITMIME\r\n"
        b"RCPT TO:<bob@example.org>\r\nRSET\r\nFOO\r\nMAIL FROM:<ann@elsewhere.example>\r\n"
        b"RCPT TO:<bob@example.org>\r\nDATA\r\nSubject: hi\r\n\r\n..\r\n\xff\r\n.\r\nQUIT\r\n",
    )
    assert result == Result(
        0,
        b"220 host.example.net ESMTP sesmail\r\n"
        b"250-host.example.net\r\n250-PIPELINING\r\n250-SIZE 29360128\r\n250-8BITMIME\r\n"
        b"250-ENHANCEDSTATUSCODES\r\n250 HELP\r\n"
        b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok\r\n500 5.5.2 Command not recognized\r\n"
        b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n"
        b"250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n",
        b"",
    )
    (call,) = submission.relayed
    words = [b"sendmail", b"-i", b"-f", b"ann@elsewhere.example", b"--", b"bob@example.org"]
    assert call.argv == words
    assert call.stdin == b"Subject: hi\n\n.\n\xff\n"
    assert call.environ[b"SESMAIL_RELAYED"] == b"1"


@pytest.mark.parametrize(
    "flags", [["-i"], ["-odb", "-oem", "-om"], ["-i", "-odi", "-v"], ["-t"], ["bob@example.org"]]
)
def test_flags_beside_it(submission: Host, flags: list[str]) -> None:
    """nmh and others pass some; none of them changes who gets the message."""
    result = submission.run("-bs", *flags, stdin=b"HELO x\r\n" + MAIL + b"x\r\n.\r\n")
    assert codes(result) == "220 250 250 250 354 250"
    (given,) = handed_over(submission)
    assert envelope.decode(io.BytesIO(given)).forward_paths == ["bob@example.org"]


def test_a_message_for_ses(submission: Host) -> None:
    """It is treated as one with -f and operands: Bcc goes, missing fields come, dots are undone."""
    with Client(submission) as client:
        client.say("HELO x")
        reply = client.send("bounce@example.com", ["bob@example.org", "eve@example.org"], OURS)
        assert client.say("QUIT") == "221 2.0.0 Bye"
        assert client.end() == (0, b"")
    stream = io.BytesIO(*handed_over(submission))
    found = envelope.decode(stream)
    assert reply == f"250 2.0.0 Ok: queued as {found.queue_id}"
    assert (found.author, found.reverse_path) == ("sue@example.com", "bounce@example.com")
    assert found.forward_paths == ["bob@example.org", "eve@example.org"]
    head, _, body = stream.read().partition(b"\n\n")
    assert [line.partition(b":")[0] for line in head.splitlines()] == [
        b"From",
        b"To",
        b"Subject",
        b"Date",
        b"Message-ID",
    ]
    assert body == b".dot\n"


def test_a_session_mixes_both_ways(submission: Host) -> None:
    """Each message by its author; local recipients to the real sendmail; aliases to SES."""
    submission.aliases("ops: team@example.org\n")
    with Client(submission) as client:
        client.say("EHLO x")
        for number in range(3):
            assert client.send(f"a{number}@example.com", ["bob@example.org"], OURS)[:3] == "250"
            assert client.send("", ["bob@example.org", "root"], OTHER)[:3] == "250"
        assert client.send("", ["bob@example.org", "root", "ops"], OURS)[:3] == "250"
        assert client.end() == (0, b"")
    others = [call.argv[2:] for call in submission.relayed]
    both = [b"-f", b"<>", b"--", b"bob@example.org", b"root"]
    assert others == [both] * 3 + [[b"-f", b"<>", b"--", b"root"]]
    assert submission.relayed[0].stdin == OTHER
    found = [envelope.decode(io.BytesIO(given)) for given in handed_over(submission)]
    assert [one.reverse_path for one in found[:3]] == [
        f"a{number}@example.com" for number in range(3)
    ]
    assert found[3].forward_paths == ["bob@example.org", "team@example.org"]
    assert len({one.queue_id for one in found}) == 4


def test_everything_at_once(submission: Host) -> None:
    """MAIL, 50 RCPT and DATA in one write, as PIPELINING allows; then all of a second message."""
    paths = b"".join(b"RCPT TO:<b%d@example.org>\r\n" % number for number in range(50))
    with Client(submission) as client:
        client.say("EHLO x")
        client.write(b"MAIL FROM:<sue@example.com>\r\n" + paths + b"DATA\r\n")
        assert [client.reply()[:3] for _ in range(52)] == ["250"] * 51 + ["354"]
        client.write(b"Subject: 1\r\n\r\nx\r\n.\r\n" + MAIL + b"y\r\n.\r\nQUIT\r\n")
        replies = [client.reply()[:3] for _ in range(6)]
        assert replies == ["250", "250", "250", "354", "250", "221"]
        assert client.end() == (0, b"")
    found = [envelope.decode(io.BytesIO(given)) for given in handed_over(submission)]
    assert [len(one.forward_paths) for one in found] == [50, 1]


def test_an_idle_session_obeys_signals(submission: Host) -> None:
    """After hundreds of messages and a long pause it goes on, and SIGTERM ends it as before."""
    with Client(submission) as client:
        client.say("HELO x")
        for _ in range(200):
            assert client.send("", ["bob@example.org"], OTHER)[:3] == "250"
        descriptors = len(os.listdir(f"/proc/{client.process.pid}/fd"))
        assert client.say("NOOP") == "250 2.0.0 Ok"
        client.process.send_signal(signal.SIGTERM)
        assert client.end() == (-signal.SIGTERM, b"")
    assert descriptors <= 4  # standard ones, and one for what children say
    assert len(submission.relayed) == 200


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n"],
)
def test_no_message_is_smuggled(submission: Host, end: bytes) -> None:
    """A false end of data ends nothing; the whole is refused, and what follows is obeyed."""
    hidden = b"MAIL FROM:<admin@example.com>\r\nRCPT TO:<eve@example.org>\r\nDATA\r\nevil"
    result = submission.run(
        "-bs", stdin=b"HELO x\r\n" + MAIL + b"x" + end + hidden + b"\r\n.\r\nNOOP\r\n"
    )
    assert codes(result) == "220 250 250 250 354 554 250"
    assert handed_over(submission) == []
    assert submission.relayed == []


def test_bare_line_ends_in_a_message(submission: Host) -> None:
    """They are line ends of the text, and dots after them are text."""
    text = b"a\nb\r\n\xe4\n.c\n..d\re"
    result = submission.run("-bs", stdin=b"HELO x\r\n" + MAIL + b"\r\n" + text + b"\r\n.\r\n")
    assert codes(result) == "220 250 250 250 354 250"
    (given,) = handed_over(submission)
    assert given.endswith(b"\n\na\nb\n\xe4\n.c\n..d\ne\n")


def test_a_client_that_writes_no_cr(submission: Host) -> None:
    """It is told at once, and nothing of what it wrote is obeyed."""
    dialogue = (b"HELO x\r\n" + MAIL + b"x\r\n.\r\nQUIT\r\n").replace(b"\r", b"")
    result = submission.run("-bs", stdin=dialogue)
    assert codes(result) == "220 500"
    assert b"CR LF" in result.stdout
    assert handed_over(submission) == []


def test_an_address_cannot_hold_a_command(submission: Host) -> None:
    """What follows an LF in an address is not obeyed."""
    dialogue = b"HELO x\r\n" + MAIL.replace(b">\r\nDATA", b">\nRCPT TO:<eve@d>\r\nDATA")
    result = submission.run("-bs", stdin=dialogue)
    assert codes(result) == "220 250 250 500 503"


@pytest.mark.parametrize("cut", range(len(b"HELO x\r\n" + MAIL + b"x\r\n.\r\n")))
def test_the_end_of_input_anywhere(submission: Host, cut: int) -> None:
    """Before the final CRLF.CRLF nothing is sent; within DATA the exit code tells it."""
    start = b"HELO x\r\n" + MAIL
    result = submission.run("-bs", stdin=(start + b"x\r\n.\r\n")[:cut])
    if cut < len(start):
        assert (result.exit_code, result.stderr) == (0, b"")
    else:
        assert result.exit_code == 65
        assert result.stderr == b"sendmail: -bs: input ended within the message; not sent\n"
    assert b"Ok: queued" not in result.stdout
    assert handed_over(submission) == []


def test_too_many_errors(submission: Host) -> None:
    """421, and an exit code of usage."""
    result = submission.run("-bs", stdin=b"GET / HTTP/1.1\r\n" * 30)
    assert result.exit_code == 64
    assert codes(result).split()[-2:] == ["500", "421"]
    assert re.fullmatch(rb"sendmail: -bs: too many errors[ -~]*\n", result.stderr)


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        (64, "554 5.5.4"),
        (65, "554 5.6.0"),
        (67, "550 5.1.1"),
        (68, "550 5.1.2"),
        (69, "451 4.3.0"),
        (75, "451 4.3.0"),
        (77, "550 5.7.1"),
        (78, "451 4.3.5"),
        (1, "451 4.3.0"),
    ],
)
def test_exit_codes_of_the_real_sendmail(host: Host, code: int, reply: str) -> None:
    """Each has its reply, and the session goes on."""
    with Client(host) as client:
        client.say("HELO x")
        host.real_exit_code(code)
        text = f"The mail program ended with {69 if code == 75 else code}; not sent"
        assert client.send("", ["bob@example.org"], OTHER) == f"{reply} {text}"
        host.real_exit_code(0)
        assert client.send("", ["bob@example.org"], OTHER) == "250 2.0.0 Ok"
        assert client.end() == (0, b"")


def test_a_real_sendmail_that_dies(host: Host) -> None:
    """A signal is 451."""
    compile_program("#include <signal.h>\nint main(void) { raise(9); }", host.real_sendmail)
    with Client(host) as client:
        client.say("HELO x")
        assert client.send("", ["bob@example.org"], OTHER).startswith("451 4.3.0 ")


def test_what_the_real_sendmail_says(host: Host) -> None:
    """Its last line is the reason, in printable ASCII; its outputs are not the dialogue."""
    host.real_sendmail.write_text(
        "#!/bin/sh\ncat > /dev/null\necho on stdout\necho first >&2\n"
        'printf "sendmail: fatal: caf\\351\\tbroken\\n\\n" >&2\nexit 65\n'
    )
    with Client(host) as client:
        client.say("HELO x")
        for _ in range(2):  # nothing of the first is left for the second
            reply = client.send("", ["bob@example.org"], OTHER)
            assert reply == "554 5.6.0 fatal: caf??broken"
    host.real_sendmail.write_text("#!/bin/sh\ncat > /dev/null\necho advice\n")
    with Client(host) as client:
        client.say("HELO x")
        assert client.send("", ["bob@example.org"], OTHER) == "250 2.0.0 Ok"
        assert client.end() == (0, b"advice\n")


def test_a_caller_that_ignores_its_children(submission: Host) -> None:
    """swaks does, and programs inherit it; the exit codes of ours count all the same."""
    words = ["-c", 'trap "" CHLD; exec "$0" -bs', str(submission.installed.sendmail)]
    submission.real_exit_code(67)
    done = subprocess.run(
        ["/bin/sh", *words],
        input=b"HELO x\r\n" + MAIL + OURS.replace(b"\n", b"\r\n") + b".\r\n"
        b"MAIL FROM:<>\r\nRCPT TO:<b@c.example>\r\nDATA\r\nFrom: a@c.example\r\n\r\n.\r\n",
        capture_output=True,
        env=submission.environment(),
    )
    assert codes(Result(0, done.stdout, b"")) == "220 250 250 250 354 250 250 250 354 550"


def test_a_real_sendmail_that_leaves_a_process_behind(host: Host) -> None:
    """The reply does not wait for one that keeps its outputs open."""
    host.real_sendmail.write_text("#!/bin/sh\ncat > /dev/null\nsleep 60 &\necho $! > $0.pid\n")
    with Client(host) as client:
        client.say("HELO x")
        assert client.send("", ["bob@example.org"], OTHER) == "250 2.0.0 Ok"
        os.kill(int(Path(f"{host.real_sendmail}.pid").read_text()), signal.SIGKILL)
        assert client.end() == (0, b"")


@pytest.mark.parametrize(
    ("message", "path", "reply"),
    [
        (OTHER, "bob@example.org", "451 4.3.0 no credentials for 'elsewhere.example', and no "),
        (OURS, "root", "550 5.1.1 'root' is local to this host, and there is no real sendmail"),
        (b"From: <a\n\nx\n", "bob@example.org", "554 5.6.0 malformed From: "),
        (OURS.replace(b"To:", b"From:"), "bob@example.org", "554 5.6.0 two From fields; "),
        (b"Received: x\n" * 101 + OURS, "bob@example.org", "451 4.3.0 over 100 Received fields"),
    ],
)
def test_messages_that_cannot_go(submission: Host, message: bytes, path: str, reply: str) -> None:
    """The reason is that of the other modes, and the next message goes."""
    submission.settings(real_sendmail="none")
    with Client(submission) as client:
        client.say("HELO x")
        assert client.send("", [path], message).startswith(reply)
        assert client.send("", ["bob@example.org"], OURS).startswith("250 ")
        assert client.end() == (0, b"")
    assert len(handed_over(submission)) == 1


def test_a_message_that_is_too_large(submission: Host) -> None:
    """552: by what MAIL announces, or by what comes."""
    submission.settings(message_size_limit="1K")
    with Client(submission) as client:
        assert "\r\n250-SIZE 1024\r\n" in client.say("EHLO x")
        announced = client.say("MAIL FROM:<sue@example.com> SIZE=1025")
        assert announced == "552 5.3.4 Over message_size_limit = 1024 bytes; not sent"
        assert client.send("", ["bob@example.org"], OURS + b"x\n" * 600) == announced
        assert client.send("", ["bob@example.org"], OURS).startswith("250 ")
    assert len(handed_over(submission)) == 1


def test_a_bug_costs_one_message(submission: Host) -> None:
    """An error of our own is a reply, and the session goes on."""
    module = submission.installed.library / "sesmail"
    source = module.resolve()
    module.unlink()
    subprocess.run(["cp", "-a", source, module], check=True)
    recipients = module / "submission" / "recipients.py"
    recipients.write_text(recipients.read_text() + "\n\ndel Recipients\n")
    shutil.rmtree(recipients.parent / "__pycache__")  # byte code that is not compared with it
    with Client(submission) as client:
        client.say("HELO x")
        reply = client.send("", ["bob@example.org"], OURS)
        assert reply.startswith("451 4.3.0 internal error: NameError at ")
        assert client.send("", ["bob@example.org"], OTHER) == "250 2.0.0 Ok"


def test_a_reader_that_is_gone(submission: Host) -> None:
    """A closed output ends the session, with a failure."""
    process = submission.start("-bs")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, stderr = process.communicate(b"HELO x\r\n" + MAIL, timeout=60)
    assert process.returncode == 74
    assert re.fullmatch(rb"sendmail: cannot write to standard output: [ -~]+\n", stderr)


def test_failures_of_ses_are_replies(host: Host, ses: SesServer) -> None:
    """In the foreground: sent, refused for good or for now, without a spool."""
    identity(host, ses)
    with Client(host) as client:
        client.say("HELO x")
        assert client.send("", ["bob@example.org"], OURS).startswith("250 2.0.0 Ok: queued as ")
        (host.credentials / "example.com").write_text("region = us-east-1\nnonsense\n")
        reply = client.send("", ["bob@example.org"], OURS)
        assert reply.startswith("451 4.3.5 ")
        assert "line 2" in reply
        identity(host, ses)
        ses.state.identities.clear()
        reply = client.send("", ["bob@example.org"], OURS)
        assert reply.startswith("451 4.3.5 ")
        assert "sue@example.com" in reply
        assert client.end() == (0, b"")
    assert len(ses.state.messages) == 1


def test_no_way_at_all(host: Host) -> None:
    """No spool, and credentials that the caller cannot read: 550 5.7.1."""
    host.identity("example.com", "", mode=0o600)
    with Client(host, user="www-data") as client:
        client.say("HELO x")
        reply = client.send("", ["bob@example.org"], OURS)
        assert reply.startswith(f"550 5.7.1 {host.credentials}/example.com cannot be read")


def test_with_a_daemon_each_message_is_dropped(spool: Spool, installed: Installation) -> None:
    """As a user who cannot read the credentials; the daemon delivers what 250 was said to."""
    spool.start()
    host = _host_of(spool, installed)
    with Client(host, "-odb") as client:
        client.say("EHLO x")
        message = f"From: {AUTHOR}\nTo: {RECIPIENT}\n\nhello\n".encode()
        queued = [client.send(AUTHOR, [RECIPIENT], message) for _ in range(5)]
        assert client.end() == (0, b"")
    spool.ses.state.wait_for_messages(5)
    spool.wait_until_empty()
    sent = {accepted.tags["sesmail-id"] for accepted in spool.ses.state.messages}
    assert sent == {reply.removeprefix("250 2.0.0 Ok: queued as ") for reply in queued}


def test_a_full_disk_is_for_now(spool: Spool, installed: Installation) -> None:
    """What cannot be dropped is 451, and nothing of it is left."""
    spool.settings(minimum_free="1000000G")
    with Client(_host_of(spool, installed), "-odb") as client:
        client.say("HELO x")
        reply = client.send(AUTHOR, [RECIPIENT], f"From: {AUTHOR}\n\nx\n".encode())
        assert reply.startswith("451 4.3.0 less than minimum_free = ")
        spool.settings(minimum_free="1M")
    assert spool.dropped() == []


def test_a_large_message_costs_little_memory(
    spool: Spool, installed: Installation, tmp_path: Path
) -> None:
    """One of 28 MiB at most 64 MiB, in lines or in one."""
    for body in ((b"y" * 76 + b"\r\n") * (LARGEST // 78), b"y" * (LARGEST - 4096)):
        dialogue = tmp_path / "dialogue"
        head = f"EHLO x\r\nMAIL FROM:<{AUTHOR}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n"
        section = f"From: {AUTHOR}\r\n\r\n"
        dialogue.write_bytes((head + section).encode() + body + b"\r\n.\r\n")
        command = [str(installed.sendmail), "-bs", "-odb"]
        environ = {"SESMAIL_CONFIG": str(spool.configuration)}
        peak, replies = memory.peak(command, environ, dialogue)
        assert b"\r\n250 2.0.0 Ok: queued as " in replies
        assert peak <= 64
    assert all(
        (spool.drop_directory / name).stat().st_size > LARGEST - (1 << 20)
        for name in spool.dropped()
    )


class _SpoolHost(Host):
    """Runs the installed commands with the settings of a spool."""

    def __init__(self, configuration: Path, installed: Installation) -> None:
        self.configuration = configuration
        self.installed = installed


def _host_of(spool: Spool, installed: Installation) -> Host:
    return _SpoolHost(spool.configuration, installed)
