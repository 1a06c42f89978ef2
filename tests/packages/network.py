"""A network of a test's own: loopback and nothing else, with addresses and ports of Amazon's free.

    with network("169.254.170.2"):
        ...  # sockets made here, and processes started here, are in it

It is that of the thread that enters it, and of the threads and processes which that one starts.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET, <linux/sched.h>
_OWN = "/proc/thread-self/ns/net"
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def network(*addresses: str) -> Iterator[None]:
    """Be in such a network, whose loopback has these addresses besides 127.0.0.1."""
    outside = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.unshare(_NEW_NETWORK))
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            for address in addresses:
                subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
            yield
        finally:
            _check(_libc.setns(outside, _NEW_NETWORK))
    finally:
        os.close(outside)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
