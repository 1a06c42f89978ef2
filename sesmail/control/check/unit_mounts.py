"""What of the file system a systemd unit keeps from its processes, and the drop-in that opens it.

By systemd.exec(5): nothing can be opened inside what is inaccessible; into an empty file system
only a bind mount leads; else the deepest setting counts, and of two for one place the stricter.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail.control.check.unit_file import Unit, full_name

INACCESSIBLE, EMPTY, READ_ONLY, WRITABLE = "inaccessible", "empty", "read-only", "writable"
_PROTECTED = {"strict": ("/",), "full": ("/usr", "/boot", "/efi", "/etc")}
_HOMES = ("/home", "/root", "/run/user")
_OF_HOMES = {"read-only": READ_ONLY, "tmpfs": EMPTY}
_PATHS = {
    "InaccessiblePaths": INACCESSIBLE,
    "TemporaryFileSystem": EMPTY,
    "ReadOnlyPaths": READ_ONLY,
    "BindReadOnlyPaths": READ_ONLY,
    "BindPaths": WRITABLE,
    "ReadWritePaths": WRITABLE,
}


@dataclass(frozen=True, slots=True)
class Mount:
    """What a setting makes of a place; ``word`` is the one of its words that does."""

    place: str
    kind: str
    key: str
    word: str

    @property
    def setting(self) -> str:
        """How it stands in the unit."""
        return f"{self.key}={self.word}"

    @property
    def hides(self) -> bool:
        """Tell whether what was there cannot be seen."""
        return self.kind in (INACCESSIBLE, EMPTY)


def barriers(unit: Unit, path: str) -> list[Mount]:
    """Return what keeps a unit's processes from writing to a path; what hides it comes first."""
    above = [mount for mount in _mounts(unit) if _is_above(mount.place, path)]
    bound = max((_depth(mount) for mount in above if mount.key.startswith("Bind")), default=-1)
    opened = max((_depth(mount) for mount in above if mount.kind == WRITABLE), default=-1)
    found = [
        mount
        for mount in above
        if mount.kind == INACCESSIBLE
        or (mount.kind == EMPTY and _depth(mount) > bound)
        or (mount.kind == READ_ONLY and _depth(mount) >= opened)
    ]
    return sorted(found, key=lambda mount: not mount.hides)


@dataclass(frozen=True, slots=True)
class DropIn:
    """A file beside a unit's own."""

    unit: str
    file: str
    text: str

    def commands(self) -> list[str]:
        """Return the lines that make it, to be pasted into root's shell."""
        return [
            f"mkdir -p {os.path.dirname(self.file)}",
            f"cat >{self.file} <<'.'",
            *self.text.splitlines(),
            ".",
            "systemctl daemon-reload",
            f"systemctl restart {self.unit}",
        ]


def drop_in(unit: Unit, spool: str, credentials: str) -> DropIn | None:
    """Return what lets a unit write to the spool and see the credentials; None: it does."""
    to_spool = barriers(unit, os.path.join(spool, "drop"))
    to_credentials = [mount for mount in barriers(unit, credentials) if mount.hides]
    lines = [
        *_without(unit, [mount for mount in to_spool if not _can_be_opened(mount, spool)]),
        *_without(unit, [mount for mount in to_credentials if mount.kind == INACCESSIBLE]),
    ]
    is_last = bool(lines)  # what it takes back must have been said before
    if any(map(_leaves_it_empty, to_spool)):
        lines.append(f"BindPaths={spool}")
    elif any(mount.kind == READ_ONLY for mount in to_spool):
        lines.append(f"ReadWritePaths={spool}")
    if any(map(_leaves_it_empty, to_credentials)):
        lines.append(f"BindReadOnlyPaths={credentials}")
    if not lines:
        return None
    name = "zz-sesmail.conf" if is_last else "sesmail.conf"
    directory = f"/etc/systemd/system/{full_name(unit.name)}.d"
    text = "\n".join(["[Service]", *dict.fromkeys(lines), ""])
    return DropIn(full_name(unit.name), os.path.join(directory, name), text)


def _can_be_opened(mount: Mount, spool: str) -> bool:
    """Tell whether a setting for the spool is enough, while that one stays."""
    return mount.kind != INACCESSIBLE and _depth(mount) < len(spool)


def _leaves_it_empty(mount: Mount) -> bool:
    """Tell whether there is an empty file system in the end: so with homes, see ``_without``."""
    return mount.kind == EMPTY or (mount.kind == INACCESSIBLE and mount.key == "ProtectHome")


def _without(unit: Unit, mounts: list[Mount]) -> Iterator[str]:
    """Yield the lines that take settings back: a list is emptied, then the rest of it said anew."""
    for key in dict.fromkeys(mount.key for mount in mounts):
        if key == "ProtectHome":
            yield "ProtectHome=tmpfs"
            continue
        gone = {mount.word for mount in mounts if mount.key == key}
        kept = [word for word in unit.lists[key] if word.lstrip("-+") not in gone]
        yield f"{key}="
        if kept:
            yield f"{key}={' '.join(kept)}"


def _is_above(place: str, path: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")


def _depth(mount: Mount) -> int:
    return len(mount.place.rstrip("/"))


def _mounts(unit: Unit) -> Iterator[Mount]:
    """Yield each part of the file system that a unit's processes see changed."""
    system = unit.values.get("ProtectSystem", "").lower()
    if unit.is_on("DynamicUser") and system not in _PROTECTED:
        system = "strict"
    for place in _PROTECTED.get(system, ()):
        yield Mount(place, READ_ONLY, "ProtectSystem", system)
    if unit.is_on("ProtectHome"):
        value = unit.values["ProtectHome"].lower()
        for place in _HOMES:
            yield Mount(place, _OF_HOMES.get(value, INACCESSIBLE), "ProtectHome", value)
    for key, kind in _PATHS.items():
        for word in unit.words(key):
            yield Mount(_place(key, word), kind, key, word)


def _place(key: str, word: str) -> str:
    """Return where the word of a setting takes effect: SOURCE[:DESTINATION], PATH[:OPTIONS]."""
    parts = word.split(":")
    return parts[1] if key.startswith("Bind") and len(parts) > 1 else parts[0]
