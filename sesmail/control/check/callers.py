"""What somebody who sends can do: reach the drop and write there, and look identities up.

Tried as the users of web servers, for a directory far above may be closed to them. What a unit of
systemd takes away besides is for ``units``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from sesmail.control.check import as_user, permissions, readers
from sesmail.control.check.finding import Finding, broken, ok
from sesmail.settings import Settings


def look(settings: Settings) -> Iterator[Finding]:
    """Try it; only root can, and for others the modes have to be enough."""
    if os.geteuid() != 0:
        return
    drop = os.path.join(settings.spool_directory, "drop")
    names = settings.credentials_directory
    for user in readers.strangers():
        closed = as_user.call(user, lambda: [_first_closed(path) for path in (drop, names)])
        to_drop, to_names = closed
        if permissions.has_spool(settings):
            if not to_drop and not as_user.call(user, lambda: os.access(drop, os.W_OK)):
                to_drop = drop
            yield _of_drop(user.pw_name, to_drop, drop)
        if to_names and not _is_said(to_names, names):
            text = (
                f"user {user.pw_name} cannot look for identities in {names}: {to_names} is closed"
            )
            yield broken("callers", text, f"chmod o+x {to_names}")


def _of_drop(name: str, closed: str, drop: str) -> Finding:
    if not closed:
        return ok("callers", f"user {name} can drop mail")
    if closed == drop:
        remedy = "run sesmailctl init as root; if that changes nothing, mount it read-write"
    else:
        remedy = f"chmod o+x {closed}"
    return broken("callers", f"user {name} cannot write to {drop}: {closed} is closed", remedy)


def _first_closed(path: str) -> str:
    """Return the first directory on the way to ``path`` and its end that cannot be searched."""
    parts = path.strip("/").split("/")
    for number in range(1, len(parts) + 1):
        place = "/" + "/".join(parts[:number])
        if not os.access(place, os.X_OK):
            return place
    return ""


def _is_said(closed: str, names: str) -> bool:
    """Tell whether ``permissions`` has seen it: the mode of the directory itself."""
    return closed == names.rstrip("/") and not os.stat(names).st_mode & stat.S_IXOTH
