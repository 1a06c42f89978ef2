"""Every recorded call of a real program reaches the right recipients by the right way, silently.

tests/corpus/callers holds the calls (argv, environment, standard input, kinds of descriptors),
callers-expected.json beside it what must become of each where example.com is an identity:

    way         ses | real (sendmail) | both | refused (with a usage error) | smtp (-bs)
    author      null: login@origin, for there is neither From nor -f
    source      the reverse-path that SES gets; null: login@origin
    to, local   recipients for SES and for the real sendmail
    messages    how many a session sends
    why         where `way` does not follow from the recipients
"""

from __future__ import annotations

import base64
import contextlib
import email
import getopt
import json
import os
import pwd
import re
import socket
import subprocess
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.host import Host, Result

CORPUS = Path(__file__).parent.parent / "corpus"
CALLS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((CORPUS / "callers").iterdir())
}
EXPECTED: dict[str, dict[str, Any]] = json.loads((CORPUS / "callers-expected.json").read_text())
ONE_MESSAGE = [name for name in CALLS if EXPECTED[name]["way"] != "smtp"]
SESSIONS = [name for name in CALLS if EXPECTED[name]["way"] == "smtp"]
ORIGIN = "host.example.com"
IDENTITY = "example.com"
_FLAGS = "A:B:b:C:cD:d:e:F:f:Gh:IiL:mN:no:O:p:R:r:tUV:vX:"  # Sendmail's


@pytest.mark.parametrize("name", ONE_MESSAGE)
def test_without_an_identity_the_real_sendmail_gets_the_call_unchanged(
    host: Host, name: str
) -> None:
    """Same words, same bytes, same environment, whatever the call is; not a word of our own."""
    host.settings(origin=ORIGIN)
    result = replay(host, CALLS[name])
    assert result == Result(0, b"", b"")
    assert_relayed_unchanged(host, CALLS[name])


@pytest.mark.parametrize("name", ONE_MESSAGE)
def test_with_an_identity_each_recipient_is_reached_by_its_way(
    host: Host, ses: SesServer, name: str
) -> None:
    """SES gets its forward-paths and the content; the real sendmail local names and other modes."""
    expected = EXPECTED[name]
    host.settings(origin=ORIGIN)
    make_identity(host, ses, name)
    result = replay(host, CALLS[name])
    if expected["way"] == "refused":
        assert (result.exit_code, result.stdout) == (64, b"")
        assert result.stderr.count(b"\n") == 1
        assert not ses.state.messages
        assert not host.relayed
        return
    assert_silent(result, CALLS[name])
    if expected["way"] == "real":
        assert not ses.state.messages
        assert_relayed_unchanged(host, CALLS[name])
        return
    assert_sent(ses, CALLS[name], expected, expected["to"])
    if expected["way"] == "both":
        (relayed,) = host.relayed
        source = expected["source"] or login_at_origin()
        words = [b"sendmail", b"-i", b"-f", source.encode(), b"--"]
        assert relayed.argv == words + [local.encode() for local in expected["local"]]
    else:
        assert not host.relayed


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("is_identity", [False, True])
def test_a_session_is_answered_as_recorded(
    host: Host, ses: SesServer, name: str, is_identity: bool
) -> None:
    """The same reply codes to the same bytes; each message reaches SES, or the real sendmail."""
    call, expected = CALLS[name], EXPECTED[name]
    host.settings(origin=ORIGIN)
    if is_identity:
        make_identity(host, ses, name)
    result = replay(host, call)
    assert (result.exit_code, result.stderr) == (0, b"")
    recorded = [line[3:6] for line in call["smtp_dialogue"] if line.startswith("S: ")]
    assert [line[:3].decode() for line in result.stdout.splitlines()] == recorded
    messages = spoken(call)
    assert len(messages) == expected["messages"]
    if not is_identity:
        words = ["sendmail", "-i", "-f", expected["source"], "--", *expected["to"]]
        assert [one.argv for one in host.relayed] == [[word.encode() for word in words]] * len(
            messages
        )
        assert [one.stdin for one in host.relayed] == messages
        return
    assert not host.relayed
    for message, accepted in zip(messages, ses.state.messages, strict=True):
        before, after = (email.message_from_bytes(text) for text in (message, accepted.raw))
        assert (accepted.source, sorted(accepted.destinations)) == (
            expected["source"],
            sorted(expected["to"]),
        )
        assert contents(after) == contents(before)
        assert subject(accepted.raw) == subject(message)


