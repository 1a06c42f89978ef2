"""PHP alone: a file beside php.ini for each way in which PHP is run, read after all others.

Nothing else of the host changes; /usr/sbin/sendmail stays whose it is.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator

from sesmail.control.activate import names
from sesmail.control.activate.own import Own
from sesmail.control.activate.step import Step
from sesmail.sysexits import Unavailable

_NAME = "99-sesmail.ini"
_DIRECTORIES = (
    "/etc/php/*/*/conf.d",  # Debian, by version and way
    "/etc/php*/conf.d",  # Arch, Alpine, openSUSE
    "/etc/php.d",  # Fedora
    "/etc/opt/remi/php*/php.d",
    "/usr/local/etc/php/conf.d",  # Docker's images
)
_MARK = "; Made by sesmailctl activate --php-only; sesmailctl deactivate takes it away.\n"


def directories(root: str = "") -> list[str]:
    """Return where files for PHP go. Raises Unavailable where there is no PHP."""
    found = sorted({path for pattern in _DIRECTORIES for path in glob.glob(root + pattern)})
    if not found:
        raise Unavailable("there is no PHP here: none of its directories conf.d; install PHP first")
    return found


def content(own: Own) -> str:
    """Return the file."""
    return f'{_MARK}sendmail_path = "{own.sendmail} -t -i"\n'


def take(paths: Iterable[str], own: Own) -> Iterator[Step]:
    """Yield the steps that write the files. Raises CannotCreate for a file that is another's."""
    text = content(own)
    for path in paths:
        old = _text(path)
        if old and not old.startswith(_MARK):
            raise names.in_the_way(path, "sesmail did not write it")
        if old != text:
            yield _put(path, text, old)


def give_back(paths: Iterable[str]) -> Iterator[Step]:
    """Yield the steps that remove the files, as far as they are ours."""
    for path in paths:
        old = _text(path)
        if old.startswith(_MARK):
            step = _put(path, old, "")
            yield Step("remove", path, step.undo, step.do)


def file_in(directory: str) -> str:
    """Return the path of the file in a directory of PHP's."""
    return os.path.join(directory, _NAME)


def _put(path: str, text: str, old: str) -> Step:
    return Step(
        "put",
        f"sendmail_path into {path}",
        lambda: _write(path, text),
        lambda: _write(path, old) if old else os.unlink(path),
    )


def _write(path: str, text: str) -> None:
    new = path + ".new"  # not read by PHP
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(new, 0o644)
    os.replace(new, path)


def _text(path: str) -> str:
    """Return what a file says, "" if there is none; a link or directory is another's."""
    if os.path.islink(path) or os.path.isdir(path):
        return "another's"
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read() or "another's"
    except FileNotFoundError:
        return ""
