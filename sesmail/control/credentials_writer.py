"""Credentials files: written, changed and taken away, never for a moment wider than they should be.

A new file gets its owner (root, and the group of ``user``) and mode 0640 while it is empty, is
written, read back as sesmaild will read it, and only then takes its name: a file that sesmaild
cannot use never replaces one that it can. ``.new`` cannot be the name of an identity. A lock on the
directory keeps writers apart.

Whoever is not root writes as himself, if the directory lets him and he is in the group.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import os
import pwd
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence

from sesmail.control import identity_name
from sesmail.delivery import credentials, credentials_file
from sesmail.delivery.credentials import Credentials
from sesmail.settings import Settings
from sesmail.sysexits import CannotCreate, ConfigurationError, DataError, NotPermitted, NoUser

Trial = Callable[[Credentials], None]
MODE = 0o640
_NEW = ".new"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GONE = b"a line that is taken out"


def path(settings: Settings, identity: str) -> str:
    """Return the path of the credentials file of ``identity``."""
    return os.path.join(settings.credentials_directory, identity)


def exists(settings: Settings, identity: str) -> bool:
    """Tell whether something has this name already, be it a link to nowhere."""
    return os.path.lexists(path(settings, identity))


def check_access(settings: Settings) -> None:
    """Raise NotPermitted or CannotCreate where no file can be made, before anybody is asked."""
    name = settings.credentials_directory
    if os.path.isdir(name) and not os.access(name, os.W_OK):
        if os.geteuid() != 0:
            raise _not_permitted(name)
        raise CannotCreate(f"{name} is on a read-only file system: write the file where it is from")
    with _directory(settings):
        _group(settings)


def write(
    settings: Settings,
    identity: str,
    content: Mapping[str, str] | Sequence[str],
    *,
    replace: bool = False,
    trial: Trial | None = None,
) -> str:
    """Write a credentials file of these keys, or lines, and return its path.

    ``trial`` gets the credentials before the file takes its name; what it raises keeps it away.
    Raises CannotCreate where there is such a file and not ``replace``; ConfigurationError where the
    keys would be of no use, with the reason; DataError for a value with a character that no line
    may hold; NotPermitted, NoUser.
    """
    identity_name.check(identity)
    lines = _lines(content) if isinstance(content, Mapping) else list(content)
    text = "".join(f"{line}\n" for line in lines).encode()
    with _directory(settings) as directory:
        if not replace and exists(settings, identity):
            raise CannotCreate(f"{path(settings, identity)} is there already")
        access = _Access(0, _group(settings), MODE)
        _put(settings, directory, identity, text, access, trial)
    return path(settings, identity)


def set_keys(
    settings: Settings,
    identity: str,
    changes: Mapping[str, str | None],
    *,
    trial: Trial | None = None,
) -> str:
    """Give keys of an existing file other values, None takes one out; return the file's path.

    Comments, other lines, owner and group stay as they are; a right of others is taken away.
    Raises ConfigurationError where the file, or what it would become, is of no use; CannotCreate
    for a link, which may lead to a file of others; DataError, NotPermitted, NoUser.
    """
    identity_name.check(identity)
    where = path(settings, identity)
    with _directory(settings) as directory:
        status, old = _read(directory, identity, where)
        text = _changed(old, changes, where)
        if text != old:
            access = _Access(status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode) & MODE)
            _put(settings, directory, identity, text, access, trial)
    return where


def remove(settings: Settings, identity: str) -> str:
    """Take a credentials file away, of a link the link; return its path. Raises NotPermitted."""
    identity_name.check(identity)
    with _directory(settings) as directory:
        os.unlink(identity, dir_fd=directory)
        os.fsync(directory)
    return path(settings, identity)


@dataclasses.dataclass(frozen=True, slots=True)
class _Access:
    """Who a file is for."""

    uid: int
    gid: int
    mode: int


@contextlib.contextmanager
def _directory(settings: Settings) -> Iterator[int]:
    """Open and lock the directory; raise for what the system refuses in it."""
    name = settings.credentials_directory
    try:
        directory = os.open(name, _DIRECTORY)
    except PermissionError:
        raise _not_permitted(name) from None
    except OSError as error:
        raise CannotCreate(f"{name!a}: {error.strerror}; run sesmailctl init as root") from None
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield directory
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise _not_permitted(name) from None
        raise CannotCreate(f"cannot write in {name!a}: {error.strerror}") from None
    finally:
        os.close(directory)


def _not_permitted(name: str) -> NotPermitted:
    return NotPermitted(f"only root can change the files in {name}: use sudo")


def _group(settings: Settings) -> int:
    try:
        return pwd.getpwnam(settings.user).pw_gid
    except KeyError:
        raise NoUser(f"there is no user {settings.user}; run sesmailctl init as root") from None


def _put(
    settings: Settings,
    directory: int,
    identity: str,
    text: bytes,
    access: _Access,
    trial: Trial | None,
) -> None:
    """Let a new file take the name ``identity``, once it is complete, durable and of use."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_NEW, dir_fd=directory)  # of a writer that was killed
    descriptor = os.open(_NEW, _CREATE, 0o600, dir_fd=directory)
    try:
        with open(descriptor, "wb") as stream:
            os.fchown(descriptor, access.uid if os.geteuid() == 0 else -1, access.gid)
            os.fchmod(descriptor, access.mode)
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        loaded = _load(settings, identity)
        if trial is not None:
            trial(loaded)
        os.rename(_NEW, identity, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(_NEW, dir_fd=directory)
        raise
    os.fsync(directory)


def _load(settings: Settings, identity: str) -> Credentials:
    """Read the new file as sesmaild will under its final name. Raises ConfigurationError."""
    final = path(settings, identity)
    try:
        loaded = credentials.load(settings.credentials_directory, _NEW)
    except ConfigurationError as error:
        raise ConfigurationError(str(error).replace(path(settings, _NEW), final)) from None
    return dataclasses.replace(loaded, path=final, identity=identity)


def _read(directory: int, identity: str, where: str) -> tuple[os.stat_result, bytes]:
    try:
        descriptor = os.open(identity, _READ, dir_fd=directory)
    except FileNotFoundError:
        raise ConfigurationError(f"{where} does not exist; sesmailctl setup makes it") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise CannotCreate(f"{where} is a link: change the file that it leads to") from None
        raise
    with open(descriptor, "rb") as stream:
        return os.fstat(descriptor), stream.read()


def _lines(keys: Mapping[str, str]) -> list[str]:
    return [_line(key, value) for key, value in keys.items()]


def _line(key: str, value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise DataError(f"{key}: a character that a credentials file cannot hold")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = f'"{value}"'  # or its own quotes would be taken for those around a value
    return f"{key} = {value}"


def _changed(old: bytes, changes: Mapping[str, str | None], where: str) -> bytes:
    """Return the file with these changes in its ``[default]``, where new keys follow the last."""
    there = credentials_file.parse(old, where)[credentials_file.DEFAULT]
    lines = old.removeprefix(_BYTE_ORDER_MARK).removesuffix(b"\n").split(b"\n")
    end = b"\r" if any(line.endswith(b"\r") for line in lines) else b""
    added = []
    last = max((entry.line for entry in there.values()), default=0)
    for key, value in changes.items():
        new = [] if value is None else [_line(key, value).encode() + end]
        if key not in there:
            added += new
        else:
            lines[there[key].line - 1] = new[0] if new else _GONE
    kept = [line for line in [*lines[:last], *added, *lines[last:]] if line is not _GONE]
    return b"".join(line + b"\n" for line in kept)
