"""On what a run was made."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path

from tests.installation import CHECKOUT, PYTHON


def facts(directory: Path) -> dict[str, object]:
    """Return processor, cores, kernel, what file system a directory lies on, versions, commit."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": f"{os.uname().sysname} {os.uname().release}",
        "filesystem": _output("findmnt", "-no", "FSTYPE,SOURCE", "-T", str(directory)),
        "python": _output(PYTHON, "--version"),
        "sqlite": sqlite3.sqlite_version,
        "commit": _output("git", "-C", str(CHECKOUT), "describe", "--always", "--dirty"),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return os.uname().machine


def _output(*words: str) -> str:
    """Return what a command prints; nothing where there is no such command, or no git here."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""
    return " ".join(done.stdout.split())
