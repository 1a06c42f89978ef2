"""The layout of a drop file, and the queue ids that are its names.

    sesmail-drop 1 QUEUEID SIZE CRC32   a line of fixed length: bytes and CRC-32 of what follows
    envelope lines, a blank line        see sesmail.envelope
    message

A torn or changed file is recognised by size and CRC-32. A daemon reads every version up to its
own; a file of a newer one stays where it is.

A queue id is 48 bits of milliseconds since the epoch and 64 random bits, as 28 characters of 0-9
and A-F: it sorts by time, nobody can guess it, and pflogsumm and logwatch take it for Postfix's.
"""

from __future__ import annotations

import posix
import time

VERSION = 1
LEADING_LINE = "sesmail-drop {version} {queue_id} {size:010} {checksum:08X}\n"
LEADING_LENGTH = len(LEADING_LINE.format(version=VERSION, queue_id="0" * 28, size=0, checksum=0))
LARGEST_ENVELOPE = 1 << 20  # bytes, on top of the limit for messages
ID_LENGTH = 28
_ID_CHARACTERS = frozenset("0123456789ABCDEF")


def new_queue_id() -> str:
    """Return a queue id of this moment."""
    return f"{int(time.time() * 1000):012X}{posix.urandom(8).hex().upper()}"


def is_queue_id(name: str) -> bool:
    """Tell whether ``name`` has a queue id's length and characters, and so is no path."""
    return len(name) == ID_LENGTH and _ID_CHARACTERS.issuperset(name)


def leading_line(queue_id: str, size: int, checksum: int) -> bytes:
    """Return the first line for ``size`` bytes with this CRC-32."""
    text = LEADING_LINE.format(version=VERSION, queue_id=queue_id, size=size, checksum=checksum)
    return text.encode("ascii")
