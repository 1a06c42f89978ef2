"""A process that holds secrets, kept from others of the same user: prctl(2), PR_SET_DUMPABLE.

Afterwards only root may attach a debugger to it, or read its memory and environment below /proc,
and it leaves no core file. An exec ends this, so that each of our programs says it for itself; so
does a change of the user, of which the kernel decides anew (proc(5), suid_dumpable).
"""

from __future__ import annotations

import ctypes
import os

from sesmail.sysexits import OSFailure

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def become_undumpable() -> None:
    """Let nobody but root look into this process from now on. Raises OSFailure."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        error = os.strerror(ctypes.get_errno())
        raise OSFailure(f"cannot keep other processes from reading our memory: {error}")
