"""sesmaild, the command.

    sesmaild            run until SIGTERM; SIGHUP reads settings and credentials again
    sesmaild --once     one pass over drop and queue
    sesmaild --check    settings and credentials; no network
         … --stderr     log to stderr although there is a syslog

Started by root it becomes the user of the settings. boto3 is not imported here, nor what needs it:
an idle daemon is small, and up at once.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import warnings
from collections.abc import Sequence

from sesmail import settings
from sesmail.delivery import report, undumpable
from sesmail.delivery.daemon import check, privileges
from sesmail.delivery.daemon.log import opened
from sesmail.delivery.daemon.notify import Notifier
from sesmail.delivery.daemon.service import Service
from sesmail.delivery.main import clean
from sesmail.queue import schema
from sesmail.sysexits import EX_IOERR, EX_OK, EX_OSERR, EX_SOFTWARE, Failure, UsageError

# Seconds a thread may keep the interpreter: the main thread lets go of it at each step of SQLite,
# and everything waits for the main thread. On a busy machine 0.005 cost a third of the throughput.
_SWITCH = 0.0005
_ONCE, _CHECK, _STDERR = "--once", "--check", "--stderr"


def main(arguments: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    warnings.simplefilter("ignore")  # a library's advice to programmers is not for the log
    sys.setswitchinterval(_SWITCH)
    try:
        _run(arguments)
    except Failure as failure:
        return _end(str(failure), failure.exit_code)
    except sqlite3.Error as error:
        return _end(str(schema.translate(error)), EX_IOERR)
    except ImportError as error:
        return _end(report.broken_installation(error), EX_SOFTWARE)
    except MemoryError:
        return _end("out of memory", EX_OSERR)
    except Exception as error:  # noqa: BLE001  a line in the log, and systemd starts us again
        return _end(report.internal_error(error), EX_SOFTWARE)
    return EX_OK


def _run(arguments: Sequence[str]) -> None:
    for argument in arguments:
        if argument not in (_ONCE, _CHECK, _STDERR):
            raise UsageError(f"unknown option {argument[:100]!a}: --once, --check or --stderr")
    notifier = Notifier(os.environ.get("NOTIFY_SOCKET", ""))
    clean(os.environ)
    os.umask(0o077)
    os.chdir("/")
    loaded = settings.load(os.environ)
    privileges.become(loaded.user)
    undumpable.become_undumpable()
    if _CHECK in arguments:
        check.run(loaded)
        return
    log = opened(loaded.syslog_facility, _STDERR in arguments)
    try:
        with Service(loaded, log, notifier, is_once=_ONCE in arguments) as service:
            if _ONCE in arguments:
                service.run_once()
            else:
                service.run()
    except Failure as failure:
        log.error(f"sesmaild ends: {failure}")
        raise
    finally:
        log.flush()


def _end(text: str, code: int) -> int:
    sys.stderr.write(f"sesmaild: {text}\n".encode("ascii", "replace").decode("ascii"))
    return code
