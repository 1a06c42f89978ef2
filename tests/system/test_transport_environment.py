"""The caller's environment and home directory cannot redirect a delivery; roles get through.

Every test sets a trap: a listener that counts who connects, to which the environment points. The
first test shows that botocore, left alone, walks into it.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import BotoCoreError

from sesmail.delivery import credentials, session, transport
from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.delivery.transport.deadline import Deadline
from sesmail.launch import ROLE_VARIABLES
from tests.fakes import role
from tests.fakes.listener import Connection, Listener
from tests.fakes.role import ROLE_KEY, Agent
from tests.fakes.ses import KEY_ID, SECRET, SesServer

QUEUE_ID = "0193A5F0C0FFEE00112233445566"
SOURCE = "wiki@example.com"
MESSAGE = (
    b"From: wiki@example.com\r\nTo: bob@example.net\r\nSubject: hello\r\n"
    b"Date: Tue, 24 Nov 2026 03:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nText.\r\n"
)
PAIR = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
# In a process of its own, for HOME counts when botocore is imported.
SEND = """
import sys
from sesmail.delivery import credentials, transport
loaded = credentials.load(sys.argv[1], "example.com")
with transport.open(loaded, transport.Deadline(25.0)) as sender:
    (result,) = sender.send(sys.stdin.buffer.read(), sys.argv[2], ["bob@example.net"], sys.argv[3])
print(result.outcome.value, result.text)
"""


@pytest.fixture
def ses() -> Iterator[SesServer]:
    """The SES stand-in with example.com as its identity."""
    with SesServer(identities=["example.com"]) as server:
        yield server


class Trap:
    """Where nobody may connect to."""

    def __init__(self) -> None:
        self.connections = 0
        self._listener = Listener(self._serve)
        self.url = f"http://127.0.0.1:{self._listener.port}"

    def _serve(self, connection: Connection) -> None:
        self.connections += 1

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    """A trap."""
    made = Trap()
    yield made
    made.close()


@pytest.fixture
def agent(ses: SesServer) -> Iterator[Agent]:
    """An agent whose keys the stand-in knows."""
    role.let_in(ses.state)
    with Agent() as made:
        yield made


def write(directory: Path, ses: SesServer, text: str) -> None:
    """Write the credentials file of example.com."""
    (directory / "example.com").write_text(f"endpoint_url = {ses.api_url}\n{text}")


def send(directory: Path) -> Result:
    """Send the message in this process."""
    loaded = credentials.load(str(directory), "example.com")
    with transport.open(loaded, Deadline(25.0)) as sender:
        (result,) = sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    return result


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib3 1.26 leaves the proxy's
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_trap_works(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore with the caller's environment goes where that sends it."""
    monkeypatch.setenv("HTTPS_PROXY", trap.url)
    client: Any = botocore.session.Session().create_client(
        "sesv2", "us-east-1", aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET
    )
    with pytest.raises(BotoCoreError):
        client.get_account()
    client.close()
    del client
    gc.collect()
    assert trap.connections > 0


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_SESV2",
        "AWS_ENDPOINT_URL_STS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "ALL_PROXY",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "AWS_PROFILE",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "AWS_MAX_ATTEMPTS",
        "AWS_DATA_PATH",
        "AWS_BEARER_TOKEN_SESV2",
        "BOTOCORE_EXPERIMENTAL__PLUGINS",
        "AWS_USE_FIPS_ENDPOINT",
    ],
)
def test_a_variable(
    ses: SesServer, trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """No variable moves a delivery with the keys of the file."""
    monkeypatch.setenv(name, trap.url)
    if name == "AWS_ACCESS_KEY_ID":
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET[::-1])
    write(tmp_path, ses, PAIR)
    assert send(tmp_path).outcome is Outcome.DELIVERED
    assert (trap.connections, ses.state.messages[0].key_id) == (0, KEY_ID)


