"""Exit codes of sysexits(3) and the failures that carry them.

Inner code raises a ``Failure``; only the two ``main`` functions catch it, log one line, print one
line and exit with its code. A failure's text says what, why and the remedy in one line, and never
holds a secret or a part of a message. EX_TEMPFAIL (75) is missing on purpose: it tells a caller
that the mail is kept.
"""

from __future__ import annotations

EX_OK = 0
EX_USAGE = 64
EX_DATAERR = 65
EX_NOUSER = 67
EX_NOHOST = 68
EX_UNAVAILABLE = 69
EX_SOFTWARE = 70
EX_OSERR = 71
EX_CANTCREAT = 73
EX_IOERR = 74
EX_NOPERM = 77
EX_CONFIG = 78


class Failure(Exception):
    """An end without success; ``exit_code`` is what the caller gets. As such: our own bug."""

    exit_code = EX_SOFTWARE


class UsageError(Failure):
    """The command line cannot be followed."""

    exit_code = EX_USAGE


class DataError(Failure):
    """An address or the message cannot be used."""

    exit_code = EX_DATAERR


class NoUser(Failure):
    """A user, or a local recipient, that does not exist."""

    exit_code = EX_NOUSER


class Unavailable(Failure):
    """Nobody to hand the mail to, refused for good, or "not sent, not queued"."""

    exit_code = EX_UNAVAILABLE


class OSFailure(Failure):
    """The operating system refused something that is normally granted."""

    exit_code = EX_OSERR


class CannotCreate(Failure):
    """A file that holds the message cannot be made or grown."""

    exit_code = EX_CANTCREAT


class IOFailure(Failure):
    """Reading or writing the message failed."""

    exit_code = EX_IOERR


class NotPermitted(Failure):
    """The caller, or the key, may not do this."""

    exit_code = EX_NOPERM


class ConfigurationError(Failure):
    """A settings or credentials file is wrong."""

    exit_code = EX_CONFIG
