"""``sesmailctl init``: the user of sesmaild, the spool and the credentials directory.

    SPOOL            root 0755      nobody else may swap what is in it: root itself drops mail here
    SPOOL/drop       user 3733      everybody may put a file there, which gets the group
    SPOOL/wake       user 0622      a FIFO
    SPOOL/queue      user 0700
    SPOOL/run        user 0755      where sesmaild makes its socket: it cannot write in the spool
    SPOOL/control    root           a link to run/control
    CREDENTIALS      root:user 0751 names can be looked up there, but not listed

It makes what is missing, repairs owners and modes, and says what it did: nothing the second time.
No link is followed: what lies in another one's directory could lead anywhere.
"""

from __future__ import annotations

import argparse
import errno
import os
import pwd
import stat
from collections.abc import Iterator

from sesmail.control import users, verb
from sesmail.control.verb import Context, Verbs
from sesmail.settings import Settings
from sesmail.sysexits import CannotCreate, NotPermitted

_QUEUE_FILES = ("queue.db", "queue.db-wal", "queue.db-shm", "lock", "reserve")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ANY = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb.add(verbs, "init", "make user and directories, repair owners and modes", _run)


def _run(context: Context, arguments: argparse.Namespace) -> None:
    for line in init(context.settings):
        context.terminal.say(line)


def init(settings: Settings) -> Iterator[str]:
    """Make and repair; yield a line for each change. Raises NotPermitted, CannotCreate."""
    if os.geteuid() != 0:
        raise NotPermitted("only root can make the user and the directories; sudo sesmailctl init")
    yield from users.make(settings.user)
    user = pwd.getpwnam(settings.user)
    os.umask(0o022)  # for what is above them
    try:
        for path in (settings.spool_directory, settings.credentials_directory):
            os.makedirs(os.path.dirname(path.rstrip("/")), exist_ok=True)
        yield from _spool(settings.spool_directory, user.pw_uid, user.pw_gid)
        yield from _credentials(settings.credentials_directory, user.pw_gid)
    except OSError as error:
        raise CannotCreate(
            f"cannot make or change {error.filename or 'a file'!a}: {error.strerror}"
        ) from None


def _spool(path: str, uid: int, gid: int) -> Iterator[str]:
    spool = _Directory.root(path)
    yield from spool.settle(0, 0, 0o755)
    # From here on only root can change a name in it.
    yield from spool.directory("drop").settle(uid, gid, 0o3733)
    yield from spool.directory("run").settle(uid, gid, 0o755)
    queue = spool.directory("queue")
    yield from queue.settle(uid, gid, 0o700)
    for name in _QUEUE_FILES:
        yield from queue.give(name, uid, gid)
    yield from spool.fifo("wake", uid, gid, 0o622)
    yield from spool.link("control", "run/control")


def _credentials(path: str, gid: int) -> Iterator[str]:
    directory = _Directory.root(path)
    try:
        yield from directory.settle(0, gid, 0o751)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        # Containers get it as a read-only volume.
        yield f"left {path} as it is: its file system is read-only"


class _Directory:
    """A directory, held open; made if it was missing."""

    def __init__(self, path: str, name: str, above: int | None = None) -> None:
        self.path = path
        self._is_new = True
        try:
            os.mkdir(name, 0o700, dir_fd=above)
        except FileExistsError:
            self._is_new = False
        try:
            self._descriptor = os.open(name, _DIRECTORY, dir_fd=above)
        except OSError:
            raise CannotCreate(
                f"{path!a} is a link or no directory; move it away and run sesmailctl init again"
            ) from None

    @classmethod
    def root(cls, path: str) -> _Directory:
        """Open or make a directory that the settings name."""
        return cls(path, path.rstrip("/"))

    def directory(self, name: str) -> _Directory:
        """Open or make a directory in this one."""
        return _Directory(os.path.join(self.path, name), name, self._descriptor)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def settle(self, uid: int, gid: int, mode: int) -> Iterator[str]:
        """Give it this owner, group and mode."""
        status = os.fstat(self._descriptor)
        is_right = _right(status, uid, gid, mode)
        if not is_right:
            os.fchown(self._descriptor, uid, gid)
            os.fchmod(self._descriptor, mode)
        if self._is_new or not is_right:
            yield _told("made" if self._is_new else "repaired", self.path, uid, gid, mode)

    def give(self, name: str, uid: int, gid: int) -> Iterator[str]:
        """Give a file to ``uid`` if root made it. With other links it may be any file."""
        try:
            descriptor = os.open(name, _ANY, dir_fd=self._descriptor)
        except OSError:
            return
        try:
            status = os.fstat(descriptor)
            is_plain = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
            if is_plain and status.st_uid == 0 != uid:
                os.fchown(descriptor, uid, gid)
                mode = stat.S_IMODE(status.st_mode)
                yield _told("repaired", os.path.join(self.path, name), uid, gid, mode)
        finally:
            os.close(descriptor)

    def fifo(self, name: str, uid: int, gid: int, mode: int) -> Iterator[str]:
        """Make a FIFO here; not opened, for then it would have a reader."""
        path = os.path.join(self.path, name)
        verb = "repaired"
        try:
            os.mkfifo(name, 0o600, dir_fd=self._descriptor)
            verb = "made"
        except FileExistsError:
            pass
        status = os.lstat(path)
        if not stat.S_ISFIFO(status.st_mode):
            raise CannotCreate(f"{path!a} is no FIFO; remove it and run sesmailctl init again")
        if not _right(status, uid, gid, mode):
            os.chown(name, uid, gid, dir_fd=self._descriptor, follow_symlinks=False)
            os.chmod(name, mode, dir_fd=self._descriptor)
            yield _told(verb, path, uid, gid, mode)

    def link(self, name: str, target: str) -> Iterator[str]:
        """Make a symbolic link here."""
        path = os.path.join(self.path, name)
        if os.path.islink(path) and os.readlink(path) == target:
            return
        if os.path.lexists(path):
            raise CannotCreate(f"{path!a} is in the way; remove it and run sesmailctl init again")
        os.symlink(target, name, dir_fd=self._descriptor)
        yield f"made {path}, a link to {target}"


def _right(status: os.stat_result, uid: int, gid: int, mode: int) -> bool:
    owners = (status.st_uid, status.st_gid)
    return owners == (uid, gid) and stat.S_IMODE(status.st_mode) == mode


def _told(verb: str, path: str, uid: int, gid: int, mode: int) -> str:
    return f"{verb} {path}: {users.name(uid)}:{users.group_name(gid)} {mode:04o}"