@pytest.mark.parametrize(
    "variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"]
)
def test_a_file_of_the_caller(
    ses: SesServer, trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A file that a variable names gives neither keys nor endpoints, also if ours has no keys."""
    theirs = tmp_path / "theirs"
    theirs.write_text(f"[default]\n{PAIR}endpoint_url = {trap.url}\n[Credentials]\n{PAIR}")
    monkeypatch.setenv(variable, str(theirs))
    write(tmp_path, ses, PAIR)
    assert send(tmp_path).outcome is Outcome.DELIVERED
    write(tmp_path, ses, f"credential_process = {sys.executable} -c 0\n")
    result = send(tmp_path)
    assert (result.outcome, result.exit_code) == (Outcome.DEFERRED, 69)
    assert (trap.connections, ses.state.requests) == (0, 1)


def test_a_hostile_home(ses: SesServer, trap: Trap, tmp_path: Path) -> None:
    """~/.aws and ~/.boto count for nothing: neither keys, nor endpoints, nor service models."""
    home = tmp_path / "home"
    models = home / ".aws" / "models" / "sesv2" / "2019-09-27"
    models.mkdir(parents=True)
    (models / "service-2.json").write_text("{}")
    hostile = f"[default]\n{PAIR}endpoint_url = {trap.url}\ncredential_process = /bin/false\n"
    for name in (".aws/config", ".aws/credentials", ".boto"):
        (home / name).write_text(hostile.replace(SECRET, SECRET[::-1]))
    write(tmp_path, ses, PAIR)
    done = subprocess.run(
        [sys.executable, "-c", SEND, str(tmp_path), SOURCE, QUEUE_ID],
        input=MESSAGE,
        capture_output=True,
        env={**os.environ, "HOME": str(home), "HTTPS_PROXY": trap.url, "AWS_PROFILE": "nosuch"},
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith(b"sent SES ")
    assert (trap.connections, len(ses.state.messages)) == (0, 1)


def test_closed_environment() -> None:
    """All that botocore, urllib3 and OpenSSL obey goes, whatever its case; the rest stays."""
    environ = dict.fromkeys(
        (
            *ROLE_VARIABLES,
            *("PATH", "SESMAIL_CONFIG", "NO_PROXY", "no_proxy", "Https_Proxy", "BOTO_CONFIG"),
            *("AWS_ENDPOINT_URL", "aws_access_key_id", "SSLKEYLOGFILE", "_X_AMZN_TRACE_ID"),
        ),
        "x",
    )
    session.close_environment(environ)
    assert set(environ) == {"PATH", "SESMAIL_CONFIG", *ROLE_VARIABLES}


def test_a_container_role(
    ses: SesServer, agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without keys sends with the role of the container, and no proxy sees its keys."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/keys")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    write(tmp_path, ses, "")
    assert send(tmp_path).outcome is Outcome.DELIVERED
    assert (agent.asked, ses.state.messages[0].key_id) == (["/keys"], ROLE_KEY)


def test_an_instance_role(ses: SesServer, agent: Agent, tmp_path: Path) -> None:
    """A file without keys sends with the role of the instance."""
    write(tmp_path, ses, f"ec2_metadata_service_endpoint = {agent.url}\n")
    assert send(tmp_path).outcome is Outcome.DELIVERED
    assert ses.state.messages[0].key_id == ROLE_KEY


def test_keys_of_the_file_ask_nobody(
    ses: SesServer, agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file has keys, or says who has, no agent and no metadata service is asked."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/keys")
    ses.state.keys[KEY_ID] = SECRET
    write(tmp_path, ses, f"{PAIR}ec2_metadata_service_endpoint = {agent.url}\n")
    assert send(tmp_path).outcome is Outcome.DELIVERED
    write(
        tmp_path,
        ses,
        f"ec2_metadata_service_endpoint = {agent.url}\nsso_start_url = https://x\n"
        "sso_region = us-east-1\nsso_account_id = 1\nsso_role_name = x\n",
    )
    result = send(tmp_path)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 78)
    assert agent.asked == []


def test_credential_process(ses: SesServer, tmp_path: Path) -> None:
    """A program that the file names gives the keys."""
    keys = {"Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET}
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    write(tmp_path, ses, f"credential_process = /bin/cat {tmp_path}/keys.json\n")
    assert send(tmp_path).outcome is Outcome.DELIVERED


def test_an_smtp_password_from_elsewhere(ses: SesServer, tmp_path: Path) -> None:
    """A program that gives an SMTP password instead of the secret is told so."""
    keys = {"Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": ses.smtp_password()}
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    write(tmp_path, ses, f"credential_process = /bin/cat {tmp_path}/keys.json\n")
    result = send(tmp_path)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 78)
    assert "the secret is an SES SMTP password" in result.text


def test_keys_that_come_too_late(
    ses: SesServer, trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trouble on the way to the keys is not ambiguous: nothing was sent to SES."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", trap.url)
    write(tmp_path, ses, "")
    result = send(tmp_path)
    assert (result.outcome, result.retry) == (Outcome.DEFERRED, Retry.SOON)
    assert "check the role, or credential_process" in result.text
    assert (trap.connections > 0, ses.state.requests) == (True, 0)


def test_no_keys_anywhere(ses: SesServer, agent: Agent, tmp_path: Path) -> None:
    """No keys and no role: held, 78, with the remedy, and SES is not asked."""
    write(tmp_path, ses, f"ec2_metadata_service_endpoint = {agent.url}\n")
    agent.close()
    result = send(tmp_path)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 78)
    assert "give a key pair in the credentials file, or this host a role" in result.text
    assert ses.state.requests == 0


def test_a_role_by_a_pair(
    ses: SesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: Trap
) -> None:
    """role_arn: STS is asked at its own host, whatever the environment says."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", trap.url)
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    write(tmp_path, ses, f"{PAIR}region = eu-west-1\nrole_arn = arn:aws:iam::1:role/mail\n")
    loaded = credentials.load(str(tmp_path), "example.com")
    opened = session.Session(loaded)
    asked: list[str] = []

    def answer(request: object, **_: object) -> None:
        asked.append(str(getattr(request, "url", "")))
        raise ConnectionAbortedError("no STS here")

    opened._session.get_component("event_emitter").register("before-send.sts", answer)
    with pytest.raises(ConnectionAbortedError):
        opened.client("sesv2", 1.0, 1.0)
    opened.close()
    assert asked == ["https://sts.eu-west-1.amazonaws.com/"]
    assert trap.connections == 0
