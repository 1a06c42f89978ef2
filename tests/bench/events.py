"""The bare loop of events: botocore's receive_message and delete_message_batch, and nothing else.

    python -m tests.bench.events QUEUE_URL MESSAGES

Prints messages per second and CPU seconds per message of all but the first tenth.
"""

from __future__ import annotations

import sys
import time
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tests.fakes.ses import KEY_ID, SECRET

AT_ONCE = 10  # messages in a call of SQS


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
