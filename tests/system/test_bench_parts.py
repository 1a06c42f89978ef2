"""What the benchmarks stand on: the stand-in of a drain, a tree's usage, and the soak's account."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.bench import processes, soak
from tests.bench.drain_ses import API, SMTP, StandIn
from tests.bench.drain_stand_in import AWAY, REFUSE, TAKE
from tests.bench.soak import Callers
from tests.fakes.ses import KEY_ID, SECRET
from tests.scale import queues
from tests.spool import AUTHOR, RECIPIENT, Spool, message

ONE, OTHER = "0" * 28, "F" * 28


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    """The process."""
    with StandIn() as ses:
        yield ses


def send(ses: StandIn, queue_id: str) -> str:
    """Send a message by the API; return the id that it got."""
    client = boto3.client(
        "sesv2",
        region_name="us-east-1",
        endpoint_url=ses.url,
        verify=ses.ca_file,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}),
    )
    with contextlib.closing(client):
        answer = client.send_email(
            Content={"Raw": {"Data": message()}},
            Destination={"BccAddresses": [RECIPIENT]},
            EmailTags=[{"Name": "sesmail-id", "Value": queue_id}],
        )
    return str(answer["MessageId"])


def session(ses: StandIn) -> smtplib.SMTP_SSL:
    """Open an SMTP session."""
    context = ssl.create_default_context(cafile=ses.ca_file)
    return smtplib.SMTP_SSL("localhost", ses.ports[SMTP], context=context)


def test_it_counts_what_comes_by_the_api(stand_in: StandIn) -> None:
    """And knows a message again that comes twice."""
    before = stand_in.counts()

    ids = {send(stand_in, each) for each in (ONE, OTHER, OTHER)}

    counts = stand_in.counts()
    assert len(ids) == 3
    assert counts["messages"] - before["messages"] == 3
    assert counts["connections"] - before["connections"] == 3
    assert counts["taken"] - before["taken"] == 2
    assert counts["again"] - before["again"] == 1


@pytest.mark.parametrize("method", ["auth_plain", "auth_login"])
def test_it_counts_what_comes_by_smtp(stand_in: StandIn, method: str) -> None:
    """With either login, and the first word of it at once or when it is asked for."""
    before = stand_in.counts()["messages"]

    for is_at_once in (True, False):
        with session(stand_in) as client:
            client.ehlo()
            client.user, client.password = "user", "password"
            name = method.removeprefix("auth_").upper()
            client.auth(name, getattr(client, method), initial_response_ok=is_at_once)
            for _ in range(2):
                client.sendmail(AUTHOR, [RECIPIENT], message())

    assert stand_in.counts()["messages"] - before == 4


def test_what_it_refuses_or_cannot_hear_is_not_taken(stand_in: StandIn) -> None:
    """Until it takes messages again."""
    before = stand_in.counts()["taken"]
    try:
        stand_in.behave(REFUSE)
        with pytest.raises(ClientError, match="StrangeException"):
            send(stand_in, "1" * 28)
        stand_in.behave(AWAY)
        with pytest.raises(BotoCoreError):
            send(stand_in, "2" * 28)
    finally:
        stand_in.behave(TAKE)
    assert stand_in.counts()["taken"] == before
    send(stand_in, "3" * 28)
    assert stand_in.counts()["taken"] == before + 1


@pytest.mark.parametrize("interface", [API, SMTP])
def test_its_ceiling_is_what_it_took(stand_in: StandIn, interface: str) -> None:
    """As many as clients sent, in the time that it took."""
    before, begin = stand_in.counts()["messages"], time.perf_counter()

    rate = stand_in.ceiling(interface, 0.2)

    count = stand_in.counts()["messages"] - before
    assert 0 < count <= rate * (time.perf_counter() - begin)


def test_usage_is_that_of_a_whole_tree() -> None:
    """Children count, also one that has ended; the kernel counts in ticks and may miss a few."""
    code = (
        "import subprocess, sys, time\n"
        "spend = 'import time\\nwhile time.process_time() < 0.6: pass'\n"
        "subprocess.run([sys.executable, '-c', spend])\n"
        "child = subprocess.Popen(['cat'], stdin=subprocess.PIPE)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        alone, tree = processes.of(parent.pid), processes.of_tree(parent.pid)
        parent.communicate()
    assert alone.cpu >= 0.5
    assert tree.rss > alone.rss >= alone.pss > 0
    assert tree.threads == alone.threads + 1
    assert tree.descriptors > alone.descriptors


def test_a_message_that_is_nowhere_is_seen(spool: Spool) -> None:
    """And one that is said to be delivered, of which SES knows nothing."""
    queues.fill(spool.queue_directory, 3, 0)
    spool.drop(ring=False)
    counts = {"taken": 0.0, "again": 0.0}

    whole = list(soak._count(spool, Callers(4, {}), counts))
    lacking = list(soak._count(spool, Callers(5, {}), counts))

    assert [row.is_missed() for row in whole] == [False, False]
    assert [row.is_missed() for row in lacking] == [True, False]
    assert lacking[0].facts["waiting"] == 4
    assert spool.once() == 0
    delivered = list(soak._count(spool, Callers(4, {}), counts))
    assert [row.is_missed() for row in delivered] == [False, True]
