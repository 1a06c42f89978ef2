"""Who can read the secrets: each file is opened as those users, for rights have many ways.

Modes and groups do not tell of access lists, capabilities, or a parent directory that is closed.
The content is not read.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator

from sesmail.control import users
from sesmail.control.check import as_user, permissions
from sesmail.control.check.finding import Finding, broken, ok, warning
from sesmail.delivery import credentials_file
from sesmail.settings import Settings

# Those as whom web servers and programs without a user of their own run.
_STRANGERS = ("www-data", "apache", "nginx", "http", "nobody")


def secrets(settings: Settings) -> Iterator[Finding]:
    """Try each credentials file as sesmaild's user, who must read it, and those who must not."""
    try:
        names = credentials_file.names(settings.credentials_directory)
    except OSError:
        return  # said already
    if not names:
        return
    paths = [os.path.join(settings.credentials_directory, name) for name in names]
    others = list(strangers())
    if os.geteuid() != 0:
        tried = ", ".join(user.pw_name for user in others)
        yield warning(
            "secrets", f"not tried: whether {tried} can read them", "sudo sesmailctl check"
        )
        return
    daemon = permissions.user(settings)
    if permissions.has_spool(settings) and daemon is not None:
        yield from _unreadable(daemon, names, paths)
    for user in others:
        if daemon is None or user.pw_uid != daemon.pw_uid:
            yield from _tried(settings, user, names, paths)


def strangers() -> Iterator[pwd.struct_passwd]:
    """Yield those of them that this host has."""
    for name in _STRANGERS:
        try:
            yield pwd.getpwnam(name)
        except KeyError:
            continue


def _unreadable(daemon: pwd.struct_passwd, names: list[str], paths: list[str]) -> Iterator[Finding]:
    can_read = _can_read(daemon, paths)
    for name, path, can in zip(names, paths, can_read, strict=True):
        if not can:
            yield broken(
                f"{name}: secrets",
                f"sesmaild, as user {daemon.pw_name}, cannot read {path}",
                f"chgrp {users.group_name(daemon.pw_gid)} {path}; chmod 0640 {path}",
            )


def _tried(
    settings: Settings, user: pwd.struct_passwd, names: list[str], paths: list[str]
) -> Iterator[Finding]:
    is_any = False
    for name, path, can in zip(names, paths, _can_read(user, paths), strict=True):
        status = os.stat(path) if can else None
        if status is None or status.st_mode & stat.S_IROTH:
            continue  # said already, of every user
        is_any = True
        text = f"user {user.pw_name} can read the secret in {path}, {_way(user, status)}"
        if permissions.has_spool(settings):
            yield broken(f"{name}: secrets", text, _remedy(user, status, path, settings.user))
        else:
            yield ok(f"{name}: secrets", f"{text}, as sending without a spool needs")
    if not is_any:
        yield ok("secrets", f"user {user.pw_name} can read none of them")


def _can_read(user: pwd.struct_passwd, paths: list[str]) -> list[bool]:
    """Tell for each path whether ``user`` can open it."""

    def attempt() -> list[bool]:
        return [_opens(path) for path in paths]

    found: list[bool] = as_user.call(user, attempt)
    return found


def _opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _is_member(user: pwd.struct_passwd, gid: int) -> bool:
    return gid in os.getgrouplist(user.pw_name, user.pw_gid)


def _way(user: pwd.struct_passwd, status: os.stat_result) -> str:
    if status.st_uid == user.pw_uid:
        return "for it is the owner"
    if _is_member(user, status.st_gid) and status.st_mode & stat.S_IRGRP:
        return f"through the group {users.group_name(status.st_gid)}"
    return "by an access list or a capability (getfacl shows it)"


def _remedy(user: pwd.struct_passwd, status: os.stat_result, path: str, daemon: str) -> str:
    group = users.group_name(status.st_gid)
    if status.st_uid == user.pw_uid or not _is_member(user, status.st_gid):
        return f"setfacl -b {path}; chown root:{daemon} {path}; chmod 0640 {path}"
    if group == daemon and user.pw_name in grp.getgrnam(group).gr_mem:
        return f"take it out of the group: gpasswd -d {user.pw_name} {group}"
    return f"chgrp {daemon} {path}"
