"""Processes of tests that would go on by themselves."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import AnyStr


@contextmanager
def for_the_block(process: subprocess.Popen[AnyStr]) -> Iterator[subprocess.Popen[AnyStr]]:
    """End a process with the block, if that fails, too; ``with process`` would wait for ever."""
    with process:
        try:
            yield process
        finally:
            process.kill()
