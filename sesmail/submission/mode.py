"""Who delivers, and when: the table "No daemon?" of docs/ARCHITECTURE.md.

    the FIFO          credentials readable by the caller    then
    has a reader      either                                drop
    has no reader     yes                                   foreground, what stays open is dropped
    has no reader     no                                    drop, and say that nobody delivers
    is not there      yes                                   foreground
    is not there      no                                    77

``-odi``, ``-odb``, ``-odq`` and ``-odd``, or the setting ``delivery_mode``, ask for one of them.
"""

from __future__ import annotations

from sesmail.drop import put

DROP = "drop"
DROP_QUIETLY = "drop without a wake-up"
FOREGROUND = "foreground"
NOWHERE = "nowhere"
_REQUESTS = {"i": "foreground", "b": "background", "q": "queue", "d": "queue"}


def choose(flag: str, setting: str, wake: str, *, is_readable: bool) -> str:
    """Return the way for a letter of -od ("" for none), ``delivery_mode``, and Wake.state."""
    request = _REQUESTS.get(flag, setting)
    if wake == put.ABSENT:
        return FOREGROUND if is_readable else NOWHERE
    if request == "queue":
        return DROP_QUIETLY
    if is_readable and (request == "foreground" or (request == "auto" and wake == put.NOBODY)):
        return FOREGROUND
    return DROP
