"""Where the spool lies: what kind of file system, what it promises, how much room there is.

"0" of sendmail says that the message is on the disk. A file system that is gone after a restart
breaks that promise, and one that is shared breaks the queue: SQLite's WAL needs memory that all its
users share, and the lock must hold (https://sqlite.org/wal.html).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail.control.check.finding import Finding, broken, ok, warning
from sesmail.control.check.permissions import has_spool
from sesmail.settings import Settings

_SUBJECT = "file system"
_LOCAL = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs"})
_VOLATILE = frozenset({"tmpfs", "ramfs", "rootfs"})
_LAYERED = frozenset({"overlay", "aufs"})
_SHARED = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "ocfs2",
                     "gfs2", "lustre", "virtiofs", "afs"})  # fmt: skip
_WITHOUT_OWNERS = frozenset({"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk"})
_CARELESS = frozenset({"nobarrier", "barrier=0", "data=writeback"})
_VOLUME = "put the spool on a local volume (ext4, xfs or btrfs) that stays"
_FEW_INODES = 10_000
_HARD_LINKS = "/proc/sys/fs/protected_hardlinks"
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of /proc/self/mountinfo (proc_pid_mountinfo(5))."""

    point: str
    kind: str
    options: frozenset[str]


def spool(settings: Settings) -> Iterator[Finding]:
    """Say on what the spool lies."""
    if not has_spool(settings):
        return
    path = os.path.realpath(settings.spool_directory)
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        mount = mount_of(path, file.read())
    yield promises(path, mount)
    if "ro" in mount.options:
        yield broken(
            _SUBJECT, f"{mount.point} is read-only: no mail is taken", "mount it read-write"
        )
    if careless := _CARELESS & mount.options:
        yield warning(
            _SUBJECT,
            f"{mount.point} is mounted with {', '.join(sorted(careless))}: after a power cut mail "
            "that was taken may be gone",
            "take the option out of /etc/fstab",
        )


def mount_of(path: str, mountinfo: str) -> Mount:
    """Return the mount that a path without links lies on: the deepest, of these the last."""
    found = Mount("/", "unknown", frozenset())
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, more) = before.split(" "), (*after.split(" "), "", "")[:3]
        point = _ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
        is_above = path == point or path.startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= len(found.point):
            found = Mount(point, kind, frozenset(f"{fields[5]},{more}".split(",")))
    return found


def promises(path: str, mount: Mount) -> Finding:
    """Return what a kind of file system means for the spool."""
    where = f"{path} is on {mount.kind}"
    if mount.kind in _LOCAL:
        return ok(_SUBJECT, where)
    if mount.kind in _VOLATILE:
        return broken(_SUBJECT, f"{where}: what waits is gone when this host restarts", _VOLUME)
    if mount.kind in _LAYERED:
        return warning(
            _SUBJECT, f"{where}, a container's own layer: what waits is gone with it", _VOLUME
        )
    if mount.kind in _SHARED:
        return broken(
            _SUBJECT, f"{where}: other hosts share it, but the queue and its lock do not", _VOLUME
        )
    if mount.kind in _WITHOUT_OWNERS:
        return broken(
            _SUBJECT, f"{where}: its files have no owners, and owners are all we trust", _VOLUME
        )
    if mount.kind.startswith("fuse"):
        return warning(
            _SUBJECT, f"{where}: whether it keeps what was flushed, its program decides", _VOLUME
        )
    return warning(_SUBJECT, f"{where}, of which it is not known what it promises", _VOLUME)


def room(settings: Settings) -> Iterator[Finding]:
    """Say how much room there is for mail, in bytes and in files."""
    if not has_spool(settings):
        return
    path = settings.spool_directory
    status = os.statvfs(path)
    free = status.f_bavail * status.f_frsize
    text = f"{_size(free)} free in {path}"
    if free < settings.minimum_free:
        yield broken(
            "room",
            f"{text}, less than minimum_free = {_size(settings.minimum_free)}: no mail is taken",
            "make room",
        )
    elif free < 2 * settings.minimum_free:
        yield warning(
            "room",
            f"{text}; below minimum_free = {_size(settings.minimum_free)} no mail is taken",
            "make room",
        )
    else:
        yield ok("room", text)
    if status.f_files and status.f_favail < _FEW_INODES:
        yield (warning if status.f_favail else broken)(
            "room", f"{status.f_favail} more files fit into {path}", "remove files there"
        )


def hard_links(_: Settings) -> Iterator[Finding]:
    """Say whether users can make hard links to files of others."""
    try:
        with open(_HARD_LINKS, encoding="ascii") as file:
            is_protected = file.read().strip() != "0"
    except OSError:
        return  # not this kernel's
    if is_protected:
        yield ok("hard links", "users can only make them to files that are theirs")
    else:
        yield warning(
            "hard links",
            "fs.protected_hardlinks is 0: users can link files of others into the drop; sesmaild "
            "refuses what has two names, and has no other guard",
            "echo fs.protected_hardlinks=1 >/etc/sysctl.d/50-sesmail.conf; sysctl --system",
        )


def _size(number: int) -> str:
    for unit, factor in (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if number >= factor:
            return f"{number / factor:.3g}{unit}"
    return str(number)
