"""Programs that run as our children, and what their ends mean to our caller."""

from __future__ import annotations

import posix

from sesmail.submission import signals
from sesmail.sysexits import EX_UNAVAILABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EX_TEMPFAIL = 75  # from a real sendmail; to our caller it would mean that the mail is kept


def start(
    path: str,
    words: list[str],
    environ: Mapping[str, str],
    duplicates: Sequence[tuple[int, int]] = (),
) -> int:
    """Run ``path`` and return its pid; of each pair it gets the first descriptor as the second.

    Raises OSError.
    """
    signals.expect_children()
    return posix.posix_spawn(
        path,
        words,
        environ,
        file_actions=[(posix.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in duplicates],
        setsigdef=signals.IGNORED_BY_PYTHON,
    )


def wait(child: int) -> int:
    """Wait for the end of a child; return its exit code, or 69 for 75 and for a signal."""
    code = posix.waitstatus_to_exitcode(posix.waitpid(child, 0)[1])
    return EX_UNAVAILABLE if code < 0 or code == _EX_TEMPFAIL else code
