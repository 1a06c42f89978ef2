"""Who calls: login and full name from the uid, never from USER or LOGNAME; and this host's name."""

from __future__ import annotations

import posix
import pwd

from sesmail.sysexits import NoUser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sesmail.settings import Settings

_MAILNAME = "/etc/mailname"


def login() -> str:
    """Return the login of the real uid. Raises NoUser: containers run with uids nobody knows."""
    return _entry().pw_name


def address(settings: Settings) -> str:
    """Return login@origin."""
    return f"{login()}@{origin(settings)}"


def gecos_name() -> str:
    """Return the full name in the passwd entry: up to the first comma, ``&`` being the login."""
    entry = _entry()
    name = entry.pw_gecos.partition(",")[0]
    return name.replace("&", entry.pw_name.capitalize()).strip()


def _entry() -> pwd.struct_passwd:
    uid = posix.getuid()
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise NoUser(
            f"uid {uid} has no passwd entry, and the message neither From nor -f; pass -f ADDRESS"
        ) from None


def origin(settings: Settings) -> str:
    """Return the domain for bare names: ``origin``, else /etc/mailname, else the host's name."""
    if settings.origin:
        return settings.origin
    try:
        with open(_MAILNAME, encoding="utf-8", errors="replace") as file:
            name = file.readline(256).strip()
    except OSError:
        name = ""
    name = name or posix.uname().nodename
    return name if name.isascii() and name.isprintable() and " " not in name else "localhost"
