"""The credentials file as text: INI sections of ``key = value`` lines, and the line of each.

What people paste is forgiven: a byte order mark, CRLF, keys in any case, blanks around everything,
a pair of quotes around a value, lines before any section (they belong to ``[default]``). What could
hide a mistake is not: a line of another form, a key or a section given twice. Errors name the file
and the line, never a value; which keys there are is for ``credentials`` to know.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field

from sesmail.sysexits import ConfigurationError, NotPermitted

DEFAULT = "default"
_LARGEST = 1 << 16  # bytes
_ALIASES = {
    "aws_secret_key": "aws_secret_access_key",  # UBOS, boto 2
    "aws_security_token": "aws_session_token",  # boto 2
    "ca_bundle": "ca_file",  # the name of a boto3 profile
}


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of a key, and the number of its line."""

    value: str = field(repr=False)
    line: int


@dataclass(frozen=True, slots=True)
class File:
    """A credentials file that was read; ``mode`` is that of stat(2)."""

    path: str
    mode: int
    sections: dict[str, dict[str, Entry]]

    @property
    def default(self) -> dict[str, Entry]:
        """The keys of the one section that is ours."""
        return self.sections[DEFAULT]

    def get(self, key: str) -> str:
        """Return the value of a key of ``[default]``, "" if it is not there."""
        entry = self.default.get(key)
        return entry.value if entry else ""

    def error(self, key: str, text: str) -> ConfigurationError:
        """Return the failure that blames the line of ``key``, or the file if it is not there."""
        entry = self.default.get(key)
        return error(self.path, entry.line if entry else None, text)


def names(directory: str) -> list[str]:
    """Return what lies in a credentials directory, without Kubernetes' ``..data``. Raises OSError.

    A secret that is mounted there has its files in such directories, and links to them.
    """
    return sorted(name for name in os.listdir(directory) if not name.startswith(".."))


def error(path: str, line: int | None, text: str) -> ConfigurationError:
    """Return the failure that blames a line of the file."""
    where = f"{path}, line {line}" if line else path
    return ConfigurationError(f"{where}: {text}")


def read(path: str) -> File:
    """Read a credentials file.

    Raises NotPermitted if the caller may not, ConfigurationError if it cannot be understood.
    """
    try:
        # O_NONBLOCK: a FIFO in that place must not hold us.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        raise NotPermitted(
            f"not permitted to read {path}: its owner or group must grant it to this user"
        ) from None
    except OSError as failure:
        raise error(path, None, f"cannot be opened: {failure.strerror}") from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):  # seen before open(), which would not take a directory
        os.close(descriptor)
        raise error(path, None, "not a regular file")
    with open(descriptor, "rb") as stream:
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise error(path, None, f"longer than {_LARGEST} bytes")
    return File(path, mode, parse(content, path))


def parse(content: bytes, path: str) -> dict[str, dict[str, Entry]]:
    """Return the sections, each key (in lower case) with its value and line."""
    sections: dict[str, dict[str, Entry]] = {DEFAULT: {}}
    seen: set[str] = set()
    section = DEFAULT
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if raw.strip()[:1] in (b"", b"#", b";"):
            continue
        line = _decode(raw, path, number)
        if line.startswith("["):
            section = _section(line, path, number, seen)
            sections.setdefault(section, {})
        else:
            _add(sections[section], line, path, number)
    return sections


def _decode(raw: bytes, path: str, number: int) -> str:
    try:
        line = raw.decode().strip()
    except UnicodeDecodeError:
        raise error(path, number, "not UTF-8 text") from None
    if not line.replace("\t", " ").isprintable():
        raise error(path, number, "a character that cannot be seen; type the line anew")
    return line


def _section(line: str, path: str, number: int, seen: set[str]) -> str:
    name = " ".join(line[1:].partition("]")[0].split())
    if not line.endswith("]") or not name:
        raise error(path, number, "not of the form [section]")
    if name != DEFAULT and not name.startswith(("profile ", "sso-session ")):
        raise error(path, number, "the only section that counts is [default]")
    if name in seen:
        raise error(path, number, "the section is there twice")
    seen.add(name)
    return name


def _add(section: dict[str, Entry], line: str, path: str, number: int) -> None:
    key, equals, value = (part.strip() for part in line.partition("="))
    if not equals or not key:
        raise error(path, number, "not of the form key = value")
    key = _ALIASES.get(key.lower(), key.lower())
    if key in section:
        raise error(path, number, f"the same key as in line {section[key].line}")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1].strip()
    section[key] = Entry(value, number)
