"""AWS as the administrator's verbs ask it: whose keys, what a refusal says, what is repeated."""

from __future__ import annotations

import json
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail import launch
from sesmail.control import aws
from sesmail.control.aws import Aws, AwsError
from sesmail.control.profile import keys
from sesmail.delivery.credentials import Credentials
from sesmail.sysexits import EX_CONFIG, EX_NOPERM, EX_UNAVAILABLE, ConfigurationError
from tests.fakes.refusals import THROTTLED, Refusal
from tests.fakes.ses import SesServer
from tests.fakes.state import ACCOUNT, KEY_ID, SECRET
from tests.installation import Installation

OTHER = "www-data"


@pytest.fixture
def client(ses: SesServer) -> Iterator[Aws]:
    """The stand-in, by its key."""
    made = aws.from_keys(KEY_ID, SECRET, "", ses.state.region, ses.api_url)
    yield made
    made.close()


def refusal(client: Aws, operation: str = "get_account", **request: str) -> AwsError:
    """Return what a call that fails says."""
    with pytest.raises(AwsError) as failure:
        client.call("sesv2", operation, **request)
    assert SECRET not in str(failure.value)
    assert "\n" not in str(failure.value)
    return failure.value


def test_an_answer(client: Aws) -> None:
    """The members of the operation, and nothing of the transport."""
    answer = client.call("sesv2", "get_account")
    assert "SendQuota" in answer
    assert "ResponseMetadata" not in answer


def test_who_one_is(client: Aws, ses: SesServer) -> None:
    """Asked once."""
    assert client.account_id() == ACCOUNT
    assert client.arn().startswith(f"arn:aws:iam::{ACCOUNT}:")


def test_what_does_not_exist(client: Aws) -> None:
    """The code is AWS's own."""
    error = refusal(client, "get_email_identity", EmailIdentity="example.org")
    assert (error.code, error.is_denied, error.is_about_keys) == ("NotFoundException", False, False)
    assert "GetEmailIdentity" in str(error)


def test_what_a_key_may_not(client: Aws, ses: SesServer) -> None:
    """77, the operation, and the verb that helps."""
    ses.state.denied[KEY_ID] = {"ses:GetAccount"}
    error = refusal(client)
    assert (error.exit_code, error.is_denied, error.is_about_keys) == (EX_NOPERM, True, False)
    assert "GetAccount" in str(error)
    assert "sesmailctl policy" in str(error)


@pytest.mark.parametrize(
    ("key_id", "secret"), [(KEY_ID, SECRET[:-1] + "Z"), ("AKIAIOSFODNN7UNKNOWN", SECRET)]
)
def test_keys_of_no_use(ses: SesServer, key_id: str, secret: str) -> None:
    """78; the signed request that AWS repeats in its answer is not shown."""
    client = aws.from_keys(key_id, secret, "", ses.state.region, ses.api_url)
    error = refusal(client)
    assert (error.exit_code, error.is_about_keys) == (EX_CONFIG, True)
    assert "host:" not in str(error)
    client.close()


def test_nobody_answers() -> None:
    """69 and no code."""
    client = aws.from_keys(KEY_ID, SECRET, "", "eu-west-1", "http://127.0.0.1:1")
    error = refusal(client)
    assert (error.exit_code, error.code, error.is_about_keys) == (EX_UNAVAILABLE, "", False)
    client.close()


