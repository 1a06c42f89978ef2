"""Another process of the same user cannot look into those of ours that hold secrets.

Nor do they leave a core file, which backups and whoever examines a crash would read.
"""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sesmail import launch
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.installation import PYTHON, Installation
from tests.processes import for_the_block
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
def started(
    *words: str | Path, cwd: str | Path = "/", **environ: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command as the daemon's user, from the first moment; it ends with the block."""
    user = pwd.getpwnam(DAEMON)
    process = subprocess.Popen(
        words,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        env=environ,
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with for_the_block(process):
        yield process


@pytest.fixture
def spool(host: Host, ses: SesServer) -> Iterator[Spool]:
    """A spool of the daemon's user."""
    with isolated(host, ses) as spool:
        yield spool


def test_an_ordinary_process_can_be_looked_into() -> None:
    """The kernel allows it, so that the other tests can fail."""
    with started(PYTHON, "-Ic", "print(flush=True); input()") as process:
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


# Core files. Each process runs where one could be written: nothing but its own care is in the way.

UNLIMITED = ("prlimit", "--core=unlimited:unlimited", "--")


@pytest.fixture
def place(host: Host) -> Path:
    """A directory in which everybody can write."""
    path = host.directory / "cores"
    path.mkdir()
    path.chmod(0o777)
    return path


def dumps_core(process: subprocess.Popen[bytes]) -> bool:
    """Let a process crash; tell whether the kernel wrote its memory down."""
    process.send_signal(signal.SIGSEGV)
    _, status = os.waitpid(process.pid, 0)
    assert os.WTERMSIG(status) == signal.SIGSEGV
    return os.WCOREDUMP(status)


def test_an_ordinary_process_leaves_a_core_file(place: Path) -> None:
    """So that the other tests can fail."""
    code = "print(flush=True); input()"
    with started(*UNLIMITED, PYTHON, "-Ic", code, cwd=place) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert dumps_core(process)


@pytest.mark.parametrize("part", ["foreground", "sesmailctl"])
def test_no_core_file(host: Host, spool: Spool, place: Path, part: str) -> None:
    """While they wait for the message, or for what somebody types."""
    commands: dict[str, list[str | Path]] = {
        "foreground": [*launch.command(str(host.installed.library), launch.FOREGROUND)],
        "sesmailctl": [host.installed.command("sesmailctl"), "import", "-"],
    }
    environ = {"SESMAIL_CONFIG": str(spool.configuration), "PATH": "/usr/bin:/bin"}
    with started(*UNLIMITED, *commands[part], cwd=place, **environ) as process:
        wait_until_closed(process)
        assert not dumps_core(process)


def test_no_core_file_of_the_daemon(
    installed: Installation, ses: SesServer, tmp_path: Path
) -> None:
    """It works in /, so it runs as root here. What a failure leaves there goes."""
    daemon = installed.command("sesmaild")
    spool = Spool(tmp_path, ses, command=[*UNLIMITED, daemon])
    before = set(Path("/").iterdir())
    spool.start()
    assert spool.process is not None
    spool.send(signal.SIGSEGV)
    _, status = os.waitpid(spool.process.pid, 0)
    spool.ended()
    spool.close()
    for core in set(Path("/").glob("core*")) - before:
        core.unlink()
    assert os.WTERMSIG(status) == signal.SIGSEGV
    assert not os.WCOREDUMP(status)
