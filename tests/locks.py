"""What packaging/*.lock pin, as pip reads it: names, exact versions, hashes of the files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(r"(?P<name>[a-z0-9]+(-[a-z0-9]+)*)==(?P<version>[\w.!+]+)")
_HASH = re.compile(r"--hash=sha256:(?P<hash>[0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One package: its version, and the SHA-256 of each file of it that may be installed."""

    version: str
    hashes: frozenset[str]


def read(lock: Path) -> dict[str, Pin]:
    """Return the pins of a lock by normal name (PEP 503). Fails on a line that is no pin."""
    pins = {}
    for line in lock.read_text().replace("\\\n", " ").splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        pin = _PIN.fullmatch(words[0])
        assert pin, f"{lock.name}: {words[0]}: no exact version of a name in normal form"
        hashes = [_HASH.fullmatch(word) for word in words[1:]]
        assert all(hashes), f"{lock.name}: {words[0]}: something besides hashes"
        assert pin["name"] not in pins, f"{lock.name}: {pin['name']} twice"
        pins[pin["name"]] = Pin(
            pin["version"], frozenset(found["hash"] for found in hashes if found)
        )
    return pins
