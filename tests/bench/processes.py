"""What a process and all below it take: CPU seconds and memory.

A child that ended is counted in its parent's "children's times", so a program that starts one for
each message is counted whole. Memory twice: resident set sizes added up, which count a page that
processes share as often as it is shared, and proportional ones (PSS), which count it once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since each began; MiB, open descriptors and threads at this moment."""

    cpu: float = 0.0
    rss: float = 0.0
    pss: float = 0.0
    descriptors: int = 0
    threads: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return what both take."""
        return Usage(
            self.cpu + other.cpu,
            self.rss + other.rss,
            self.pss + other.pss,
            self.descriptors + other.descriptors,
            self.threads + other.threads,
        )


def of_tree(pid: int) -> Usage:
    """Return what a process and all that it started take; nothing for what has ended meanwhile."""
    total = Usage()
    for one in _tree(pid):
        with suppress(*_GONE):
            total += of(one)
    return total


def of(pid: int) -> Usage:
    """Return what a process takes. Raises FileNotFoundError, ProcessLookupError."""
    directory = Path(f"/proc/{pid}")
    words = (directory / "stat").read_text().rpartition(")")[2].split()
    lines = (directory / "smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {name: int(size) for name, size, *_ in (line.split() for line in lines)}
    return Usage(
        sum(map(int, words[11:15])) / _TICK,
        kilobytes["Rss:"] / 1024,
        kilobytes["Pss:"] / 1024,
        len(os.listdir(directory / "fd")),
        int(words[17]),
    )


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(*_GONE):
        for thread in os.listdir(f"/proc/{pid}/task"):
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text()
            for child in children.split():
                yield from _tree(int(child))
