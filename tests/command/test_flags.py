"""Every spelling of tests/corpus/sendmail/flags.json through the command: where the mail goes."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests import submission_alone
from tests.host import Host, Result
from tests.submission_alone import handed_over

CORPUS = Path(__file__).parent.parent / "corpus" / "sendmail"
MATRIX: dict[str, dict[str, Any]] = json.loads((CORPUS / "flags.json").read_text())
UNKNOWN = [flag for flag, expected in MATRIX.items() if expected.get("mode") == "hand over"]
MESSAGE = b"From: sue@example.com\nTo: bob@example.org\nSubject: hi\n\nhello\n"
SILENT = Result(0, b"", b"")


@pytest.fixture
def submission(host: Host) -> Host:
    """A host with an identity, where the delivery half is a program that records."""
    submission_alone.install(host)
    host.identity("example.com", "")
    return host


@pytest.mark.parametrize("spelling", MATRIX)
def test_matrix(submission: Host, spelling: str) -> None:
    """Followed by -t, as in the runs: to SES, to the real sendmail as it came, or a usage error."""
    words = [*spelling.split(), "-t"]
    result = submission.run(*words, stdin=MESSAGE)
    way = MATRIX[spelling]["way"]
    if way == "refused":
        assert_usage_error(result)
    elif way == "prints":
        assert (result.exit_code, result.stderr) == (0, b"")
        assert result.stdout
    else:
        assert result == SILENT
    assert len(handed_over(submission)) == (way == "ses")
    if way == "ses":
        assert b"\nforward-path bob@example.org\n\nFrom: sue@example.com\n" in re.sub(
            rb"\nverbose(?=\n\n)", b"", handed_over(submission)[0]
        )
    argv = [word.encode() for word in ["sendmail", *words]]
    assert [call.argv for call in submission.relayed] == [argv] * (way == "real")
    assert [call.stdin for call in submission.relayed] == [MESSAGE] * (way == "real")


@pytest.mark.parametrize("spelling", UNKNOWN)
def test_without_a_real_sendmail_an_unknown_flag_is_a_usage_error(
    submission: Host, spelling: str
) -> None:
    """64, and nothing is sent."""
    submission.settings(real_sendmail="none")
    assert_usage_error(submission.run(*spelling.split(), "-t", stdin=MESSAGE))
    assert handed_over(submission) == []


@pytest.mark.parametrize("flag", list("ABCFLNORVXbefhopr"))
def test_a_missing_value_is_for_the_real_sendmail(submission: Host, flag: str) -> None:
    """It gets the call as it came; where there is none: 64."""
    assert submission.run("-t", f"-{flag}", stdin=MESSAGE) == SILENT
    assert [call.argv for call in submission.relayed] == [[b"sendmail", b"-t", f"-{flag}".encode()]]
    submission.settings(real_sendmail="none")
    assert_usage_error(submission.run("-t", f"-{flag}", stdin=MESSAGE))
    assert handed_over(submission) == []


@pytest.mark.parametrize(
    ("name", "words", "stdout"),
    [
        ("mailq", [], b"Mail queue is empty\n"),
        ("sendmail", ["-bp"], b"Mail queue is empty\n"),
        ("newaliases", [], b""),
        ("sendmail", ["-bi"], b""),
        ("sendmail", ["-q"], b""),
        ("sendmail", ["-q30m"], b""),
    ],
)
def test_our_modes_without_a_real_sendmail(
    submission: Host, name: str, words: list[str], stdout: bytes
) -> None:
    """There is no queue and nothing to rebuild, which is no failure."""
    submission.settings(real_sendmail="none")
    assert submission.run(*words, name=name) == Result(0, stdout, b"")


@pytest.mark.parametrize(
    "words",
    [
        ["-C", "{pipe}"],
        ["-C{pipe}"],
        ["-X", "{pipe}"],
        ["-X{directory}/new"],
        ["-oQ{directory}/new"],
        ["-oA{pipe}"],
        ["-oC{pipe}"],
        ["-O", "QueueDirectory={directory}/new"],
        ["-O", "AliasFile={pipe}"],
        ["-OForwardPath={pipe}"],
    ],
)
def test_flags_that_were_a_way_in_touch_no_file(
    submission: Host, tmp_path: Path, words: list[str]
) -> None:
    """Callers pass user input: nothing is written, and a pipe that blocks who opens it does not."""
    os.mkfifo(tmp_path / "pipe")
    words = [word.format(pipe=tmp_path / "pipe", directory=tmp_path) for word in words]
    assert submission.run(*words, "-t", stdin=MESSAGE) == SILENT
    assert len(handed_over(submission)) == 1
    assert os.listdir(tmp_path) == ["pipe"]


def assert_usage_error(result: Result) -> None:
    """64, one line on stderr, nothing on stdout."""
    assert (result.exit_code, result.stdout) == (64, b"")
    assert re.fullmatch(rb"sendmail: [ -~]+\n", result.stderr)
