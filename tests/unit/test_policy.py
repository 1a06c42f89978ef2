"""The policies that are printed: what they allow, for whom, and nothing else."""

from __future__ import annotations

import json

import pytest

from sesmail.control import main, policy
from sesmail.control.terminal import Terminal
from sesmail.control.verb import Context
from sesmail.settings import Settings
from sesmail.sysexits import UsageError


def run(*words: str) -> None:
    """Run the verb, here: main would change this process."""
    arguments = main.parser().parse_args(["policy", *words])
    context = Context(Settings(), Terminal(is_json=arguments.json), {})
    arguments.run(context, arguments)


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[policy.Statement]:
    """Return the statements of the document on standard output."""
    run(*words)
    document = json.loads(capsys.readouterr().out)
    assert document["Version"] == "2012-10-17"
    statements: list[policy.Statement] = document["Statement"]
    return statements


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_sending(capsys: pytest.CaptureFixture[str], more: tuple[str, ...]) -> None:
    """Only with an author of the domain; GetAccount apart, for it takes no condition."""
    send, account = printed(capsys, "Example.com", *more)
    assert send["Action"] == ["ses:SendEmail", "ses:SendRawEmail"]
    assert send["Condition"] == {
        "StringLike": {"ses:FromAddress": ["*@example.com", "*@*.example.com"]}
    }
    assert account["Action"] == ["ses:GetAccount"]
    assert "Condition" not in account


def test_sending_as_one_address(capsys: pytest.CaptureFixture[str]) -> None:
    """No other of its domain."""
    send, _ = printed(capsys, "wiki@example.com")
    assert send["Condition"] == {"StringLike": {"ses:FromAddress": ["wiki@example.com"]}}


def test_setting_up(capsys: pytest.CaptureFixture[str]) -> None:
    """For one identity alone, but for the account; and no mail."""
    own, account = printed(capsys, "example.com", "--admin")
    assert own["Resource"] == ["arn:aws:ses:*:*:identity/example.com"]
    assert account["Action"] == ["ses:GetAccount", "ses:PutAccountDetails"]
    assert not any("Send" in action for action in own["Action"])


@pytest.mark.parametrize(
    ("region", "start"),
    [("eu-west-1", "arn:aws:ses:eu-west-1:"), ("cn-north-1", "arn:aws-cn:ses:cn-north-1:")],
)
def test_in_one_region(capsys: pytest.CaptureFixture[str], region: str, start: str) -> None:
    """The partition is the region's."""
    own, _ = printed(capsys, "wiki@example.com", "--admin", "--region", region)
    assert own["Resource"] == [
        f"{start}*:identity/wiki@example.com",
        f"{start}*:identity/example.com",
    ]


def test_a_name_that_could_widen_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A star in the domain would be everybody's."""
    with pytest.raises(UsageError):
        run("*.com")
    assert capsys.readouterr().out == ""
