"""Every case of tests/corpus/sendmail: what submission makes of it; of the runs, what SES gets too.

Submission alone is seen by putting a recording program where its exec finds the delivery half.
"""

from __future__ import annotations

import email
import email.header
import io
import os
import re
import subprocess
from pathlib import Path

import pytest

from sesmail import envelope
from tests import sendmail_cases, submission_alone
from tests.fakes.ses import FAULTS, KEY_ID, SesServer
from tests.host import Host, Relayed, Result
from tests.installation import CHECKOUT, Installation
from tests.sendmail_cases import CORPUS, ORIGIN, Case, Outcome
from tests.submission_alone import handed_over

CASES = sendmail_cases.load()
ALL = {**CASES, **sendmail_cases.load_own()}
# Where sesmail does not do what Sendmail, Postfix and Exim all do, and the row that says so.
EXCEPTIONS = {
    "rcpt-utf8-domain": "a UTF-8 domain → A-label",
    "hdr-utf8-addr": "65 (SES has no SMTPUTF8)",
    "from-f-utf8": "65 (SES has no SMTPUTF8)",
    "from-f-local": "The source address for SES: see the contract",
    "from-nof-from-null": "source = `feedback_address`, else the author",
}
MOST_EXCEPTIONS = 8
SILENT = Result(0, b"", b"")

every_case = pytest.mark.parametrize("case", ALL.values(), ids=ALL)
case_of_the_runs = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture(scope="session")
def passwd(installed: Installation) -> Path:
    """The library that gives whoever runs the tests another passwd entry; see tests/passwd.c."""
    library = installed.recorder.parent / "passwd.so"
    making = library.with_name(f"passwd.{os.getpid()}")
    source = CHECKOUT / "tests" / "passwd.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", source, "-o", making], check=True)
    making.rename(library)
    return library


@pytest.fixture
def machine(host: Host) -> Host:
    """The host of the runs, without any identity."""
    host.settings(origin=ORIGIN, local_domains=ORIGIN)
    host.aliases(sendmail_cases.ALIASES)
    return host


@pytest.fixture
def submission(machine: Host) -> Host:
    """The same host, where submission finds a recording program in place of the delivery half."""
    submission_alone.install(machine)
    return machine


@every_case
def test_submission_does_what_is_written(submission: Host, passwd: Path, case: Case) -> None:
    """Exit code, way, envelope, header section, body and stderr are those of expected.jsonl."""
    for identity in ("example.com", "default"):
        submission.identity(identity, "")
    result = run(submission, passwd, case)
    way = case.expected["way"]
    if way == "refused":
        assert_refused(result, case.expected)
        assert not submission.relayed
        assert handed_over(submission) == []
        return
    assert result == SILENT
    if way == "real":
        assert handed_over(submission) == []
        assert_relayed_unchanged(submission.relayed, case)
        return
    (given,) = handed_over(submission)
    stream = io.BytesIO(given)
    assert_envelope(envelope.decode(stream), case)
    message = stream.read()
    assert_message(message, case)
    assert [call.argv for call in submission.relayed] == local_calls(case)
    assert all(call.stdin == message for call in submission.relayed)


@every_case
def test_without_an_identity_the_real_sendmail_gets_the_call_as_it_came(
    submission: Host, passwd: Path, case: Case
) -> None:
    """Same words and bytes, also of what would be refused; but for what hinders the routing."""
    result = run(submission, passwd, case)
    if "alone" in case.expected:
        assert_refused(result, case.expected["alone"])
        assert not submission.relayed
    else:
        assert result == SILENT
        assert_relayed_unchanged(submission.relayed, case)
    assert handed_over(submission) == []


@case_of_the_runs
def test_ses_gets_what_is_written_and_the_three_agree(
    machine: Host, ses: SesServer, passwd: Path, case: Case
) -> None:
    """Source, forward-paths and bytes; where Sendmail, Postfix and Exim agree, so do we.

    Where no -f says otherwise the author is the source. An exception that is none fails too.
    """
    make_identities(machine, ses)
    end = case.expected.get("ses", {})
    if "fault" in end:
        ses.script(FAULTS[end["fault"]])
    result = run(machine, passwd, case)
    if "fault" in end:
        assert_refused(result, end)
        assert not ses.state.messages
    elif case.expected["way"] in ("ses", "both"):
        assert_sent(ses, case)
        assert (result.exit_code, result.stdout) == (0, b"")
        assert result.stderr == b"" or "-v" in case.argv
    else:
        assert ses.state.requests == 0
    if case.expected["way"] == "real":
        assert_relayed_unchanged(machine.relayed, case)
    theirs = sendmail_cases.agreed(case)
    if theirs is not None:
        agrees = as_the_three(result, ses, machine, case, theirs)
        assert agrees == (case.id not in EXCEPTIONS)


def test_the_three_agree_on_89_cases() -> None:
    """The cases are those of the runs: 131, and Sendmail, Postfix and Exim agree in 89."""
    assert len(CASES) == 131
    assert sum(sendmail_cases.agreed(case) is not None for case in CASES.values()) == 89


