"""The independent stand-ins for SES, as processes: how each is started and what it recorded.

They are installed by setup-stand-ins.sh.  All listen on loopback only.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "stand-ins"
START_TIMEOUT = 60


@dataclass(frozen=True)
class Seen:
    """What a stand-in recorded of a message; None where it keeps no such thing."""

    source: str | None = None
    destinations: list[str] | None = None
    raw: bytes | None = None
    subject: str | None = None


@dataclass(frozen=True)
class Kind:
    """One stand-in: its command for a port, its own environment, and how to read its last mail."""

    command: Callable[[int], list[str]]
    last: Callable[[str], Seen]
    environment: Callable[[int], Mapping[str, str]] = field(default=lambda port: {})
    knows_identities: bool = True


def _read(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def _last_of_moto(url: str) -> Seen:
    last = _read(f"{url}/moto-api/data.json")["ses"]["RawMessage"][-1]
    return Seen(last["source"], last["destinations"], last["raw_data"].encode())


def _last_of_ministack(url: str) -> Seen:
    [messages] = _read(f"{url}/_ministack/ses/messages")["messages"].values()
    last = messages[-1]
    return Seen(destinations=last["To"] + last["CC"] + last["BCC"], subject=last["Subject"])


def _last_of_local(url: str) -> Seen:
    last = _read(f"{url}/store")["emails"][-1]
    groups = last["destination"]
    return Seen(destinations=groups["to"] + groups["cc"] + groups["bcc"], subject=last["subject"])


KINDS = {
    "moto": Kind(
        command=lambda port: [f"{CACHE}/moto/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)],
        last=_last_of_moto,
    ),
    "ministack": Kind(
        command=lambda port: [f"{CACHE}/ministack/bin/ministack"],
        # Without BIND_HOST it listens on every interface.
        environment=lambda port: {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)},
        last=_last_of_ministack,
    ),
    "aws-ses-v2-local": Kind(
        command=lambda port: [
            f"{CACHE}/node/bin/node",
            f"{CACHE}/npm/node_modules/aws-ses-v2-local/dist/cli.js",
            "--host=127.0.0.1",
            f"--port={port}",
        ],
        last=_last_of_local,
        knows_identities=False,
    ),
}


@contextlib.contextmanager
def running(name: str, directory: Path) -> Iterator[str]:
    """The URL of the stand-in while it runs; directory is its home and has its log."""
    kind = KINDS[name]
    port = _free_port()
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "LANG": "C.UTF-8",
        **kind.environment(port),
    }
    with (
        (directory / "log").open("wb") as log,
        # A session of its own: the node of the wheel is a wrapper, and its child outlives it.
        subprocess.Popen(
            kind.command(port),
            env=environment,
            cwd=directory,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait_until_it_listens(process, port, directory / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group, which may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise RuntimeError(f"does not listen: {log.read_text(errors='replace')[-2000:]}")
