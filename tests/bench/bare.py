"""The bare loop: threads that call botocore's send_email, and nothing else.

    python -m tests.bench.bare URL THREADS MESSAGES

Prints messages per second and CPU seconds per message of all but the first tenth.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time

import boto3
from botocore.config import Config

from tests.fakes.ses import KEY_ID, SECRET
from tests.spool import AUTHOR, RECIPIENT, message


def main() -> None:
    """Send; the first tenth warms up."""
    url, threads, messages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    client = boto3.client(
        "sesv2",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=threads),
    )
    request = {
        "Content": {"Raw": {"Data": message(text="x" * 70 + "\n") * 1 + b"y" * 1700}},
        "Destination": {"BccAddresses": [RECIPIENT]},
        "FeedbackForwardingEmailAddress": AUTHOR,
        "EmailTags": [{"Name": "sesmail-id", "Value": "0" * 28}],
    }
    numbers = itertools.count()  # its next() is atomic
    marks: list[tuple[float, float]] = []

    def work() -> None:
        while (number := next(numbers)) < messages:
            if number == messages // 10:
                marks.append((time.perf_counter(), time.process_time()))
            client.send_email(**request)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    (wall, cpu), count = marks[0], messages - messages // 10
    print(count / (time.perf_counter() - wall), (time.process_time() - cpu) / count)


if __name__ == "__main__":
    main()