def test_exceptions_are_few_and_cite_their_row() -> None:
    """At most 8, each a case in which the three agree, with a row that its expectation follows."""
    assert len(EXCEPTIONS) <= MOST_EXCEPTIONS
    for name, row in EXCEPTIONS.items():
        assert sendmail_cases.agreed(CASES[name]) is not None
        assert any(row in followed for followed in CASES[name].expected["row"]), name


def test_every_case_follows_rows_that_are_there() -> None:
    """Each expectation names at least one rule, in words that stand in its paper."""
    papers = {path.name: path.read_text("utf-8") for path in CORPUS.glob("*.md")}
    for case in ALL.values():
        assert case.expected["row"]
        for row in case.expected["row"]:
            paper, _, words = row.partition(": ")
            assert words in papers[paper], (case.id, row)


def test_a_header_section_has_no_limit_of_its_own(submission: Host) -> None:
    """Sendmail refuses over 32 KB, Exim over 1 MB; here the limit is that of the message."""
    submission.identity("example.com", "")
    section = b"From: alice@example.com\n" + b"X: %b\n" % (b"y" * 90) * 20_000
    assert submission.run("bob@example.org", stdin=section + b"\nhello\n") == SILENT
    (given,) = handed_over(submission)
    assert section in given


@pytest.mark.parametrize("name", ["rcpt-alice-arg", "rcpt-file", "flag-x", "flag-after-rcpt"])
def test_local_names_without_a_real_sendmail_are_refused(submission: Host, name: str) -> None:
    """67, nothing sent, and the remedy named: an alias with a full address."""
    submission.identity("example.com", "")
    submission.settings(real_sendmail="none")
    result = submission.run(*CASES[name].argv, stdin=CASES[name].stdin)
    assert_refused(result, {"exit": 67, "says": ["alias", str(submission.aliases_file)]})
    assert handed_over(submission) == []


@pytest.mark.root
def test_an_unknown_uid_needs_no_passwd_entry_when_it_gives_an_address(submission: Host) -> None:
    """The kernel's uid decides: without From and -f 67, with either the message goes."""
    submission.identity("default", "")
    case = CASES["from-nosuchuid"]
    refused = run_as(submission, 12345, *case.argv, stdin=case.stdin)
    assert_refused(refused, case.expected)
    assert run_as(submission, 12345, "-fsue@example.com", *case.argv, stdin=case.stdin) == SILENT
    with_from = b"From: sue@example.com\n" + case.stdin
    assert run_as(submission, 12345, *case.argv, stdin=with_from) == SILENT
    assert len(handed_over(submission)) == 2


@pytest.mark.root
def test_an_unknown_uid_may_write_to_local_names_as_well(submission: Host) -> None:
    """Its own address is not needed where From is there, not for the real sendmail either."""
    submission.identity("default", "")
    message = b"From: sue@example.com\nTo: bob@example.org, alice\n\nhello\n"
    assert run_as(submission, 12345, "-t", stdin=message) == SILENT
    assert len(handed_over(submission)) == len(submission.relayed) == 1


@pytest.mark.root
def test_the_login_is_that_of_the_uid(submission: Host) -> None:
    """USER and LOGNAME say nothing: From is www-data's, by its passwd entry."""
    submission.identity("default", "")
    case = CASES["from-env-user"]
    assert run_as(submission, "www-data", "-t", stdin=case.stdin, **case.environ) == SILENT
    (given,) = handed_over(submission)
    assert f"\nFrom: www-data <www-data@{ORIGIN}>\n".encode() in given


def run(host: Host, passwd: Path, case: Case) -> Result:
    """Run the installed command as the case says."""
    environ = {"LD_PRELOAD": str(passwd), "TESTS_PASSWD": case.passwd, **case.environ}
    return host.run(*case.argv, stdin=case.stdin, name=case.name, env=environ)


def run_as(host: Host, user: int | str, *argv: str, stdin: bytes, **environ: str) -> Result:
    """Run the installed command under this uid, known or not."""
    done = subprocess.run(
        [host.installed.sendmail, *argv],
        input=stdin,
        capture_output=True,
        env=host.environment(environ),
        cwd="/",
        user=user,
        group=user,
        extra_groups=[],
    )
    return Result(done.returncode, done.stdout, done.stderr)


def make_identities(host: Host, ses: SesServer) -> None:
    """Give example.com, and by default all others, credentials; SES knows alice's two domains.

    SMTP, as the nine spoke it to their next hop: there the source is the reverse-path itself.
    """
    for identity in ("example.com", "default"):
        host.identity(
            identity,
            f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {ses.smtp_password()}\n"
            f"smtp_host = {ses.smtp_host}\nsmtp_port = {ses.smtps_port}\nsmtp_tls = wrapper\n"
            f"ca_file = {ses.ca_file}\n",
        )
    ses.state.identities.update(("example.com", ORIGIN))


