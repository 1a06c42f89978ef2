"""The command line of sesmailctl, and where its failures end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from sesmail import VERSION, settings
from sesmail.control import init, requeue, salvage
from sesmail.delivery import report
from sesmail.submission.log import printable
from sesmail.sysexits import EX_SOFTWARE, EX_USAGE, Failure


def main(words: Sequence[str]) -> int:
    """Do what ``words`` ask for; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.umask(0o077)
    try:
        arguments = _parser().parse_args(words)
        for line in arguments.run(settings.load(os.environ), arguments):
            print(line, flush=True)
    except Failure as failure:
        return _end(str(failure), failure.exit_code)
    except Exception as error:  # noqa: BLE001  the administrator gets a line, never a traceback
        return _end(report.internal_error(error), EX_SOFTWARE)
    return 0


class _Parser(argparse.ArgumentParser):
    """One that ends with the exit code of sysexits(3)."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Say what is wrong with the command line."""
        self.exit(EX_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("sesmailctl", description="Administer sesmail; see sesmailctl(8).")
    parser.add_argument("--version", action="version", version=f"sesmail {VERSION}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    verb = verbs.add_parser("init", help="make user and directories, repair owners and modes")
    verb.set_defaults(run=lambda settings, arguments: init.init(settings))

    queue = verbs.add_parser("queue", help="what waits to be sent")
    verbs = queue.add_subparsers(metavar="VERB", required=True)
    verb = verbs.add_parser("salvage", help="bring back what a damaged queue.db still holds")
    verb.add_argument("file", metavar="FILE", help="the database that was moved aside")
    verb.set_defaults(run=lambda settings, arguments: salvage.run(settings, arguments.file))
    verb = verbs.add_parser("requeue", help="try again what failed, or was held for ambiguity")
    verb.add_argument("queue_id", metavar="ID", help="the queue id in the mail log")
    verb.set_defaults(run=lambda settings, arguments: requeue.run(settings, arguments.queue_id))
    return parser


def _end(text: str, exit_code: int) -> int:
    sys.stderr.write(f"sesmailctl: {printable(text)}\n")
    return exit_code
