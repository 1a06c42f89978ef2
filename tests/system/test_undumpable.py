"""Another process of the same user cannot look into those of ours that hold secrets."""

from __future__ import annotations

import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sesmail import launch
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.spool import PATIENCE, Spool
from tests.system.test_isolation import DAEMON, isolated, run_as

pytestmark = pytest.mark.root

LOOK = """
import ctypes, os, sys
pid = int(sys.argv[1])
def attempt(name, function, *arguments):
    try:
        function(*arguments)
    except PermissionError:
        return
    print(name)
def attach():
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    if ptrace(16, pid, 0, 0) != 0:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(pid, 0x40000000)  # __WALL
    ptrace(17, pid, 0, 0)  # PTRACE_DETACH
attempt("environ", open, f"/proc/{pid}/environ")
attempt("mem", open, f"/proc/{pid}/mem", "rb")
attempt("fd", os.listdir, f"/proc/{pid}/fd")
attempt("ptrace", attach)
"""
EVERYTHING = ["environ", "mem", "fd", "ptrace"]


def seen(pid: int) -> list[str]:
    """Return what another process of the daemon's user can look at in a process."""
    return run_as(DAEMON, LOOK, pid).split()


def wait_until_closed(process: subprocess.Popen[bytes]) -> None:
    """Wait until nothing of a process that runs can be seen; only a failing test waits for long."""
    end = time.monotonic() + PATIENCE
    while found := seen(process.pid):
        assert time.monotonic() < end, found
    assert process.poll() is None


@contextmanager
def started(*words: str | Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command as the daemon's user, from the first moment; it ends with the block."""
    user = pwd.getpwnam(DAEMON)
    with subprocess.Popen(
        words,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        env=environ,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process
        process.kill()


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool of the daemon's user."""
    with isolated(host, ses) as spool:
        yield spool


def test_an_ordinary_process_can_be_looked_into() -> None:
    """The kernel allows it, so that the other tests can fail."""
    with started(sys.executable, "-Ic", "print(flush=True); input()") as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert seen(process.pid) == EVERYTHING


def test_the_daemon(host: Host, spool: Spool) -> None:
    """Nor where it is started by its own user, without root."""
    command = host.installed.command("sesmaild")
    environ = {"SESMAIL_CONFIG": str(spool.configuration)}
    with started(command, "--stderr", **environ) as process:
        assert process.stderr is not None
        while b"sesmaild is ready" not in (line := process.stderr.readline()):
            assert line
        assert seen(process.pid) == []


def test_the_foreground(host: Host, spool: Spool) -> None:
    """While it reads the message it is closed already."""
    command = launch.command(str(host.installed.library), launch.FOREGROUND)
    environ = {"SESMAIL_CONFIG": str(spool.configuration)}
    with started(*command, **environ) as process:
        wait_until_closed(process)


def test_sesmailctl(host: Host, spool: Spool) -> None:
    """While it waits for what somebody types."""
    command = host.installed.command("sesmailctl")
    environ = {"SESMAIL_CONFIG": str(spool.configuration)}
    with started(command, "import", "-", **environ) as process:
        wait_until_closed(process)
