"""What setting up and removing share: a step that is told, and calls that say what they lack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sesmail.control.aws import Aws, AwsError
from sesmail.sysexits import NotPermitted

FOUND, MADE, CHANGED, REMOVED, KEPT = "found", "made", "changed", "removed", "kept"
_MISSING = frozenset(
    "NotFoundException NotFound AWS.SimpleQueueService.NonExistentQueue QueueDoesNotExist".split()
)


@dataclass(frozen=True, slots=True)
class Step:
    """What was done: to what (``topic``), its name, one of the words above, and why."""

    what: str
    name: str
    did: str
    why: str = ""


Steps = Iterator[Step]


class Caller:
    """Calls of the services for one identity."""

    def __init__(self, aws: Aws, identity: str) -> None:
        self.aws = aws
        self._identity = identity

    def call(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """Return the answer. Raises NotPermitted, with the missing action, and AwsError."""
        try:
            return self.aws.call(service, operation, **request)
        except AwsError as error:
            if not error.is_denied:
                raise
            action = "".join(word.capitalize() for word in operation.split("_"))
            raise NotPermitted(
                f"this key lacks the right {service.removesuffix('v2')}:{action}; what is needed "
                f"is printed by: sesmailctl events policy {self._identity} --admin; then run this "
                "again, it goes on from here"
            ) from None

    def find(self, service: str, operation: str, **request: Any) -> dict[str, Any] | None:
        """Return the answer, or None where there is no such thing."""
        try:
            return self.call(service, operation, **request)
        except AwsError as error:
            if error.code in _MISSING:
                return None
            raise
