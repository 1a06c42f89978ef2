"""User and group of sesmaild, made by what the distribution has for that."""

from __future__ import annotations

import grp
import pwd
import shutil
import subprocess
from collections.abc import Iterator

from sesmail.sysexits import CannotCreate

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HOME = "/nonexistent"  # nothing of the user's own is ever read
_SHELL = "/usr/sbin/nologin"


def make(user: str) -> Iterator[str]:
    """Make the system user, with a group of its name, if there is no such user.

    Raises CannotCreate.
    """
    if exists(user):
        return
    for command in _commands(user, has_group=_group_exists(user)):
        _run(command)
    if not exists(user):
        raise CannotCreate(f"there is still no user {user}; make it, and run sesmailctl init again")
    yield f"made user {user}"


def name(uid: int) -> str:
    """Return a user's name, its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """Return a group's name, its number where it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _commands(user: str, *, has_group: bool) -> list[list[str]]:
    if _find("useradd") and _find("groupadd"):
        options = ["--system", "--gid", user, "--home-dir", _HOME, "--no-create-home"]
        group = [] if has_group else [["groupadd", "--system", user]]
        return [*group, ["useradd", *options, "--shell", _SHELL, user]]
    if _find("systemd-sysusers"):
        return [["systemd-sysusers", "--inline", f'u {user} - "sesmail" {_HOME} {_SHELL}']]
    raise CannotCreate(
        f"neither useradd nor systemd-sysusers is here; make user and group {user} and run "
        "sesmailctl init again"
    )


def _run(command: list[str]) -> None:
    path = _find(command[0]) or command[0]
    done = subprocess.run(
        [path, *command[1:]],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise CannotCreate(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")


def _find(program: str) -> str | None:
    return shutil.which(program, path=_PATH)


def exists(user: str) -> bool:
    """Tell whether there is such a user."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _group_exists(group: str) -> bool:
    try:
        grp.getgrnam(group)
    except KeyError:
        return False
    return True
