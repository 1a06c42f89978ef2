"""What is understood of other programs' files, and that nothing of a secret is ever shown.

tests/corpus/import has a directory for each case, and in expected.json what comes of it: file,
line, and either identity, secret and settings, or the reason why it is passed over.
"""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from sesmail.control.importing import kinds, proposal, source
from sesmail.control.importing.account import Account
from sesmail.control.importing.proposal import Proposal
from sesmail.control.importing.source import Source
from sesmail.sysexits import DataError, Failure, NotPermitted
from tests.installation import CHECKOUT

CORPUS = CHECKOUT / "tests/corpus/import"
CASES: dict[str, dict[str, Any]] = json.loads((CORPUS / "expected.json").read_text())
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PASSWORD = "BMW5RDrXmmVs0lV7GpI4oLkHXpZ4stDsk6q91z1g38Pk"
EU = "email-smtp.eu-west-1.amazonaws.com"


def proposals(read: Source, kind: str = "", region: str = "") -> list[Proposal]:
    """Return what comes of a file."""
    known = kinds.KINDS[kind] if kind else kinds.recognise(read)
    return proposal.propose(list(known.accounts(read)), region)


def written(tmp_path: Path, name: str, text: str) -> Source:
    """Return a file that was written and read."""
    path = tmp_path / name
    path.write_text(text)
    return source.read(str(path))


def summary(one: Proposal) -> dict[str, Any]:
    """Return a proposal as expected.json has it."""
    place = os.path.relpath(one.account.path, CORPUS)
    found: dict[str, Any] = {"at": f"{place}:{one.account.line}"}
    if one.obstacle:
        return found | {"obstacle": one.obstacle.replace(f"{CORPUS}/", "")}
    return found | {
        "identity": one.identity,
        "secret": one.secret_kind(),
        "settings": one.settings(),
    }


@pytest.mark.parametrize("name", sorted(CASES))
def test_corpus(name: str) -> None:
    """Each file is recognised, and each login in it found."""
    case = CASES[name]
    read = source.read(str(CORPUS / name / case["file"]))
    assert kinds.recognise(read).name == case["kind"]
    found = proposals(read)
    assert [summary(one) for one in found] == case["proposals"]
    for one in found:
        assert not one.obstacle or not one.keys
        assert SECRET not in repr(one)
        assert PASSWORD not in repr(one)


def test_the_corpus_is_whole() -> None:
    """No case without an expectation, and all formats are among them."""
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} == set(CASES)
    assert {case["kind"] for case in CASES.values()} == set(kinds.KINDS)


MALFORMED = [
    ("msmtprc", "account default\nport five\n", "account default has no port that is a number"),
    ("msmtprc", f"account\n{SECRET}\n", "line 1: not of the form account NAME"),
    ("msmtprc", f"account a : {SECRET}\n", "line 1: there is no account (40 characters) above"),
    ("ssmtp.conf", f"mailhub=x.org\n{SECRET}\n", "line 2: not of the form key=value"),
    ("ssmtp.conf", f"mailhub={SECRET}\n", "line 1: mailhub is not of the form host:port"),
    ("ssmtp.conf", "AuthUser=x\n", "there is no mailhub"),
    ("remotes", f"x.org smtp --pass='{SECRET}\n", "line 1: a quote that does not end"),
    ("remotes", f"x.org smtp --port={SECRET}\n", "line 1: the port is no number"),
    ("auth.conf", f"# x\n{KEY_ID}:{PASSWORD}\n", "line 2: not of the form user|host:password"),
    ("dma.conf", "SMARTHOST x.org\n", "there is no auth.conf beside it"),
    ("credentials", f"aws_access_key_id={SECRET}\n", "line 1: a line before the first [section]"),
    (
        "credentials",
        f"[a]\naws_access_key_id = x\n{SECRET}\n",
        "line 3: not of the form key = value",
    ),
    ("credentials", "[a]\naws_access_key_id = x\n[a]\n", "line 3: the same section or key"),
    (".boto", f"[Credentials]\n{SECRET}\n", "line 2: not of the form key = value"),
    ("main.cf", f"relayhost = x.org\n{SECRET}\n", "line 2: not of the form name = value"),
    ("sasl_passwd", f"x.org a:b\n{PASSWORD}\n", "line 2: not of the form key, blanks, value"),
    ("keys", f"AWSAccessKeyId={KEY_ID}\n{SECRET}\n", "line 2: not of the form key=value"),
    ("x.json", f'{{"username": "{SECRET}"', "line 1: not JSON: "),
    ("x.json", "[" * 10_000, "of no format that is known here"),
    ("x.json", '{"a":' * 10_000, "not JSON of this kind"),
    ("x.json", f'{{"password": "{SECRET}"}}', "there is no access_key with secret_access_key"),
    ("anything", f"{SECRET}\n", "of no format that is known here; --from names it: "),
    ("empty", "", "of no format that is known here"),
    ("msmtprc", "a\0b", "line 1: a NUL character; this is no text"),
]


