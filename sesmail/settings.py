"""sesmail.conf: ``key = value`` lines, ``#`` comments, no sections. The one table of its keys.

``SESMAIL_CONFIG`` in the environment names another file; it counts only if root or the caller owns
it and nobody else can write it. Nothing on the command line does: callers pass user input there.
"""

from __future__ import annotations

import posix

from sesmail.identity import a_labels
from sesmail.sysexits import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PATH = "/etc/sesmail/sesmail.conf"
MOST_IN_FOREGROUND = 1000  # forward-paths of a message while the caller waits; nobody may set it
_LARGEST_FILE = 1 << 20
_FACILITIES = ("mail", "daemon", "user", *(f"local{number}" for number in range(8)))


class Settings:
    """The settings; ``warnings`` holds what the client logs and passes over."""

    def __init__(self) -> None:
        self.credentials_directory = "/etc/sesmail/credentials"
        self.spool_directory = "/var/spool/sesmail"
        self.user = "sesmail"
        self.real_sendmail = ""  # "": look for it; "none": there is none
        self.aliases = "/etc/aliases"
        self.origin = ""  # "": see sesmail.origin
        self.local_domains: tuple[str, ...] = ()
        self.identity_lookup = "parents"
        self.delivery_mode = "auto"
        self.queue_lifetime = 5 * 86400  # seconds, as the three below
        self.minimal_backoff = 60
        self.maximal_backoff = 3600
        self.history = 14 * 86400
        self.message_size_limit = 28 << 20  # bytes
        self.minimum_free = 64 << 20  # bytes
        self.postmaster = ""  # an address; "": nobody
        self.on_ambiguous = "resend"
        self.syslog_facility = "mail"
        self.warnings: list[str] = []


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings; without a file these are the defaults. Raises ConfigurationError."""
    settings = Settings()
    for fault in _read(settings, environ.get("SESMAIL_CONFIG") or PATH):
        raise fault
    return settings


def load_what_can_be(environ: Mapping[str, str]) -> tuple[Settings, list[ConfigurationError]]:
    """Read the settings, with defaults for what cannot be read; return all that is wrong, too."""
    settings = Settings()
    return settings, list(_read(settings, environ.get("SESMAIL_CONFIG") or PATH))


def _read(settings: Settings, path: str) -> Iterator[ConfigurationError]:
    """Take what the file says; yield each thing that is wrong with it, and pass it over."""
    try:
        text = _text(path)
    except ConfigurationError as fault:
        yield fault
        return
    for number, line in enumerate(text.split("\n"), 1):
        if wrong := _take(settings, line.strip(), path, number):
            yield wrong


def _text(path: str) -> str:
    """Return what is in the file, "" where there is none of the usual name."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
    except FileNotFoundError:
        if path == PATH:
            return ""
        raise ConfigurationError(f"{path!a}, named by SESMAIL_CONFIG, does not exist") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise ConfigurationError(f"cannot read {path!a}: {reason}; make it readable") from None
    try:
        if path != PATH:
            _check_owner(path, posix.fstat(descriptor))
        return posix.read(descriptor, _LARGEST_FILE).decode("utf-8", "replace")
    except OSError as error:
        raise ConfigurationError(f"cannot read {path!a}: {error.strerror}") from None
    finally:
        posix.close(descriptor)


def _check_owner(path: str, status: posix.stat_result) -> None:
    if status.st_uid not in (0, posix.getuid()) or status.st_mode & 0o022:
        raise ConfigurationError(
            f"{path!a}, named by SESMAIL_CONFIG, does not count: it must belong to root or to the "
            "caller, and nobody else may write it"
        )


def _take(settings: Settings, line: str, path: str, number: int) -> ConfigurationError | None:
    """Take what a line says; return what is wrong with it."""
    if not line or line.startswith("#"):
        return None
    key, equals, value = (part.strip() for part in line.partition("="))
    place = f"{path!a}, line {number}"
    if not equals:
        return ConfigurationError(f"{place}: not of the form key = value")
    parse = _KEYS.get(key)
    if parse is None:
        settings.warnings.append(f"{path}, line {number}: unknown key {key!a}")
        return None
    try:
        setattr(settings, key, parse(value))
    except ValueError as error:
        return ConfigurationError(f"{place}: {key}: {error}")
    return None


def _directory(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("an absolute path is needed")
    return value.rstrip("/") or "/"


def _program(value: str) -> str:
    return value if value == "none" else _directory(value)


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError("one of " + ", ".join(choices) + " is needed")
        return value

    return parse


def _user(value: str) -> str:
    if not value.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise ValueError("a user name is needed")
    return value


def _address(value: str) -> str:
    local_part, _, domain = value.rpartition("@")
    if not (local_part and domain and value.isascii() and value.isprintable()) or " " in value:
        raise ValueError("an address is needed")
    return value


def _domain(value: str) -> str:
    domain = a_labels(value)
    if not domain.isascii() or not domain.replace("-", "").replace(".", "").isalnum():
        raise ValueError("a domain name is needed")
    return domain


def _domains(value: str) -> tuple[str, ...]:
    return tuple(_domain(word) for word in value.replace(",", " ").split())


def _size(value: str) -> int:
    factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(value[-1:].upper(), 1)
    digits = value[:-1] if factor > 1 else value
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("a size such as 28M is needed")
    return int(digits) * factor


def _duration(value: str) -> int:
    """Return seconds for a number with s, m, h or d behind it."""
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(value[-1:])
    if factor is None or not (value[:-1].isascii() and value[:-1].isdigit()):
        raise ValueError("a duration such as 30s, 5m, 1h or 5d is needed")
    return int(value[:-1]) * factor


_KEYS: dict[str, Callable[[str], object]] = {
    "credentials_directory": _directory,
    "spool_directory": _directory,
    "user": _user,
    "real_sendmail": _program,
    "aliases": _directory,
    "origin": _domain,
    "local_domains": _domains,
    "identity_lookup": _one_of("parents", "exact"),
    "delivery_mode": _one_of("auto", "background", "foreground", "queue"),
    "queue_lifetime": _duration,
    "minimal_backoff": _duration,
    "maximal_backoff": _duration,
    "history": _duration,
    "message_size_limit": _size,
    "minimum_free": _size,
    "postmaster": _address,
    "on_ambiguous": _one_of("resend", "hold"),
    "syslog_facility": _one_of(*_FACILITIES),
}
