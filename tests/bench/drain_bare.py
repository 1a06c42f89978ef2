"""The bare loop: threads that call botocore's send_email, and nothing else.

python -m tests.bench.drain_bare URL CA_FILE THREADS MESSAGES
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.config import Config

from sesmail.delivery.daemon.rates import MOST_AT_ONCE
from tests.bench.drain_ses import API, StandIn
from tests.fakes.ses import KEY_ID, SECRET
from tests.installation import CHECKOUT
from tests.spool import AUTHOR, RECIPIENT, message

THREADS = MOST_AT_ONCE * 7 // 8  # what sesmaild gives one identity


class Bare:
    """The loop as a process of its own; see ``drain.Contender``."""

    name = "bare loop of send_email"
    interface = API
    most = sys.maxsize
    warming = 0

    def close(self) -> None:
        """Nothing is kept."""

    @contextmanager
    def sending(self, ses: StandIn, messages: int) -> Iterator[int]:
        """Start it, and yield its process; what it has not sent by then it does not send."""
        arguments = [ses.url, ses.ca_file, str(THREADS), str(messages)]
        command = [sys.executable, "-m", "tests.bench.drain_bare", *arguments]
        with subprocess.Popen(command, cwd=CHECKOUT) as process:
            yield process.pid
            process.kill()


def main() -> None:
    """Send."""
    url, ca_file, threads, messages = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    client = boto3.client(
        "sesv2",
        region_name="us-east-1",
        endpoint_url=url,
        verify=ca_file,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=threads),
    )
    request = {
        "Content": {"Raw": {"Data": message(text="x" * 70 + "\n") + b"y" * 1700}},
        "Destination": {"BccAddresses": [RECIPIENT]},
        "FeedbackForwardingEmailAddress": AUTHOR,
        "EmailTags": [{"Name": "sesmail-id", "Value": "0" * 28}],
    }
    numbers = itertools.count()  # its next() is atomic

    def work() -> None:
        while next(numbers) < messages:
            client.send_email(**request)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
