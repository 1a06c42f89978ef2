"""Submission without the delivery half, in whose place a program writes down what it gets."""

from __future__ import annotations

import shutil

from tests.host import Host
from tests.installation import Installation


def install(host: Host) -> None:
    """Give ``host`` an installed tree that hands over to the recording program.

    That is the one that stands for the real sendmail: it reads descriptor 0 and ends with 0.
    """
    tree = Installation(host.directory / "tree", host.installed.recorder)
    binaries = tree.library / ".venv" / "bin"
    for directory in (binaries / "calls", tree.prefix / "bin", tree.prefix / "sbin"):
        directory.mkdir(parents=True)
    (binaries / "calls").chmod(0o1777)
    shutil.copy(tree.recorder, binaries / "python3")
    (tree.library / "sesmail").symlink_to(host.installed.library / "sesmail")
    text = host.installed.command("sesmail").read_text()
    for name in ("sesmail", "sendmail", "mailq", "newaliases"):
        tree.command(name).write_text(text.replace(str(host.installed.library), str(tree.library)))
        tree.command(name).chmod(0o755)
    host.installed = tree


def handed_over(host: Host) -> list[bytes]:
    """What the delivery half would have got on descriptor 0, per call: envelope and message."""
    calls = host.installed.library / ".venv" / "bin" / "calls"
    return [(call / "stdin").read_bytes() for call in sorted(calls.iterdir())]
