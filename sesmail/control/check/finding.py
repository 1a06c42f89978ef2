"""What a check says: how good or bad, about what, what it means, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from sesmail.control.terminal import BROKEN, OK, WARNING

EXIT_CODES = {OK: 0, WARNING: 1, BROKEN: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the answer. ``level``: ok, warning or broken; ``remedy`` is empty where all is ok.

    No text of it ever holds a secret.
    """

    level: str
    subject: str
    text: str
    remedy: str = ""

    def document(self) -> dict[str, str]:
        """Return it for a program."""
        return asdict(self)


Check = Callable[[], Iterable[Finding]]
Make = Callable[[str, str, str], Finding]  # of subject, text and remedy: ``warning``, ``broken``


def ok(subject: str, text: str) -> Finding:
    """Return the finding that something is as it should be, or cannot be known."""
    return Finding(OK, subject, text)


def warning(subject: str, text: str, remedy: str) -> Finding:
    """Return the finding that mail flows, but perhaps not all of it, or not for ever."""
    return Finding(WARNING, subject, text, remedy)


def broken(subject: str, text: str, remedy: str) -> Finding:
    """Return the finding that mail is stopped, lost or can be read by those who must not."""
    return Finding(BROKEN, subject, text, remedy)


def of_failure(make: Make, subject: str, failure: Exception | str, remedy: str = "") -> Finding:
    """Return the finding that a failure is: its text ends, after a semicolon, with the remedy."""
    text, _, own = str(failure).rpartition("; ")
    if not text:
        text, own = own, ""
    return make(subject, text, own or remedy)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 0 if all is ok, 1 with warnings, 2 if something is broken."""
    return max((EXIT_CODES[finding.level] for finding in findings), default=0)
