"""The [Service] section of a systemd unit, read from its files in systemd's order.

So it does not matter whether systemd runs here. systemd.unit(5) has the directories and drop-ins.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from sesmail.sysexits import DataError

_DIRECTORIES = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
)
_LISTS = frozenset(
    """
    BindPaths BindReadOnlyPaths InaccessiblePaths ReadOnlyPaths ReadWritePaths TemporaryFileSystem
    """.split()
)
_OLD_NAMES = {
    "InaccessibleDirectories": "InaccessiblePaths",
    "ReadOnlyDirectories": "ReadOnlyPaths",
    "ReadWriteDirectories": "ReadWritePaths",
}
_NO = ("", "0", "no", "n", "false", "f", "off")


@dataclass(slots=True)
class Unit:
    """A service: the last value of each key, and all words of those that add up."""

    name: str
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def is_on(self, key: str) -> bool:
        """Tell whether a key is there and is not "no"."""
        return self.values.get(key, "").lower() not in _NO

    def words(self, key: str) -> list[str]:
        """Return the words of a key that adds up, without the marks ``-`` and ``+``."""
        return [word.lstrip("-+") for word in self.lists.get(key, [])]

    def read(self, text: str) -> None:
        """Take what a file of the unit says."""
        section = ""
        for line in text.replace("\\\n", " ").splitlines():
            line = line.strip()
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and line[0] not in "#;":
                key, _, value = (part.strip() for part in line.partition("="))
                self._set(_OLD_NAMES.get(key, key), value)

    def _set(self, key: str, value: str) -> None:
        self.values[key] = value
        if key in _LISTS:
            # An empty value forgets what was before.
            self.lists[key] = [*self.lists.get(key, []), *value.split()] if value else []


def full_name(name: str) -> str:
    """Return the name with ``.service``."""
    return name if name.endswith(".service") else f"{name}.service"


def load(name: str, root: str = "/") -> Unit:
    """Return a service and its drop-ins. Raises DataError where there is none of that name."""
    name = full_name(name)
    fragment = next(_fragments(name, root), None)
    if fragment is None or "/" in name:
        raise DataError(f"there is no unit {name!a}; systemctl list-unit-files has their names")
    unit = Unit(name)
    for path in (fragment, *_drop_ins(name, root)):
        with open(path, encoding="utf-8", errors="replace") as file:
            unit.read(file.read())
    return unit


def enabled(root: str = "/") -> list[str]:
    """Return the names of the services that are started at boot."""
    pattern = os.path.join(root, "etc/systemd/system/*.wants/*.service")
    return sorted({os.path.basename(path) for path in glob.glob(pattern)})


def _fragments(name: str, root: str) -> Iterator[str]:
    for one in _names(name):
        for directory in _DIRECTORIES:
            path = os.path.join(root, directory[1:], one)
            if os.path.isfile(path):
                yield path


def _names(name: str) -> list[str]:
    """Return what the files of a unit may be called: like it, or like its template."""
    stem, at, _ = name.partition("@")
    return [name, f"{stem}@.service"] if at else [name]


def _drop_ins(name: str, root: str) -> list[str]:
    """Return the drop-ins in the order of their names; of the same name the nearest one counts."""
    parts = name.removesuffix(".service").split("-")
    alike = ["-".join(parts[:number]) + "-.service" for number in range(len(parts) - 1, 0, -1)]
    found: dict[str, str] = {}
    for one in (*_names(name), *alike, "service"):
        for directory in _DIRECTORIES:
            place = os.path.join(root, directory[1:], f"{one}.d")
            for path in glob.glob(os.path.join(glob.escape(place), "*.conf")):
                found.setdefault(os.path.basename(path), path)
    return [found[base] for base in sorted(found)]
