"""Whether the key may use the queue by which SES tells of bounces and complaints.

Nothing is received from it: a message counts how often it was, and other hosts wait for theirs. A
receipt that does not exist shows the same rights.
"""

from __future__ import annotations

from collections.abc import Iterator

from sesmail.control.aws import Aws, AwsError
from sesmail.control.check.finding import Finding, broken, of_failure, ok, warning
from sesmail.delivery.credentials import Credentials

_NO_QUEUE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "QueueDeletedRecently")
_NOBODYS = {"Id": "0", "ReceiptHandle": "sesmailctl-check", "VisibilityTimeout": 0}


def look(credentials: Credentials, aws: Aws) -> Iterator[Finding]:
    """Say whether events come, where they are set up."""
    subject, url = f"{credentials.identity}: events", credentials.events_queue_url
    setup = f"sesmailctl events setup {credentials.identity}"
    if not url:
        yield ok(subject, f"off: what bounces is told by mail alone; {setup} has it told here")
        return
    try:
        aws.call("sqs", "change_message_visibility_batch", QueueUrl=url, Entries=[_NOBODYS])
    except AwsError as error:
        if error.code in _NO_QUEUE:
            yield broken(subject, f"there is no queue {url}", setup)
        elif error.is_denied:
            policy = f"sesmailctl events policy {credentials.identity} prints what it needs"
            yield broken(subject, f"this key may not read the queue {url}", policy)
        else:
            yield of_failure(warning, subject, f"not known: {error}", "try again")
    else:
        yield ok(subject, f"this key may read them from {url}")
