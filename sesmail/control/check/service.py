"""sesmaild: whether it runs, would after a restart, and takes what is dropped.

The FIFO tells what callers see. The lock tells of others that work on the queue meanwhile; it is
read in /proc/locks, not tried, for a daemon that starts just then must get it.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

from sesmail.control.check.finding import Finding, broken, ok, warning
from sesmail.control.check.permissions import has_spool
from sesmail.control.wording import counted
from sesmail.drop import layout
from sesmail.drop.put import READER, Wake
from sesmail.settings import Settings

_SUBJECT = "sesmaild"
_UNIT = "sesmaild.service"
_SYSTEMD = "/run/systemd/system"  # sd_booted(3)
_PATIENCE = 10.0  # seconds for systemctl
_TAKEN_AFTER = 120.0  # seconds: a drop that nobody told of is found after 60


def is_running(settings: Settings) -> bool:
    """Tell whether somebody reads the FIFO: for callers that is the daemon."""
    wake = Wake(settings.spool_directory)
    wake.close()
    return wake.state == READER


def alive(settings: Settings) -> Iterator[Finding]:
    """Say whether the daemon runs."""
    if not has_spool(settings):
        return
    holder = lock_holder(settings)
    if is_running(settings):
        yield ok(_SUBJECT, f"runs{f', as process {holder}' if holder else ''}")
    elif holder:
        yield broken(
            _SUBJECT,
            f"does not run; process {holder} works on the queue in its place",
            f"{_start()}, once that process has ended",
        )
    else:
        yield broken(_SUBJECT, "does not run: what is sent waits in the drop", _start())
    yield from _unit()


def drains(settings: Settings) -> Iterator[Finding]:
    """Say whether the daemon takes what lies in the drop."""
    if not has_spool(settings):
        return
    path = os.path.join(settings.spool_directory, "drop")
    try:
        with os.scandir(path) as entries:
            ages = [_age(entry) for entry in entries if layout.is_queue_id(entry.name)]
    except PermissionError:
        yield warning("drop", f"only root can look into {path}", "sudo sesmailctl check")
        return
    late = [age for age in ages if age > _TAKEN_AFTER]
    if not ages:
        yield ok("drop", "empty: all that was dropped has been picked up")
    elif not is_running(settings):
        text = counted(len(ages), "message waits", "messages wait")
        yield warning("drop", f"{text} for sesmaild, which does not run", _start())
    elif late:
        text = counted(len(late), "message lies", "messages lie")
        yield broken(
            "drop",
            f"sesmaild runs, but {text} there, for up to {max(late) / 60:.0f} minutes",
            "look for its lines in the mail log: journalctl -t sesmail/qmgr",
        )
    else:
        text = counted(len(ages), "message waits", "messages wait")
        yield ok("drop", f"{text} to be picked up")


def lock_holder(settings: Settings) -> str:
    """Return the number of the process that has the queue's lock; "" where none is known."""
    try:
        status = os.stat(os.path.join(settings.spool_directory, "queue", "lock"))
        with open("/proc/locks", encoding="ascii") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    return holder(lines, status.st_dev, status.st_ino)


def holder(lines: list[str], device: int, inode: int) -> str:
    """Return who has the flock(2) of a file by the lines of /proc/locks (proc_locks(5))."""
    wanted = f"{os.major(device):02x}:{os.minor(device):02x}:{inode}"
    for line in lines:
        words = line.split()
        if words[1] == "FLOCK" and words[5] == wanted:
            return words[4]
    return ""


def _age(entry: os.DirEntry[str]) -> float:
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return 0.0  # taken just now


def _start() -> str:
    if os.path.isdir(_SYSTEMD):
        return f"systemctl enable --now sesmaild; systemctl status {_UNIT} says why it ended"
    return "start sesmaild, and have it started again whenever it ends"


def _unit() -> Iterator[Finding]:
    """Say what systemd, where it runs, has to do with the daemon."""
    if not os.path.isdir(_SYSTEMD):
        return
    words = ["systemctl", "show", _UNIT, "--property=LoadState,ActiveState,UnitFileState,Result"]
    try:
        done = subprocess.run(words, capture_output=True, check=False, text=True, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return
    yield from judge(dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line))


def judge(unit: dict[str, str]) -> Iterator[Finding]:
    """Say what the properties of the unit mean."""
    if unit.get("LoadState") != "loaded":
        return  # another supervisor's, or started by hand
    if unit.get("ActiveState") == "failed":
        yield broken(
            _SUBJECT,
            f"{_UNIT} has failed ({unit.get('Result')})",
            f"journalctl -u {_UNIT} -n 20",
        )
    if unit.get("UnitFileState") not in ("enabled", "enabled-runtime", "static"):
        yield warning(_SUBJECT, f"{_UNIT} will not be started at boot", "systemctl enable sesmaild")
