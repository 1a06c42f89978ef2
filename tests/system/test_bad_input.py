"""Bad input, from the caller's side: the exit code, one line on stderr, all of stdin read."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.host import Environment, Host, Result

FROM = b"From: Wiki <wiki@example.com>\n"
MESSAGE = FROM + b"To: bob@example.org\nSubject: hi\n\nhello\n"


@pytest.fixture
def identity(host: Host, ses: SesServer) -> Host:
    """A host whose example.com sends through the stand-in, and without a real sendmail."""
    ses.state.identities.add("example.com")
    host.identity(
        "example.com",
        f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
        f"endpoint_url = {ses.api_url}\n",
    )
    host.settings(real_sendmail="none")
    return host


def run_to_the_end(
    host: Host, *words: str, message: bytes = MESSAGE, env: Environment | None = None
) -> Result:
    """Run sendmail and check that it took every byte of its input before it ended."""
    process = host.start(*words, env=env)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    with process, process.stdin as pipe:
        pipe.write(message)  # raises BrokenPipeError where the reader left early
        pipe.flush()
        pipe.close()
        stdout, stderr = process.stdout.read(), process.stderr.read()
    return Result(process.returncode, stdout, stderr)


def check_refused(result: Result, exit_code: int, *words: str) -> None:
    """Check the exit code, silence on stdout, and one line on stderr that holds ``words``."""
    assert (result.exit_code, result.stdout) == (exit_code, b""), result
    text = result.stderr.decode("ascii")
    assert text.startswith("sendmail: ")
    assert text.count("\n") == 1
    assert text.endswith("\n")
    for word in words:
        assert word in text, text


def test_empty_input_with_recipients_is_sent(identity: Host, ses: SesServer) -> None:
    """The fields that a message needs are added."""
    result = run_to_the_end(identity, "-f", "wiki@example.com", "bob@example.org", message=b"")
    assert result == Result(0, b"", b"")
    [accepted] = ses.state.messages
    assert accepted.destinations == ["bob@example.org"]
    message = message_from_bytes(accepted.raw)
    assert message["From"] == "wiki@example.com"
    assert message["Date"]
    assert message["Message-ID"]


def test_empty_input_with_t_is_64(identity: Host, ses: SesServer) -> None:
    """Nobody is named anywhere."""
    result = run_to_the_end(identity, "-t", "-f", "wiki@example.com", message=b"")
    check_refused(result, 64, "No recipient addresses found in header")
    assert ses.state.requests == 0


def test_no_recipients_is_64(identity: Host, ses: SesServer) -> None:
    """Without -t the header names nobody."""
    check_refused(run_to_the_end(identity), 64, "No recipient addresses found")
    assert ses.state.requests == 0


def test_over_message_size_limit_is_69(identity: Host, ses: SesServer) -> None:
    """The limit counts the message as it goes on; at the limit it is sent."""
    identity.settings(message_size_limit="1M")
    body = (b"x" * 99 + b"\n") * 11_000
    check_refused(
        run_to_the_end(identity, "-t", message=MESSAGE + body), 69, "message_size_limit = 1048576"
    )
    assert ses.state.requests == 0
    assert run_to_the_end(identity, "-t", message=MESSAGE + body[:1_000_000]).exit_code == 0


def test_over_1000_forward_paths_is_69(identity: Host, ses: SesServer) -> None:
    """In the foreground nothing is sent to any of them; 1,000 are."""
    paths = [f"u{number}@example.org" for number in range(1001)]
    check_refused(run_to_the_end(identity, *paths), 69, "1001 recipients", "nothing sent")
    assert ses.state.requests == 0
    assert run_to_the_end(identity, *paths[:1000]) == Result(0, b"", b"")
    sent = [path for message in ses.state.messages for path in message.destinations]
    assert sent == paths[:1000]
    assert ses.state.requests == 20


def test_a_binary_body_is_sent_as_base64(identity: Host, ses: SesServer) -> None:
    """Every byte value arrives; only line ends are made alike."""
    body = bytes(byte for byte in range(256) if byte not in b"\r\n") * 10 + b"\n"
    assert run_to_the_end(identity, "-t", "-i", message=MESSAGE + body).exit_code == 0
    message = message_from_bytes(ses.state.messages[0].raw)
    assert message["Content-Transfer-Encoding"] == "base64"
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.replace(b"\r\n", b"\n") == b"hello\n" + body


@pytest.mark.parametrize("value", ["<wiki@example.com", "wiki@", "a b c", 'x"@example.com'])
def test_a_malformed_from_is_65(identity: Host, ses: SesServer, value: str) -> None:
    """Whose mail it is cannot be told."""
    message = f"From: {value}\nTo: bob@example.org\n\n".encode()
    check_refused(run_to_the_end(identity, "-t", message=message), 65, "malformed From")
    assert ses.state.requests == 0


@pytest.mark.root
def test_unreadable_credentials_are_77(identity: Host, ses: SesServer) -> None:
    """The caller may not read the secret, and there is no queue to leave the message in."""
    (identity.credentials / "example.com").chmod(0o640)
    result = identity.run("-t", stdin=MESSAGE, user="www-data")
    check_refused(result, 77, "example.com")
    assert ses.state.requests == 0


@pytest.mark.parametrize("text", ["aws_access_key_id\n", "[default\n", "no_such_key = x\n", "\0\n"])
def test_malformed_credentials_are_78(identity: Host, ses: SesServer, text: str) -> None:
    """File and line are named; no value is."""
    secret = "aws_secret_access_key = SECRETSECRETSECRETSECRETSECRETSECRETSECR\n"
    identity.identity("example.com", secret + text)
    result = run_to_the_end(identity, "-t")
    check_refused(result, 78, str(identity.credentials / "example.com"), "line 2")
    assert b"SECRETSECRET" not in result.stderr
    assert ses.state.requests == 0


@pytest.mark.root
def test_a_full_disk_under_the_temporary_file_is_73(
    identity: Host, ses: SesServer, tmp_path: Path
) -> None:
    """TMPDIR is a file system of 2 MiB."""
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=1777", "none", tmp_path], check=True
    )
    try:
        result = run_to_the_end(
            identity, "-t", message=MESSAGE + bytes(4_000_000), env={"TMPDIR": str(tmp_path)}
        )
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    check_refused(result, 73, "temporary file")
    assert ses.state.requests == 0


def test_closed_stdin_counts_as_empty(identity: Host, ses: SesServer) -> None:
    """A caller without standard input sends an empty message."""
    command = f'exec "{identity.installed.sendmail}" -f wiki@example.com bob@example.org <&-'
    done = subprocess.run(["sh", "-c", command], env=identity.environment(), capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(ses.state.messages) == 1


def test_sigterm_while_ses_is_slow_is_69(identity: Host, ses: SesServer) -> None:
    """The caller learns that nothing is kept, and that SES may have the message."""
    ses.script("slow")
    process = identity.start("-t")
    assert process.stdin
    process.stdin.write(MESSAGE)
    process.stdin.close()
    process.stdin = None
    while ses.state.requests == 0:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGTERM)
    stdout, stderr = process.communicate()
    check_refused(Result(process.returncode, stdout, stderr), 69, "may have")


def test_local_and_other_recipients_together(identity: Host, ses: SesServer) -> None:
    """SES gets the message for the one, the real sendmail for the other."""
    identity.settings(real_sendmail=identity.real_sendmail)
    words = ("-f", "bounces@example.com", "root", "bob@example.org")
    assert run_to_the_end(identity, *words) == Result(0, b"", b"")
    assert ses.state.messages[0].destinations == ["bob@example.org"]
    [call] = identity.relayed
    assert call.argv == [b"sendmail", b"-i", b"-f", b"bounces@example.com", b"--", b"root"]
    assert call.stdin.startswith(FROM)


def test_local_recipients_without_a_real_sendmail_are_67(identity: Host, ses: SesServer) -> None:
    """Nothing is sent to anybody, and the remedy is named."""
    result = run_to_the_end(identity, "root", "bob@example.org")
    check_refused(result, 67, "'root'", "alias")
    assert ses.state.requests == 0


def test_the_real_sendmails_75_does_not_reach_the_caller(identity: Host, ses: SesServer) -> None:
    """It would tell PHP that the mail is kept."""
    identity.settings(real_sendmail=identity.real_sendmail)
    identity.real_exit_code(75)
    assert run_to_the_end(identity, "root", "bob@example.org").exit_code == 69
