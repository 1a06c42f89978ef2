"""Debian: dpkg is told to put what packages bring under another name, NAME.distrib.

So a mail program that is upgraded, or comes later, does not overwrite our link.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from sesmail.control.activate import names, tools
from sesmail.control.activate.own import Own
from sesmail.control.activate.step import Step
from sesmail.sysexits import CannotCreate

SUFFIX = ".distrib"
PACKAGE = "sesmail"  # Debian's, which has diversions of its own
_TOOL = "dpkg-divert"
_STATUS = "/var/lib/dpkg/status"  # empty, or not there, where dpkg does not manage the host
_LOCAL = ":"
_LINE = re.compile(r"(?P<local>local )?diversion of (?P<path>/.*) to (?P<aside>/.*?)( by (.*))?")

Diversions = dict[str, tuple[str, str]]
"""Where to, and for which package (``:`` for none), by path."""


def is_debian() -> bool:
    """Tell whether dpkg manages this host."""
    return _size(_STATUS) > 0 and tools.find(_TOOL) != ""


def standing() -> Diversions:
    """Return all diversions of the host. Raises OSFailure."""
    return parse(tools.run(_TOOL, "--list"))


def parse(text: str) -> Diversions:
    """Read what ``dpkg-divert --list`` prints."""
    found: Diversions = {}
    for line in text.splitlines():
        if match := _LINE.fullmatch(line):
            package = _LOCAL if match["local"] else match[5] or ""
            found[match["path"]] = (match["aside"], package)
    return found


def take(paths: Sequence[str], own: Own, found: Diversions) -> Iterator[Step]:
    """Yield the steps by which names become ours. Raises CannotCreate."""
    for path in paths:
        aside = path + SUFFIX
        where, package = found.get(path, ("", ""))
        if where and (where, package) != (aside, _LOCAL):
            whose = "somebody here" if package == _LOCAL else f"the package {package}"
            raise CannotCreate(
                f"{path} is diverted to {where} by {whose}; look why, take that back with "
                "dpkg-divert --remove --rename, and try again"
            )
        # What dpkg has put at the diverted name is the real one, or becomes so.
        is_diverted = where != "" and not os.path.lexists(path)
        steps = list(names.take(path, aside, own, replaces=is_diverted))
        if not where:
            if own.is_linked(path) and os.path.lexists(aside):
                raise names.in_the_way(aside, f"what packages bring as {path} is to go there")
            yield _divert(path, aside)
        yield from steps


def give_back(paths: Sequence[str], own: Own, found: Diversions) -> Iterator[Step]:
    """Yield the steps by which names go back. Raises CannotCreate."""
    for path in paths:
        aside = path + SUFFIX
        if not os.path.lexists(aside) or own.was_linked(path) or not os.path.lexists(path):
            yield from names.put_back(path, aside, own)
        else:
            raise names.in_the_way(path, f"it is no link to sesmail any more, and {aside} waits")
        if found.get(path) == (aside, _LOCAL):
            step = _divert(path, aside)
            yield Step("remove", f"the diversion of {path}", step.undo, step.do)


def _divert(path: str, aside: str) -> Step:
    """Return the step that changes dpkg's book only: the files are ours to move."""
    book = (_TOOL, "--local", "--no-rename", "--divert", aside)
    return Step(
        "divert",
        f"what packages bring as {path} to {aside}",
        lambda: _change(*book, "--add", path),
        lambda: _change(*book, "--remove", path),
    )


def _change(*words: str) -> None:
    tools.run(*words)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
