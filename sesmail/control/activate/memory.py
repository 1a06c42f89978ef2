"""What was activated, so that exactly this is undone: a file of JSON, gone after the last of it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field

from sesmail.sysexits import DataError

PATH = "/var/lib/sesmail/activation.json"
_READABLE = 0o755  # sesmailctl check reads it as whoever calls
DIVERSIONS, ALTERNATIVES, ASIDE = "diversions", "alternatives", "aside"


@dataclass(slots=True)
class Memory:
    """``way``: how the names became ours, "" if they did not.

    target    what the links name
    names     the names that are ours, or are about to be
    group     of alternatives; chosen: what an administrator had chosen there by hand
    services  what were enabled, and are not any more where alternatives(8) disabled them
    php       files that were written for PHP
    """

    way: str = ""
    target: str = ""
    names: list[str] = field(default_factory=list)
    group: str = ""
    chosen: str = ""
    services: list[str] = field(default_factory=list)
    php: list[str] = field(default_factory=list)


def load(path: str = PATH) -> Memory:
    """Return what is remembered. Raises DataError for a file that is damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            return Memory(**json.load(file))
    except FileNotFoundError:
        return Memory()
    except (OSError, ValueError, TypeError):
        raise DataError(
            f"cannot read {path}, which says what was activated; mend it, or remove it and undo by "
            "hand what sesmailctl check shows"
        ) from None


def save(memory: Memory, path: str = PATH) -> None:
    """Remember; nothing stays where nothing is active. Raises OSError."""
    directory = os.path.dirname(path)
    if memory == Memory():
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with contextlib.suppress(OSError):
            os.rmdir(directory)
        return
    if not os.path.isdir(directory):
        os.makedirs(directory)
        os.chmod(directory, _READABLE)
    new = path + ".new"
    with open(new, "w", encoding="utf-8") as file:
        json.dump(asdict(memory), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(new, 0o644)
    os.replace(new, path)
