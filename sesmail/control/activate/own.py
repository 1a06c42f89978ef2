"""Our own installed commands, and which names are links to them."""

from __future__ import annotations

import os
from dataclasses import dataclass

import sesmail
from sesmail.sysexits import Unavailable

_PREFIXES = ("/usr", "/usr/local")  # for a library that is in neither's lib
_COMMANDS = ("bin/sesmail", "sbin/sendmail", "bin/mailq", "bin/newaliases")


@dataclass(frozen=True, slots=True)
class Own:
    """An installation of sesmail. ``earlier``: what links were made to before, "" if none were."""

    prefix: str
    earlier: str = ""

    @property
    def program(self) -> str:
        """The one program; what it does goes by the name that it is called by."""
        return os.path.join(self.prefix, "bin", "sesmail")

    @property
    def sendmail(self) -> str:
        """Its path for programs that are told which sendmail to run."""
        path = os.path.join(self.prefix, "sbin", "sendmail")
        return path if self.is_linked(path) else self.program

    def is_place(self, path: str) -> bool:
        """Tell whether a path is one where ``make install`` puts a command."""
        return any(path == place(os.path.join(self.prefix, name)) for name in _COMMANDS)

    def is_installed(self, path: str) -> bool:
        """Tell whether ``make install`` put this name here: its links are relative ones."""
        return self.is_linked(path) and not os.path.isabs(os.readlink(path))

    def is_linked(self, path: str) -> bool:
        """Tell whether a name is a link to one of our commands, by itself and by no other link."""
        target = _target(path)
        return target != "" and self.is_place(place(target))

    def was_linked(self, path: str) -> bool:
        """Tell whether a name is a link to us, or to where we were before."""
        return self.is_linked(path) or (self.earlier != "" and _target(path) == self.earlier)

    def is_behind(self, path: str) -> bool:
        """Tell whether a name leads to us, in whatever way."""
        return os.path.exists(path) and os.path.realpath(path) == os.path.realpath(self.program)


def find(earlier: str = "") -> Own:
    """Return the installation that this is a part of. Raises Unavailable: a checkout is none."""
    library = os.path.dirname(os.path.dirname(os.path.realpath(sesmail.__file__)))
    for prefix in (os.path.dirname(os.path.dirname(library)), *_PREFIXES):
        own = Own(prefix, earlier)
        if _names_library(own.program, library):
            return own
    raise Unavailable(
        f"{library} is not installed, and programs cannot be sent there; make install first"
    )


def place(path: str) -> str:
    """Return a path with the links of its directory followed: /usr/sbin may be /usr/bin."""
    directory, name = os.path.split(path)
    return os.path.join(os.path.realpath(directory), name)


def _target(path: str) -> str:
    """Return the absolute path that a link names, "" for what is no link."""
    try:
        target = os.readlink(path)
    except OSError:
        return ""
    return os.path.normpath(os.path.join(os.path.dirname(path), target))


def _names_library(program: str, library: str) -> bool:
    try:
        with open(program, encoding="utf-8", errors="replace") as file:
            return f'LIBRARY = "{library}"\n' in file.read(65536)
    except OSError:
        return False