@pytest.mark.parametrize("name", [name for name in CALLS if "local" in EXPECTED[name]])
def test_aliases_take_mail_for_local_names_to_ses(host: Host, ses: SesServer, name: str) -> None:
    """Where the aliases file gives local names an address, a host needs no real sendmail."""
    expected = EXPECTED[name]
    host.settings(origin=ORIGIN, real_sendmail="none")
    host.aliases("".join(f"{local}: {local}.alias@example.org\n" for local in expected["local"]))
    make_identity(host, ses, name)
    assert_silent(replay(host, CALLS[name]), CALLS[name])
    aliases = [f"{local}.alias@example.org" for local in expected["local"]]
    assert_sent(ses, CALLS[name], expected, expected.get("to", []) + aliases)


def test_every_call_has_its_expectation() -> None:
    """No recorded call is left out, and no expectation is for a call that is not there."""
    assert CALLS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", [name for name in CALLS if "author" in EXPECTED[name]])
def test_expectations_agree_with_the_standard_library(name: str) -> None:
    """Author and recipients are those that getopt and email.utils find in the call."""
    call, expected = CALLS[name], EXPECTED[name]
    flags, operands = getopt.getopt(call["argv"][1:], _FLAGS)
    section = original(call)
    fields = ["To", "Cc", "Bcc"] if ("-t", "") in flags else []
    texts = [str(text) for field in fields for text in section.get_all(field, [])] + operands
    found = {address for _, address in getaddresses(texts) if address}
    recipients = set(expected.get("to", []) + expected.get("local", []))
    if name == "bsd-mailx-dashdash":
        found.add("X")  # "Alice X": the library drops the second word, we take both as names
    assert found == recipients
    senders = [value for flag, value in flags if flag in ("-f", "-r") and value not in ("", "<>")]
    authors = [address for _, address in getaddresses([str(section.get("From", ""))]) if address]
    first = (authors + senders[-1:] + [None])[0]
    qualified = first if first is None or "@" in first else f"{first}@{ORIGIN}"
    assert expected["author"] == qualified


