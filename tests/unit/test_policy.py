"""Policy: whether a drop may be sent as it claims, by owner and by what the message says itself."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

from sesmail.delivery import credentials, policy
from sesmail.delivery.policy import Allowed, Refused, Undecided
from sesmail.drop.take import Taken
from sesmail.envelope import Envelope
from sesmail.settings import Settings
from sesmail.sysexits import ConfigurationError

AUTHOR = "wiki@example.com"
UID = 4294967294  # nobody has it


class Gate:
    """The settings and the credentials before which a drop stands."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.settings = Settings()
        self.settings.credentials_directory = str(directory)
        self.identity("example.com")

    def identity(self, name: str, *lines: str) -> None:
        """Write a credentials file."""
        (self.directory / name).write_text("\n".join(["region = us-east-1", *lines, ""]))

    def check(
        self,
        head: bytes = b"From: wiki@example.com\n",
        identity: str = "example.com",
        uid: int = UID,
        reverse_path: str | None = None,
        forward_paths: tuple[str, ...] = ("bob@example.org",),
        author: str = "liar@example.net",
    ) -> Allowed:
        """Check a drop whose message has this header section."""
        envelope = Envelope("ID", identity, author, reverse_path, list(forward_paths))
        taken = Taken("ID", uid, 0, b"", envelope, head + b"\nFrom: body@example.com\n")
        fields = policy.read_fields(taken.message)
        return policy.check(
            taken,
            fields,
            self.settings,
            lambda name: credentials.load(str(self.directory), name),
        )


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """With one identity, example.com, for everybody."""
    return Gate(tmp_path)


@pytest.mark.parametrize(
    "head",
    [
        b"From: wiki@example.com\n",
        b"Subject: x\nFROM : The =?utf-8?q?Wiki?= <wiki@example.com>,\n eve@example.net\n",
        b"From: wiki@example.com\r\nTo: x\r\n",
        b"From \nFrom:wiki@example.com (Wiki)\n",
        b"From:\nFrom: wiki@example.com\n",
    ],
)
def test_the_author_is_the_messages(gate: Gate, head: bytes) -> None:
    """It is read from From as submission reads it; what the envelope says does not count."""
    assert gate.check(head) == Allowed("example.com", AUTHOR)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"Subject: x\n", "no From"),
        (b"", "no From"),
        (b"From: wiki@example.com\nFrom: eve@example.net\n", "several From"),
        (b"From: wiki\n", "no address with a domain"),
        (b"From: group:;\n", "no address with a domain"),
        (b"From: <wiki@example.com\n", "malformed From"),
        ("From: wïki@example.com\n".encode(), "not printable ASCII"),
        (b"From: " + b"w" * 320 + b"@example.com\n", "not printable ASCII"),
    ],
)
def test_an_author_that_cannot_be_read(gate: Gate, head: bytes, reason: str) -> None:
    """Such a message cannot be sent anyway: nothing is guessed."""
    with pytest.raises(Refused, match=reason):
        gate.check(head)


def test_another_claim_is_refused(gate: Gate) -> None:
    """A drop cannot choose its identity, existing or not."""
    gate.identity("example.net")
    for claimed in ("example.net", "other.example", "../../etc/passwd", ""):
        with pytest.raises(Refused, match=r"leads to example\.com"):
            gate.check(identity=claimed)


def test_no_identity_is_left(gate: Gate) -> None:
    """Its file was taken away while the drop waited."""
    (gate.directory / "example.com").unlink()
    with pytest.raises(Refused, match="no identity serves"):
        gate.check()


def test_a_file_came_while_the_drop_waited(gate: Gate) -> None:
    """What was dropped for ``default`` goes by the new file, and by its submitters."""
    gate.identity("default")
    assert gate.check(identity="default") == Allowed("example.com", AUTHOR)
    gate.identity("example.com", "submitters = root")
    with pytest.raises(Refused, match="not among the submitters"):
        gate.check(identity="default")


def test_a_file_went_while_the_drop_waited(gate: Gate) -> None:
    """Then the next candidate serves the author."""
    gate.identity("default")
    (gate.directory / "example.com").unlink()
    assert gate.check() == Allowed("default", AUTHOR)


def test_credentials_out_of_reach(gate: Gate) -> None:
    """A directory that is not there refuses nobody; whose mail it is shows when it is back."""
    shutil.rmtree(gate.directory)
    with pytest.raises(Undecided):
        gate.check()


def test_submitters(gate: Gate) -> None:
    """Users and groups by name; a uid that nobody has is not among them."""
    user = pwd.getpwuid(os.getuid())
    gate.identity("example.com", f"submitters = {user.pw_name}")
    assert gate.check(uid=user.pw_uid).identity == "example.com"
    with pytest.raises(Refused, match=f"user {UID} may not send as example.com"):
        gate.check()


def test_a_file_that_cannot_be_read_refuses_nobody(gate: Gate) -> None:
    """It is asked again before the attempt, when it can be."""
    gate.identity("example.com", "no such key = 1")
    with pytest.raises(ConfigurationError):
        credentials.load(str(gate.directory), "example.com")
    assert gate.check().identity == "example.com"


@pytest.mark.parametrize(
    "path",
    ["<a@x.org>", "a@x.org, b@x.org", "a b@x.org", "a\x1b@x.org", "@", "w" * 320 + "@x.org"],
)
def test_a_reverse_path_that_is_none(gate: Gate, path: str) -> None:
    """Submission writes one address, nothing, or the null reverse-path."""
    with pytest.raises(Refused, match="reverse-path"):
        gate.check(reverse_path=path)


@pytest.mark.parametrize("path", ["", "a@x.org", '"a b"@x.org', "www-data@host", "a@[192.0.2.1]"])
def test_a_reverse_path(gate: Gate, path: str) -> None:
    """Whatever submission can write is taken."""
    assert gate.check(reverse_path=path).author == AUTHOR


def test_no_forward_path(gate: Gate) -> None:
    """Nothing to do is no mail."""
    with pytest.raises(Refused, match="no forward-path"):
        gate.check(forward_paths=())


def test_a_reason_is_one_printable_line(gate: Gate) -> None:
    """It goes into the queue, the log and a mail."""
    with pytest.raises(Refused) as refused:
        gate.check(identity="a\x1b\n\u2028" + "b" * 5000)
    text = str(refused.value)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 500
