"""The user that sesmaild runs as (setting ``user``), and becoming it.

What root would make in the queue, or read there, is somebody else's to swap: whoever touches the
spool as root becomes this user first.
"""

from __future__ import annotations

import os
import pwd

from sesmail.sysexits import ConfigurationError, NotPermitted


def find(user: str) -> pwd.struct_passwd:
    """Return the passwd entry. Raises ConfigurationError."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise ConfigurationError(
            f"there is no user {user!a}; run sesmailctl init as root, or set user in sesmail.conf"
        ) from None


def become(user: str) -> None:
    """Give up root for ``user``, for good; whoever is not root stays who he is.

    Raises ConfigurationError, NotPermitted.
    """
    if os.geteuid() != 0:
        return
    entry = find(user)
    try:
        os.initgroups(user, entry.pw_gid)
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
        os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    except OSError as error:
        raise NotPermitted(
            f"cannot become user {user!a}: {error.strerror}; start as that user, or give root "
            "the capabilities CAP_SETUID and CAP_SETGID"
        ) from None
