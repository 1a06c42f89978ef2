"""Secrets watched for while programs run: in command lines, environments, and wide files."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class Watch:
    """Looks at all processes, and at the files below ``directory``, until the block ends.

    ``found`` has where a secret was seen that should not have been; ``looked`` counts the processes
    of ours that were looked at, so that a test can tell that there was something to see.
    """

    def __init__(self, directory: Path, secrets: Sequence[str], ours: str) -> None:
        self.found: set[str] = set()
        self.looked: set[str] = set()
        self._directory = directory
        self._secrets = [secret.encode() for secret in secrets]
        self._ours = ours.encode()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self.look()

    def _run(self) -> None:
        while not self._is_over.wait(0.02):  # a pace, not a time to be right by
            self.look()

    def look(self) -> None:
        """Look once."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for name in ("cmdline", "environ"):
                content = _read(f"/proc/{pid}/{name}")
                if self._ours in content:
                    self.looked.add(pid)
                self._compare(content, f"/proc/{pid}/{name}")
        for path in self._directory.rglob("*"):
            self._look_at(path)

    def _look_at(self, path: Path) -> None:
        try:
            status = path.lstat()
        except OSError:
            return
        is_narrow = not status.st_mode & (stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH)
        if stat.S_ISREG(status.st_mode) and not is_narrow:
            self._compare(_read(str(path)), str(path))

    def _compare(self, content: bytes, where: str) -> None:
        if any(secret in content for secret in self._secrets):
            self.found.add(where)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""