def test_a_call_that_came_too_early_is_repeated(ses: SesServer) -> None:
    """Until AWS takes it, or for the sixth time does not."""
    ses.state.refusing["ses:GetAccount"] = Refusal(THROTTLED, "Rate exceeded")
    credentials = Credentials(
        path="",
        identity="",
        transport="api",
        region=ses.state.region,
        access_key_id=KEY_ID,
        secret_access_key=SECRET,
        endpoint_url=ses.api_url,
    )
    client = Aws(credentials, pause=0.0)
    error = refusal(client)
    assert error.code == "TooManyRequestsException"
    waits: list[float] = []

    def relent(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            del ses.state.refusing["ses:GetAccount"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sesmail.control.aws.time.sleep", relent)
        patient = Aws(credentials)
        assert "SendQuota" in patient.call("sesv2", "get_account")
        patient.close()
    assert waits == [1.0, 2.0]
    client.close()


def test_an_smtp_password_can_ask_nothing(ses: SesServer) -> None:
    """It is said without asking."""
    credentials = Credentials(
        path="/c/example.com",
        identity="example.com",
        transport="smtp",
        region="eu-west-1",
        access_key_id=KEY_ID,
        smtp_password=ses.smtp_password(),
    )
    assert not aws.can_ask(credentials)
    with pytest.raises(AwsError, match="--admin-profile"):
        aws.from_credentials(credentials)


# Profiles.


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that every user can read, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="sesmail-profiles-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def write_profile(home: Path, text: str) -> Path:
    """Write ~/.aws/config."""
    directory = home / ".aws"
    directory.mkdir(parents=True)
    path = directory / "config"
    path.write_text(text)
    for one in (home, directory, path):
        one.chmod(0o755)
    return path


STATIC = f"""
[profile me]
aws_access_key_id = {KEY_ID}
aws_secret_access_key = {SECRET}
region = eu-west-3
"""


def test_a_profile(tmp_path: Path, ses: SesServer) -> None:
    """In the file that AWS_CONFIG_FILE names; its region counts where none is given."""
    path = write_profile(tmp_path, STATIC)
    environ = {"AWS_CONFIG_FILE": str(path)}
    assert keys.get("me", environ) == keys.Keys(KEY_ID, SECRET, "", "eu-west-3")
    assert aws.from_profile("me", "", environ=environ).region == "eu-west-3"
    client = aws.from_profile("me", ses.state.region, ses.api_url, environ=environ)
    assert client.account_id() == ACCOUNT
    client.close()


def test_no_such_profile(tmp_path: Path) -> None:
    """The profile and whose it is are named."""
    path = write_profile(tmp_path, STATIC)
    with pytest.raises(ConfigurationError, match=f"'you' of {pwd.getpwuid(os.getuid()).pw_name}"):
        keys.get("you", {"AWS_CONFIG_FILE": str(path)})


def test_other_variables_do_not_count(tmp_path: Path) -> None:
    """Neither keys nor an endpoint of the environment."""
    path = write_profile(tmp_path, STATIC)
    hostile = {
        "AWS_CONFIG_FILE": str(path),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7HOSTILE",
        "AWS_SECRET_ACCESS_KEY": "x" * 40,
        "AWS_PROFILE": "other",
        "HOME": "/nonexistent",
    }
    assert keys.get("me", hostile).key_id == KEY_ID


@pytest.mark.root
def test_a_profile_of_whoever_called_sudo(
    installed: Installation, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it names runs as that user; root's files are closed to it."""
    monkeypatch.setattr(launch, "own_library", lambda: str(installed.library))
    program = shared / "keys"
    answer = {"Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET}
    program.write_text(f"#!/bin/sh\nid -un > {shared}/who\necho '{json.dumps(answer)}'\n")
    program.chmod(0o755)
    (shared / "who").touch()
    (shared / "who").chmod(0o666)
    path = write_profile(shared / "home", f"[profile me]\ncredential_process = {program}\n")
    uid = str(pwd.getpwnam(OTHER).pw_uid)
    environ = {"AWS_CONFIG_FILE": str(path), "SUDO_UID": uid}
    assert keys.get("me", environ).key_id == KEY_ID
    assert (shared / "who").read_text() == f"{OTHER}\n"
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=f"of {OTHER}"):
        keys.get("me", environ)


@pytest.mark.root
def test_an_unknown_caller() -> None:
    """Nobody's profile is read as root instead."""
    with pytest.raises(ConfigurationError, match="4000000000"):
        keys.get("me", {"SUDO_UID": "4000000000"})
