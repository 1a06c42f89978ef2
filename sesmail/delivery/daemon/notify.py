"""Readiness for systemd (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names."""

from __future__ import annotations

import contextlib
import socket
import time

READY = "READY=1"
STOPPING = "STOPPING=1"


class Notifier:
    """The socket of whoever supervises this process; silent where there is none."""

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def tell(self, *lines: str) -> None:
        """Send the lines. A supervisor that does not listen is no reason to end."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
            peer.setblocking(False)
            peer.sendto("\n".join(lines).encode("ascii", "replace"), self._address)


def status(text: str) -> str:
    """Return the line that ``systemctl status`` shows."""
    return f"STATUS={text}"


def reloading() -> tuple[str, str]:
    """Return the lines that begin a reload, which READY=1 ends."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"
