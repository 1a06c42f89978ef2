"""A file to import from: its text by lines, and failures that name a line and never a value."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from sesmail.sysexits import DataError, NotPermitted

STDIN = "-"
_STDIN_PATH = "standard input"
_LARGEST = 1 << 16  # bytes
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read; a directory has no text."""

    path: str
    text: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """The name of the file without its directory."""
        return os.path.basename(self.path)

    @property
    def directory(self) -> str:
        """The directory that it lies in."""
        return os.path.dirname(self.path)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield number and text of each line that is neither empty nor a comment (``#``)."""
        for number, line in enumerate(self.text.split("\n"), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                yield number, line.rstrip()

    def error(self, line: int, text: str) -> DataError:
        """Return the failure that blames a line; 0: the file."""
        return DataError(f"{self.path}, line {line}: {text}" if line else f"{self.path}: {text}")

    def beside(self, path: str) -> Source | None:
        """Return another file, by its path from this one's directory; None: it is not there."""
        if self.path == _STDIN_PATH:
            return None
        path = os.path.join(self.directory, path)
        return read(path) if os.path.exists(path) else None


def read(path: str) -> Source:
    """Read a file, or standard input (``-``). Raises NotPermitted, DataError."""
    if path == STDIN:
        return Source(_STDIN_PATH, _decode(path, sys.stdin.buffer.read(_LARGEST + 1)))
    path = os.path.abspath(path)
    if os.path.isdir(path):
        return Source(path)
    try:
        # O_NONBLOCK: a FIFO in that place must not hold us.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise NotPermitted(f"not permitted to read {path}; sudo sesmailctl import ...") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not the name of a file"
        raise DataError(f"{path}: {reason}") from None
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DataError(f"{path}: not a regular file")
        return Source(path, _decode(path, stream.read(_LARGEST + 1)))


def _decode(path: str, content: bytes) -> str:
    if len(content) > _LARGEST:
        raise DataError(f"{path}: longer than {_LARGEST} bytes")
    try:
        text = content.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}, line {line}: not UTF-8 text") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, line {line}: a NUL character; this is no text")
    return text
