"""Owners and modes: of the spool and the credentials, of what is in them, of what is above them.

What they have to be, and why, says ``sesmailctl init``, which also repairs them.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail.control import users
from sesmail.control.check.finding import Finding, broken, ok, warning
from sesmail.delivery import credentials_file
from sesmail.settings import Settings

_INIT = "run sesmailctl init as root"
_DIRECTORY, _FIFO, _LINK = stat.S_IFDIR, stat.S_IFIFO, stat.S_IFLNK
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class _Place:
    """Something in the spool; ``is_users``: it belongs to the user of sesmaild, else to root."""

    name: str
    kind: int
    mode: int
    is_users: bool
    meaning: str  # of another owner or mode


_SPOOL = (
    _Place("", _DIRECTORY, 0o755, False, "whoever owns it could turn root's own mail against root"),
    _Place("drop", _DIRECTORY, 0o3733, True, "mail cannot be dropped, or is seen by others"),
    _Place("wake", _FIFO, 0o622, True, "callers cannot wake sesmaild, or take it for dead"),
    _Place("queue", _DIRECTORY, 0o700, True, "sesmaild cannot write there, or others can read"),
    _Place("run", _DIRECTORY, 0o755, True, "sesmaild cannot make its socket there"),
    _Place("control", _LINK, 0o777, False, "mailq and sesmailctl do not find sesmaild"),
)


def user(settings: Settings) -> pwd.struct_passwd | None:
    """Return the user of sesmaild; None if there is no such user."""
    try:
        return pwd.getpwnam(settings.user)
    except KeyError:
        return None


def has_spool(settings: Settings) -> bool:
    """Tell whether there is a spool; without one mail is only sent in the foreground."""
    return os.path.lexists(os.path.join(settings.spool_directory, "wake"))


def spool(settings: Settings) -> Iterator[Finding]:
    """Look at everything in the spool that ``init`` made."""
    owner = user(settings)
    if owner is None:
        yield broken("permissions", f"there is no user {settings.user} for sesmaild", _INIT)
        return
    if not has_spool(settings):
        yield warning(
            "permissions",
            f"there is no spool in {settings.spool_directory}: callers wait until SES has their "
            "mail, and what it does not take at once is lost unless they try again",
            f"{_INIT}, and start sesmaild",
        )
        return
    wrong = [text for place in _SPOOL if (text := _compare(settings, place, owner))]
    for text in wrong:
        yield broken("permissions", text, _INIT)
    if not wrong:
        yield ok("permissions", f"everything in {settings.spool_directory} is as init makes it")
    yield from _above(settings.spool_directory)


def credentials(settings: Settings) -> Iterator[Finding]:
    """Look at the credentials directory, its files, and what is above them."""
    path = settings.credentials_directory
    try:
        status = os.stat(path)
    except OSError:
        return  # said already, where it could not be listed
    found = [*_of_directory(path, status), *_above(path), *_of_files(settings)]
    yield from found
    if not found:
        yield ok("permissions", f"nobody but root can change what is in {path}")


def _compare(settings: Settings, place: _Place, owner: pwd.struct_passwd) -> str:
    """Return what is wrong with a place, "" if nothing is."""
    path = os.path.join(settings.spool_directory, place.name).rstrip("/")
    try:
        status = os.lstat(path)
    except OSError as error:
        return f"{path}: {error.strerror}: {place.meaning}"
    if stat.S_IFMT(status.st_mode) != place.kind:
        return f"{path} is something else than it should be: {place.meaning}"
    uid, gid = (owner.pw_uid, owner.pw_gid) if place.is_users else (0, 0)
    if (status.st_uid, status.st_gid) == (uid, gid) and _mode(status) == place.mode:
        return ""
    return (
        f"{path} is {_owned(status)} {_mode(status):04o}, not "
        f"{users.name(uid)}:{users.group_name(gid)} {place.mode:04o}: {place.meaning}"
    )


def _of_directory(path: str, status: os.stat_result) -> Iterator[Finding]:
    if status.st_uid != 0 or _mode(status) & _OTHERS_MAY_WRITE:
        yield broken(
            "permissions",
            f"{path} is {_owned(status)} {_mode(status):04o}: others than root can put credentials "
            "there",
            _INIT,
        )
    if not status.st_mode & stat.S_IXOTH:
        yield broken(
            "permissions",
            f"{path} has mode {_mode(status):04o}: callers cannot find out which identities there "
            "are, so none of them can send",
            f"chmod o+x {path}, or {_INIT}",
        )


def _of_files(settings: Settings) -> Iterator[Finding]:
    """Look at each file; who can really read it is found out in ``readers``."""
    directory = settings.credentials_directory
    try:
        names = credentials_file.names(directory)
    except OSError:
        return  # said already
    for name in names:
        path = os.path.join(directory, name)
        try:
            status = os.stat(path)
        except OSError as error:
            yield broken(
                f"{name}: permissions",
                f"{path} leads nowhere: {error.strerror}",
                "correct the link, or remove it",
            )
            continue
        yield from _of_file(name, path, status, settings.user)


def _of_file(name: str, path: str, status: os.stat_result, user: str) -> Iterator[Finding]:
    subject = f"{name}: permissions"
    if status.st_mode & stat.S_IROTH:
        yield broken(
            subject,
            f"{path} has mode {_mode(status):04o}: every user can read the secret",
            f"chmod 0640 {path}; and since it was open, make a new key",
        )
    if status.st_uid != 0 or _mode(status) & _OTHERS_MAY_WRITE:
        yield broken(
            subject,
            f"{path} is {_owned(status)} {_mode(status):04o}: others than root can change it",
            f"chown root:{user} {path}; chmod 0640 {path}",
        )


def _above(path: str) -> Iterator[Finding]:
    """Look whether others than root could move a directory away, and put theirs in its place.

    In a sticky directory, such as /tmp, they cannot move what is root's.
    """
    while (path := os.path.dirname(path.rstrip("/"))) not in ("", "/"):
        status = os.stat(path)
        is_sticky = bool(status.st_mode & stat.S_ISVTX)
        if status.st_uid != 0 or (_mode(status) & _OTHERS_MAY_WRITE and not is_sticky):
            yield broken(
                "permissions",
                f"{path} is {_owned(status)} {_mode(status):04o}: others than root can exchange "
                "what is below it",
                f"chown root {path}; chmod go-w {path}",
            )


def _owned(status: os.stat_result) -> str:
    return f"{users.name(status.st_uid)}:{users.group_name(status.st_gid)}"


def _mode(status: os.stat_result) -> int:
    return stat.S_IMODE(status.st_mode)
