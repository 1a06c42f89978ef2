"""What the caller is told: an exit code and one line, made from the results of one message."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Iterator, Sequence

from sesmail.delivery.maillog import printable
from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.sysexits import (
    EX_CONFIG,
    EX_DATAERR,
    EX_NOHOST,
    EX_NOPERM,
    EX_NOUSER,
    EX_OK,
    EX_OSERR,
    EX_SOFTWARE,
    EX_UNAVAILABLE,
    Failure,
)

LONGEST_LINE = 2000
MOST_NAMED = 10  # forward-paths; the mail log has them all

# What the administrator must mend comes first, what only one forward-path suffers from last.
_WORST_FIRST = (
    EX_SOFTWARE,
    EX_OSERR,
    EX_CONFIG,
    EX_NOPERM,
    EX_UNAVAILABLE,
    EX_DATAERR,
    EX_NOHOST,
    EX_NOUSER,
    EX_OK,
)


def exit_code(results: Sequence[Result], cause: Failure | None = None) -> int:
    """Return the exit code of the worst result, of ``cause`` (of an early end) if that is worse."""
    codes = {result.exit_code for result in results}
    if cause and codes != {EX_OK}:
        codes.add(cause.exit_code)
    return next((code for code in _WORST_FIRST if code in codes), EX_UNAVAILABLE)


def line(forward_paths: Sequence[str], results: Sequence[Result]) -> str:
    """Return which forward-paths did not get the message, and why; "" if all did."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path, result in zip(forward_paths, results, strict=True):
        if result.outcome is not Outcome.DELIVERED:
            groups.setdefault((_fate(result), result.text), []).append(path)
    parts = [f"{fate} {_names(paths)}: {text}" for (fate, text), paths in groups.items()]
    sent = len(results) - sum(map(len, groups.values()))
    if parts and sent:
        parts.append(f"sent to the other {sent}")
    return printable("; ".join(parts), LONGEST_LINE)


def transactions(results: Sequence[Result]) -> Iterator[str]:
    """Yield a line for each transaction that SES accepted: relay, SES id, number of recipients."""
    counts: dict[tuple[str, str], int] = {}
    for result in results:
        if result.outcome is Outcome.DELIVERED:
            key = (result.relay, result.remote_id)
            counts[key] = counts.get(key, 0) + 1
    for (relay, remote_id), count in counts.items():
        yield printable(f"sent through {relay} as {remote_id}, recipients: {count}")


def _fate(result: Result) -> str:
    """Return what became of the message, as the beginning of ``… to bob@example.org``."""
    if result.outcome is Outcome.FAILED:
        return "not sent to"
    if result.retry is Retry.AMBIGUOUS:
        return "may have been sent, not queued, to"
    return "not sent, not queued, to"


def _names(forward_paths: list[str]) -> str:
    names = ", ".join(forward_paths[:MOST_NAMED])
    if len(forward_paths) > MOST_NAMED:
        names += f" and {len(forward_paths) - MOST_NAMED} more"
    return names


def broken_installation(error: ImportError) -> str:
    """Return what to tell when a package that delivery needs cannot be imported."""
    return (
        f"the Python environment for delivery is broken ({error.name or 'a package'} cannot be "
        "imported); make it anew with make venv or make install"
    )


def internal_error(error: Exception) -> str:
    """Return what to tell of a bug: the class, and where in sesmail; its text may be private."""
    place = "unknown place"
    for frame, number in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        if module.startswith("sesmail."):
            place = f"{module}:{number}"
    return f"internal error, please report it: {type(error).__name__} at {place}"


def say(text: str) -> None:
    """Write one line for the caller. One who closed the descriptor does not want it."""
    with contextlib.suppress(OSError):
        os.write(2, f"sendmail: {printable(text, LONGEST_LINE)}\n".encode("ascii"))


def end(text: str, code: int) -> int:
    """Say why this is the end and return its exit code."""
    say(text)
    return code
