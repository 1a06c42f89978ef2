"""The command line of sesmailctl, and where its failures end."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from sesmail import VERSION, settings
from sesmail.control.terminal import Terminal
from sesmail.control.verb import Context
from sesmail.delivery import report, undumpable
from sesmail.submission.log import printable
from sesmail.sysexits import EX_SOFTWARE, EX_USAGE, Failure

# Where each is, in the order of --help: first what is used first. To import all of them takes as
# long as the rest of a run, so only that is with whose name the command line begins.
VERBS = {
    "setup": "setup.command",
    "activate": "activate.command",
    "deactivate": "activate.command",
    "check": "check.command",
    "test": "testmail",
    "status": "status",
    "queue": "queue",
    "log": "log",
    "report": "report.command",
    "suppression": "suppression",
    "events": "events.command",
    "import": "importing.command",
    "policy": "policy",
    "remove": "remove",
    "init": "init",
    "completion": "completion",
}


def main(words: Sequence[str]) -> int:
    """Do what ``words`` ask for; return the exit code."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.umask(0o077)
    try:
        undumpable.become_undumpable()
        arguments = parser(words[0] if words else "").parse_args(words)
        terminal = Terminal(is_json=getattr(arguments, "json", False))
        loaded, faults = settings.load_what_can_be(os.environ)
        if faults and not getattr(arguments, "tells_faults", False):
            raise faults[0]
        context = Context(loaded, terminal, dict(os.environ), faults)
        code: int | None = arguments.run(context, arguments)
    except Failure as failure:
        return _end(str(failure), failure.exit_code)
    except KeyboardInterrupt:
        return _interrupted()
    except Exception as error:  # noqa: BLE001  the administrator gets a line, never a traceback
        return _end(report.internal_error(error), EX_SOFTWARE)
    return code or 0


class _Parser(argparse.ArgumentParser):
    """One that ends with the exit code of sysexits(3)."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Say what is wrong with the command line."""
        self.exit(EX_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser(verb: str = "") -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or what of it ``verb`` needs, if it is one."""
    whole = _Parser("sesmailctl", description="Administer sesmail; see sesmailctl(8).")
    whole.add_argument("--version", action="version", version=f"sesmail {VERSION}")
    verbs = whole.add_subparsers(metavar="VERB", required=True)
    for module in [VERBS[verb]] if verb in VERBS else dict.fromkeys(VERBS.values()):
        importlib.import_module(f"sesmail.control.{module}").add(verbs)
    return whole


def _interrupted() -> int:
    """End as a program does that leaves SIGINT alone: the shell is to know."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    return EX_SOFTWARE


def _end(text: str, exit_code: int) -> int:
    sys.stderr.write(f"sesmailctl: {printable(text)}\n")
    return exit_code
