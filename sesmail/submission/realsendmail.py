"""The real sendmail: which program it is, and whether it is not sesmail again.

Ourselves: the same file, a symbolic or hard link to it, or another installation of sesmail. A
wrapper that leads back to us cannot be seen from outside; ``relay`` guards against it.
"""

from __future__ import annotations

import posix
import stat

from sesmail.sysexits import ConfigurationError, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sesmail.settings import Settings

# Where it is moved aside, and the names that packages of Fedora give it.
_SUFFIXES = (".distrib", ".real", ".postfix", ".exim", ".sendmail", ".opensmtpd", ".ssmtp")
_SENDMAILS = (
    *("/usr/sbin/sendmail" + suffix for suffix in _SUFFIXES),
    "/usr/sbin/exim4",
    "/usr/lib/sm.bin/sendmail",
    "/usr/bin/msmtp",
)
_MARK = b"from sesmail.submission"  # stands in bin/sesmail
_SET_ID = stat.S_ISUID | stat.S_ISGID
_UNMAPPED = 65534  # the owner or group that a user namespace does not know; see stat(2) there
_POSTDROP = "/usr/sbin/postdrop"  # set-gid helper of Postfix's sendmail


def find(settings: Settings, own_path: str, name: str = "sendmail") -> str | None:
    """Return the path of the real ``name`` (sendmail, mailq, newaliases), or None.

    Raises ConfigurationError where ``real_sendmail`` names something that cannot be it.
    """
    if settings.real_sendmail == "none":
        return None
    own_inode = _inode(own_path)
    if name != "sendmail":
        for suffix in _SUFFIXES:
            if _is_real(f"/usr/bin/{name}{suffix}", own_inode):
                return f"/usr/bin/{name}{suffix}"
    if settings.real_sendmail:
        if not _is_real(settings.real_sendmail, own_inode):
            raise ConfigurationError(
                f"real_sendmail = {settings.real_sendmail!a} is sesmail itself or no program; "
                "name the real sendmail in sesmail.conf, or none"
            )
        return settings.real_sendmail
    for path in _SENDMAILS:
        if _is_real(path, own_inode):
            return path
    return None


def check_privileges(path: str) -> None:
    """Raise Unavailable where ``path`` needs set-id rights that this process cannot pass on."""
    for helper in (path, _POSTDROP):
        reason = _no_rights_of(helper)
        if reason and (helper == path or _mentions_postdrop(path)):
            raise Unavailable(
                f"{helper} is set-id, and {reason}, so it cannot take the mail; take the setting "
                "out of the caller's unit (sesmailctl check --unit names it), or give the author's "
                "domain credentials"
            )


def _is_real(path: str, own_inode: tuple[int, int] | None) -> bool:
    if not posix.access(path, posix.X_OK) or _inode(path) == own_inode:
        return False
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
    except OSError:  # execute-only
        status = _status(path)
        return status is not None and stat.S_ISREG(status.st_mode)
    try:
        status = posix.fstat(descriptor)
        return stat.S_ISREG(status.st_mode) and _MARK not in posix.read(descriptor, 1024)
    finally:
        posix.close(descriptor)


def _inode(path: str) -> tuple[int, int] | None:
    status = _status(path)
    return None if status is None else (status.st_dev, status.st_ino)


def _status(path: str) -> posix.stat_result | None:
    try:
        return posix.stat(path)
    except OSError:
        return None


def _no_rights_of(path: str) -> str:
    """Return why exec of a set-id program grants none of its rights here; "" if it is none."""
    status = _status(path)
    if status is None or not status.st_mode & _SET_ID:
        return ""
    if _no_new_privileges():
        return "the caller runs with no_new_privs (NoNewPrivileges= and others)"
    is_foreign = (status.st_mode & stat.S_ISUID and status.st_uid == _UNMAPPED) or (
        status.st_mode & stat.S_ISGID and status.st_gid == _UNMAPPED
    )
    return "the caller's user namespace lacks its owner (PrivateUsers=)" if is_foreign else ""


def _mentions_postdrop(path: str) -> bool:
    """Tell whether ``path`` is Postfix's sendmail: it holds the name of its helper."""
    try:
        with open(path, "rb") as file:
            return b"postdrop" in file.read()
    except OSError:
        return False


def _no_new_privileges() -> bool:
    """Tell whether exec grants no rights here; see prctl(2), PR_SET_NO_NEW_PRIVS."""
    try:
        with open("/proc/self/status", "rb") as file:
            return b"\nNoNewPrivs:\t1\n" in file.read()
    except OSError:
        return False
