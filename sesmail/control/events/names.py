"""What the parts of an identity's way of events are called at AWS.

One name for all four (configuration set, its event destination, topic, queue): the prefix and the
identity, spelt with what each of them allows. ``my-site.example.com`` is ``my--site-example-com``:
no two domains have the same name. A configuration set's may have 64 characters, so a longer one is
cut and ends with a digest.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sesmail.sysexits import UsageError

PREFIX = "sesmail"
_LONGEST = 64
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PLAIN = re.compile(r"[a-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in AWS: ``partition`` is ``aws`` but for China, GovCloud and their like."""

    partition: str
    region: str
    account: str

    def topic(self, name: str) -> str:
        """Return the ARN of an SNS topic."""
        return f"arn:{self.partition}:sns:{self.region}:{self.account}:{name}"

    def queue(self, name: str) -> str:
        """Return the ARN of an SQS queue."""
        return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{name}"

    def ses(self, kind: str, name: str) -> str:
        """Return the ARN of what SES has: ``identity``, ``configuration-set``."""
        return f"arn:{self.partition}:ses:{self.region}:{self.account}:{kind}/{name}"


def name(prefix: str, identity: str) -> str:
    """Return the name for an identity. Raises UsageError for a prefix that AWS would not take."""
    if not _PREFIX.fullmatch(prefix):
        raise UsageError("--name: letters, digits, - and _ are needed, 32 at most")
    spelt = identity.replace("-", "--").replace(".", "-")
    whole = f"{prefix}-{spelt}"
    if _PLAIN.fullmatch(identity) and len(whole) <= _LONGEST:
        return whole
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9_-]", "_", whole)
    return f"{readable[: _LONGEST - 1 - len(digest)]}-{digest}"


def partition(region: str) -> str:
    """Return the partition that a region belongs to, where no ARN tells it."""
    for start, found in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region.startswith(start):
            return found
    return "aws"