@pytest.mark.parametrize(("name", "text", "reason"), MALFORMED)
def test_malformed(tmp_path: Path, name: str, text: str, reason: str) -> None:
    """The failure names file and line, what is wrong, and no value."""
    with pytest.raises(DataError) as caught:
        proposals(written(tmp_path, name, text))
    message = str(caught.value)
    assert message.startswith(str(tmp_path / name))
    assert reason in message
    assert SECRET not in message
    assert PASSWORD not in message


OBSTACLES = [
    (EU, "somebody", PASSWORD, "aws_access_key_id has 8 characters, but is no key id"),
    (EU, KEY_ID, SECRET[:-1], "aws_secret_access_key has 39 characters"),
    (EU, SECRET, KEY_ID, "the two values are swapped"),
    (EU, KEY_ID, "x" * 44, "no SES SMTP password: its first byte is neither version 4 nor 2"),
    ("mail.example.net", KEY_ID, PASSWORD, "mail.example.net is not of SES"),
    (f"x.{EU}", KEY_ID, PASSWORD, f"x.{EU} is not of SES"),
    (f"{EU}.example.net", KEY_ID, PASSWORD, f"{EU}.example.net is not of SES"),
    ("127.0.0.1", KEY_ID, PASSWORD, "127.0.0.1 is not of SES"),
    (SECRET, KEY_ID, PASSWORD, "its server is not of SES"),
    ("a b\x1b[31m.example", KEY_ID, PASSWORD, "its server is not of SES"),
]


@pytest.mark.parametrize(("host", "key_id", "secret", "reason"), OBSTACLES)
def test_obstacles(host: str, key_id: str, secret: str, reason: str) -> None:
    """A login that is of no use, or not of SES, is passed over with the reason."""
    (one,) = proposal.propose([Account("/x", 3, host=host, key_id=key_id, secret=secret)])
    assert reason in one.obstacle
    assert not one.keys
    assert SECRET not in one.obstacle


@pytest.mark.parametrize(
    ("host", "port", "settings"),
    [
        (EU, 587, {"region": "eu-west-1"}),
        (EU.upper(), 465, {"region": "eu-west-1"}),
        (EU, 2587, {"region": "eu-west-1", "smtp_port": "2587"}),
        (
            "email-smtp-fips.us-west-2.amazonaws.com",
            None,
            {"region": "us-west-2", "smtp_host": "email-smtp-fips.us-west-2.amazonaws.com"},
        ),
        (
            "vpce-0ab-1c.email-smtp.eu-west-1.vpce.amazonaws.com",
            25,
            {
                "region": "eu-west-1",
                "smtp_host": "vpce-0ab-1c.email-smtp.eu-west-1.vpce.amazonaws.com",
                "smtp_port": "25",
            },
        ),
    ],
)
def test_servers_of_ses(host: str, port: int | None, settings: dict[str, str]) -> None:
    """The region is in the name; what is not the default stays."""
    account = Account("/x", 1, host=host, port=port, key_id=KEY_ID, secret=PASSWORD)
    (one,) = proposal.propose([account])
    assert one.settings() == settings


