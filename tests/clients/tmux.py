"""A terminal of 80 columns whose screen can be read: tmux."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.spool import PATIENCE

WIDTH, HEIGHT = 80, 24


class Tmux:
    """A terminal of its own, whose screen can be read."""

    def __init__(self, directory: Path) -> None:
        self._tmux = [
            shutil.which("tmux") or "tmux",
            "-S",
            str(directory / "tmux"),
            "-f",
            "/dev/null",
        ]

    def start(self, command: str) -> None:
        """Run a command in a window of 80 columns; the window stays when it ends."""
        size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
        self._call("new-session", "-d", *size, f"{command}; echo ended with $?; cat")

    def screen(self) -> list[str]:
        """Return the lines of the screen."""
        return self._call("capture-pane", "-p").split("\n")

    def scrolled(self) -> int:
        """Return how many lines have left the screen at its top."""
        return int(self._call("display-message", "-p", "#{history_size}"))

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self._call("send-keys", *keys)

    def wait(self, condition: Callable[[list[str]], bool]) -> list[str]:
        """Return the screen once it is as wanted."""
        end = time.monotonic() + PATIENCE
        while not condition(screen := self.screen()):
            assert time.monotonic() < end, "\n".join(screen)
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        """End the terminal and all in it."""
        self._call("kill-server")

    def _call(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True)
        return done.stdout