def assert_refused(result: Result, expected: dict[str, object]) -> None:
    """One line on stderr that holds what it should, nothing on stdout, and the exit code."""
    assert (result.exit_code, result.stdout) == (expected["exit"], b"")
    assert re.fullmatch(rb"sendmail: [ -~]+\n", result.stderr)
    says = expected["says"]
    assert isinstance(says, list)
    assert [words for words in says if words.encode() not in result.stderr] == []


def assert_relayed_unchanged(relayed: list[Relayed], case: Case) -> None:
    """The real sendmail was called once, with what the caller gave us."""
    (call,) = relayed
    assert call.argv == [word.encode() for word in [case.name, *case.argv]]
    assert call.stdin == case.stdin
    assert all(call.environ[key.encode()] == value.encode() for key, value in case.environ.items())


def local_calls(case: Case) -> list[list[bytes]]:
    """The argv of the real sendmail's calls for local names, one or none."""
    if "local" not in case.expected:
        return []
    words = ["sendmail", "-i", "-f", case.expected["local_reverse_path"], "--"]
    return [[word.encode() for word in [*words, *case.expected["local"]]]]


def assert_envelope(found: envelope.Envelope, case: Case) -> None:
    """The envelope is the expected one."""
    for member in ("identity", "author", "reverse_path", "forward_paths"):
        assert getattr(found, member) == case.expected[member], member
    assert found.verbose == case.expected.get("verbose", False)


def assert_message(message: bytes, case: Case) -> None:
    """Fields that stay have their bytes and their order; what is missing was added; the body."""
    fields, body = sendmail_cases.parts(message)
    assert sendmail_cases.take_added(fields, case.expected["added"]) == case.kept()
    assert body == case.expected["body"].encode("latin-1")


def assert_sent(ses: SesServer, case: Case) -> None:
    """SES got the forward-paths in order, up to 50 at a time, and with each the same message."""
    messages = ses.state.messages
    assert {message.source for message in messages} == {case.expected["source"]}
    paths = [path for message in messages for path in message.destinations]
    assert paths == case.expected["forward_paths"]
    assert all(len(message.destinations) <= 50 for message in messages)
    (raw,) = {message.raw for message in messages}
    assert_fit_for_ses(raw)
    tag, text = raw.replace(b"\r\n", b"\n").split(b"\n", 1)
    assert re.fullmatch(rb"X-SES-MESSAGE-TAGS: sesmail-id=[0-9A-F]{28}", tag)
    end = case.expected.get("ses", {})
    if end.get("encoded"):
        assert_encoded(text, case)
        return
    fields, body = sendmail_cases.parts(text)
    left = sendmail_cases.take_added(fields, case.expected["added"])
    kept = case.kept(*end.get("removed", []))
    if end.get("reads") == "same":
        assert [legible(field) for field in left] == [legible(field) for field in kept]
    elif end.get("reads") == "folded":
        assert b"".join(left).translate(None, b" \n") == b"".join(kept).translate(None, b" \n")
    else:
        assert left == kept
    assert body == case.expected["body"].encode("latin-1")


def assert_fit_for_ses(raw: bytes) -> None:
    """7 bit, no NUL, lines of at most 998 bytes that end in CRLF and in nothing else."""
    assert raw.isascii()
    assert b"\0" not in raw
    assert raw.endswith(b"\r\n")
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\r" in line or b"\n" in line for line in lines)


def assert_encoded(text: bytes, case: Case) -> None:
    """All fields stay; the body is in a transfer encoding, and decodes to what came in."""
    fields, _ = sendmail_cases.parts(text)
    left = sendmail_cases.take_added(fields, case.expected["added"])
    kept = case.kept()
    assert [field for field in left if field in kept] == kept
    message = email.message_from_bytes(text)
    assert message["MIME-Version"] == "1.0"
    assert message["Content-Transfer-Encoding"] in ("base64", "quoted-printable")
    charset = case.expected["ses"].get("charset")
    assert charset in (None, message.get_content_charset())
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.replace(b"\r\n", b"\n") == case.expected["body"].encode("latin-1")


def legible(field: bytes) -> str:
    """A field as a reader sees it: unfolded, encoded-words decoded."""
    unfolded = re.sub(r"\n(?=[ \t])", "", field.decode("utf-8"))
    return str(email.header.make_header(email.header.decode_header(unfolded)))


def as_the_three(result: Result, ses: SesServer, host: Host, case: Case, theirs: Outcome) -> bool:
    """Tell whether we did as they: accepted or not, the same reverse-path and forward-paths.

    What went to the real sendmail untouched is what one of them gets.
    """
    if case.expected["way"] == "real":
        return result.exit_code == 0 and len(host.relayed) == 1
    if theirs.mail_from is not None and not gives_reverse_path(case):
        theirs = Outcome(theirs.accepted, case.expected.get("author"), theirs.rcpt_to)
    messages = ses.state.messages
    ours = Outcome(
        result.exit_code == 0,
        messages[0].source if messages else None,
        frozenset(path for message in messages for path in message.destinations),
    )
    return ours == theirs


def gives_reverse_path(case: Case) -> bool:
    """Tell whether there is a -f or -r."""
    return any(word.startswith(("-f", "-r")) for word in case.argv)
