"""``queue/reserve``: 16 MiB of disk that are given up when it is full, to write down results.

Without it a message that SES has accepted could not be marked as sent, and would be sent again.
"""

from __future__ import annotations

import os

SIZE = 16 << 20  # bytes


class Reserve:
    """The reserve of one queue directory."""

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(directory, "reserve")

    def is_there(self) -> bool:
        """Tell whether the room is kept."""
        try:
            status = os.stat(self._path)
        except OSError:
            return False
        return status.st_size == SIZE and status.st_blocks * 512 >= SIZE

    def make(self) -> bool:
        """Take the room; return whether it is kept now. Until it is, nothing new may be begun."""
        if self.is_there():
            return True
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, SIZE)
            finally:
                os.close(descriptor)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the room up."""
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass
