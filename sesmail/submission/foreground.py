"""The foreground: become the delivery half, or run it, with the message on descriptor 0."""

from __future__ import annotations

import posix

from sesmail import launch
from sesmail.submission import children, relay, signals
from sesmail.sysexits import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from sesmail.settings import Settings
    from sesmail.submission.kept import Kept


def environment(caller: Mapping[str, str], settings: Settings, identity: str) -> dict[str, str]:
    """Return the environment of the delivery half. A caller's role variables could redirect it.

    They are kept only where the caller is root or owns the credentials file.
    """
    names: tuple[str, ...] = ("SESMAIL_CONFIG",)
    if _owns(f"{settings.credentials_directory}/{identity}"):
        names += launch.ROLE_VARIABLES
    return launch.environment(caller, names)


def _owns(path: str) -> bool:
    try:
        return posix.getuid() in (0, posix.stat(path).st_uid)
    except OSError:
        return False


def execute(library: str, message: Kept, environ: dict[str, str]) -> NoReturn:
    """Become the delivery half. Raises Unavailable where it is broken."""
    command = launch.command(library, launch.FOREGROUND)
    posix.dup2(message.open(), 0)
    signals.restore()
    try:
        posix.execve(command[0], command, environ)
    except OSError as error:
        raise _broken(command[0], error) from None


def run(library: str, message: Kept, environ: dict[str, str], output: int | None) -> int:
    """Run the delivery half as a child, for what comes after it; return its exit code.

    ``output``, here and below: the descriptor for what a child says, None for ours.
    """
    command = launch.command(library, launch.FOREGROUND)
    try:
        return _spawn(command[0], command, message, environ, output)
    except OSError as error:
        raise _broken(command[0], error) from None


def deliver_locally(
    real_sendmail: str,
    reverse_path: str,
    names: list[str],
    message: Kept,
    caller: Mapping[str, str],
    output: int | None,
) -> int:
    """Give ``message`` to the real sendmail for the local ``names``; return its exit code."""
    try:
        return hand_over(real_sendmail, reverse_path, names, message, caller, output)
    except Unavailable as failure:
        raise Unavailable(f"sent, but not to {', '.join(names)[:200]!a}: {failure}") from None


def hand_over(
    real_sendmail: str,
    reverse_path: str,
    forward_paths: list[str],
    message: Kept,
    caller: Mapping[str, str],
    output: int | None,
) -> int:
    """Give ``message`` to the real sendmail as a child; return its exit code."""
    words = ["sendmail", "-i", "-f", reverse_path or "<>", "--", *forward_paths]
    try:
        return _spawn(real_sendmail, words, message, relay.environment(caller), output)
    except OSError as error:
        raise Unavailable(
            f"cannot run the real sendmail {real_sendmail}: {error.strerror}"
        ) from None


def _broken(python: str, error: OSError) -> Unavailable:
    return Unavailable(
        f"not sent, not queued: cannot run {python}: {error.strerror}; install sesmail again"
    )


def _spawn(
    path: str, words: list[str], message: Kept, environ: Mapping[str, str], output: int | None
) -> int:
    """Run a child with ``message`` as its standard input; return an exit code that is not 75."""
    duplicates = [(message.open(), 0)]
    if output is not None:
        duplicates += [(output, 1), (output, 2)]
    return children.wait(children.start(path, words, environ, duplicates))
