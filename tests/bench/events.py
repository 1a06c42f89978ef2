"""The daemon reading events, in turns with a bare loop of botocore's receive and delete.

    python -m tests.bench.events QUEUE_URL MESSAGES

That is the bare loop, which prints messages per second and CPU seconds per message. The first tenth
of the messages is for warming up. Both read from the stand-in, which answers sooner than SQS: with
SQS there would be less between them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tests import aftermath
from tests.bench import processes, rows
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.fakes.queue import Queue
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.installation import CHECKOUT, Installation
from tests.scale import sent
from tests.spool import Spool

NAME = "events"
AT_ONCE = 10  # messages in a call of SQS
RATE_BAR = rows.at_least(0.5)
_PATIENCE = 300.0  # seconds

Measured = tuple[float, float]  # messages per second, CPU seconds per message


def measure(directory: Path, installed: Installation, plan: Plan) -> list[Row]:
    """Return the rate at which events are read, joined and written down."""
    ours, bare = [], []
    events = plan.count(10_000, 2_000)
    for number in range(plan.count(3, 1)):
        place = directory / str(number)
        place.mkdir()
        with SesServer() as ses:
            spool = Spool(place, ses, command=(installed.command("sesmaild"),))
            messages = sent.fill(spool.queue_directory, events // 2)
            queue = aftermath.connect(spool)
            sent.tell(ses, messages)
            bare.append(_bare(spool, queue, events))
            sent.tell(ses, messages)
            ours.append(_read(spool, queue, events))
            spool.close()
    facts = {}
    for whose, measured in (("", ours), (" of it", bare)):
        facts[f"messages/s{whose}"] = statistics.median(rate for rate, _ in measured)
        facts[f"ms of CPU each{whose}"] = 1000 * statistics.median(cpu for _, cpu in measured)
    ours_rates, bare_rates = ([rate for rate, _ in measured] for measured in (ours, bare))
    return [
        rows.ratio("events / bare loop: rate", ours_rates, bare_rates, facts=facts, bar=RATE_BAR)
    ]


def _read(spool: Spool, queue: Queue, events: int) -> Measured:
    """Let a daemon read what the bare loop has left: all that was told after it."""
    spool.start()
    assert spool.process is not None
    first = _wait(queue, events + events // 10)
    begin, cpu = time.perf_counter(), processes.of(spool.process.pid).cpu
    last = _wait(queue, 2 * events)
    elapsed, used = time.perf_counter() - begin, processes.of(spool.process.pid).cpu - cpu
    spool.stop()
    return (last - first) / elapsed, used / (last - first)


def _wait(queue: Queue, number: int) -> int:
    """Wait until so many are deleted; return how many are."""
    queue.wait_until(lambda one: one.counts["deleted"] >= number, _PATIENCE)
    return queue.counts["deleted"]


def _bare(spool: Spool, queue: Queue, events: int) -> Measured:
    name = queue.arn.rpartition(":")[2]
    url = f"{spool.ses.api_url}/{queue.arn.split(':')[4]}/{name}"
    command = [sys.executable, "-m", "tests.bench.events", url, str(events)]
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    rate, cpu = done.stdout.split()
    return float(rate), float(cpu)


def receive_and_delete(queue_url: str, messages: int) -> tuple[float, float]:
    """Empty a queue of so many messages; return their rate and the CPU seconds for each.

    The first tenth warms up.
    """
    client = _client(queue_url)
    done, begin = 0, (0, 0.0, 0.0)
    while done < messages:
        if not begin[0] and done >= messages // 10:
            begin = done, time.perf_counter(), time.process_time()
        done += _round(client, queue_url)
    counted = done - begin[0]
    elapsed = time.perf_counter() - begin[1]
    used = time.process_time() - begin[2]
    client.close()
    return counted / elapsed, used / counted


def _round(client: Any, queue_url: str) -> int:
    answer = client.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=AT_ONCE, WaitTimeSeconds=20
    )
    found = answer.get("Messages", ())
    if found:
        entries = [
            {"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(found)
        ]
        client.delete_message_batch(QueueUrl=queue_url, Entries=entries)
    return len(found)


def _client(queue_url: str) -> Any:
    parts = urlsplit(queue_url)
    return boto3.client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=f"{parts.scheme}://{parts.netloc}",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}),
    )


if __name__ == "__main__":
    print(*receive_and_delete(sys.argv[1], int(sys.argv[2])))
