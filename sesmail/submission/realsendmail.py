"""The real sendmail: which program it is, and whether it is not sesmail again.

Ourselves: the same file, a symbolic or hard link to it, or another installation of sesmail. A
wrapper that leads back to us cannot be seen from outside; ``relay`` guards against it.
"""

from __future__ import annotations

import os
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
    helper = path
    if not _is_set_id(path):
        if not _is_set_id(_POSTDROP) or not _mentions_postdrop(path):
            return
        helper = _POSTDROP
    if _no_new_privileges():
        raise Unavailable(
            f"{helper} is set-id, and the caller runs with no_new_privs, so it cannot take the "
            "mail; remove NoNewPrivileges= from the caller's unit, or give the author's domain "
            "credentials"
        )


def _is_real(path: str, own_inode: tuple[int, int] | None) -> bool:
    if not os.access(path, os.X_OK) or _inode(path) == own_inode:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return os.path.isfile(path)  # execute-only
    try:
        status = os.fstat(descriptor)
        return stat.S_ISREG(status.st_mode) and _MARK not in os.read(descriptor, 1024)
    finally:
        os.close(descriptor)


def _inode(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_set_id(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & _SET_ID)
    except OSError:
        return False


def _mentions_postdrop(path: str) -> bool:
    """Tell whether ``path`` is Postfix's sendmail: it holds the name of its helper."""
    if not _no_new_privileges():
        return False  # spares the usual case the reading
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
