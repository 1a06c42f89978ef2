"""The client's side of the drop: from O_EXCL to fsync, and the daemon's wake-up.

Order, and why: the name becomes final before the fsync, because the directory cannot be opened and
so not be flushed; a rename changes the file's inode, and fsync of the file then makes data and
name durable together on ext4, xfs and btrfs (docs/ARCHITECTURE.md has the experiment). fdatasync
may leave the rename out. The daemon may take the file before it is durable; then it has it.
"""

from __future__ import annotations

import errno
import posix
import stat
from binascii import crc32
from io import SEEK_SET

from sesmail.drop import layout
from sesmail.sysexits import CannotCreate, IOFailure, NotPermitted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from types import TracebackType
    from typing import Self

    from sesmail.settings import Settings
else:
    import _signal  # without the enums of ``signal``, which would cost half of our start-up time

READER = "a daemon reads"
NOBODY = "no daemon runs"
ABSENT = "no spool"
_MODE = 0o640  # the daemon reads through the group that the directory gives
_UNTIL_EXIT = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP)
_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Wake:
    """The FIFO ``wake``. Opened before the drop, it tells whether a daemon runs."""

    __slots__ = ("_descriptor", "state")

    def __init__(self, spool_directory: str) -> None:
        self._descriptor = -1
        flags = posix.O_WRONLY | posix.O_NONBLOCK | posix.O_NOFOLLOW | posix.O_CLOEXEC
        try:
            self._descriptor = posix.open(f"{spool_directory}/wake", flags)
        except OSError as error:
            self.state = NOBODY if error.errno == errno.ENXIO else ABSENT
            return
        is_fifo = stat.S_ISFIFO(posix.fstat(self._descriptor).st_mode)
        self.state = READER if is_fifo else ABSENT

    def ring(self, queue_id: str) -> None:
        """Name a new drop to the daemon. A full FIFO is an awake daemon; a lost one scans later."""
        if self.state == READER:
            try:  # contextlib is an import
                posix.write(self._descriptor, f"{queue_id}\n".encode("ascii"))
            except OSError:
                pass

    def close(self) -> None:
        """Let go of the FIFO; a client that ends anyway need not."""
        if self._descriptor >= 0:
            posix.close(self._descriptor)
            self._descriptor = -1


class Drop:
    """A drop being written; a context manager that leaves nothing behind unless committed."""

    __slots__ = ("_checksum", "_descriptor", "_directory", "_queue_id", "_size", "_temporary")

    def __init__(self, settings: Settings, queue_id: str) -> None:
        """Make the temporary file. Raises CannotCreate, NotPermitted."""
        _check_parent(settings.spool_directory)
        self._directory = f"{settings.spool_directory}/drop"
        self._queue_id = queue_id
        self._temporary = f"{self._directory}/.{queue_id}"
        self._size = self._checksum = 0
        _check_room(self._directory, settings.minimum_free)
        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
        try:
            self._descriptor = posix.open(self._temporary, flags, 0o600)
        except OSError as error:
            raise _cannot(self._directory, error) from None
        posix.lseek(self._descriptor, layout.LEADING_LENGTH, SEEK_SET)  # that line comes last

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._temporary:
            _remove(self._temporary)
        posix.close(self._descriptor)

    def write(self, data: bytes) -> None:
        """Append to envelope and message. Raises CannotCreate, IOFailure."""
        self._write(data)
        self._size += len(data)
        self._checksum = crc32(data, self._checksum)

    def commit(self) -> None:
        """Make the message the daemon's, durably. From here on no signal ends us.

        Raises CannotCreate or IOFailure, and then the message is not in the drop.
        """
        final = f"{self._directory}/{self._queue_id}"
        try:
            line = layout.leading_line(self._queue_id, self._size, self._checksum)
            posix.pwrite(self._descriptor, line, 0)
            self._check_mode()
            for number in _UNTIL_EXIT:
                _signal.signal(number, _signal.SIG_IGN)
            posix.rename(self._temporary, final)
        except OSError as error:
            raise _cannot(self._directory, error) from None
        self._temporary = ""
        try:
            posix.fsync(self._descriptor)
        except OSError as error:
            if _remove(final):
                raise _cannot(self._directory, error) from None
            # It is gone, so the daemon has it: the message is safe, and this is no failure.

    def _check_mode(self) -> None:
        """Check that the daemon will be able to read the file; some file systems lose the group."""
        posix.fchmod(self._descriptor, _MODE)
        status = posix.fstat(self._descriptor)
        group = posix.stat(self._directory).st_gid
        if status.st_gid != group or stat.S_IMODE(status.st_mode) != _MODE:
            raise CannotCreate(
                f"files in {self._directory} do not get its group, so the daemon could not read "
                "the message; put the spool on a local file system (sesmailctl init)"
            )

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[posix.write(self._descriptor, view) :]
        except OSError as error:
            raise _cannot(self._directory, error) from None


def _check_parent(spool_directory: str) -> None:
    """Refuse to write as root below a directory that another user could swap."""
    if posix.geteuid() == 0 and _owner(spool_directory) != 0:
        raise NotPermitted(
            f"{spool_directory} does not belong to root, so root drops nothing there; "
            "run sesmailctl init"
        )


def _owner(path: str) -> int:
    try:
        return posix.stat(path).st_uid
    except OSError as error:
        raise _cannot(path, error) from None


def _check_room(directory: str, minimum_free: int) -> None:
    try:
        status = posix.statvfs(directory)
    except OSError as error:
        raise _cannot(directory, error) from None
    if status.f_bavail * status.f_frsize < minimum_free:
        raise CannotCreate(
            f"less than minimum_free = {minimum_free} bytes free under {directory}; not taken; "
            "make room"
        )


def _cannot(directory: str, error: OSError) -> CannotCreate | IOFailure:
    """Return the failure for an error of the file system, with its remedy."""
    if error.errno == errno.EIO:
        return IOFailure(
            f"cannot write to {directory}: {error.strerror}; not taken; check the disk"
        )
    remedy = "run sesmailctl init as root"
    if error.errno == errno.EROFS:
        remedy = f"the caller's unit needs ReadWritePaths={directory.rpartition('/')[0]}"
    elif error.errno in _ROOM:
        remedy = "make room"
    return CannotCreate(f"cannot write to {directory}: {error.strerror}; not taken; {remedy}")


def _remove(path: str) -> bool:
    """Remove a file; tell whether it was there."""
    try:
        posix.unlink(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
