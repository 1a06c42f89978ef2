"""Which program PHP's mail() calls: ``sendmail_path``, by the command line, and by what is read.

It is PHP_INI_SYSTEM: set in php.ini and the files beside it, for a pool of php-fpm, or in Apache's
settings, never by a script.
"""

from __future__ import annotations

import glob
import os
import pwd
import re
import shlex
import subprocess
from collections.abc import Iterator

from sesmail.control.check.finding import Finding, broken, ok, warning
from sesmail.control.check.sendmail import SENDMAIL, is_ours, own_command
from sesmail.settings import Settings

_COMMANDS = ("/usr/bin/php", "/usr/local/bin/php", "/opt/remi/php*/root/usr/bin/php")
_PATIENCE = 10.0  # seconds
# php.ini of what is no command line, and the directory of the files that are read after it.
_SETTINGS = (
    ("/etc/php/*/fpm/php.ini", "conf.d"),
    ("/etc/php/*/apache2/php.ini", "conf.d"),
    ("/etc/php/*/cgi/php.ini", "conf.d"),
    ("/etc/php.ini", "php.d"),
    ("/usr/local/etc/php/php.ini", "conf.d"),
)
_OVERRIDES = (
    "/etc/php/*/fpm/pool.d/*.conf",
    "/etc/php-fpm.d/*.conf",
    "/usr/local/etc/php-fpm.d/*.conf",
    "/etc/apache2/*-enabled/*.conf",
    "/etc/httpd/conf.d/*.conf",
)
_INI = re.compile(r"^\s*sendmail_path\s*=\s*(?P<value>[^;\n]*)", re.MULTILINE)
_OVERRIDE = re.compile(
    r"^\s*php(_admin)?_value(\[sendmail_path\]\s*=|\s+sendmail_path\s)\s*(?P<value>[^\n]*)",
    re.MULTILINE,
)
_DEFAULT = f"{SENDMAIL} -t -i"  # what PHP is built with


def sendmail_path(settings: Settings) -> Iterator[Finding]:
    """Look at each way in which PHP is run here; nothing where there is no PHP."""
    found = [*_of_commands(), *_of_files()]
    for where, value in dict.fromkeys(found):
        yield _judged(where, value, settings)


def _of_commands() -> Iterator[tuple[str, str]]:
    paths = [path for pattern in _COMMANDS for path in sorted(glob.glob(pattern))]
    for path in paths:
        value = _asked(path)
        if value is not None:
            yield path, value


def _asked(php: str) -> str | None:
    """Return what a command says of itself, None if it does not; not as root: extensions run."""
    nobody = _nobody()
    try:
        done = subprocess.run(
            [php, "-r", 'echo ini_get("sendmail_path");'],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
            text=True,
            errors="replace",
            cwd="/",
            user=nobody,
            group=nobody,
            extra_groups=None if nobody is None else [],
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _nobody() -> int | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return 65534


def _of_files() -> Iterator[tuple[str, str]]:
    for pattern, beside in _SETTINGS:
        for path in sorted(glob.glob(pattern)):
            more = sorted(glob.glob(os.path.join(os.path.dirname(path), beside, "*.ini")))
            values = [(one, value) for one in (path, *more) for value in _values(one, _INI)]
            yield values[-1] if values else (path, _DEFAULT)  # the last one counts
    for pattern in _OVERRIDES:
        for path in sorted(glob.glob(pattern)):
            yield from ((path, value) for value in _values(path, _OVERRIDE))


def _values(path: str, pattern: re.Pattern[str]) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return []
    return [match["value"].strip().strip("\"'") or _DEFAULT for match in pattern.finditer(text)]


def _judged(where: str, value: str, settings: Settings) -> Finding:
    subject = "php"
    program = _program(value)
    remedy = f'sendmail_path = "{_ours()} -t -i" there, or take the line out'
    if is_ours(program):
        return ok(subject, f"{where}: mail() calls {program}, which is sesmail")
    if program == SENDMAIL and settings.real_sendmail != SENDMAIL:
        return ok(subject, f"{where}: mail() calls {program}; see sendmail")
    if not os.access(program, os.X_OK):
        return broken(
            subject, f"{where}: sendmail_path names {program!a}, which is no program", remedy
        )
    return warning(
        subject, f"{where}: sendmail_path names {program}: mail() passes sesmail by", remedy
    )


def _ours() -> str:
    return SENDMAIL if is_ours(SENDMAIL) else own_command()


def _program(value: str) -> str:
    """Return the program that a shell would run for the value."""
    try:
        words = shlex.split(value) or [""]
    except ValueError:
        words = value.split()
    return words[0]