def test_the_region_of_the_command_line_is_for_those_that_tell_none() -> None:
    """What a file says comes first."""
    told = Account("/x", 1, key_id=KEY_ID, secret=SECRET, region="eu-west-1")
    untold = Account("/y", 1, key_id=KEY_ID, secret=SECRET)
    regions = [one.settings()["region"] for one in proposal.propose([told, untold], "us-west-2")]
    assert regions == ["eu-west-1", "us-west-2"]
    (wrong,) = proposal.propose([untold], "Ireland")
    assert wrong.obstacle == "its region is not of the form eu-west-1"


def test_senders_that_can_be_no_file() -> None:
    """A domain that would be a path, or no domain, is not taken."""
    senders = ("../etc", "a/b.example", "münchen.example", "A.Example")
    account = Account("/x", 1, key_id=KEY_ID, secret=SECRET, senders=senders)
    found = proposal.propose([account])
    assert [one.identity for one in found] == ["", "", "xn--mnchen-3ya.example", "a.example"]
    assert [bool(one.obstacle) for one in found] == [True, True, False, False]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """Not there, no file, too long, no text: said, not waited for."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "long").write_bytes(b"x" * (2 << 20))
    (tmp_path / "latin").write_bytes(b"a\nb\xe9\n")
    for name, reason in (
        ("missing", "No such file"),
        ("fifo", "not a regular file"),
        ("long", "longer than"),
        ("latin", "line 2: not UTF-8 text"),
        ("a\0b", "not the name of a file"),
    ):
        with pytest.raises(DataError, match=reason):
            source.read(str(tmp_path / name))


def test_a_file_that_is_not_for_this_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy is sudo."""

    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(NotPermitted, match="sudo"):
        source.read("/etc/msmtprc")


def test_usual_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are there, of all formats; under sudo also those of the one who called it."""
    own = f"{pwd.getpwuid(os.getuid()).pw_dir}/.msmtprc"
    caller = f"{pwd.getpwnam('www-data').pw_dir}/.aws/credentials"
    known = {"/etc/msmtprc", "/etc/postfix/main.cf", "/etc/boto.cfg", own}
    monkeypatch.setattr(os.path, "exists", lambda path: path in known | {caller, "/.msmtprc"})
    assert set(kinds.usual_places({})) == known
    uid = pwd.getpwnam("www-data").pw_uid
    assert set(kinds.usual_places({"SUDO_UID": str(uid)})) == known | {caller}
    assert set(kinds.usual_places({"SUDO_UID": "9" * 30})) == known
    assert set(kinds.usual_places({"SUDO_UID": "nobody"})) == known


LINES = strategies.lists(
    strategies.sampled_from(
        [
            "account a : b", "host x.org", f"password {PASSWORD}", "defaults", "from @", "[a]",
            f"aws_secret_access_key = {SECRET}", "aws_access_key_id", "{", "}", "  more", "\t",
            f"{KEY_ID}|{EU}:{PASSWORD}", f"/.*@a\\.b/ {KEY_ID}:{PASSWORD}", f"[{EU}]:587 {SECRET}",
            "mailhub=", f"{EU} smtp --pass={PASSWORD}", "relayhost = $relayhost", "'", '"', "[a",
            f"AWSAccessKeyId={SECRET}", "smtp_sasl_password_maps = static:a hash:b", "a\rb\x1b",
        ]
    )
    | strategies.text(max_size=20)
)  # fmt: skip


@hypothesis.given(kind=strategies.sampled_from(sorted(kinds.KINDS)), lines=LINES)
def test_hostile(kind: str, lines: list[str]) -> None:
    """Whatever the file holds: proposals, or a failure that shows nothing of it."""
    try:
        said = [one.obstacle for one in proposals(Source("/nonexistent/x", "\n".join(lines)), kind)]
    except Failure as failure:
        said = [str(failure)]
    assert not any(value in text for value in (SECRET, PASSWORD) for text in said)