def replay(host: Host, call: dict[str, Any]) -> Result:
    """Run the installed command as the recorded program did."""
    path = host.installed.command("sendmail")
    name = os.path.basename(call["argv"][0])
    if name != "sendmail":
        path = host.directory / name
        path.symlink_to(host.installed.command("sesmail"))
    words = [str(path), *call["argv"][1:]]
    if call.get("stdout") == "closed":
        words = ["/bin/sh", "-c", 'exec "$0" "$@" >&- 2>&-', *words]
    environ = {**call["env"], "SESMAIL_CONFIG": str(host.configuration)}
    with standard_input(host, call) as descriptor:
        done = subprocess.run(
            words,
            stdin=descriptor,
            capture_output=True,
            env=environ,
            cwd="/",
            umask=int(call.get("umask") or "0o22", 8),
            timeout=60,
        )
    return Result(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def standard_input(host: Host, call: dict[str, Any]) -> Iterator[int]:
    """A descriptor of the recorded kind that yields the recorded bytes."""
    content = stdin_of(call)
    if call["stdin"] in ("pipe", "socket"):
        ends = os.pipe() if call["stdin"] == "pipe" else _socket_pair()
        assert os.write(ends[1], content) == len(content)  # all are small enough for the buffer
        os.close(ends[1])
        descriptor = ends[0]
    else:
        path = host.directory / "stdin"
        path.write_bytes(content)
        descriptor = os.open(path if call["stdin"] == "file" else "/dev/null", os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _socket_pair() -> tuple[int, int]:
    reader, writer = socket.socketpair()
    return reader.detach(), writer.detach()


def stdin_of(call: dict[str, Any]) -> bytes:
    """The recorded bytes."""
    return base64.b64decode(call["stdin_b64"] or "")


def make_identity(host: Host, ses: SesServer, name: str) -> None:
    """Give example.com credentials, and have SES know it: the API for web programs, else SMTP."""
    ses.state.identities.add(IDENTITY)
    if CALLS[name].get("uid") == "www-data":
        keys = {"aws_secret_access_key": SECRET, "endpoint_url": ses.api_url}
    else:
        keys = {
            "aws_secret_access_key": ses.smtp_password(),
            "smtp_host": ses.smtp_host,
            "smtp_port": str(ses.smtps_port),
            "smtp_tls": "wrapper",
            "ca_file": ses.ca_file,
        }
    keys["aws_access_key_id"] = KEY_ID
    host.identity(IDENTITY, "".join(f"{key} = {value}\n" for key, value in keys.items()))


def login_at_origin() -> str:
    """The address of whoever runs the tests."""
    return f"{pwd.getpwuid(os.getuid()).pw_name}@{ORIGIN}"


def assert_silent(result: Result, call: dict[str, Any]) -> None:
    """Exit code 0 and no output; with -v, stderr may tell something."""
    assert result.exit_code == 0, result
    assert result.stdout == b""
    assert result.stderr == b"" or "-v" in call["argv"]


def assert_relayed_unchanged(host: Host, call: dict[str, Any]) -> None:
    """The real sendmail was called once, with what the caller gave us."""
    (relayed,) = host.relayed
    name = os.path.basename(call["argv"][0])
    called = name if name in ("mailq", "newaliases") else "sendmail"
    assert relayed.argv == [word.encode() for word in [called, *call["argv"][1:]]]
    assert relayed.stdin == stdin_of(call)
    environ = {key.encode(): value.encode() for key, value in call["env"].items()}
    added = relayed.environ.keys() - environ.keys() - {b"PWD"}  # PWD: dash's, where fds are closed
    assert added == {b"SESMAIL_CONFIG", b"SESMAIL_RELAYED"}
    assert environ.items() <= relayed.environ.items()


def assert_sent(
    ses: SesServer, call: dict[str, Any], expected: dict[str, Any], to: list[str]
) -> None:
    """SES got one message for these forward-paths: the caller's content, and no Bcc."""
    (accepted,) = ses.state.messages
    assert sorted(accepted.destinations) == sorted(to)
    assert accepted.source == (expected.get("source") or expected["author"] or login_at_origin())
    before, after = original(call), email.message_from_bytes(accepted.raw)
    assert contents(after) == contents(before)
    assert subject(accepted.raw) == subject(settled(call))
    assert after["Bcc"] is None
    added = () if "-G" in call["argv"] else ("Date", "Message-ID")
    assert all(len(after.get_all(field, [])) == 1 for field in ("From", *added))


def original(call: dict[str, Any]) -> Message:
    """The recorded message as the standard library reads it."""
    return email.message_from_bytes(settled(call))


def spoken(call: dict[str, Any]) -> list[bytes]:
    """The messages of a recorded session, without their dots, with LF line ends."""
    texts = re.findall(rb"^DATA\r\n(.*?)^\.\r\n", stdin_of(call), re.MULTILINE | re.DOTALL)
    return [
        re.sub(rb"^\.", b"", text, flags=re.MULTILINE).replace(b"\r\n", b"\n") for text in texts
    ]


def settled(call: dict[str, Any]) -> bytes:
    """The recorded message without what sendmail's input has beside it: CR, dots, a From line."""
    text = re.sub(rb"\r*\n", b"\n", stdin_of(call))
    if not {"-i", "-oi", "-ti", "-tif"} & set(call["argv"]):
        text = re.sub(rb"^\.\n.*", b"", text, count=1, flags=re.MULTILINE | re.DOTALL)
        text = re.sub(rb"^\.\.", b".", text, flags=re.MULTILINE)
    return re.sub(rb"\AFrom .*\n", b"", text)


def contents(message: Message) -> list[bytes]:
    """The decoded leaf parts, LF line ends, without empty lines at the end."""
    parts = [part for part in message.walk() if not part.is_multipart()]
    payloads = [part.get_payload(decode=True) for part in parts]
    return [re.sub(rb"\r*\n", b"\n", bytes(payload)).rstrip(b"\r\n") for payload in payloads]


def subject(message: bytes) -> str:
    """The subject, unfolded, encoded-words decoded."""
    text = email.message_from_string(message.decode("utf-8", "surrogateescape"))["Subject"]
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", text or "")
    return str(make_header(decode_header(unfolded))).strip()
