"""mailq, ``sendmail -bp`` and ``sendmail -q`` where there is a spool: ours and the real one's.

``-q`` has everything that waits tried now: by the daemon or, if none runs, in one pass of our own.
"""

from __future__ import annotations

import os

from sesmail import launch
from sesmail.drop.put import ABSENT, READER, Wake
from sesmail.submission import children, commandline, relay
from sesmail.sysexits import EX_OK, Failure, NotPermitted, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from sesmail.settings import Settings


def serve(
    argv: list[str],
    name: str,
    mode: str,
    settings: Settings,
    environ: Mapping[str, str],
    library: str,
) -> int | None:
    """List or run both queues, the real one's as ``name``; None where there is no spool."""
    wake = Wake(settings.spool_directory)
    has_reader, is_absent = wake.state == READER, wake.state == ABSENT
    wake.close()
    if is_absent:
        return None
    # The socket that these need costs more than all other imports, so they are imported here.
    if mode == commandline.LIST_QUEUE:
        from sesmail.submission import mailq

        return mailq.show(argv, name, settings, environ, is_running=has_reader)
    try:
        code = _ask(settings) if has_reader else _make_a_pass(settings, environ, library)
    except Failure as failure:
        _run_real(argv, name, settings, environ)
        raise failure from None
    return _run_real(argv, name, settings, environ) or code


def _ask(settings: Settings) -> int:
    from sesmail.submission import daemon

    for _ in daemon.ask(settings.spool_directory, "flush", "done"):
        pass
    return EX_OK


def _make_a_pass(settings: Settings, environ: Mapping[str, str], library: str) -> int:
    """Run ``sesmaild --once``, and wait for it."""
    owner = os.stat(os.path.join(settings.spool_directory, "queue")).st_uid
    if os.getuid() not in (0, owner):
        raise NotPermitted(
            f"sesmaild does not run, and only root or {settings.user} may take its place; start it"
        )
    command = launch.command(library, launch.DAEMON, "--once")
    return _spawn(command[0], command, launch.environment(environ, launch.DAEMON_VARIABLES))


def _run_real(argv: list[str], name: str, settings: Settings, environ: Mapping[str, str]) -> int:
    path = relay.find_queue(settings, environ, argv[0], name)
    if path is None:
        return EX_OK
    return _spawn(path, [name, *argv[1:]], relay.environment(environ))


def _spawn(path: str, words: list[str], environ: Mapping[str, str]) -> int:
    try:
        return children.wait(children.start(path, words, environ))
    except OSError as error:
        raise Unavailable(f"cannot run {path}: {error.strerror}") from None
