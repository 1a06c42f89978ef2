"""Root becomes the spool's user; another user must be that one already."""

from __future__ import annotations

import os
import pwd

from sesmail.sysexits import NotPermitted, NoUser, OSFailure


def become(user: str) -> None:
    """Become ``user`` with its groups, for good. Raises NoUser, NotPermitted, OSFailure."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise NoUser(f"there is no user {user}; run sesmailctl init as root") from None
    if os.geteuid() == entry.pw_uid:
        return
    if os.geteuid() != 0:
        raise NotPermitted(f"sesmaild runs as {user}, or is started by root")
    try:
        os.initgroups(user, entry.pw_gid)
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
        os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    except OSError as error:
        raise OSFailure(f"cannot become {user}: {error.strerror}") from None
